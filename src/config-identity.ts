import type { OptionName } from './config-options.ts';
import type { Values } from './config-values.ts';
import type { AzureIdentityConfig } from './runtime/azure-identity.ts';

/** Who rentfold is to Azure: the option `RENTFOLD_AZURE_IDENTITY` and the names that Azure's own tools read. */

/** The identity chosen, null for none; what is missing or wrong is added to the problems. `path` resolves the option's file. */
export function azureIdentity(values: Values, path: (name: OptionName) => string): AzureIdentityConfig | null {
  const kind = values.choice('RENTFOLD_AZURE_IDENTITY');
  const because = `RENTFOLD_AZURE_IDENTITY=${kind}`;
  const tenantId = values.text('AZURE_TENANT_ID');
  const clientId = values.text('AZURE_CLIENT_ID');
  if (kind === 'managed') {
    if (clientId !== '') checkClient(values);
    return { kind, clientId: clientId === '' ? null : clientId };
  }
  if (kind === 'cli') {
    if (tenantId !== '') checkTenant(values);
    return { kind, tenantId: tenantId === '' ? null : tenantId };
  }
  if (kind !== 'workload' && kind !== 'environment') return null;
  needed(values, 'AZURE_TENANT_ID', because, checkTenant);
  needed(values, 'AZURE_CLIENT_ID', because, checkClient);
  const authorityHost = authority(values);
  if (kind === 'workload') {
    values.needed('AZURE_FEDERATED_TOKEN_FILE', `${because}; Kubernetes sets it for a pod with the label azure.workload.identity/use`);
    return { kind, clientId, tenantId, tokenFile: path('AZURE_FEDERATED_TOKEN_FILE'), authorityHost };
  }
  return { kind, clientId, tenantId, proof: proof(values, path, because), authorityHost };
}

function needed(values: Values, name: OptionName, because: string, check: (values: Values) => void): void {
  if (values.text(name) === '') values.needed(name, because);
  else check(values);
}

function proof(values: Values, path: (name: OptionName) => string, because: string): Extract<AzureIdentityConfig, { kind: 'environment' }>['proof'] {
  const secret = values.text('AZURE_CLIENT_SECRET');
  const isFile = values.text('AZURE_CLIENT_CERTIFICATE_PATH') !== '';
  if (secret === '' && !isFile) values.problem('AZURE_CLIENT_SECRET', `is needed for ${because}, or AZURE_CLIENT_CERTIFICATE_PATH`);
  if (secret !== '' && isFile) values.problem('AZURE_CLIENT_CERTIFICATE_PATH', 'and AZURE_CLIENT_SECRET are both given: leave one of them out');
  return isFile ? { kind: 'certificate', file: path('AZURE_CLIENT_CERTIFICATE_PATH') } : { kind: 'secret', secret };
}

function checkClient(values: Values): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(values.text('AZURE_CLIENT_ID'))) values.wrong('AZURE_CLIENT_ID', 'a client id such as `00000000-0000-0000-0000-000000000000` (not a name, nor an object id)');
}

function checkTenant(values: Values): void {
  if (!/^[0-9A-Za-z]([0-9A-Za-z.-]{0,252}[0-9A-Za-z])?$/.test(values.text('AZURE_TENANT_ID'))) values.wrong('AZURE_TENANT_ID', 'a tenant\'s id, or one of its domain names');
}

function authority(values: Values): string | null {
  const text = values.text('AZURE_AUTHORITY_HOST');
  if (text === '') return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'https:' || url.pathname !== '/' || `${url.search}${url.hash}${url.username}${url.password}` !== '') {
    values.wrong('AZURE_AUTHORITY_HOST', 'an https address without a path, such as `https://login.microsoftonline.com`');
    return null;
  }
  return url.origin;
}
