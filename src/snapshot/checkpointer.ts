import type { DecodeOptions } from '../change/decoder.ts';
import type { Books, Definitions } from '../ledger/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { State } from '../state.ts';
import type { Manifest } from './manifest.ts';
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
  /** Tries to become the publisher; call it before restoring, and again every few seconds while standing by. */
  claim(): Promise<Role>;
  /** Loads the newest usable generation. Call it once, before the first checkpoint. Throws STORE_DAMAGED, STORE_FOREIGN, STORE_UNAVAILABLE. */
  restore(createBooks: () => Books): Promise<RestoreResult>;
  /**
   * Writes what changed since the last checkpoint and the next manifest. Folding may go on meanwhile: the cut is taken once, at one moment, with the
   * positions of that moment. A failure leaves all rows to be written again, and is thrown: STORE_UNAVAILABLE for an outage; try again later.
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
  'head-confirmed', 'cut-begun', 'slice-drawn', 'segment-written', 'dead-letters-written', 'current-written', 'manifest-written', 'outputs-published',
  'prune-begun', 'prune-manifest-removed', 'prune-file-removed', 'compaction-begun', 'compaction-written',
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
  /**
   * Publishes what is derived from a generation, once its manifest is durable and before its positions are told to the broker. A failure
   * is reported and does not undo the checkpoint. `isLast`: this process makes no other generation, so what is to be published is published now.
   */
  readonly publishOutputs?: (manifest: Manifest, isLast: boolean) => Promise<void>;
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
  /** No other checkpoint follows in this process. */
  readonly isLast: boolean;
}

export type CheckpointOutcome =
  | {
    readonly kind: 'published';
    readonly generation: number;
    /** Rows and remembered deletes written, and bytes of all files written. */
    readonly rows: number;
    readonly bytes: number;
    readonly ms: number;
    /** What the generation covers: what may be told to the broker. */
    readonly positions: readonly PartitionPosition[];
  }
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
