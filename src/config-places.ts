import { eventHubsConfig } from './config-event-hubs.ts';
import { azureIdentity } from './config-identity.ts';
import type { OptionName } from './config-options.ts';
import type { Values } from './config-values.ts';
import { isAccountKey, isBlobEndpoint, readConnectionString, type AzureContainer } from './snapshot/azure-account.ts';
import type { EventHubsConfig } from './source/event-hubs-options.ts';
import type { KafkaConfig } from './source/kafka-options.ts';

/** Where change events come from and where checkpoints are kept: the options of `RENTFOLD_SOURCE` and `RENTFOLD_STORE`. */

/** Where change events come from, as plain data that can cross a thread border. */
export type SourceConfig = { readonly kind: 'file'; readonly folder: string } | { readonly kind: 'kafka'; readonly kafka: KafkaConfig } | { readonly kind: 'event-hubs'; readonly eventHubs: EventHubsConfig };

/** Where checkpoints are kept. */
export type StoreConfig = { readonly kind: 'local'; readonly folder: string } | { readonly kind: 'azure'; readonly azure: AzureContainer };

/** The source; what is missing or wrong is added to the problems. `host` is this machine's name. */
export function sourceConfig(values: Values, path: (name: OptionName) => string, host: string): SourceConfig {
  switch (values.choice('RENTFOLD_SOURCE')) {
    case 'kafka': return { kind: 'kafka', kafka: kafkaConfig(values, path, host) };
    case 'event-hubs': return { kind: 'event-hubs', eventHubs: eventHubsConfig(values) };
    default: return { kind: 'file', folder: path('RENTFOLD_FILE_DIR') };
  }
}

function kafkaConfig(values: Values, path: (name: OptionName) => string, host: string): KafkaConfig {
  values.needed('RENTFOLD_KAFKA_BROKERS', 'RENTFOLD_SOURCE=kafka');
  values.needed('RENTFOLD_KAFKA_TOPICS', 'RENTFOLD_SOURCE=kafka');
  if (values.text('RENTFOLD_KAFKA_TLS_CA') !== '' && !values.boolean('RENTFOLD_KAFKA_TLS')) values.problem('RENTFOLD_KAFKA_TLS_CA', 'has no effect without RENTFOLD_KAFKA_TLS=true: set that, or leave this out');
  return {
    brokers: values.list('RENTFOLD_KAFKA_BROKERS'), topics: values.list('RENTFOLD_KAFKA_TOPICS'),
    group: values.text('RENTFOLD_KAFKA_GROUP') === '' ? `rentfold-${host}` : values.text('RENTFOLD_KAFKA_GROUP'),
    tls: values.boolean('RENTFOLD_KAFKA_TLS') ? { ca: values.text('RENTFOLD_KAFKA_TLS_CA') === '' ? null : path('RENTFOLD_KAFKA_TLS_CA') } : null,
    sasl: kafkaSasl(values, path),
  };
}

function kafkaSasl(values: Values, path: (name: OptionName) => string): KafkaConfig['sasl'] {
  const mechanism = values.choice('RENTFOLD_KAFKA_SASL_MECHANISM');
  const isPassword = mechanism !== 'none' && mechanism !== 'oauthbearer';
  for (const name of ['RENTFOLD_KAFKA_SASL_USERNAME', 'RENTFOLD_KAFKA_SASL_PASSWORD'] as const) {
    if (isPassword) values.needed(name, `RENTFOLD_KAFKA_SASL_MECHANISM=${mechanism}`);
    else if (values.text(name) !== '') values.problem(name, `has no effect ${mechanism === 'none' ? 'without RENTFOLD_KAFKA_SASL_MECHANISM: set that' : `with RENTFOLD_KAFKA_SASL_MECHANISM=${mechanism}: choose another`}, or leave this out`);
  }
  if (mechanism === 'oauthbearer') return kafkaIdentity(values, path);
  if (values.text('RENTFOLD_KAFKA_OAUTH_SCOPE') !== '') values.problem('RENTFOLD_KAFKA_OAUTH_SCOPE', 'has no effect without RENTFOLD_KAFKA_SASL_MECHANISM=oauthbearer: set that, or leave this out');
  return isPassword ? { mechanism: mechanism as 'plain', username: values.text('RENTFOLD_KAFKA_SASL_USERNAME'), password: values.text('RENTFOLD_KAFKA_SASL_PASSWORD') } : null;
}

