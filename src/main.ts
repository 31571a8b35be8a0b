#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { env, exit, kill, pid, argv, stderr, stdout, versions as nodeVersions } from 'node:process';
import { isatty } from 'node:tty';
import { helpText, parseArguments } from './cli/arguments.ts';
import { configText } from './cli/config-command.ts';
import { loadConfig, type LoadedConfig } from './config.ts';
import type { StoreConfig } from './config-places.ts';
import { RentfoldError } from './errors.ts';
import type { Logger } from './runtime/log.ts';
import { messageOf } from './runtime/message-of.ts';
import type { Step } from './snapshot/checkpointer.ts';
import { createStore, type StoreSpec } from './snapshot/store-spec.ts';

/**
 * The only file that knows adapters, the process and the real clock. What only one command needs is loaded by that command: a wrong option and
 * `--help` answer at once.
 */

const ROOT = resolve(import.meta.dirname, '..');
const PREFIX = 'cdc/financial_performance/';
/** After everything was closed, what is still under way gets this long. */
const END_MS = 1_000;
/** A property of the demo data that is easy to type. */
const DEMO_PROPERTY = '11111111-1111-4111-8111-111111111111';

function loadConfiguration(listens: boolean): LoadedConfig {
  const path = env.RENTFOLD_CONFIG_FILE === undefined ? resolve(ROOT, 'config/rentfold.json') : resolve(env.RENTFOLD_CONFIG_FILE);
  const file = existsSync(path) ? { path, text: readConfigurationFile(path) } : null;
  if (file === null && env.RENTFOLD_CONFIG_FILE !== undefined) throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_CONFIG_FILE: there is no file ${path}`);
  return loadConfig({ environment: env, file, host: hostname(), resolve: (text, isDefault) => resolve(isDefault ? ROOT : '.', text), listens });
}

function readConfigurationFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_CONFIG_FILE: ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function runServe(loaded: LoadedConfig): Promise<void> {
  const [{ serve }, { createWorkerIngest }, { createSystemClock }, { createLog }, { createThreadWork }] = await Promise.all([
    import('./cli/serve-command.ts'), import('./ingest/worker.ts'), import('./runtime/clock.ts'), import('./runtime/log.ts'), import('./snapshot/thread-work.ts'),
  ]);
  const { config, unknown } = loaded;
  const log = createLog({ level: config.logLevel, format: config.logFormat, isTerminal: isatty(1), hasColours: hasColours(), to: 1 });
  endOnUnexpected(log);
  warnOfUnknown(log, unknown);
  const spec = storeSpec(config.store);
  const isDemo = config.source.kind === 'file' && config.source.folder === resolve(ROOT, 'config/demo');
  const onStep = killAtStep();
  await serve({
    config, log, clock: createSystemClock(), prefix: PREFIX,
    store: createStore(spec), work: createThreadWork(spec), ingest: createWorkerIngest({ source: config.source, registries: config.registries }),
    versions: { rentfold: packageVersion(), node: nodeVersions.node },
    hint: (url) => (isDemo
      ? `this is the demo portfolio; open ${url}/financial-performance/${DEMO_PROPERTY}?as_of=2026-11-23, then try another as_of, add &unit_id=…, and look at ${url}/health/status`
      : `figures are at ${url}/financial-performance/{property_id}, the state of the process at ${url}/health/status`),
    shutdown: shutdownSignal(log, config.shutdownSeconds, 'closing the port, then writing a last checkpoint'),
    ...(onStep === null ? {} : { onStep }),
  });
  log.info('ended');
  endAlthoughBusy();
}

/** The log goes to standard error, so that standard output has the summary and nothing else. */
async function runReplay({ config, unknown }: LoadedConfig): Promise<void> {
  const [{ replay }, { createWorkerIngest }, { createSystemClock }, { createLog }, { StatusLine }, { createThreadWork }] = await Promise.all([
    import('./cli/replay-command.ts'), import('./ingest/worker.ts'), import('./runtime/clock.ts'), import('./runtime/log.ts'), import('./runtime/status-line.ts'), import('./snapshot/thread-work.ts'),
  ]);
  const isTerminal = isatty(2);
  const hasLine = isTerminal && config.logFormat !== 'json' && env.TERM !== 'dumb';
  const line = hasLine ? new StatusLine({ write: (text) => void stderr.write(text), columns: () => stderr.columns || 80 }) : null;
  const log = createLog({ level: config.logLevel, format: config.logFormat, isTerminal, hasColours: hasColours(), to: line?.above ?? 2 });
  endOnUnexpected(log);
  warnOfUnknown(log, unknown);
  const spec = storeSpec(config.store);
  const onStep = killAtStep();
  say(await replay({
    config, log, clock: createSystemClock(), prefix: PREFIX, store: createStore(spec), work: createThreadWork(spec), ingest: createWorkerIngest({ source: config.source, registries: config.registries }),
    shutdown: shutdownSignal(log, config.shutdownSeconds, 'writing a last checkpoint'), progressLine: log.isLevelEnabled('info') ? line : null,
    ...(onStep === null ? {} : { onStep }),
  }));
  endAlthoughBusy();
}

function warnOfUnknown(log: Logger, names: readonly string[]): void {
  for (const name of names) log.warn({ code: 'OPTION_UNKNOWN' }, `${name} is no option of rentfold; check its spelling (rentfold config lists all)`);
}

/** See no-color.org. */
function hasColours(): boolean {
  return (env.NO_COLOR ?? '') === '';
}

function storeSpec(store: StoreConfig): StoreSpec {
  return store.kind === 'local' ? { kind: 'local', options: { directory: store.folder, ownFolder: PREFIX } } : { kind: 'azure', options: { ...store.azure, ownFolder: PREFIX } };
}

/** Aborts at the first SIGTERM or SIGINT. The second one, or the time allowed running out, ends the process: a crash loses nothing. */
function shutdownSignal(log: Logger, secondsMax: number, what: string): AbortSignal {
  const controller = new AbortController();
  const ask = (name: string): void => {
    if (controller.signal.aborted) {
      log.warn(`${name} again: ending at once`);
      exit(1);
    }
    log.info(`${name}: ${what}`);
    setTimeout(() => {
      log.error(`not ended within ${secondsMax} s (RENTFOLD_SHUTDOWN_SECONDS): ending now; the next start goes on from the last checkpoint`);
      exit(1);
    }, secondsMax * 1000).unref();
    controller.abort();
  };
  process.on('SIGTERM', () => ask('SIGTERM'));
  process.on('SIGINT', () => ask('SIGINT'));
  return controller.signal;
}

/** What nobody caught ends the process, and is said where everything is said. A crash loses nothing. */
function endOnUnexpected(log: Logger): void {
  process.on('uncaughtException', (error: unknown) => {
    const message = messageOf(error);
    log.fatal({ code: 'UNEXPECTED', err: error }, `ending: ${message}; the next start goes on from the last checkpoint`);
    exit(1);
  });
}

/** What was under way when the process was asked to end, such as a store that does not answer, does not keep it. */
function endAlthoughBusy(): void {
  setTimeout(() => exit(), END_MS).unref();
}

/**
 * Writes what a command has to say. Whoever reads it may have gone (`rentfold inspect | head`): then there is nobody left to tell. `serve` never comes here: its
 * log writes to the descriptor itself, which has to stay blocking.
 */
function say(text: string): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1;
  });
  stdout.write(text);
}

/** For tests: RENTFOLD_TEST_KILL_AT=`step` or `step:n` ends the process with SIGKILL at the n-th time a checkpoint comes to that step. */
function killAtStep(): ((step: Step) => void) | null {
  const [name, count = '1'] = (env.RENTFOLD_TEST_KILL_AT ?? '').split(':');
  if (name === '') return null;
  let left = Number(count);
  return (step) => { if (step === name && --left === 0) kill(pid, 'SIGKILL'); };
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

async function run(): Promise<void> {
  const parsed = parseArguments(argv.slice(2));
  if (parsed.kind === 'help') {
    say(helpText(parsed.command));
    return;
  }
  // `config` says what `serve` would say.
  const loaded = loadConfiguration(parsed.command === 'serve' || parsed.command === 'config');
  const store = (): ReturnType<typeof createStore> => createStore(storeSpec(loaded.config.store));
  switch (parsed.command) {
    case 'config':
      say(configText(loaded));
      return;
    case 'inspect':
      say(await (await import('./cli/inspect-command.ts')).inspectText(store(), PREFIX, parsed.parameters));
      return;
    case 'dead-letters':
      say(await (await import('./cli/dead-letters-command.ts')).deadLettersText(store(), PREFIX, parsed.parameters));
      return;
    case 'replay':
      await runReplay(loaded);
      return;
    case 'serve':
      await runServe(loaded);
  }
}

try {
  await run();
} catch (error) {
  const known = error instanceof RentfoldError;
  const lines = messageOf(error).split('\n');
  for (const line of lines) stderr.write(`rentfold: ${known ? error.code : 'UNEXPECTED'}: ${line}\n`);
  if (!known && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`);
  process.exitCode = known ? error.exit : 1;
  endAlthoughBusy();
}
