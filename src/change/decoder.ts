import type { RecordBatch } from '../source/source.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { ChangeBatch, DeadLetter, SeenTables, TableName } from './change.ts';
import type { SchemaId } from './framing.ts';
import type { SchemaAnswer, SchemaNeed } from './schemas.ts';

/** Columns that figures are made of, per logical table. `property_id` of `properties` is its `id`. */
export const COLUMNS = {
  expenses: ['id', 'property_id', 'unit_id', 'date', 'amount', 'expense_type', 'is_planned'],
  rents: ['id', 'property_id', 'unit_id', 'payment_date', 'amount', 'is_non_irs_revenue'],
  properties: ['id', 'cash_invested', 'down_payment'],
} as const;

/** Everything that decides what a record means. Recorded in the manifest: with other options the same log gives other rows. */
export interface DecodeOptions {
  /** IANA name; the day of an instant is the day in this zone. */
  readonly timeZone: string;
  /** Meaning of decimals without a schema block: text (numbers and decimal strings), or base64 of unscaled bytes at a scale. */
  readonly decimals: { readonly kind: 'text' } | { readonly kind: 'base64'; readonly scale: number };
  /** Patterns per logical table (`table`, `schema.table`, `db.schema.table`, `*` allowed); an empty list means the bare name. */
  readonly tables: Readonly<Record<TableName, readonly string[]>>;
  /** Physical column name per logical column; null is `none`: the column does not exist and reads as null. */
  readonly columns: Readonly<Record<TableName, Readonly<Record<string, string | null>>>>;
  /** Source epochs, milliseconds, rising. */
  readonly epochs: readonly number[];
}

/**
 * Decodes batches of one source, in reading order. Total: never throws, never loses count; what it cannot understand is a dead
 * letter. It remembers, per partition, the delete event a tombstone may belong to, the physical tables it has met, and the pieces of
 * events that are not whole yet; all of it is given back to it after a restart.
 */
export interface Decoder {
  decode(batch: RecordBatch): ChangeBatch;
  readonly schemas: SchemaBook;
}

/** What a decoder knows of the schemas in a registry. Records that need one which it does not know are dead letters: whoever hands over batches asks for what is missing first. */
export interface SchemaBook {
  /** Ids that a batch names and nothing is known about. */
  missing(batch: RecordBatch): readonly SchemaNeed[];
  /** Takes what a registry says about an id. */
  learn(id: SchemaId, answer: SchemaAnswer): void;
  /** Forgets an id, so that it is missing again. */
  forget(id: SchemaId): void;
  /** Forgets the oldest ids beyond those that are kept; to be called now and then, while no records wait for an id. */
  trim(): void;
}

/** What a decoder must know from before a restart. */
export interface DecoderMemory {
  readonly positions: readonly PartitionPosition[];
  readonly seenTables: SeenTables;
  /** Letters of pieces whose events are not whole yet (`isPieceLetter`), oldest first. Absent: none. */
  readonly pieces?: readonly DeadLetter[] | undefined;
  /** Names of the latest events that were whole (`JoinedPieces`), the last one last. Absent: none. */
  readonly wholeEvents?: readonly string[] | undefined;
}