function kafkaIdentity(values: Values, path: (name: OptionName) => string): KafkaConfig['sasl'] {
  const identity = azureIdentity(values, path);
  if (identity === null) values.problem('RENTFOLD_AZURE_IDENTITY', 'is needed for RENTFOLD_KAFKA_SASL_MECHANISM=oauthbearer: managed, workload, environment or cli');
  const namespace = /^([a-z0-9-]+\.servicebus\.[a-z.]+):\d+$/i.exec(values.list('RENTFOLD_KAFKA_BROKERS')[0] ?? '')?.[1];
  const scope = values.text('RENTFOLD_KAFKA_OAUTH_SCOPE');
  if (scope === '' && namespace === undefined) values.problem('RENTFOLD_KAFKA_OAUTH_SCOPE', 'is needed for RENTFOLD_KAFKA_SASL_MECHANISM=oauthbearer when RENTFOLD_KAFKA_BROKERS does not name an Event Hubs namespace (`<name>.servicebus.windows.net:9093`)');
  return identity === null ? null : { mechanism: 'oauthbearer', identity, scope: scope === '' ? `https://${namespace}/.default` : scope };
}

/** Checks of single values that hold whatever the source is. */
export function checkKafkaValues(values: Values): void {
  values.boolean('RENTFOLD_KAFKA_TLS');
  values.choice('RENTFOLD_KAFKA_SASL_MECHANISM');
  if (!values.list('RENTFOLD_KAFKA_BROKERS').every(isBroker)) values.wrong('RENTFOLD_KAFKA_BROKERS', 'a list of `host:port`, comma between, with ports from 1 to 65535');
  if (values.list('RENTFOLD_KAFKA_TOPICS').some((topic) => !/^[A-Za-z0-9._*-]{1,249}$/.test(topic))) values.wrong('RENTFOLD_KAFKA_TOPICS', 'a list of topic names (letters, digits, `.`, `_`, `-`; `*` for any), comma between');
  if (!/^[\x21-\x7e]{0,500}$/.test(values.text('RENTFOLD_KAFKA_OAUTH_SCOPE'))) values.wrong('RENTFOLD_KAFKA_OAUTH_SCOPE', 'a scope such as `https://<namespace>.servicebus.windows.net/.default`, without spaces');
  if (!/^[\x21-\x7e]{0,255}$/.test(values.text('RENTFOLD_KAFKA_GROUP'))) values.wrong('RENTFOLD_KAFKA_GROUP', 'a group name of at most 255 characters without spaces');
}

