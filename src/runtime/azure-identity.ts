import type * as Library from '@azure/identity';
import type { TokenCredential } from '@azure/identity';
import { RentfoldError } from '../errors.ts';
import { identityFailure } from './azure-identity-failure.ts';
import { RenewedCredential } from './azure-tokens.ts';
import { createSystemClock, type Clock } from './clock.ts';

/** Who rentfold is to Azure, where no key or connection string says it. */

/**
 * The identity chosen by `RENTFOLD_AZURE_IDENTITY`, as plain data that can cross a thread border. There is no chain of several on purpose: which identity was used must not depend
 * on what happened to answer.
 */
export type AzureIdentityConfig =
  /** The identity that Azure gives to what runs in it. `clientId`: of a user-assigned one; null: the system-assigned one. The address comes from IDENTITY_ENDPOINT, else it is the machine's metadata service. */
  | { readonly kind: 'managed'; readonly clientId: string | null }
  /** A Kubernetes service account, by the token in a file that the cluster renews. */
  | { readonly kind: 'workload'; readonly clientId: string; readonly tenantId: string; readonly tokenFile: string; readonly authorityHost: string | null }
  /** A service principal with a secret, or with the PEM file of a certificate and its key. */
  | { readonly kind: 'environment'; readonly clientId: string; readonly tenantId: string; readonly proof: ServicePrincipalProof; readonly authorityHost: string | null }
  /** Whoever is logged in to the Azure CLI. */
  | { readonly kind: 'cli'; readonly tenantId: string | null };

/** What a service principal proves itself by. */
export type ServicePrincipalProof = { readonly kind: 'secret'; readonly secret: string } | { readonly kind: 'certificate'; readonly file: string };

/** Login hosts of Azure's clouds, which the library knows; it would ask the public cloud whether any other one is to be trusted. */
const KNOWN_AUTHORITIES = new Set(['login.microsoftonline.com', 'login.microsoftonline.us', 'login.chinacloudapi.cn', 'login.partner.microsoftonline.cn']);
/** Repeating is for those who know whether to wait. One more try bridges a connection that was closed meanwhile. */
const RETRY = { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/**
 * Makes the credential; loads the client library, which takes long. Tokens are kept and renewed before they end, also while the issuer is away for a while. What `getToken` throws is an `IdentityFailure`, whose message names
 * the option and holds no secret. Throws CONFIGURATION_INVALID for what cannot be a credential.
 */
export async function createTokenCredential(config: AzureIdentityConfig, clock: Clock = createSystemClock()): Promise<TokenCredential> {
  const library = await import('@azure/identity');
  try {
    return new RenewedCredential(credentialOf(config, library), config, clock);
  } catch (error) {
    throw new RentfoldError('CONFIGURATION_INVALID', identityFailure(error, config, null).message);
  }
}

/** The credential of the first who asks for it, for all. One that could not be made is made anew for whoever asks next: what stood in the way may have passed. */
export function lazyTokenCredential(config: AzureIdentityConfig, clock: Clock): () => Promise<TokenCredential> {
  let credential: Promise<TokenCredential> | null = null;
  return async () => {
    credential ??= createTokenCredential(config, clock);
    try {
      return await credential;
    } catch (error) {
      credential = null;
      throw error;
    }
  };
}

function credentialOf(config: AzureIdentityConfig, library: typeof Library): TokenCredential {
  const settings = { retryOptions: RETRY, loggingOptions: { enableUnsafeSupportLogging: false } };
  switch (config.kind) {
    case 'managed':
      return new library.ManagedIdentityCredential({ ...settings, ...(config.clientId === null ? {} : { clientId: config.clientId }) });
    case 'workload':
      return new library.WorkloadIdentityCredential({ ...settings, ...authority(config), clientId: config.clientId, tenantId: config.tenantId, tokenFilePath: config.tokenFile });
    case 'environment':
      return config.proof.kind === 'secret'
        ? new library.ClientSecretCredential(config.tenantId, config.clientId, config.proof.secret, { ...settings, ...authority(config) })
        : new library.ClientCertificateCredential(config.tenantId, config.clientId, { certificatePath: config.proof.file }, { ...settings, ...authority(config) });
    case 'cli':
      return new library.AzureCliCredential(config.tenantId === null ? {} : { tenantId: config.tenantId });
  }
}

function authority({ authorityHost }: { readonly authorityHost: string | null }): { authorityHost?: string; disableInstanceDiscovery?: boolean } {
  if (authorityHost === null) return {};
  return { authorityHost, disableInstanceDiscovery: !KNOWN_AUTHORITIES.has(new URL(authorityHost).hostname) };
}
