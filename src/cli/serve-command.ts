import type { Config } from '../config.ts';
import { isReady } from '../control-state.ts';
import { createControl, type Control } from '../control.ts';
import { RentfoldError } from '../errors.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { createBooks } from '../ledger/books.ts';
import type { Books, Definitions } from '../ledger/ledger.ts';
import { runPipeline } from '../pipeline.ts';
import { ParquetTrigger } from '../pipeline-parquet.ts';
import { buildApp, listen } from '../read/app.ts';
import { createReadModel } from '../read/read-model.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { openSnapshots, type CheckpointOutcome, type CheckpointRequest, type ParquetRequest, type Snapshots, type Step } from '../snapshot/checkpointer.ts';
import { decodingChanges } from '../snapshot/decoding-changes.ts';
import { createWriterId } from '../snapshot/names.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import type { Store } from '../snapshot/store.ts';
import type { SnapshotWork } from '../snapshot/work.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { OpenedLog } from '../source/source.ts';
import { createState, type State } from '../state.ts';
import { createServeEvents, type ServeEvents } from './serve-events.ts';

/** Everything `serve` needs from the outside. */
export interface ServeParts {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly work: SnapshotWork;
  readonly ingest: Ingest;
  readonly prefix: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Said once when figures can be read: what to open and try. */
  readonly hint: (url: string) => string;
  /** Aborts when the process is asked to end. */
  readonly shutdown: AbortSignal;
  readonly onStep?: (step: Step) => void;
}

const CLAIM_EVERY_MS = 1_000;

/**
 * Restores, follows, checkpoints and answers until asked to end. Throws a `RentfoldError` when it cannot begin, or when the last checkpoint could not
 * be written; what goes wrong between is shown in health and status, and the process stays up. Asked to end before it could begin, it just ends.
 */
export async function serve(parts: ServeParts): Promise<void> {
  const { config, log, clock, store, ingest, shutdown } = parts;
  const control = createControl(clock.now());
  const definitions: Definitions = { fiscalYearStartMonth: config.fiscalYearStartMonth, deletedKeysDays: config.deletedKeysDays };
  const held = new HeldState(createState(createBooks(definitions)));
  const app = buildApp(createReadModel({ state: held, control, clock, timeZone: config.decode.timeZone }), { readToken: config.readToken, versions: parts.versions, logger: log });
  const stopped = new AbortController();
  const running = AbortSignal.any([shutdown, stopped.signal]);
  let closing: Promise<void> | null = null;
  const closePort = (): Promise<void> => {
    control.closing();
    return closing ??= app.close().then(() => log.info('the port is closed'));
  };
  const ended = new Promise<null>((resolve) => {
    shutdown.addEventListener('abort', () => {
      closePort().catch(() => undefined);
      resolve(null);
    }, { once: true });
  });
  const events = createServeEvents(log, control, clock);
  const snapshots = openSnapshots({
    store, prefix: parts.prefix, clock, writer: createWriterId(), work: parts.work, notify: events.warned,
    ...(parts.onStep === undefined ? {} : { onStep: parts.onStep }),
  });
  let roles: Promise<void> = Promise.resolve();
  const work = async (): Promise<void> => {
    const url = await listenAt(app, config);
    log.info({ url }, 'listening');
    announceReadiness(control, log, parts.hint(url));
    const begun = await unlessEnded(begin({ parts, snapshots, control, definitions, held, events }), ended);
    if (begun === null) return;
    const { state, request } = begun;
    control.opened(begun.log, clock.now());
    log.info({ source: begun.log.identity, partitions: begun.log.bounds.length, gaps: begun.log.gaps }, `reading ${begun.log.identity}`);
    roles = claimLoop(snapshots, control, clock, events.failedToClaim, running);
    const parquet = new ParquetTrigger(clock, { seconds: config.parquet.seconds, timeZone: config.decode.timeZone }, {
      mayWrite: () => snapshots.status().role === 'publisher' && control.state().caughtUpOnce, changes: () => state.books.changedSinceCut, hasGeneration: () => control.state().generation !== null,
    });
    await runPipeline({
      ingest, state, clock, events, parquet, options: config, reachedEndAtStart: () => isReady(control.state()),
      checkpoint: (isForFile) => checkpoint(request(), parquet, { ...config.parquet, isReason: isForFile }, (asked) => events.checkpoint(snapshots, asked)),
    }, running);
  };
  try {
    await work();
  } finally {
    stopped.abort();
    const closed = closePort();
    await closeAll(log, [() => roles, () => ingest.close(), () => snapshots.close(), () => store.close(), () => closed]);
  }
}

/** Writes a checkpoint, with it the parquet file when that is wanted; answers the durable positions, or null for a stand-by. */
async function checkpoint(
  request: CheckpointRequest, trigger: ParquetTrigger, { money, overwrite, isReason }: Pick<ParquetRequest, 'money' | 'overwrite' | 'isReason'>, write: (asked: CheckpointRequest) => Promise<CheckpointOutcome>,
): Promise<readonly PartitionPosition[] | null | 'skipped'> {
  const wanted = trigger.begin();
  let outcome: CheckpointOutcome | null = null;
  try {
    outcome = await write({ ...request, parquet: wanted === null ? null : { ...wanted, money, overwrite, isReason } });
  } finally {
    trigger.ended(outcome);
  }
  if (outcome.kind === 'skipped') return 'skipped';
  return outcome.kind === 'standby' ? null : outcome.positions;
}

