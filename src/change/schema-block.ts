import { Members } from './members.ts';
import { NAME_UNKNOWN, NAMES_MAX } from './names.ts';
import type { Names } from './names.ts';
import { readInteger } from './integers.ts';
import { TOKEN_ARRAY, TOKEN_OBJECT, TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import { TextView, isText } from './text-view.ts';
import { BLOCK_FIELD, BLOCK_FIELDS, BLOCK_NAME, BLOCK_PARAMETERS, BLOCK_SCALE, BLOCK_TYPE } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What a schema block says about a column's values; UNTYPED columns are not in it. */
export const TYPE_UNTYPED = 0;
/** Text, numbers, booleans: as they stand. */
export const TYPE_PLAIN = 1;
/** Connect's Decimal: base64 of the unscaled integer, scale by the schema. */
export const TYPE_DECIMAL = 2;
export const TYPE_DAYS = 3;
export const TYPE_MILLISECONDS = 4;
export const TYPE_MICROSECONDS = 5;
export const TYPE_NANOSECONDS = 6;
/** Bytes without a meaning we know. */
export const TYPE_BYTES = 7;

/** Connect's names of date types that are whole numbers. */
export const SEMANTIC_TYPES: readonly (readonly [name: string, type: number])[] = [
  ['io.debezium.time.Date', TYPE_DAYS], ['org.apache.kafka.connect.data.Date', TYPE_DAYS],
  ['io.debezium.time.Timestamp', TYPE_MILLISECONDS], ['org.apache.kafka.connect.data.Timestamp', TYPE_MILLISECONDS],
  ['io.debezium.time.MicroTimestamp', TYPE_MICROSECONDS], ['io.debezium.time.NanoTimestamp', TYPE_NANOSECONDS],
];

/** Types of a row's columns by name id. */
export class ColumnTypes {
  readonly type = new Uint8Array(NAMES_MAX);
  readonly scale = new Int32Array(NAMES_MAX);
}

/** Reads schema blocks. */
export class SchemaBlocks {
  readonly #vocabulary: Vocabulary;
  readonly #names: Names;
  readonly #view = new TextView();
  readonly #members = new Members();

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#names = vocabulary.names;
  }

  /**
   * Types of the row that a schema block describes: its fields, or those of its `after` (`before`, `data`) when it describes an
   * envelope. Null when it describes no struct (a null schema, a key of one value).
   */
  read(tape: Tape, schema: number): ColumnTypes | null {
    const fields = this.#fields(tape, schema);
    if (fields < 0) return null;
    for (const name of ['after', 'before', 'data']) {
      const inner = this.#find(tape, fields, name);
      if (inner >= 0 && this.#fields(tape, inner) >= 0) return this.read(tape, inner);
    }
    const columns = new ColumnTypes();
    const end = tape.next(fields);
    for (let field = tape.first(fields); field < end; field = tape.next(field)) this.#readColumn(tape, field, columns);
    return columns;
  }

  /** The list of fields of a struct's schema, or -1. */
  #fields(tape: Tape, schema: number): number {
    if (tape.kind(schema) !== TOKEN_OBJECT) return -1;
    const fields = tape.collect(schema, this.#vocabulary.block, this.#members).slots[BLOCK_FIELDS];
    return fields >= 0 && tape.kind(fields) === TOKEN_ARRAY ? fields : -1;
  }

  /** The field of that name in a list of fields, or -1. */
  #find(tape: Tape, fields: number, name: string): number {
    const end = tape.next(fields);
    for (let field = tape.first(fields); field < end; field = tape.next(field)) {
      if (tape.kind(field) !== TOKEN_OBJECT) continue;
      const { slots } = tape.collect(field, this.#vocabulary.block, this.#members);
      if (isText(tape, slots[BLOCK_FIELD], name, this.#view)) return field;
    }
    return -1;
  }

  #readColumn(tape: Tape, field: number, columns: ColumnTypes): void {
    if (tape.kind(field) !== TOKEN_OBJECT) return;
    const { slots } = tape.collect(field, this.#vocabulary.block, this.#members);
    const name = slots[BLOCK_FIELD];
    if (name < 0 || tape.kind(name) !== TOKEN_STRING || !this.#view.see(tape, name)) return;
    const id = this.#names.find(this.#view.bytes, this.#view.start, this.#view.end);
    if (id === NAME_UNKNOWN) return;
    const semantic = slots[BLOCK_NAME];
    columns.type[id] = isText(tape, slots[BLOCK_TYPE], 'bytes', this.#view) ? TYPE_BYTES : TYPE_PLAIN;
    if (isText(tape, semantic, 'org.apache.kafka.connect.data.Decimal', this.#view)) {
      const scale = this.#scale(tape, slots[BLOCK_PARAMETERS]);
      if (!Number.isNaN(scale)) {
        columns.type[id] = TYPE_DECIMAL;
        columns.scale[id] = scale;
      }
    }
    for (const [text, type] of SEMANTIC_TYPES) if (isText(tape, semantic, text, this.#view)) columns.type[id] = type;
  }

  #scale(tape: Tape, parameters: number): number {
    if (parameters < 0 || tape.kind(parameters) !== TOKEN_OBJECT) return Number.NaN;
    const scale = tape.collect(parameters, this.#vocabulary.block, this.#members).slots[BLOCK_SCALE];
    const value = scale < 0 ? Number.NaN : readInteger(tape, scale);
    return Math.abs(value) <= 0x7fffffff ? value : Number.NaN;
  }
}
