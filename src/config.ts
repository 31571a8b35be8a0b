import type { DecodeOptions } from './change/decoder.ts';
import { checkEventHubsValues } from './config-event-hubs.ts';
import type { RegistriesConfig } from './registry/registry-options.ts';
import { OPTIONS, type Option, type OptionName } from './config-options.ts';
import { checkAzureValues, checkKafkaValues, sourceConfig, storeConfig, type SourceConfig, type StoreConfig } from './config-places.ts';
import { columns, decimals, instants, patterns, timeZone, Values } from './config-values.ts';
import { registriesConfig } from './config-registry.ts';
import { RentfoldError } from './errors.ts';

/** The complete configuration, checked and frozen. */
export interface Config {
  readonly source: SourceConfig;
  readonly registries: RegistriesConfig;
  readonly store: StoreConfig;
  readonly host: string;
  readonly port: number;
  readonly readToken: string | null;
  readonly decode: DecodeOptions;
  readonly fiscalYearStartMonth: number;
  readonly deletedKeysDays: number;
  readonly acceptIncompleteHistory: boolean;
  readonly checkpointSeconds: number;
  readonly checkpointChanges: number;
  readonly parquet: ParquetConfig;
  readonly batchRecordsMax: number;
  /** The same for `replay`, which nobody reads figures from meanwhile: longer steps and rarer checkpoints unless they are set. */
  readonly replayBatchRecordsMax: number;
  readonly replayCheckpointSeconds: number;
  readonly batchesInFlightMax: number;
  readonly shutdownSeconds: number;
  readonly logFormat: 'auto' | 'json' | 'text';
  readonly logLevel: string;
}

/** The parquet file that others read. */
export interface ParquetConfig {
  /** Least time between two, in seconds; 0: none is written. */
  readonly seconds: number;
  readonly money: 'decimal' | 'double';
  /** Overwrite what another program wrote since we did. */
  readonly overwrite: boolean;
}

/** One option as it is in force, for `rentfold config`. */
export interface OptionInForce {
  readonly name: OptionName;
  /** Redacted when secret. */
  readonly value: string;
  readonly from: 'default' | 'file' | 'environment';
}

export interface LoadedConfig {
  readonly config: Config;
  readonly inForce: readonly OptionInForce[];
  /** Names that begin with RENTFOLD_ and are no option. */
  readonly unknown: readonly string[];
}

/** What configuration is made of. Paths are resolved by `resolve(path, isDefault)`: defaults against the package, others against the working folder. */
export interface ConfigInput {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Content of the configuration file, or null when there is none. */
  readonly file: { readonly path: string; readonly text: string } | null;
  readonly resolve: (path: string, isDefault: boolean) => string;
  /** Name of this machine. */
  readonly host: string;
  /** False for a command that opens no port: then it does not matter where one would. Not set: true. */
  readonly listens?: boolean;
}

/** Reads and checks all options. Throws one CONFIGURATION_INVALID whose message names every wrong option, a line each. */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const problems: string[] = [];
  const fileValues = readFileValues(input.file, problems);
  const raw = new Map<OptionName, { text: string; from: OptionInForce['from'] }>();
  for (const option of OPTIONS) {
    const environment = input.environment[option.name];
    const file = option.name === 'RENTFOLD_CONFIG_FILE' ? undefined : fileValues.get(option.name);
    if (environment !== undefined && environment.trim() !== '') raw.set(option.name, { text: environment.trim(), from: 'environment' });
    else if (file !== undefined && file !== '') raw.set(option.name, { text: file, from: 'file' });
    else raw.set(option.name, { text: option.fallback, from: 'default' });
  }
  const values = new Values(raw, problems);
  const config = build(values, input);
  checkTogether(config, values, problems, input.listens ?? true);
  if (problems.length > 0) throw new RentfoldError('CONFIGURATION_INVALID', [...new Set(problems)].sort((a, b) => placeInTable(a) - placeInTable(b)).join('\n'));
  const known = new Set<string>(OPTIONS.map((o) => o.name));
  const unknown = [...new Set([...Object.keys(input.environment), ...fileValues.keys()])]
    .filter((name) => name.startsWith('RENTFOLD_') && !name.startsWith('RENTFOLD_TEST_') && !known.has(name))
    .sort();
  return { config, inForce: inForce(raw), unknown };
}

/** Where a problem's option stands in the table; problems of the file itself come first. */
function placeInTable(problem: string): number {
  return OPTIONS.findIndex(({ name }) => problem.startsWith(`${name}:`));
}

function inForce(raw: ReadonlyMap<OptionName, { text: string; from: OptionInForce['from'] }>): OptionInForce[] {
  return OPTIONS.map((option: Option) => {
    const { text, from } = raw.get(option.name as OptionName)!;
    return { name: option.name as OptionName, value: option.secret === true && text !== '' ? '(set, not shown)' : text, from };
  });
}

