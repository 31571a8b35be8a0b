import type { Config } from '../config.ts';
import { createControl, type Control } from '../control.ts';
import { RentfoldError } from '../errors.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { createBooks } from '../ledger/books.ts';
import type { Books, Definitions } from '../ledger/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { oneLine } from '../runtime/one-line.ts';
import { openSnapshots, type Role, type Snapshots, type Step } from '../snapshot/checkpointer.ts';
import { decodingChanges } from '../snapshot/decoding-changes.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import { createWriterId } from '../snapshot/names.ts';
import type { Store } from '../snapshot/store.ts';
import type { SnapshotWork } from '../snapshot/work.ts';
import type { OpenedLog } from '../source/source.ts';
import { createState, type State } from '../state.ts';
import { createFoldingEvents, type FoldingEvents } from './folding-events.ts';

/** What `serve` and `replay` have in common: store, lease, state and source, everything that has to be there before the first record is folded. */

/** Everything a folding command needs from the outside. */
export interface FoldingParts {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly work: SnapshotWork;
  readonly ingest: Ingest;
  readonly prefix: string;
  /** Aborts when the process is asked to end. */
  readonly shutdown: AbortSignal;
  readonly onStep?: (step: Step) => void;
}

/** A folding process that has begun nothing yet. */
export interface Folding {
  readonly parts: FoldingParts;
  readonly definitions: Definitions;
  readonly control: Control;
  readonly events: FoldingEvents;
  readonly snapshots: Snapshots;
}

/** What a restore leaves to go on from. */
export interface RestoredState {
  readonly state: State;
}

const SHOW_ROLE_EVERY_MS = 1_000;

/** Prepares a folding process; nothing is read or written before the first call of a function below. */
export function prepareFolding(parts: FoldingParts): Folding {
  const { config, log, clock, store, prefix, work, onStep } = parts;
  const control = createControl(clock.now());
  const events = createFoldingEvents(log, control, clock);
  const snapshots = openSnapshots({ store, prefix, clock, writer: createWriterId(), work, notify: events.warned, ...(onStep === undefined ? {} : { onStep }) });
  return { parts, definitions: { fiscalYearStartMonth: config.fiscalYearStartMonth, deletedKeysDays: config.deletedKeysDays }, control, events, snapshots };
}

/** The state of the newest usable generation, or an empty one. Throws DECODING_CHANGED, and what a restore throws. */
export async function restoreState({ parts, definitions, control, events, snapshots }: Folding): Promise<RestoredState> {
  const { log, clock, config } = parts;
  const traceUpdates = log.isLevelEnabled('debug');
  const newBooks = (): Books => createBooks(definitions, { traceUpdates });
  const began = clock.monotonicMs();
  const result = await snapshots.restore(newBooks);
  result.warnings.forEach(events.warned);
  if (result.kind === 'empty') {
    control.restored({ lineage: result.lineage, generation: null, caughtUpOnce: false, incompleteHistory: [], positions: [] }, clock.now());
    log.info({ store: parts.store.place }, '[FP-CACHE] the store is empty: reading the log from its beginning');
    return { state: createState(newBooks()) };
  }
  const { manifest, seed, books, lineage, generation } = result;
  refuseOtherDecoding(manifest, config);
  control.restored({ lineage, generation, caughtUpOnce: manifest.caughtUpOnce, incompleteHistory: manifest.incompleteHistory, positions: seed.positions }, clock.now());
  const { rows, accounts } = books.counts();
  log.info({ lineage, generation, rows, accounts, ms: Math.round(clock.monotonicMs() - began) }, `[FP-CACHE] Restored generation ${generation} of lineage ${lineage}`);
  return { state: createState(books, seed) };
}

function refuseOtherDecoding(manifest: Manifest, config: Config): void {
  const changes = decodingChanges(manifest.decoding, config.decode, manifest.newestChangeAt);
  if (changes.length === 0) return;
  const lines = changes.map(({ option, recorded, now }) => `${option}: ${now} differs from ${recorded}, with which generation ${manifest.generation} was read; set it back, or read the log from zero into an empty store`);
  throw new RentfoldError('DECODING_CHANGED', lines.join('\n'));
}

/** What is said of a topic or hub that is waited for, at start and at the end of a replay. */
export function missingTopicText(topic: string, source: Config['source']): string {
  const [what, option] = source.kind === 'event-hubs' ? ['hub', 'RENTFOLD_EVENT_HUBS_NAMES'] : ['topic', 'RENTFOLD_KAFKA_TOPICS'];
  return `${what} ${oneLine(topic)} does not exist and is waited for; if it should be there, check ${option}`;
}

/** Opens the source where the state stands, and tells. Throws what the source throws. */
export async function openLog({ parts, control, events }: Folding, state: State): Promise<OpenedLog> {
  const { config, log, clock, ingest } = parts;
  const opened = await ingest.open({
    positions: state.positions(), seenTables: state.seenTables, pieces: state.pieces(), wholeEvents: state.wholeEvents,
    decode: config.decode, acceptIncompleteHistory: config.acceptIncompleteHistory,
    recordsMax: Math.min(config.batchRecordsMax, config.checkpointChanges), creditsMax: config.batchesInFlightMax,
  });
  for (const note of opened.notes) events.warned({ code: 'RECORD_UNVERIFIED', message: note });
  if (parts.shutdown.aborted) return opened;
  for (const topic of opened.waiting ?? []) events.warned({ code: 'TOPIC_MISSING', message: missingTopicText(topic, config.source) });
  control.opened(opened, clock.now());
  log.info({ source: opened.identity, partitions: opened.bounds.length, gaps: opened.gaps }, `reading ${opened.identity}`);
  return opened;
}

/** The role at the start, shown. Throws what asking for the lease throws. */
export async function claimFirst({ snapshots, control }: Folding): Promise<Role> {
  await snapshots.claim();
  const { role, reason } = snapshots.status();
  control.roleChanged(role, reason);
  return role;
}

/** A stand-by asks for the lease again and again, as often as the store says, and at once when it has just lost it; the control state shows the role within a second. */
export async function claimLoop({ parts: { clock, store }, snapshots, control, events }: Folding, signal: AbortSignal): Promise<void> {
  let nextMs = clock.monotonicMs();
  while (!signal.aborted) {
    await clock.sleep(SHOW_ROLE_EVERY_MS, signal);
    if (signal.aborted) return;
    if (snapshots.status().role === 'standby' && clock.monotonicMs() >= nextMs) {
      // What a timer is early or late by must not cost a whole turn of this loop.
      nextMs = clock.monotonicMs() + store.leaseTerms.askEveryMs - SHOW_ROLE_EVERY_MS / 2;
      await snapshots.claim().then(control.leaseAnswered, events.failedToClaim);
    }
    const { role, reason } = snapshots.status();
    if (role !== control.state().role || reason !== control.state().roleReason) control.roleChanged(role, reason);
  }
}
