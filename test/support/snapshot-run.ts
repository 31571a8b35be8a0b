import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecodeOptions } from '../../src/change/decoder.ts';
import { createBooks } from '../../src/ledger/books.ts';
import type { Books, Definitions } from '../../src/ledger/ledger.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { createSystemClock } from '../../src/runtime/clock.ts';
import { openSnapshots, type CheckpointOutcome, type ParquetRequest, type SnapshotOptions, type Snapshots } from '../../src/snapshot/checkpointer.ts';
import { createLocalStore } from '../../src/snapshot/local-store.ts';
import { createWriterId } from '../../src/snapshot/names.ts';
import type { RestoreResult, Warning } from '../../src/snapshot/restore.ts';
import type { Store } from '../../src/snapshot/store.ts';
import { createInlineWork } from '../../src/snapshot/work.ts';
import { createState, type State } from '../../src/state.ts';

/** One process's use of snapshots, in this process: a store over a folder, a state, and what it was told. */

export const PREFIX = 'cdc/financial_performance/';
export const DEFINITIONS: Definitions = { fiscalYearStartMonth: 1, deletedKeysDays: 7 };
export const DECODING: DecodeOptions = {
  timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] },
  columns: { expenses: { amount: 'amount' }, rents: { unit_id: null }, properties: {} }, epochs: [],
};

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'rentfold-snapshot-'));
}

export async function openLocal(directory: string): Promise<Store> {
  const store = createLocalStore({ directory, ownFolder: PREFIX });
  await store.open();
  return store;
}

export interface Run {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly restored: RestoreResult;
  readonly state: State;
  readonly warnings: Warning[];
  /** `parquet`: write the parquet file with it, as of this day unless told otherwise. */
  checkpoint(parquet?: Partial<ParquetRequest>): Promise<CheckpointOutcome>;
}

/** Starts as a process does: lease, restore, state. */
export async function startRun(store: Store, options: Partial<SnapshotOptions> = {}): Promise<Run> {
  const warnings: Warning[] = [];
  const clock: Clock = options.clock ?? createSystemClock();
  const snapshots = openSnapshots({ store, prefix: PREFIX, clock, writer: createWriterId(), work: createInlineWork(store), notify: (warning) => warnings.push(warning), ...options });
  await snapshots.claim();
  const newBooks = (): Books => createBooks(DEFINITIONS);
  const restored = await snapshots.restore(newBooks);
  const state = restored.kind === 'restored' ? createState(restored.books, restored.seed) : createState(newBooks());
  return {
    store, snapshots, restored, state, warnings,
    checkpoint: (parquet) => snapshots.checkpoint({
      state, decoding: DECODING, definitions: DEFINITIONS, sourceIdentity: 'file:/log', caughtUpOnce: true, incompleteHistory: [],
      parquet: parquet === undefined ? null : { asOf: 30_000, money: 'decimal', overwrite: false, mayStand: false, isReason: false, ...parquet },
    }),
  };
}

/** Everything about a state that a restore must bring back, as text; the rows as a hash. */
export function pictureOf(state: State): string {
  const rows = createHash('sha256');
  for (const line of state.books.canonicalRows()) rows.update(line);
  return JSON.stringify({
    rows: rows.digest('hex'), totals: state.books.controlTotals(), letters: state.books.openDeadLetters().map(({ letter, properties }) => ({ ...letter, properties })),
    positions: state.positions(), counters: state.counters(), newest: state.newestChangeAt,
  });
}
