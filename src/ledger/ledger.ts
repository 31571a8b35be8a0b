import type { ChangeBatch, DeadLetter, TableName } from '../change/change.ts';
import type { AccountsCut } from './figure-columns.ts';
import type { FigureAnswer, FigureQuery } from './figure.ts';

/**
 * The books: every live row's image, remembered deletes, truncate marks, open dead letters, and the totals per account that
 * follow from them. Single writer, no clock, no I/O. `createBooks` in `books.ts` makes them.
 */
export interface Books {
  /** Folds one batch. Total for every batch a decoder can produce. */
  fold(batch: ChangeBatch, context: FoldContext): FoldResult;

  /** Figures of a property or a unit. O(1) in the number of rows for a day at or after the account's newest row. */
  figures(query: FigureQuery): FigureAnswer;

  /** Starts a consistent picture of what changed since the last committed cut (`delta`) or of everything (`full`). One at a time. */
  beginCut(kind: 'delta' | 'full'): BooksCut;
  /** Starts a consistent picture of all accounts' figures as of an epoch day. One at a time; a cut of rows may be open beside it. */
  beginAccountsCut(asOf: number): AccountsCut;
  /** Rows, remembered deletes and marks that a delta begun now would hold. */
  readonly changedSinceCut: number;
  /** A loader that fills empty books from segments, base first, then deltas in order. */
  load(): BooksLoader;

  /** Sums that a restore must arrive at again. */
  controlTotals(): ControlTotals;
  /** Live rows in (table, key) order as text lines of table, key and normalised columns: equal lines mean equal books. */
  canonicalRows(): IterableIterator<string>;
  openDeadLetters(): readonly OpenDeadLetter[];
  /** Takes a letter off the register: re-driven or dismissed. False when there is none at this place. */
  dismissDeadLetter(topic: string, partition: number, offset: number): boolean;
  counts(): BooksCounts;
}

/** What folding may know of the world. */
export interface FoldContext {
  /** Milliseconds since 1970: when this batch is folded. */
  readonly now: number;
  /** False while any partition is behind the end seen at start: then no remembered delete is dropped. */
  readonly mayForgetDeletes: boolean;
}

/** Outcome per entry class, summed per batch partition: index = index into `batch.partitions`. */
export interface FoldResult {
  readonly partitions: readonly PartitionOutcome[];
  /** Dead letters opened by this batch. */
  readonly opened: readonly OpenDeadLetter[];
  /** Warnings worth telling an operator, e.g. positions fell while commit times rose (suggests RENTFOLD_SOURCE_EPOCHS). */
  readonly warnings: readonly FoldWarning[];
  /** Text ids of properties whose figures changed; filled only when the books were made with `traceUpdates`. */
  readonly updated: readonly string[];
}

export interface PartitionOutcome {
  read: number;
  applied: number;
  unchanged: number;
  superseded: number;
  passedOver: number;
  deadLetters: number;
  /** Dead letters that name no row. */
  unattributed: number;
  /** Positions of one row that could not be compared, decided by commit time. */
  orderAmbiguous: number;
}

export interface FoldWarning {
  readonly code: string;
  readonly message: string;
}

export interface OpenDeadLetter {
  readonly letter: DeadLetter;
  /** Properties it marks incomplete, as text. Empty: unattributed. */
  readonly properties: readonly string[];
  /** The one of them that is marked only because the row's known image is on it; the mark follows the row. Else null. */
  readonly imageProperty: string | null;
  /** Where the record stands at the source: POSITION_WORDS numbers (none: all 0), and when it was committed, milliseconds. */
  readonly position: readonly number[];
  readonly commitTime: number | null;
}

/** Rules that figures follow and that may change between starts without a replay. */
export interface Definitions {
  /** 1–12 (R2). */
  readonly fiscalYearStartMonth: number;
  /** Days a delete is remembered after it was folded. */
  readonly deletedKeysDays: number;
}

export interface BooksCounts {
  readonly rows: Readonly<Record<TableName, number>>;
  readonly rememberedDeletes: number;
  readonly truncateMarks: number;
  readonly properties: number;
  readonly accounts: number;
  readonly openDeadLetters: number;
  readonly incompleteProperties: number;
  readonly outOfRangeAccounts: number;
  /**
   * Rows, remembered deletes and marks that no committed cut holds: what an outage of the store leaves to be written. Each counts once however often it changed (twice
   * while a cut with it is being written), so this is bounded by what the books hold anyway; nothing else waits for the store.
   */
  readonly unpublishedRows: number;
  /** Bytes of typed arrays held for rows, index and chains; and for accounts. */
  readonly ledgerBytes: number;
  readonly accountBytes: number;
}

