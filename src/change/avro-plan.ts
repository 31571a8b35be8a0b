import type { ColumnTypes } from './schema-block.ts';

/** What an Avro value is made of. Logical types that change how bytes are read are kinds of their own. */
export const AVRO_NULL = 0;
export const AVRO_BOOLEAN = 1;
/** int or long: the same bytes. */
export const AVRO_INTEGER = 2;
export const AVRO_FLOAT = 3;
export const AVRO_DOUBLE = 4;
export const AVRO_BYTES = 5;
export const AVRO_STRING = 6;
export const AVRO_FIXED = 7;
export const AVRO_ENUM = 8;
/** Unscaled integer in bytes, or in a fixed. */
export const AVRO_DECIMAL_BYTES = 9;
export const AVRO_DECIMAL_FIXED = 10;
export const AVRO_ARRAY = 11;
export const AVRO_MAP = 12;
export const AVRO_RECORD = 13;
export const AVRO_UNION = 14;

/** One type of a schema as the reader needs it. Types that are named may hold themselves. */
export class AvroNode {
  kind: number;
  /** Bytes of a fixed. */
  size = 0;
  /** Scale of a decimal. */
  scale = 0;
  /** Meaning of values as a column: a TYPE of `schema-block.ts`. */
  columnType = 0;
  /** Fields of a record, branches of a union, or the one type of an array's items or a map's values. */
  parts: AvroNode[] = [];
  /** Id of every field's name; NAME_UNKNOWN for fields that nobody asks for. */
  names: number[] = [];
  /** Texts of an enum. */
  symbols: Uint8Array[] = [];

  constructor(kind: number) {
    this.kind = kind;
  }
}

/** A schema ready for reading: its type, and the types of the columns of the row it holds (null when it holds no record). */
export interface AvroPlan {
  readonly root: AvroNode;
  readonly columns: ColumnTypes | null;
}
