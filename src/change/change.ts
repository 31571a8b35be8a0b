import type { TopicPartition } from '../source/positions.ts';

/**
 * What decoding hands to folding: flat, transferable batches of row changes. No object per event: typed arrays, one small
 * table of strings, and objects only for what cannot be folded (dead letters) or may turn out so (partial updates).
 */

/** Logical tables. The numbers are stored in segments: never renumber. */
export const TABLE_EXPENSES = 0;
export const TABLE_RENTS = 1;
export const TABLE_PROPERTIES = 2;
export const TABLE_NONE = 255;
export const TABLE_NAMES = ['expenses', 'rents', 'properties'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** What an entry asks for. */
export const ENTRY_UPSERT = 1;
export const ENTRY_DELETE = 2;
/** All rows of the table whose position is not above this one. */
export const ENTRY_TRUNCATE = 3;
/** A tombstone that no delete event precedes: deletes the row it names if that row's newest image came from this partition. */
export const ENTRY_TOMBSTONE = 4;
/** Recognised and not folded; `detail` has the reason (`PASSED_OVER`). */
export const ENTRY_PASSED_OVER = 5;
/** Not understood; `letters` has it. */
export const ENTRY_DEAD_LETTER = 6;

/** Entry flags. */
/** The entry belongs to the same record as the next one and is not counted: the delete half of a primary-key change. */
export const FLAG_CONTINUED = 1;
/** A snapshot row (op `r`). */
export const FLAG_SNAPSHOT = 2;
/** Not every column is present (`present` tells which): merge over the known row. `letters` has the record in case there is none. */
export const FLAG_PARTIAL = 4;
/** Row flag: `is_planned` of an expense, `is_non_irs_revenue` of a rent. Null is false (R5). */
export const FLAG_ROW = 8;

/** Bits of `present`. A full image has all bits of its table set, also for null values. */
export const HAS_PROPERTY = 1;
export const HAS_UNIT = 2;
export const HAS_DATE = 4;
export const HAS_AMOUNT = 8;
export const HAS_TYPE = 16;
export const HAS_FLAG = 32;
/** Properties: `cash_invested` is in `amount`, `down_payment` in `amount2`. */
export const HAS_CASH_INVESTED = 8;
export const HAS_DOWN_PAYMENT = 64;
export const HAS_ALL = 127;

/** Why a record was passed over. Index = `detail`. Names appear in status and metrics: never rename. */
export const PASSED_OVER = [
  'other_table', 'heartbeat', 'transaction', 'schema_change', 'signal', 'logical_message', 'tombstone_of_delete',
  'tombstone_without_primary_key', 'bootstrap_marker', 'other', 'segment',
] as const;
export type PassedOverReason = (typeof PASSED_OVER)[number];

/** Words per packed position, see `position.ts`. */
export const POSITION_WORDS = 7;
/** `expenseType` of an entry without one (null). */
export const NO_STRING = 0xffff;
/** `day` of a row without a date (properties). */
export const NO_DAY = -0x80000000;

/**
 * One batch. Entry `e` concerns row (`table[e]`, key) of `partitions[partitionOf[e]]` at `offset[e]`. Entries stand in reading order.
 * Identifiers are four words and a kind (`identifier.ts`); a long one's word 0 is an index into `strings`.
 * Amounts are integers of 1/10 000; NaN is null (properties only). Positions are `POSITION_WORDS` words an entry.
 */
export interface ChangeBatch {
  /** Records this batch stands for. Entries that are not FLAG_CONTINUED number exactly this. */
  readonly records: number;
  readonly count: number;
  readonly partitions: readonly BatchPartition[];
  readonly partitionOf: Uint16Array;
  readonly offset: Float64Array;
  readonly kind: Uint8Array;
  readonly detail: Uint8Array;
  readonly table: Uint8Array;
  readonly flags: Uint8Array;
  readonly present: Uint8Array;
  readonly keyKind: Uint8Array;
  readonly key: Uint32Array;
  readonly propertyKind: Uint8Array;
  readonly property: Uint32Array;
  readonly unitKind: Uint8Array;
  readonly unit: Uint32Array;
  /** Epoch days. */
  readonly day: Int32Array;
  readonly amount: Float64Array;
  readonly amount2: Float64Array;
  /** Index into `strings`, or NO_STRING. The text as it came (R4 decides the category when folding). */
  readonly expenseType: Uint16Array;
  readonly position: Uint32Array;
  /** Commit time at the source (`source.ts_ms`), milliseconds; NaN when unknown. */
  readonly commitTime: Float64Array;
  readonly strings: readonly string[];
  /** Dead letters of this batch, and stand-by ones of partial updates, by rising `entry`. */
  readonly letters: readonly BatchLetter[];
  /** Physical tables met for the first time, `{expenses: 'rental.public'}` style; null when nothing is new. */
  readonly seenTables: SeenTables | null;
  /** Set when decoding had to stop: the batch ends before the record named here. */
  readonly stop: BatchStop | null;
  /** Events that became whole in this batch, by rising `entry`. Absent: none. */
  readonly joined?: readonly JoinedPieces[];
  /** Events some piece of which has not come. Absent: none. */
  readonly incomplete?: readonly IncompletePieces[];
}

/** Partition of a batch with the position after the batch (see PartitionPosition for the fields). */
export interface BatchPartition extends TopicPartition {
  readonly next: number;
  readonly token: string | null;
  readonly lastOffset: number | null;
  readonly lastTime: number | null;
  readonly lastHash: string | null;
  readonly deleteKeyHash: string | null;
}

/** A record that could not be understood, with all that an operator needs to see and re-drive it. */
export interface DeadLetter extends TopicPartition {
  readonly offset: number;
  /** Record timestamp, milliseconds, or null. */
  readonly time: number | null;
  /** Stable reason code, listed in `errors.ts`. */
  readonly code: string;
  /** What was wrong, in words, without the value's bytes. */
  readonly message: string;
  /** Logical table, primary key and property as text, as far as they could be read. */
  readonly table: TableName | null;
  readonly key: string | null;
  readonly property: string | null;
  /** Exact bytes. */
  readonly keyBytes: Uint8Array | null;
  readonly valueBytes: Uint8Array | null;
}

/** Events that were whole are remembered by name, so that a piece that is sent again is known; so many of them, the latest. */
export const WHOLE_EVENTS_MAX = 512;

/** Where a record stands in the log. */
export interface RecordPlace extends TopicPartition {
  readonly offset: number;
}

/**
 * Entry `entry` is the event that the last piece made whole; `pieces` are the others, each kept as a letter (SEGMENT_PENDING) since it was read.
 * They share the entry's fate: their letters end, or become dead letters for the same reason.
 */
export interface JoinedPieces {
  readonly entry: number;
  /** Name of the event. A decoder that knows it takes its pieces, when they are sent again, for what they are. */
  readonly event: string;
  readonly pieces: readonly RecordPlace[];
}

/** Kept pieces of an event that is not whole after all this time, or that is waited for no longer: what their letters say from now on. */
export interface IncompletePieces extends Pick<DeadLetter, 'code' | 'message'> {
  readonly pieces: readonly RecordPlace[];
  /** There was no room to keep them: a piece still to come finds them no more. */
  readonly isLetGo: boolean;
}

export interface BatchLetter {
  readonly entry: number;
  readonly letter: DeadLetter;
}

/** Decoding cannot go on for the whole source (TABLE_AMBIGUOUS). */
export interface BatchStop extends TopicPartition {
  readonly offset: number;
  readonly code: string;
  readonly message: string;
}

/** Which physical table (database and schema as text, missing ones '') stands for each unqualified logical table. */
export type SeenTables = Partial<Record<TableName, string>>;