/** Sums over all property accounts and counts of rows, as decimal text so that no sum can overflow. */
export interface ControlTotals {
  readonly rows: Readonly<Record<TableName, number>>;
  readonly rememberedDeletes: number;
  readonly truncateMarks: number;
  readonly totalRevenue: string;
  readonly rent: string;
  readonly expenses: string;
  readonly cashInvested: string;
  readonly downPayment: string;
}

/**
 * A consistent picture of the books at the moment `beginCut` was called. It is drawn slice by slice while folding goes on:
 * a row that is changed before its slice was drawn is drawn as it was. End it with `commit` (durable) or `abort` (counts as never taken).
 */
export interface BooksCut {
  readonly kind: 'delta' | 'full';
  readonly controlTotals: ControlTotals;
  /** Truncate marks and open dead letters, whole, at the moment of the cut. */
  readonly marks: readonly TruncateMark[];
  readonly deadLetters: readonly OpenDeadLetter[];
  /** Rows (live and deleted) still to be drawn, at most: of a delta, changed slots that hold no row any more are found out when they are reached. */
  readonly remaining: number;
  /** The next at most `rowsMax` rows, or null when all are drawn. */
  next(rowsMax: number): RowColumns | null;
  commit(): void;
  abort(): void;
}

export interface TruncateMark {
  readonly table: TableName;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** POSITION_WORDS numbers. */
  readonly position: readonly number[];
  /** Milliseconds, or null. */
  readonly commitTime: number | null;
}

/** Row states in `RowColumns.state`. Forgotten, in deltas only: the key alone, no longer remembered (its delete expired, or a truncate covers it). */
export const ROW_LIVE = 0;
export const ROW_DELETED = 1;
export const ROW_FORGOTTEN = 2;

/**
 * Rows as columns, the unit of export and import. Identifiers' long texts and expense types index `strings`, `partition` indexes
 * `partitions`, `account` indexes `accounts`: those of the block alone, or of all blocks of a cut so far. Transferable buffers.
 */
export interface RowColumns {
  readonly count: number;
  readonly table: Uint8Array;
  /** ROW_LIVE, ROW_DELETED or ROW_FORGOTTEN. A deleted row has key, position, commit time, partition, offset and `foldedAt` only. */
  readonly state: Uint8Array;
  readonly keyKind: Uint8Array;
  /** 4 words a row. */
  readonly key: Uint32Array;
  /** Index into `accounts`: (property, unit) of a rent or expense, (property, none) of a property row. 0xFFFFFFFF for deleted rows. */
  readonly account: Uint32Array;
  readonly day: Int32Array;
  readonly amount: Float64Array;
  readonly amount2: Float64Array;
  readonly expenseType: Uint16Array;
  /** FLAG_ROW, and internal bits the books keep with a row. */
  readonly flags: Uint8Array;
  readonly partition: Uint16Array;
  readonly offset: Float64Array;
  /** POSITION_WORDS words a row: the highest position the row has seen. */
  readonly position: Uint32Array;
  /** The latest commit time the row has seen; NaN when none. */
  readonly commitTime: Float64Array;
  /** When a deleted row was folded, milliseconds; NaN for live rows. */
  readonly foldedAt: Float64Array;
  readonly accounts: AccountColumns;
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
  readonly strings: readonly string[];
}

/**
 * Accounts of one block, with when each was last changed: all that its rows name; of a cut those that no block before it holds, and,
 * somewhere in its blocks, every other account touched since the last cut (a row moved away from it). A block may hold accounts and no row.
 */
export interface AccountColumns {
  readonly count: number;
  /** Set in a block of a cut: accounts of the cut's blocks before it. Each stands in one block, and numbers go on from block to block. */
  readonly earlier?: number;
  readonly propertyKind: Uint8Array;
  readonly property: Uint32Array;
  readonly unitKind: Uint8Array;
  readonly unit: Uint32Array;
  /** Milliseconds; of the (property, unit) account, and of the property's own account. */
  readonly lastChangedAt: Float64Array;
  readonly propertyLastChangedAt: Float64Array;
  /** Set when the block was read from a segment that numbers its accounts: the same number is the same account in every block of it. */
  readonly numbered?: { readonly segment: string; readonly size: number; readonly numbers: Uint32Array };
}

/** Fills empty books. Later rows replace earlier ones of the same key, without ordering rules: segments are already ordered. */
export interface BooksLoader {
  /** Expected number of rows, to size the store once. */
  reserve(rows: number): void;
  rows(columns: RowColumns): void;
  marks(marks: readonly TruncateMark[]): void;
  deadLetters(letters: readonly OpenDeadLetter[]): void;
  finish(): void; // recomputes all accounts from the rows; the books are usable from here on
}
