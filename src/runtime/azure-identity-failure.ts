import type { AzureIdentityConfig } from './azure-identity.ts';
import { oneLine } from './one-line.ts';

/**
 * No token came. The message names `RENTFOLD_AZURE_IDENTITY`, what happened and what to do; it holds no token and no secret, and there is no cause: what the library throws may hold the request.
 */
export class IdentityFailure extends Error {
  override readonly name = 'IdentityFailure';
  /** The message without the option. */
  readonly words: string;
  /** Whether the same request may succeed a little later without anybody doing something. */
  readonly mayPass: boolean;

  constructor(config: AzureIdentityConfig, words: string, mayPass: boolean) {
    super(`RENTFOLD_AZURE_IDENTITY=${config.kind}: ${words}`);
    this.words = words;
    this.mayPass = mayPass;
  }
}

/** The failure of an identity in or behind an error, however often the error was wrapped; null when it is another error. */
export function identityFailureIn(error: unknown): IdentityFailure | null {
  for (let e = error, depth = 0; e instanceof Error && depth < DEPTH_MAX; e = e.cause, depth++) if (e instanceof IdentityFailure) return e;
  return null;
}

const DEPTH_MAX = 5;
const WORDS_MAX = 300;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The issuer is not ready, busy or out of order; a machine's metadata service answers 404 and 410 while it starts. */
const MAY_PASS = new Set([404, 408, 410, 429]);

interface LibraryError {
  readonly message: string;
  /** HTTP status of the issuer's answer. */
  readonly status?: number | undefined;
  readonly statusCode?: number | undefined;
  /** The issuer's or MSAL's error code. */
  readonly errorCode?: string;
  /** The system's. */
  readonly code?: string;
}

/** Sorts what the client library throws while it asks for a token for `scope`; null: while the credential is made. */
export function identityFailure(thrown: unknown, config: AzureIdentityConfig, scope: string | null): IdentityFailure {
  if (thrown instanceof IdentityFailure) return thrown;
  const chain: LibraryError[] = [];
  for (let e = thrown; e instanceof Error && chain.length < DEPTH_MAX; e = e.cause) chain.push(e);
  const status = chain.map((e) => e.status ?? e.statusCode).find((found) => found !== undefined) ?? null;
  const code = chain.map((e) => e.errorCode ?? e.code).find((found) => found !== undefined) ?? '';
  const message = chain[0]?.message ?? String(thrown);
  const { words, mayPass } = explain({ status, code, message: withoutSecret(message, config) }, config);
  return new IdentityFailure(config, `${scope === null ? '' : `no token for ${scope}: `}${words}`, mayPass);
}

interface Answer {
  readonly status: number | null;
  readonly code: string;
  readonly message: string;
}

interface Explanation {
  readonly words: string;
  readonly mayPass: boolean;
}

function explain({ status, code, message }: Answer, config: AzureIdentityConfig): Explanation {
  if (status !== null) {
    const said = `${status}${code === '' ? '' : ` ${safe(code)}`}${described(message)}`;
    if (status >= 500 || MAY_PASS.has(status)) return { words: `the issuer is busy or not ready (${said})`, mayPass: true };
    return { words: `the issuer refuses (${said}): ${advice(config)}`, mayPass: false };
  }
  if (code === 'network_error' || code === 'endpoints_resolution_error' || code === 'openid_config_error') return { words: `the issuer cannot be reached${whereOf(config)}`, mayPass: true };
  if (config.kind === 'workload' && /no content on the file/i.test(message)) return { words: `the file ${config.tokenFile} of AZURE_FEDERATED_TOKEN_FILE is empty`, mayPass: true };
  if (config.kind === 'workload' && /^E[A-Z]+$/.test(code)) return { words: `the file ${config.tokenFile} of AZURE_FEDERATED_TOKEN_FILE cannot be read (${code}): ${advice(config)}`, mayPass: true };
  if (config.kind === 'environment' && config.proof.kind === 'certificate' && (/^E[A-Z]+$/.test(code) || /certificate|PEM|key/i.test(message))) {
    return { words: `the certificate of AZURE_CLIENT_CERTIFICATE_PATH cannot be used (${safe(message)}): it is a PEM file with a certificate and its key`, mayPass: false };
  }
  if (config.kind === 'cli') return { words: `${safe(message)} (${advice(config)})`, mayPass: false };
  if (/^(no answer within|no token came)/.test(message)) return { words: `${message}${whereOf(config)}`, mayPass: true };
  return { words: `${safe(message)}${whereOf(config)}`, mayPass: true };
}

/** What a person does when the issuer refuses. */
function advice(config: AzureIdentityConfig): string {
  switch (config.kind) {
    case 'managed':
      return config.clientId === null
        ? 'give this app or machine a system-assigned identity, or name its user-assigned one by AZURE_CLIENT_ID'
        : 'AZURE_CLIENT_ID is to be the client id of an identity that is assigned to this app or machine';
    case 'workload':
      return 'compare AZURE_CLIENT_ID, AZURE_TENANT_ID and the identity\'s federated credential (issuer, subject, audience) with the service account';
    case 'environment':
      return `compare AZURE_TENANT_ID, AZURE_CLIENT_ID and ${config.proof.kind === 'secret' ? 'AZURE_CLIENT_SECRET' : 'AZURE_CLIENT_CERTIFICATE_PATH'} with the app registration; secrets and certificates expire`;
    case 'cli':
      return 'log in with `az login`; in production use another identity';
  }
}

function whereOf(config: AzureIdentityConfig): string {
  if (config.kind === 'managed') return ': only what runs in Azure has a managed identity (IDENTITY_ENDPOINT, or the machine\'s metadata service at 169.254.169.254)';
  if (config.kind === 'cli') return '';
  return `: look at this machine's network${config.authorityHost === null ? '' : ` and at AZURE_AUTHORITY_HOST (${config.authorityHost})`}`;
}

function withoutSecret(text: string, config: AzureIdentityConfig): string {
  return config.kind === 'environment' && config.proof.kind === 'secret' ? text.replaceAll(config.proof.secret, '…') : text;
}

/** The issuer's own sentence, which names what does not fit. */
function described(message: string): string {
  const text = /Description: (.*?)(?: Trace ID:| - Correlation ID:|$)/s.exec(message)?.[1] ?? '';
  return text === '' || text === 'Not Available' ? '' : `: ${safe(text)}`;
}

/** One line of bounded length, without anything that could be a token or a secret: long words that are neither an id nor an address without a query. */
function safe(text: string): string {
  return oneLine(text).replace(/(https:\/\/[^\s'"?#]*)|[A-Za-z0-9+/_=.~-]{32,}/g, (word: string, address?: string) => (address !== undefined || ID.test(word) ? word : '…')).slice(0, WORDS_MAX).trim();
}