/** Lets everything go, one after the other, whatever fails on the way: what was not given back is free once the process has ended. */
async function closeAll(log: Logger, steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      log.warn(`while ending: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The result, or null once the process is asked to end: what is under way then, and what becomes of it, no longer matters. */
async function unlessEnded<T>(work: Promise<T>, ended: Promise<null>): Promise<T | null> {
  work.catch(() => undefined);
  return await Promise.race([ended, work]);
}

interface Begun {
  readonly state: State;
  readonly log: OpenedLog;
  readonly request: () => CheckpointRequest;
}

interface BeginParts {
  readonly parts: ServeParts;
  readonly snapshots: Snapshots;
  readonly control: Control;
  readonly definitions: Definitions;
  readonly held: HeldState;
  readonly events: ServeEvents;
}

/** Store, lease, state, source: everything that has to be there before the first record is folded. */
async function begin(beginParts: BeginParts): Promise<Begun> {
  const { parts, snapshots, control, definitions, held, events } = beginParts;
  const { config, store, ingest } = parts;
  await store.open();
  control.roleChanged(await snapshots.claim());
  const { state, history } = await restore(beginParts);
  held.state = state;
  if (parts.shutdown.aborted) throw new Error('asked to end before the source was opened');
  const log = await ingest.open({
    positions: state.positions(), seenTables: state.seenTables, decode: config.decode, acceptIncompleteHistory: config.acceptIncompleteHistory,
    recordsMax: Math.min(config.batchRecordsMax, config.checkpointChanges), creditsMax: config.batchesInFlightMax,
  });
  for (const note of log.notes) events.warned({ code: 'RECORD_UNVERIFIED', message: note });
  const request = (): CheckpointRequest => ({
    state, decoding: config.decode, definitions, sourceIdentity: log.identity, caughtUpOnce: control.state().caughtUpOnce,
    incompleteHistory: [...new Set([...history, ...log.gaps])],
  });
  return { state, log, request };
}

/** The state answers are made of: empty until restored. */
class HeldState {
  state: State;

  constructor(state: State) {
    this.state = state;
  }

  get books(): Books {
    return this.state.books;
  }

  get newestChangeAt(): number | null {
    return this.state.newestChangeAt;
  }

  counters(): ReturnType<State['counters']> {
    return this.state.counters();
  }
}

async function listenAt(app: Parameters<typeof listen>[0], config: Config): Promise<string> {
  try {
    return await listen(app, config.host, config.port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? `port ${config.port} is in use` : code === 'EACCES' ? `port ${config.port} needs rights this process does not have` : message;
    throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_HOST, RENTFOLD_PORT: cannot listen on ${config.host}:${config.port}: ${why}`, { cause: error });
  }
}

async function restore({ parts, snapshots, control, definitions }: BeginParts): Promise<{ state: State; history: readonly string[] }> {
  const { log, clock, config } = parts;
  const traceUpdates = log.isLevelEnabled('debug');
  const newBooks = (): Books => createBooks(definitions, { traceUpdates });
  const began = clock.monotonicMs();
  const result = await snapshots.restore(newBooks);
  for (const warning of result.warnings) {
    control.warned(warning, clock.now());
    log.warn({ code: warning.code }, warning.message);
  }
  if (result.kind === 'empty') {
    control.restored({ lineage: result.lineage, generation: null, caughtUpOnce: false, incompleteHistory: [], positions: [] }, clock.now());
    log.info({ store: parts.store.place }, '[FP-CACHE] the store is empty: reading the log from its beginning');
    return { state: createState(newBooks()), history: [] };
  }
  const { manifest, seed, books, lineage, generation } = result;
  refuseOtherDecoding(manifest, config);
  control.restored({ lineage, generation, caughtUpOnce: manifest.caughtUpOnce, incompleteHistory: manifest.incompleteHistory, positions: seed.positions }, clock.now());
  const { rows, accounts } = books.counts();
  log.info({ lineage, generation, rows, accounts, ms: Math.round(clock.monotonicMs() - began) }, `[FP-CACHE] Restored generation ${generation} of lineage ${lineage}`);
  return { state: createState(books, seed), history: manifest.incompleteHistory };
}

function refuseOtherDecoding(manifest: Manifest, config: Config): void {
  const changes = decodingChanges(manifest.decoding, config.decode, manifest.newestChangeAt);
  if (changes.length === 0) return;
  const lines = changes.map(({ option, recorded, now }) => `${option}: ${now} differs from ${recorded}, with which generation ${manifest.generation} was read; set it back, or read the log from zero into an empty store`);
  throw new RentfoldError('DECODING_CHANGED', lines.join('\n'));
}

/** A stand-by asks for the lease again and again; status shows the role within a second. */
async function claimLoop(snapshots: Snapshots, control: Control, clock: Clock, failed: (error: unknown) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(CLAIM_EVERY_MS, signal);
    if (signal.aborted) return;
    if (snapshots.status().role === 'standby') await snapshots.claim().catch(failed);
    const { role } = snapshots.status();
    if (role !== control.state().role) control.roleChanged(role);
  }
}

function announceReadiness(control: Control, log: Logger, hint: string): void {
  const unsubscribe = control.subscribe((_patches, state) => {
    if (!isReady(state)) return;
    unsubscribe();
    log.info({ partitions: Object.keys(state.partitions).length, ms: (state.readyAt ?? 0) - state.startedAt }, `ready: ${hint}`);
  });
}
