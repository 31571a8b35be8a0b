import type { Books } from './ledger/ledger.ts';
import type { ChangeBatch, SeenTables } from './change/change.ts';
import type { PartitionOutcome, FoldWarning, OpenDeadLetter } from './ledger/ledger.ts';
import type { PartitionPosition } from './source/positions.ts';
import type { PartitionStop } from './source/source.ts';

/**
 * The state: books and positions, moved together in one synchronous step. Pure: time comes in as a number. `createState` makes it.
 */
export interface State {
  readonly books: Books;
  /** Position of every partition read so far, by rising topic and partition. */
  positions(): readonly PartitionPosition[];
  position(topic: string, partition: number): PartitionPosition | null;
  /** Counters per partition since offset zero of the lineage. read = applied + unchanged + superseded + passedOver + deadLetters. */
  counters(): readonly PartitionCounters[];
  readonly seenTables: SeenTables;
  /** Newest commit time folded, milliseconds, or null. */
  readonly newestChangeAt: number | null;
  /** Folds a batch and moves the positions: rows and positions change in the same step. */
  step(batch: ChangeBatch, context: StepContext): StepResult;
}

export interface StepContext {
  readonly now: number;
  readonly mayForgetDeletes: boolean;
}

export interface PartitionCounters extends Readonly<PartitionOutcome> {
  readonly topic: string;
  readonly partition: number;
  /** Why records were passed over: counts by reason, summed for the partition. */
  readonly passedOverReasons: Readonly<Record<string, number>>;
}

export interface StepResult {
  readonly opened: readonly OpenDeadLetter[];
  readonly warnings: readonly FoldWarning[];
  readonly updated: readonly string[];
  /**
   * Partitions that must stop: decoding stopped (TABLE_AMBIGUOUS), or what they carry cannot be understood (the first 100 row events, or
   * more than half of any 1 000: PARTITION_NOT_UNDERSTOOD, naming the commonest reason and the option to look at).
   */
  readonly stops: readonly PartitionStop[];
}

/** What a manifest keeps of a state besides rows, and what a restored state starts from. */
export interface StateSeed {
  readonly positions: readonly PartitionPosition[];
  readonly counters: readonly PartitionCounters[];
  readonly seenTables: SeenTables;
  readonly newestChangeAt: number | null;
}
