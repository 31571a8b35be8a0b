import type { DecodeOptions } from '../change/decoder.ts';
import type { RentfoldError } from '../errors.ts';
import type { Books, Definitions } from '../ledger/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { State } from '../state.ts';
import type { ParquetMoney } from './parquet-schema.ts';
import type { RestoreResult, Warning } from './restore.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { Store } from './store.ts';
import type { SnapshotWork } from './work.ts';

/**
 * Checkpoints as the pipeline sees them: restore once, then write cuts of the state while it goes on, as long as this process is the
 * publisher. One writer at a time is kept by the lease; that a second one does no harm is kept by create-only manifests.
 */
export interface Snapshots {
  /** What this process may do and what it last did. */
  status(): SnapshotStatus;
  /** Tries to become the publisher; call it before restoring, and again while standing by, as often as the store's lease terms say. Throws STORE_UNAVAILABLE. */
  claim(): Promise<Role>;
  /** Loads the newest usable generation. Call it once, before the first checkpoint. Throws STORE_DAMAGED, STORE_FOREIGN, STORE_UNAVAILABLE. */
  restore(createBooks: () => Books): Promise<RestoreResult>;
  /**
   * Writes what changed since the last checkpoint and the next manifest. Folding may go on meanwhile: the cut is taken once, at one moment, with the
   * positions of that moment. A failure leaves all rows to be written again, and is thrown: STORE_UNAVAILABLE for an outage; try again later.
   * When the parquet file is asked for with it, its figures are those of the generation; when nothing has changed since the newest, they are that one's.
   */
  checkpoint(request: CheckpointRequest): Promise<CheckpointOutcome>;
  /**
   * Removes old generations, then begins to merge segments when that is due, and does not wait for it: the merge goes on beside later checkpoints, the
   * first after it uses it. Call it after a checkpoint. An outage is told, and it is tried again the next time. Does nothing while standing by.
   */
  maintain(): Promise<void>;
  /** Resolves when no merge is under way; throws what ended the last one, if it failed. For tests and tools. */
  settled(): Promise<void>;
  /** Gives up a merge under way, gives the lease back and ends the worker. */
  close(): Promise<void>;
}

export type Role = 'publisher' | 'standby';

/** Steps between two effects, in order; a test may end the process at any of them. */
export const STEPS = [
  'head-confirmed', 'parquet-prepared', 'cut-begun', 'slice-drawn', 'segment-written', 'dead-letters-written', 'current-written', 'manifest-written',
  'parquet-drawn', 'parquet-written', 'prune-begun', 'prune-manifest-removed', 'prune-file-removed', 'compaction-begun', 'compaction-written',
] as const;
export type Step = (typeof STEPS)[number];

export interface SnapshotOptions {
  /** Open. */
  readonly store: Store;
  /** Folder of everything of ours, e.g. `cdc/financial_performance/`. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Id of this process, as `createWriterId` makes it. */
  readonly writer: string;
  readonly work: SnapshotWork;
  /** Told what an operator should know: LEASE_LOST, CHECKPOINT_FAILED. */
  readonly notify: (warning: Warning) => void;
  readonly onStep?: (step: Step) => void | Promise<void>;
}

/** The state to write, and what a manifest says besides. */
export interface CheckpointRequest {
  readonly state: State;
  readonly decoding: DecodeOptions;
  readonly definitions: Definitions;
  /** As the source named itself when opened. */
  readonly sourceIdentity: string;
  readonly caughtUpOnce: boolean;
  readonly incompleteHistory: readonly string[];
  /** The parquet file, when it is to be written with this generation. */
  readonly parquet?: ParquetRequest | null;
  /** Called once when a new generation is durable: before its parquet file is written, which may take long. */
  readonly onDurable?: (generation: DurableGeneration) => void;
}

/** A generation that was just written: its number, rows and remembered deletes written, bytes of all files, and how long it took in milliseconds. */
export interface DurableGeneration {
  readonly generation: number;
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
}

/** How the parquet file is to be written. */
export interface ParquetRequest {
  /** Epoch day up to which rows count. */
  readonly asOf: number;
  readonly money: ParquetMoney;
  /** Overwrite what another program wrote since we did. */
  readonly overwrite: boolean;
  /** A file of the newest generation may stand although rows changed since. */
  readonly mayStand: boolean;
  /** The checkpoint is begun for the file's sake: none is written when the file is not. */
  readonly isReason: boolean;
  /** When it aborts, the file is given up, however far it is: the outcome is then `failed`. */
  readonly giveUp?: AbortSignal;
}

/** What became of the parquet file. Times in milliseconds, `asOf` an epoch day. */
export type ParquetOutcome =
  | {
    readonly kind: 'written';
    readonly generation: number;
    readonly asOf: number;
    readonly at: number;
    readonly accounts: number;
    readonly bytes: number;
    /** Accounts without figures because a total is out of range. */
    readonly outOfRange: number;
    /** Where what was there, and not ours, was copied first; null when there was none, or a copy already. */
    readonly copiedTo: string | null;
    readonly ms: number;
  }
  /** It was there already. */
  | { readonly kind: 'current'; readonly generation: number; readonly asOf: number; readonly at: number; readonly accounts: number }
  /** It was left as it is: another publisher is further, another program writes it, or there is no account to write. `tag`: version of what is there. */
  | { readonly kind: 'left'; readonly why: 'behind' | 'foreign' | 'empty'; readonly message: string; readonly tag: string | null }
  | { readonly kind: 'failed'; readonly error: RentfoldError };

export type CheckpointOutcome =
  | DurableGeneration & {
    readonly kind: 'published';
    /** What the generation covers: what may be told to the broker. */
    readonly positions: readonly PartitionPosition[];
    /** Null when it was not asked for. */
    readonly parquet: ParquetOutcome | null;
  }
  /** Begun for the parquet file's sake, and that is not to be written: neither was a generation. */
  | { readonly kind: 'skipped'; readonly parquet: ParquetOutcome }
  /** Only the parquet file was written: nothing has changed since this generation. */
  | { readonly kind: 'unchanged'; readonly generation: number; readonly positions: readonly PartitionPosition[]; readonly parquet: ParquetOutcome }
  /** Nothing was written, and why: another process publishes, or this one has not yet read as far as what is published. */
  | { readonly kind: 'standby'; readonly reason: string };

export interface SnapshotStatus {
  readonly role: Role;
  /** Why this process stands by; null for the publisher. */
  readonly reason: string | null;
  readonly lineage: string | null;
  /** Last generation this process restored or wrote. */
  readonly generation: number | null;
  /** When it was written, milliseconds. */
  readonly createdAt: number | null;
  readonly segments: number;
  readonly bytes: number;
}

/** Checkpoints in a store. Nothing is read or written before the first call. */
export function openSnapshots(options: SnapshotOptions): Snapshots {
  return new SnapshotKeeper(options);
}
