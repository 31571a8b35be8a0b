import type { Code } from '../errors.ts';
import type { PartitionBounds, PartitionPosition, TopicPartition } from './positions.ts';

/**
 * The contract of every source (file, kafka, event-hubs). A source opens at given positions, delivers batches of records in
 * partition order with the position after each, reports where the log starts and ends, and closes. It never chooses where
 * to start, never skips, never resets: what it cannot deliver it names in a `PartitionStop` or throws as a `RentfoldError`.
 */
export interface Source {
  /**
   * Checks every given position against the log (bounds; the record before it still has the given time and hash) and
   * prepares reading from there. Partitions without a position start at their beginning, which must be offset 0 of the log
   * unless `acceptIncompleteHistory`. Throws `RentfoldError` (exit 3: POSITION_TOO_OLD, POSITION_BEYOND_END,
   * POSITION_RECORD_CHANGED, HISTORY_INCOMPLETE) naming the gap and the ways out.
   */
  open(options: OpenOptions): Promise<OpenedLog>;
  /**
   * The records from the opened positions on, then what arrives later, until `close()` or the signal. A batch has at most
   * `recordsMax` records; it may mix partitions, and keeps the order inside each. The consumer's `next()` call is the
   * back-pressure: nothing is read ahead beyond one batch.
   */
  batches(signal: AbortSignal): AsyncIterable<SourceEvent>;
  /** Positions whose state is durable, for lag tools only. Never read back. */
  commit(positions: readonly PartitionPosition[]): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly positions: readonly PartitionPosition[];
  /** True: a log whose beginning or middle is gone is read from where it starts, and said so in `OpenedLog.gaps`, or as an event when it turns out while reading. */
  readonly acceptIncompleteHistory: boolean;
  readonly recordsMax: number;
}

export interface OpenedLog {
  /** Bounds of every partition present when the log was opened. `end` is "the end seen at start". */
  readonly bounds: readonly PartitionBounds[];
  /** Stretches known to be missing, in words; only with `acceptIncompleteHistory`. */
  readonly gaps: readonly string[];
  /** What could not be checked, in words (the record before a position was taken by retention or compaction). */
  readonly notes: readonly string[];
  /** Names of topics that do not exist yet and are waited for; they count as caught up. */
  readonly waiting?: readonly string[];
  /** Identity of the log for the manifest, e.g. `file:/data/log` or a Kafka cluster id. */
  readonly identity: string;
}

export type SourceEvent =
  | { readonly kind: 'records'; readonly batch: RecordBatch }
  /** Newest known bounds, sent when they changed; new partitions appear here. `waiting`, when given: topics that are waited for now. */
  | { readonly kind: 'bounds'; readonly bounds: readonly PartitionBounds[]; readonly waiting?: readonly string[] }
  /** A partition cannot go on. Other partitions may. */
  | { readonly kind: 'stopped'; readonly stop: PartitionStop }
  /** A stretch that turned out to be missing while reading, in words; only with `acceptIncompleteHistory`. What is known at start is in `OpenedLog.gaps`. */
  | { readonly kind: 'gap'; readonly gap: string }
  /** Something an operator wants to know, and reading goes on: a broker is away, a record could not be compared. Said once, until it is over. */
  | { readonly kind: 'warned'; readonly warning: SourceWarning };

/** A code of the kind `warning`, and what happened, where, and what to do. */
export interface SourceWarning {
  readonly code: Code;
  readonly message: string;
}

/** Why a partition stopped: stable code, and a message that says what happened, where, and what to do. */
export interface PartitionStop extends TopicPartition {
  readonly code: string;
  readonly message: string;
  /** Offset at which it stopped, when known. */
  readonly offset: number | null;
}

/**
 * Records of one or several partitions, flat: bytes in one pool, everything else in typed arrays. Record `i` belongs to
 * `partitions[partitionOf[i]]`; its key is `bytes[keyStart[i] .. keyEnd[i])`, its value `bytes[valueStart[i] .. valueEnd[i])`;
 * a start of -1 means null. The batch may reuse its memory after the next `next()` call: copy what is kept.
 */
export interface RecordBatch {
  readonly count: number;
  readonly partitions: readonly RecordPartition[];
  readonly partitionOf: Uint16Array;
  /** Offsets, below 2^53. */
  readonly offset: Float64Array;
  /** Record timestamps, milliseconds; NaN when unknown. */
  readonly time: Float64Array;
  readonly bytes: Uint8Array;
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** Content types, when a record has one: that of record `i` is `names[of[i]]`, '' meaning none. */
  readonly contentTypes?: { readonly names: readonly string[]; readonly of: Uint16Array };
}

/** A partition's share of a batch: the position after it, also where control or filtered records leave a gap. */
export interface RecordPartition extends TopicPartition {
  readonly next: number;
  readonly token: string | null;
}