function isBroker(text: string): boolean {
  const port = /^(?:\[[0-9a-fA-F:]+\]|[^\s:/]+):(\d{1,5})$/.exec(text)?.[1];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** The store; what is missing or wrong is added to the problems. */
export function storeConfig(values: Values, folder: (text: string) => string, path: (name: OptionName) => string): StoreConfig {
  if (values.choice('RENTFOLD_STORE') !== 'azure') return { kind: 'local', folder: folder(values.text('RENTFOLD_STORE_DIR')) };
  const container = values.text('CDC_CACHE_CONTAINER_NAME') || values.text('AZURE_STORAGE_CONTAINER_NAME') || 'documents';
  return { kind: 'azure', azure: { container, credential: storeCredential(values, path) } };
}

function storeCredential(values: Values, path: (name: OptionName) => string): AzureContainer['credential'] {
  const identity = azureIdentity(values, path);
  const connectionString = values.text('AZURE_STORAGE_CONNECTION_STRING');
  const account = values.text('AZURE_STORAGE_ACCOUNT_NAME');
  const key = values.text('AZURE_STORAGE_ACCOUNT_KEY');
  const address = values.text('AZURE_STORAGE_BLOB_ENDPOINT');
  const endpoint = address === '' ? {} : { endpoint: address };
  if (identity !== null) {
    for (const name of ['AZURE_STORAGE_CONNECTION_STRING', 'AZURE_STORAGE_ACCOUNT_KEY'] as const) {
      if (values.text(name) !== '') values.problem(name, `and RENTFOLD_AZURE_IDENTITY=${identity.kind} are both given: leave one of them out`);
    }
    if (account === '' && address === '') values.problem('AZURE_STORAGE_ACCOUNT_NAME', `is needed for RENTFOLD_STORE=azure with RENTFOLD_AZURE_IDENTITY=${identity.kind}, or AZURE_STORAGE_BLOB_ENDPOINT`);
    if (address.startsWith('http:')) values.wrong('AZURE_STORAGE_BLOB_ENDPOINT', 'an https address; an identity\'s tokens go over TLS alone');
    return { kind: 'identity', account, ...endpoint, identity };
  }
  if (connectionString !== '') {
    refuseOtherAccount(values, connectionString, account);
    if (address !== '') values.problem('AZURE_STORAGE_BLOB_ENDPOINT', 'has no effect beside AZURE_STORAGE_CONNECTION_STRING: let that name the BlobEndpoint, or leave this out');
    return { kind: 'connection-string', connectionString };
  }
  if (account === '') values.problem('AZURE_STORAGE_CONNECTION_STRING', 'is needed for RENTFOLD_STORE=azure, or AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_ACCOUNT_NAME with RENTFOLD_AZURE_IDENTITY');
  else values.needed('AZURE_STORAGE_ACCOUNT_KEY', 'AZURE_STORAGE_ACCOUNT_NAME, or RENTFOLD_AZURE_IDENTITY in its place');
  return { kind: 'account-key', account, key, ...endpoint };
}

/** Checks of single values that hold whatever the store is. */
export function checkAzureValues(values: Values): void {
  for (const name of ['CDC_CACHE_CONTAINER_NAME', 'AZURE_STORAGE_CONTAINER_NAME'] as const) {
    if (!/^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(values.text(name) || 'documents')) values.wrong(name, 'a container name: 3 to 63 small letters, digits and single hyphens');
  }
  if (!/^[a-z0-9]{3,24}$/.test(values.text('AZURE_STORAGE_ACCOUNT_NAME') || 'name')) values.wrong('AZURE_STORAGE_ACCOUNT_NAME', 'a storage account name: 3 to 24 small letters and digits');
  const key = values.text('AZURE_STORAGE_ACCOUNT_KEY');
  if (key !== '' && !isAccountKey(key)) values.wrong('AZURE_STORAGE_ACCOUNT_KEY', 'an account key (base64)');
  const address = values.text('AZURE_STORAGE_BLOB_ENDPOINT');
  if (address !== '' && !isBlobEndpoint(address)) values.wrong('AZURE_STORAGE_BLOB_ENDPOINT', 'a web address with protocol, host and path alone, such as `https://name.blob.core.usgovcloudapi.net`');
  const connectionString = values.text('AZURE_STORAGE_CONNECTION_STRING');
  const read = connectionString === '' ? '' : readConnectionString(connectionString);
  if (typeof read === 'string' && read !== '') values.problem('AZURE_STORAGE_CONNECTION_STRING', `${read}; it is expected as the portal shows it, with AccountName and AccountKey, or BlobEndpoint and SharedAccessSignature`);
}

/** The connection string wins over name and key; where they name different accounts, nobody can tell which is meant. */
function refuseOtherAccount(values: Values, connectionString: string, account: string): void {
  const read = readConnectionString(connectionString);
  const named = typeof read === 'string' || read.authorization.kind === 'identity' ? null : read.authorization.account;
  if (account !== '' && named !== null && named !== account) {
    values.problem('AZURE_STORAGE_ACCOUNT_NAME', `\`${account}\` differs from the account \`${named}\` in AZURE_STORAGE_CONNECTION_STRING: set one of the two`);
  }
}
