import { RentfoldError } from '../errors.ts';
import type { AzureIdentityConfig } from '../runtime/azure-identity.ts';

/** Which container of which Azure Storage account, and what opens it: read from what operators set, without asking anybody. */

/** A container and what opens it, as plain data that can cross a thread border. */
export interface AzureContainer {
  readonly container: string;
  readonly credential:
    | { readonly kind: 'connection-string'; readonly connectionString: string }
    /** `endpoint`: where the account is when that is not `https://<account>.blob.core.windows.net`. */
    | { readonly kind: 'account-key'; readonly account: string; readonly key: string; readonly endpoint?: string }
    | { readonly kind: 'identity'; readonly account: string; readonly endpoint?: string; readonly identity: AzureIdentityConfig };
}

/** A storage account as a client needs it. */
export interface AzureAccount {
  /** Its blob endpoint, without a secret and without `/` at the end. */
  readonly endpoint: string;
  readonly authorization:
    | { readonly kind: 'key'; readonly account: string; readonly key: string }
    /** A shared access signature, without `?`. */
    | { readonly kind: 'signature'; readonly account: string | null; readonly signature: string }
    | { readonly kind: 'identity'; readonly identity: AzureIdentityConfig };
  /** The option an operator corrects when the account does not take it. */
  readonly option: 'AZURE_STORAGE_CONNECTION_STRING' | 'AZURE_STORAGE_ACCOUNT_KEY' | 'RENTFOLD_AZURE_IDENTITY';
}

/** The emulator's account and key, published by its maker for `UseDevelopmentStorage=true`. */
const DEVELOPMENT = 'AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1';
const HOST_SUFFIX = 'core.windows.net';
const KEY = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ACCOUNT = /^[a-z0-9]{3,24}$/;

/** The account of a credential. Throws CONFIGURATION_INVALID that names the option and what is wrong, never the value. */
export function accountOf(credential: AzureContainer['credential']): AzureAccount {
  if (credential.kind === 'connection-string') {
    const read = readConnectionString(credential.connectionString);
    if (typeof read === 'string') throw new RentfoldError('CONFIGURATION_INVALID', `AZURE_STORAGE_CONNECTION_STRING: ${read}`);
    return read;
  }
  const endpoint = (credential.endpoint ?? `https://${credential.account}.blob.${HOST_SUFFIX}`).replace(/\/+$/, '');
  if (credential.kind === 'identity') {
    if (!isBlobEndpoint(endpoint) || !endpoint.startsWith('https:')) throw new RentfoldError('CONFIGURATION_INVALID', `AZURE_STORAGE_BLOB_ENDPOINT: \`${endpoint}\` is no https address; tokens go over TLS alone`);
    return { endpoint, authorization: { kind: 'identity', identity: credential.identity }, option: 'RENTFOLD_AZURE_IDENTITY' };
  }
  const { account, key } = credential;
  if (!isAccountKey(key)) throw new RentfoldError('CONFIGURATION_INVALID', 'AZURE_STORAGE_ACCOUNT_KEY: the value given is not an account key (base64)');
  return { endpoint, authorization: { kind: 'key', account, key }, option: 'AZURE_STORAGE_ACCOUNT_KEY' };
}

/** Whether a text is the address of a blob service, with nothing in it that could hold a secret: an endpoint is shown. */
export function isBlobEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && ['https:', 'http:'].includes(url.protocol) && url.hostname !== '' && `${url.search}${url.hash}${url.username}${url.password}` === '';
}

/** Whether a text has the form of an account key. */
export function isAccountKey(text: string): boolean {
  return KEY.test(text);
}

/** The account that a connection string names, or what is wrong with it in words that quote no value. */
export function readConnectionString(text: string): AzureAccount | string {
  const parts = partsOf(text);
  if (typeof parts === 'string') return parts;
  if (parts.get('usedevelopmentstorage') !== undefined) {
    if (parts.get('usedevelopmentstorage')?.toLowerCase() !== 'true') return 'UseDevelopmentStorage can only be true';
    return readConnectionString(DEVELOPMENT);
  }
  const account = parts.get('accountname') ?? null;
  const key = parts.get('accountkey') ?? null;
  const signature = parts.get('sharedaccesssignature') ?? null;
  if (account !== null && !ACCOUNT.test(account)) return 'its AccountName is not 3 to 24 small letters and digits';
  const endpoint = endpointOf(parts, account);
  if (endpoint.kind === 'wrong') return endpoint.why;
  const option = 'AZURE_STORAGE_CONNECTION_STRING';
  if (key !== null) {
    if (account === null) return 'it has an AccountKey and lacks AccountName';
    if (!isAccountKey(key)) return 'its AccountKey is not base64: it was cut off or altered';
    return { endpoint: endpoint.url, authorization: { kind: 'key', account, key }, option };
  }
  if (signature === null) return 'it has neither AccountKey nor SharedAccessSignature';
  const bare = signature.replace(/^\?/, '');
  if (!/(^|&)sig=[^&]/.test(bare)) return 'its SharedAccessSignature lacks `sig=`: it was cut off or altered';
  return { endpoint: endpoint.url, authorization: { kind: 'signature', account, signature: bare }, option };
}

/** `Name=value` parts by lower-case name. */
function partsOf(text: string): ReadonlyMap<string, string> | string {
  const parts = new Map<string, string>();
  for (const part of text.split(';').map((piece) => piece.trim()).filter((piece) => piece !== '')) {
    const at = part.indexOf('=');
    if (at <= 0) return 'it is not a list of `Name=value` with `;` between';
    const name = part.slice(0, at).trim().toLowerCase();
    const value = part.slice(at + 1).trim();
    if (!/^[a-z]+$/.test(name)) return 'it is not a list of `Name=value` with `;` between';
    if (parts.has(name)) return 'it has one of its names twice';
    if (value !== '') parts.set(name, value);
  }
  return parts;
}

type Endpoint = { readonly kind: 'url'; readonly url: string } | { readonly kind: 'wrong'; readonly why: string };

function endpointOf(parts: ReadonlyMap<string, string>, account: string | null): Endpoint {
  const wrong = (why: string): Endpoint => ({ kind: 'wrong', why });
  const given = parts.get('blobendpoint');
  const protocol = parts.get('defaultendpointsprotocol')?.toLowerCase() ?? 'https';
  if (protocol !== 'https' && protocol !== 'http') return wrong('its DefaultEndpointsProtocol is neither https nor http');
  if (given === undefined && account === null) return wrong('it has neither AccountName nor BlobEndpoint');
  const text = given ?? `${protocol}://${account}.blob.${parts.get('endpointsuffix') ?? HOST_SUFFIX}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['https:', 'http:'].includes(url.protocol) || url.hostname === '') return wrong('its BlobEndpoint is no web address such as https://name.blob.core.windows.net');
  // Such parts could hold a secret, and an endpoint is shown.
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') return wrong('its BlobEndpoint has more than protocol, host and path; a signature belongs into SharedAccessSignature');
  return { kind: 'url', url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}