function readFileValues(file: ConfigInput['file'], problems: string[]): Map<string, string> {
  const values = new Map<string, string>();
  if (file === null) return values;
  let parsed: unknown;
  try {
    parsed = JSON.parse(file.text);
  } catch (error) {
    problems.push(`${file.path} is not JSON${placeOf(error as Error)}`);
    return values;
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    problems.push(`${file.path} must hold one JSON object of option names and values`);
    return values;
  }
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') values.set(name, String(value).trim());
    else problems.push(`${name} in ${file.path} must be text, a number, true or false`);
  }
  return values;
}

/** Where JSON breaks off. The rest of the message may quote the file, and a secret with it. */
function placeOf(error: Error): string {
  const place = / at position \d+ \(line \d+ column \d+\)$/.exec(error.message);
  return place === null ? ': a comma, a quote or a bracket is missing, or a text stands without quotes' : `: it breaks off${place[0]}`;
}

/** Records a step of `replay`, and seconds between its checkpoints, when the options are not set: nobody reads meanwhile, and a replay that was killed repeats two minutes at most. */
const REPLAY_BATCH_RECORDS = 2_000;
const REPLAY_CHECKPOINT_SECONDS = 120;

function build(values: Values, { resolve, host }: ConfigInput): Config {
  const path = (name: OptionName): string => resolve(values.text(name), values.isDefault(name));
  return Object.freeze({
    source: sourceConfig(values, path, host),
    registries: registriesConfig(values, path),
    store: storeConfig(values, (text) => resolve(text, false), path),
    host: values.text('RENTFOLD_HOST'),
    port: values.integer('RENTFOLD_PORT'),
    readToken: values.text('RENTFOLD_READ_TOKEN') === '' ? null : values.text('RENTFOLD_READ_TOKEN'),
    decode: {
      timeZone: timeZone(values),
      decimals: decimals(values),
      tables: {
        expenses: patterns(values, 'RENTFOLD_TABLE_EXPENSES'),
        rents: patterns(values, 'RENTFOLD_TABLE_RENTS'),
        properties: patterns(values, 'RENTFOLD_TABLE_PROPERTIES'),
      },
      columns: {
        expenses: columns(values, 'RENTFOLD_COLUMNS_EXPENSES', 'expenses'),
        rents: columns(values, 'RENTFOLD_COLUMNS_RENTS', 'rents'),
        properties: columns(values, 'RENTFOLD_COLUMNS_PROPERTIES', 'properties'),
      },
      epochs: instants(values, 'RENTFOLD_SOURCE_EPOCHS'),
    },
    fiscalYearStartMonth: values.integer('RENTFOLD_FISCAL_YEAR_START_MONTH'),
    deletedKeysDays: values.integer('RENTFOLD_DELETED_KEYS_DAYS'),
    acceptIncompleteHistory: values.boolean('RENTFOLD_ACCEPT_INCOMPLETE_HISTORY'),
    checkpointSeconds: values.integer('RENTFOLD_CHECKPOINT_SECONDS'),
    checkpointChanges: values.integer('RENTFOLD_CHECKPOINT_CHANGES'),
    parquet: { seconds: values.integer('RENTFOLD_PARQUET_SECONDS'), money: values.choice('RENTFOLD_PARQUET_MONEY') as ParquetConfig['money'], overwrite: values.boolean('RENTFOLD_PARQUET_OVERWRITE') },
    batchRecordsMax: values.integer('RENTFOLD_BATCH_RECORDS'),
    replayBatchRecordsMax: values.isDefault('RENTFOLD_BATCH_RECORDS') ? REPLAY_BATCH_RECORDS : values.integer('RENTFOLD_BATCH_RECORDS'),
    replayCheckpointSeconds: values.isDefault('RENTFOLD_CHECKPOINT_SECONDS') ? REPLAY_CHECKPOINT_SECONDS : values.integer('RENTFOLD_CHECKPOINT_SECONDS'),
    batchesInFlightMax: values.integer('RENTFOLD_BATCHES_IN_FLIGHT'),
    shutdownSeconds: values.integer('RENTFOLD_SHUTDOWN_SECONDS'),
    logFormat: values.choice('RENTFOLD_LOG_FORMAT') as Config['logFormat'],
    logLevel: values.choice('LOG_LEVEL'),
  });
}

function checkTogether(config: Config, values: Values, problems: string[], listens: boolean): void {
  if (config.readToken !== null && config.readToken.length < 16) values.wrong('RENTFOLD_READ_TOKEN', 'at least 16 characters long');
  checkKafkaValues(values);
  checkEventHubsValues(values);
  checkAzureValues(values);
  values.choice('RENTFOLD_AZURE_IDENTITY');
  const anonymous = values.boolean('RENTFOLD_ALLOW_ANONYMOUS_READS');
  if (listens && !isLoopback(config.host) && config.readToken === null && !anonymous) {
    problems.push(`RENTFOLD_HOST: \`${config.host}\` is reachable from other machines; set RENTFOLD_READ_TOKEN, or RENTFOLD_ALLOW_ANONYMOUS_READS=true when something in front checks callers`);
  }
}

/** True for addresses that only this machine reaches. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
