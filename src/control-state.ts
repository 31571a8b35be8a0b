import type { TopicPartition } from './source/positions.ts';

/**
 * The control state: what an operator wants to know about the running process, as one small immutable tree. The pipeline tells it what happened,
 * the read side shows it. It decides nothing about figures, is never used per event, and knows no clock: time comes in as a number.
 */
export interface ControlState {
  readonly phase: Phase;
  readonly role: 'publisher' | 'standby';
  /** Why this process stands by; null for the publisher. */
  readonly roleReason: string | null;
  /** Lineage that is served; null until restored. */
  readonly lineage: string | null;
  /** Newest durable generation of the lineage; null when there is none yet. */
  readonly generation: number | null;
  /** True once this lineage has folded up to an end seen at start, in this process or before; never false again. */
  readonly caughtUpOnce: boolean;
  /** Stretches of history known to be missing, in words; of very many the first, and that there are more. Not empty: every answer says `complete: false`. */
  readonly incompleteHistory: readonly string[];
  /** Topics that do not exist yet. They count as caught up. */
  readonly waitingTopics: readonly string[];
  /** By `partitionName`. */
  readonly partitions: Readonly<Record<string, PartitionStatus>>;
  /** Why the source as a whole stopped; null while it runs. */
  readonly sourceStop: StopStatus | null;
  /** The last CHECKPOINTS_KEPT attempts, oldest first. */
  readonly checkpoints: readonly CheckpointStatus[];
  readonly checkpointsSucceeded: number;
  readonly checkpointsFailed: number;
  readonly publishing: PublishingStatus;
  readonly parquet: ParquetStatus;
  /** By code, at most WARNING_CODES_MAX of them. */
  readonly warnings: Readonly<Record<string, WarningStatus>>;
  /** Milliseconds since 1970, as all times here. */
  readonly startedAt: number;
  readonly restoredAt: number | null;
  readonly readyAt: number | null;
}

/**
 * `restoring` until the source is opened at the restored positions; `catching-up` until everything up to the end seen at start is folded; then `ready`;
 * `stopped` once a partition or the source cannot go on; `closing` from SIGTERM on.
 */
export type Phase = 'restoring' | 'catching-up' | 'ready' | 'stopped' | 'closing';

export interface PartitionStatus extends TopicPartition {
  /** Offset folded next. */
  readonly next: number;
  /** Offset the next record will get, as far as known. */
  readonly end: number | null;
  /** `end` when the log was opened; null for a partition that appeared later, which start does not wait for. */
  readonly endAtStart: number | null;
  readonly stop: StopStatus | null;
}

export interface StopStatus {
  readonly code: string;
  readonly message: string;
  readonly offset: number | null;
  readonly at: number;
}

export interface CheckpointStatus {
  readonly generation: number;
  readonly rows: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly at: number;
  /** Why it could not be written; null when it is durable. */
  readonly error: string | null;
}

/**
 * What the store still lacks, and why. The backlog is a mark per changed row (`BooksCounts.unpublishedRows`), never the records themselves: reading and folding go
 * on during an outage of any length with the memory they have without one.
 */
export interface PublishingStatus {
  /** When the oldest change was folded that no generation of this process holds; null when there is none. */
  readonly unpublishedSince: number | null;
  /** The same, as it will be once the checkpoint begun last is durable. */
  readonly unpublishedSinceBegun: number | null;
  /** Attempts that failed since the last that did not: checkpoints, or asking for the lease. */
  readonly failuresInARow: number;
  /** Null once an attempt of its kind has not failed. */
  readonly lastFailure: PublishFailure | null;
}

export interface PublishFailure {
  readonly attempt: 'checkpoint' | 'lease';
  readonly code: string;
  readonly message: string;
  readonly at: number;
}

/** The parquet file, as this process last wrote or found it, and what became of its own writing. */
export interface ParquetStatus {
  /** Null until it is known. */
  readonly file: {
    readonly generation: number;
    /** Epoch day. */
    readonly asOf: number;
    /** When its figures were taken. */
    readonly at: number;
    readonly accounts: number;
  } | null;
  readonly succeeded: number;
  readonly failed: number;
  /** Why it was not written the last time it was due; null when it was. */
  readonly error: string | null;
}

export interface WarningStatus {
  readonly count: number;
  /** The latest message, at most MESSAGE_LENGTH_MAX characters. */
  readonly message: string;
  readonly at: number;
}

export const CHECKPOINTS_KEPT = 20;
export const WARNING_CODES_MAX = 40;
export const MESSAGE_LENGTH_MAX = 1_000;
/** Counts warnings whose code came after WARNING_CODES_MAX others. */
export const OTHER_WARNINGS = 'OTHER';

/** All partitions by topic and number. */
export function sortedPartitions(state: ControlState): PartitionStatus[] {
  return Object.values(state.partitions).sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
}

/** Records of a partition not folded yet; null while its end is unknown. Never negative: folding may be ahead of the newest report. */
export function partitionLag(partition: PartitionStatus): number | null {
  return partition.end === null ? null : Math.max(0, partition.end - partition.next);
}

/** Records not folded yet over all partitions; null while restoring or while an end is unknown. */
export function lagRecords(state: ControlState): number | null {
  if (state.phase === 'restoring') return null;
  let sum = 0;
  for (const partition of Object.values(state.partitions)) {
    const lag = partitionLag(partition);
    if (lag === null) return null;
    sum += lag;
  }
  return sum;
}

/** True when everything up to the ends now known is folded; null when that is unknown. */
export function caughtUp(state: ControlState): boolean | null {
  const lag = lagRecords(state);
  return lag === null ? null : lag === 0;
}

/** True when everything up to the end seen at start is folded, not only read. False while restoring. */
export function reachedEndAtStart(state: ControlState): boolean {
  if (state.phase === 'restoring') return false;
  return Object.values(state.partitions).every((partition) => partition.endAtStart === null || partition.next >= partition.endAtStart);
}

/** True when this process should be sent requests: restored, folded up to the end seen at start, nothing stopped, not closing. */
export function isReady(state: ControlState): boolean {
  return state.phase === 'ready';
}
