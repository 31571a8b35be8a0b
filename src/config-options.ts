/**
 * Every option of rentfold, in one table: name, kind, default, one sentence. Help, README and parsing all follow from it.
 * An option is read from the configuration file first, then from the environment, which wins.
 */

export type OptionKind =
  | { readonly type: 'choice'; readonly values: readonly string[] }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'path' }
  | { readonly type: 'text' }
  | { readonly type: 'zone' }
  | { readonly type: 'decimals' }
  | { readonly type: 'patterns' }
  | { readonly type: 'columns'; readonly table: 'expenses' | 'rents' | 'properties' }
  | { readonly type: 'instants' };

export interface Option {
  readonly name: string;
  readonly kind: OptionKind;
  /** Text as it would stand in the environment; '' means not set. */
  readonly fallback: string;
  readonly about: string;
  /** True: never printed or logged. */
  readonly secret?: boolean;
}

const integer = (min: number, max: number): OptionKind => ({ type: 'integer', min, max });
const choice = (...values: string[]): OptionKind => ({ type: 'choice', values });

export const OPTIONS = [
  { name: 'RENTFOLD_SOURCE', kind: choice('file', 'kafka', 'event-hubs'), fallback: 'file', about: 'Where change events come from.' },
  { name: 'RENTFOLD_FILE_DIR', kind: { type: 'path' }, fallback: 'config/demo', about: 'Folder of topic dumps (`*.jsonl`, as `kcat -C -J` writes them) for the file source; the default is the demo data shipped with rentfold.' },
  { name: 'RENTFOLD_KAFKA_BROKERS', kind: { type: 'text' }, fallback: '', about: 'Kafka brokers to begin with, `host:port`, comma between.' },
  { name: 'RENTFOLD_KAFKA_TOPICS', kind: { type: 'text' }, fallback: '', about: 'Topics to read, comma between; `*` stands for any characters. A named topic that does not exist yet is waited for.' },
  { name: 'RENTFOLD_KAFKA_GROUP', kind: { type: 'text' }, fallback: '', about: 'Consumer group under which durable positions are told to the broker, for tools that show lag; not set: `rentfold-<host name>`. Never read back.' },
  { name: 'RENTFOLD_KAFKA_TLS', kind: { type: 'boolean' }, fallback: 'false', about: 'Speaks TLS with the brokers.' },
  { name: 'RENTFOLD_KAFKA_TLS_CA', kind: { type: 'path' }, fallback: '', about: 'PEM file of the authorities that sign the brokers\' certificates, when they are not well-known ones.' },
  { name: 'RENTFOLD_KAFKA_SASL_MECHANISM', kind: choice('none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'), fallback: 'none', about: 'How rentfold proves who it is to the brokers; `oauthbearer` is by RENTFOLD_AZURE_IDENTITY.' },
  { name: 'RENTFOLD_KAFKA_SASL_USERNAME', kind: { type: 'text' }, fallback: '', about: 'User name for the brokers.' },
  { name: 'RENTFOLD_KAFKA_SASL_PASSWORD', kind: { type: 'text' }, fallback: '', secret: true, about: 'Password for the brokers.' },
  { name: 'RENTFOLD_KAFKA_OAUTH_SCOPE', kind: { type: 'text' }, fallback: '', about: 'For what an identity\'s tokens are asked for with `oauthbearer`; not set: `https://<host>/.default` of the first broker, when that is an Event Hubs namespace.' },
  { name: 'RENTFOLD_EVENT_HUBS_CONNECTION_STRING', kind: { type: 'text' }, fallback: '', secret: true, about: 'Connection string of an Event Hubs namespace, or of one hub (with EntityPath); its policy needs Listen. For local work; elsewhere RENTFOLD_AZURE_IDENTITY.' },
  { name: 'RENTFOLD_EVENT_HUBS_NAMESPACE', kind: { type: 'text' }, fallback: '', about: 'Host of the Event Hubs namespace, such as `rental.servicebus.windows.net`, for RENTFOLD_AZURE_IDENTITY. A connection string says it itself.' },
  { name: 'RENTFOLD_EVENT_HUBS_NAMES', kind: { type: 'text' }, fallback: '', about: 'Hubs to read, comma between. One that does not exist yet is waited for. A connection string with EntityPath says it itself.' },
  { name: 'RENTFOLD_EVENT_HUBS_CONSUMER_GROUP', kind: { type: 'text' }, fallback: '$Default', about: 'Consumer group to read in. Every instance needs one that nobody else reads in; nothing is kept in it.' },
  { name: 'RENTFOLD_SCHEMA_REGISTRY_URL', kind: { type: 'text' }, fallback: '', about: 'Address of a schema registry with Confluent\'s API, for records that begin with a schema number (Avro, or JSON with a JSON Schema); Apicurio\'s ends with `/apis/ccompat/v7`.' },
  { name: 'RENTFOLD_SCHEMA_REGISTRY_USERNAME', kind: { type: 'text' }, fallback: '', about: 'User name (or API key) for that registry.' },
  { name: 'RENTFOLD_SCHEMA_REGISTRY_PASSWORD', kind: { type: 'text' }, fallback: '', secret: true, about: 'Password (or API secret) for that registry.' },
  { name: 'RENTFOLD_SCHEMA_REGISTRY_NAMESPACE', kind: { type: 'text' }, fallback: '', about: 'Event Hubs namespace (`name.servicebus.windows.net`) whose Azure Schema Registry has the schemas of records with the content type `avro/binary+<id>`; needs RENTFOLD_AZURE_IDENTITY.' },
  { name: 'RENTFOLD_STORE', kind: choice('local', 'azure'), fallback: 'local', about: 'Where checkpoints are kept.' },
  { name: 'RENTFOLD_STORE_DIR', kind: { type: 'path' }, fallback: 'data', about: 'Folder of the local store; made if it does not exist.' },
  { name: 'AZURE_STORAGE_CONNECTION_STRING', kind: { type: 'text' }, fallback: '', secret: true, about: 'Connection string of the storage account, for `RENTFOLD_STORE=azure`.' },
  { name: 'AZURE_STORAGE_ACCOUNT_NAME', kind: { type: 'text' }, fallback: '', about: 'Name of the storage account, when there is no connection string.' },
  { name: 'AZURE_STORAGE_ACCOUNT_KEY', kind: { type: 'text' }, fallback: '', secret: true, about: 'Key of the storage account, when there is no connection string.' },
  { name: 'AZURE_STORAGE_BLOB_ENDPOINT', kind: { type: 'text' }, fallback: '', about: 'Address of the account\'s blob service, when it is not `https://<name>.blob.core.windows.net`: another cloud, a private name. A connection string says it itself.' },
  { name: 'CDC_CACHE_CONTAINER_NAME', kind: { type: 'text' }, fallback: '', about: 'Container for checkpoints and the parquet file; made if it does not exist. Wins over AZURE_STORAGE_CONTAINER_NAME.' },
  { name: 'AZURE_STORAGE_CONTAINER_NAME', kind: { type: 'text' }, fallback: '', about: 'The container when CDC_CACHE_CONTAINER_NAME is not set; with neither it is `documents`.' },
  { name: 'RENTFOLD_AZURE_IDENTITY', kind: choice('none', 'managed', 'workload', 'environment', 'cli'), fallback: 'none', about: 'Who rentfold is to Azure, where no key or connection string says it: `managed`, the identity that Azure gives to an app or machine; `workload`, a Kubernetes service account; `environment`, a service principal; `cli`, whoever is logged in to the Azure CLI, for local work.' },
  { name: 'AZURE_CLIENT_ID', kind: { type: 'text' }, fallback: '', about: 'Client id of a user-assigned managed identity (not set: the system-assigned one), of a workload identity, or of a service principal.' },
  { name: 'AZURE_TENANT_ID', kind: { type: 'text' }, fallback: '', about: 'Tenant of a workload identity or service principal; with `cli` the tenant to use, when there are several.' },
  { name: 'AZURE_CLIENT_SECRET', kind: { type: 'text' }, fallback: '', secret: true, about: 'Secret of the service principal.' },
  { name: 'AZURE_CLIENT_CERTIFICATE_PATH', kind: { type: 'path' }, fallback: '', about: 'PEM file of the service principal\'s certificate and key, instead of a secret.' },
  { name: 'AZURE_FEDERATED_TOKEN_FILE', kind: { type: 'path' }, fallback: '', about: 'File of the service account\'s token, for `workload`; Kubernetes sets it.' },
  { name: 'AZURE_AUTHORITY_HOST', kind: { type: 'text' }, fallback: '', about: 'Login host of another cloud than the public one, for `workload` and `environment`.' },
  { name: 'RENTFOLD_HOST', kind: { type: 'text' }, fallback: '127.0.0.1', about: 'Address the read endpoint listens on. Anything but a loopback address needs RENTFOLD_READ_TOKEN or RENTFOLD_ALLOW_ANONYMOUS_READS.' },
  { name: 'RENTFOLD_PORT', kind: integer(0, 65_535), fallback: '8080', about: 'Port the read endpoint listens on; 0 takes a free one and logs it.' },
  { name: 'RENTFOLD_READ_TOKEN', kind: { type: 'text' }, fallback: '', secret: true, about: 'When set (16 characters or more), every path but /health/live and /health/ready needs `Authorization: Bearer <token>`.' },
  { name: 'RENTFOLD_ALLOW_ANONYMOUS_READS', kind: { type: 'boolean' }, fallback: 'false', about: 'Allows listening beyond loopback without a token, e.g. behind a proxy that checks callers.' },
  { name: 'RENTFOLD_TIME_ZONE', kind: { type: 'zone' }, fallback: 'UTC', about: 'IANA name of the zone in which instants fall on a day and in which today is today.' },
  { name: 'RENTFOLD_FISCAL_YEAR_START_MONTH', kind: integer(1, 12), fallback: '1', about: 'Month in which the fiscal year begins.' },
  { name: 'RENTFOLD_DECIMALS', kind: { type: 'decimals' }, fallback: 'text', about: 'Form of decimals in messages without a schema block: `text` (JSON numbers and decimal text) or `base64:<scale>` (every decimal is base64 of its unscaled bytes).' },
  { name: 'RENTFOLD_TABLE_EXPENSES', kind: { type: 'patterns' }, fallback: '', about: 'Physical tables that are expenses: `table`, `schema.table` or `db.schema.table`, `*` allowed, comma between. Not set: any table named `expenses`.' },
  { name: 'RENTFOLD_TABLE_RENTS', kind: { type: 'patterns' }, fallback: '', about: 'The same for rents.' },
  { name: 'RENTFOLD_TABLE_PROPERTIES', kind: { type: 'patterns' }, fallback: '', about: 'The same for properties.' },
  { name: 'RENTFOLD_COLUMNS_EXPENSES', kind: { type: 'columns', table: 'expenses' }, fallback: '', about: 'Columns of expenses that have another name, or do not exist: `amount=cost,unit_id=none`.' },
  { name: 'RENTFOLD_COLUMNS_RENTS', kind: { type: 'columns', table: 'rents' }, fallback: '', about: 'The same for rents.' },
  { name: 'RENTFOLD_COLUMNS_PROPERTIES', kind: { type: 'columns', table: 'properties' }, fallback: '', about: 'The same for properties.' },
  { name: 'RENTFOLD_SOURCE_EPOCHS', kind: { type: 'instants' }, fallback: '', about: 'Moments (ISO, comma between) at which the source database failed over and its positions began again; add one after a failover.' },
  { name: 'RENTFOLD_DELETED_KEYS_DAYS', kind: integer(1, 3_650), fallback: '7', about: 'Days for which a deleted row is remembered, so that older records of it stay without effect.' },
  { name: 'RENTFOLD_ACCEPT_INCOMPLETE_HISTORY', kind: { type: 'boolean' }, fallback: 'false', about: 'Starts, and reads on, although part of the log is gone; every answer then says `complete: false`.' },
  { name: 'RENTFOLD_CHECKPOINT_SECONDS', kind: integer(1, 86_400), fallback: '30', about: 'A checkpoint is written when this many seconds have passed since the last one and something changed. Not set, `replay` takes 120.' },
  { name: 'RENTFOLD_CHECKPOINT_CHANGES', kind: integer(1, 1_000_000_000), fallback: '2000000', about: 'A checkpoint is written when this many records have been read since the last one.' },
  { name: 'RENTFOLD_PARQUET_SECONDS', kind: integer(0, 86_400), fallback: '300', about: 'The parquet file is written with a checkpoint when this many seconds have passed since the last one and figures changed, and when the date turns; 0 writes none.' },
  { name: 'RENTFOLD_PARQUET_MONEY', kind: choice('decimal', 'double'), fallback: 'decimal', about: 'Type of money in the parquet file: exact `decimal` (18 digits, 4 of them decimals), or `double` for readers that know no decimals.' },
  { name: 'RENTFOLD_PARQUET_OVERWRITE', kind: { type: 'boolean' }, fallback: 'false', about: 'Writes the parquet file although another program has written it since rentfold did; what it wrote is copied to `legacy/` first.' },
  { name: 'RENTFOLD_BATCH_RECORDS', kind: integer(1, 10_000), fallback: '64', about: 'Most records folded in one step; reads are answered between steps, so fewer records keep reads quick and more fold a little faster. Not set, `replay` takes 2 000.' },
  { name: 'RENTFOLD_BATCHES_IN_FLIGHT', kind: integer(1, 64), fallback: '8', about: 'Most decoded batches waiting to be folded; bounds memory.' },
  { name: 'RENTFOLD_SHUTDOWN_SECONDS', kind: integer(1, 600), fallback: '20', about: 'Longest time from SIGTERM to exit: the port closes, what was read is folded, a last checkpoint is written.' },
  { name: 'RENTFOLD_LOG_FORMAT', kind: choice('auto', 'json', 'text'), fallback: 'auto', about: 'Form of the log: `text` for people, `json` for machines, `auto` takes text on a terminal.' },
  { name: 'LOG_LEVEL', kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), fallback: 'info', about: 'Least important line that is logged.' },
  { name: 'RENTFOLD_CONFIG_FILE', kind: { type: 'path' }, fallback: 'config/rentfold.json', about: 'JSON file of options by name; the default one need not exist, one named here must. Read from the environment only.' },
] as const satisfies readonly Option[];

export type OptionName = (typeof OPTIONS)[number]['name'];
