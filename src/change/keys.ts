import type { Code } from '../errors.ts';
import { AvroReader } from './avro-reader.ts';
import type { Envelope } from './envelope.ts';
import { FRAME_BYTES, framedKeySchema } from './framing.ts';
import { ID_NONE, ID_SHORT } from './identifier.ts';
import { isUtf8 } from './json-scan.ts';
import { JsonTape } from './json-tape.ts';
import { ROW_KEY } from './layout.ts';
import type { TableLayout } from './layout.ts';
import { Members } from './members.ts';
import { NAME_UNKNOWN } from './names.ts';
import type { SchemaReading, Schemas } from './schemas.ts';
import { TOKEN_ARRAY, TOKEN_NULL, TOKEN_NUMBER, TOKEN_OBJECT, TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import { TextView } from './text-view.ts';
import { encodeText } from './values.ts';
import type { ValueReader } from './values.ts';
import { BLOCK_PAYLOAD, BLOCK_PHYSICAL_TABLE, BLOCK_SCHEMA, BLOCK_SOURCE_TABLE, CES_COLUMN_NAME, CES_VALUE } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

const KEY_TEXT_MAX = 512;
const STRUCT = new TextEncoder().encode('Struct{');

/** Reads primary keys from where they stand beside a row image: message keys, before images, key lists. Answers are kinds of identifiers, ID_NONE when there is none. */
export class KeyReader {
  readonly #vocabulary: Vocabulary;
  readonly #values: ValueReader;
  readonly #tape: JsonTape;
  readonly #avro: AvroReader;
  readonly #schemas: Schemas;
  readonly #view = new TextView();
  readonly #members = new Members();
  /** The message key last opened: its struct or value in the tape (-1: none), or bare text. */
  #key = -1;
  #bare = false;
  /** Why the message key last opened is a dead letter where it is needed: it is framed for a schema that cannot be had. */
  problem: Code | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;

  constructor(vocabulary: Vocabulary, values: ValueReader, schemas: Schemas) {
    this.#vocabulary = vocabulary;
    this.#values = values;
    this.#schemas = schemas;
    this.#tape = new JsonTape(vocabulary.names);
    this.#avro = new AvroReader(this.#tape);
  }

  /** Opens a message key: framed for a schema registry, JSON with or without its schema, or bare text. Start -1 is no key. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.#key = -1;
    this.#bare = false;
    this.problem = null;
    if (start < 0 || start === end) return;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    const tape = this.#tape;
    const reading = this.#openFramed(bytes, start, end);
    if (reading === 'failed') return;
    if (reading !== 'read' && tape.read(bytes, reading === 'json' ? start + FRAME_BYTES : start, end) < 0) {
      this.#bare = end - start <= KEY_TEXT_MAX && bytes[start] !== 123 && bytes[start] !== 91 && !this.#isStruct() && isUtf8(bytes, start, end);
      return;
    }
    this.#key = 0;
    if (tape.kind(0) !== TOKEN_OBJECT) return;
    const { slots, count } = tape.collect(0, this.#vocabulary.block, this.#members);
    if (count === 2 && slots[BLOCK_SCHEMA] >= 0 && slots[BLOCK_PAYLOAD] >= 0) this.#key = slots[BLOCK_PAYLOAD];
  }

  #openFramed(bytes: Uint8Array, start: number, end: number): SchemaReading {
    const schema = framedKeySchema(bytes, start, end);
    if (schema < 0) return 'unknown';
    const reading = this.#schemas.read(this.#avro, schema, 'The key', bytes, start + FRAME_BYTES, end);
    if (reading === 'failed') this.problem = this.#schemas.problem;
    return reading;
  }

  /** Why the key last opened cannot be read by its schema, in words. */
  get problemText(): string {
    return this.#schemas.problemText;
  }

  /** The table a routed key names (`__dbz__physicalTableIdentifier`: the topic the event came from), or null. */
  physicalTopic(): string | null {
    if (this.#key < 0 || this.#tape.kind(this.#key) !== TOKEN_OBJECT) return null;
    const { slots } = this.#tape.collect(this.#key, this.#vocabulary.block, this.#members);
    for (const slot of [BLOCK_PHYSICAL_TABLE, BLOCK_SOURCE_TABLE]) {
      const token = slots[slot];
      if (token < 0 || this.#tape.kind(token) !== TOKEN_STRING || !this.#view.see(this.#tape, token)) continue;
      return this.#view.text();
    }
    return null;
  }

  /** True when the event's row repeats what the message key last opened says (columns whose names are known): so it is a row, of whatever table. */
  standsIn(event: Envelope): boolean {
    const key = this.#tape;
    const { row, rowToken } = event;
    if (this.#key < 0 || rowToken < 0 || key.kind(this.#key) !== TOKEN_OBJECT) return false;
    let repeats = false;
    for (let token = key.first(this.#key); token < key.next(this.#key); token = key.next(token)) {
      const column = key.name(token) === NAME_UNKNOWN ? ABSENT : member(row, rowToken, key.name(token));
      if (column === ABSENT) continue;
      if (column === TWICE || !sameText(key, token, row, column)) return false;
      repeats = true;
    }
    return repeats;
  }

  /** Primary key in the message key last opened: the column of that name, or the one value a key without columns has. */
  fromMessage(layout: TableLayout, out: Uint32Array, at: number, intern: (text: string) => number): number {
    if (this.#bare) return Math.max(ID_NONE, encodeText(this.#bytes, this.#start, this.#end, out, at, intern));
    if (this.#key < 0) return ID_NONE;
    const kind = this.#tape.kind(this.#key);
    let token = this.#key;
    if (kind === TOKEN_OBJECT) token = member(this.#tape, this.#key, layout.nameIds[ROW_KEY]);
    else if (kind !== TOKEN_STRING && kind !== TOKEN_NUMBER) return ID_NONE;
    return token < 0 ? ID_NONE : Math.max(ID_NONE, this.#values.identifier(this.#tape, token, out, at, intern));
  }

  /**
   * Primary key of the before image, or ID_NONE when it is null, empty or 0: a before image may hold plausible fakes, and these are
   * the ones a key column gets.
   */
  fromBefore(event: Envelope, layout: TableLayout, out: Uint32Array, at: number, intern: (text: string) => number): number {
    if (event.beforeToken < 0 || event.before.kind(event.beforeToken) !== TOKEN_OBJECT) return ID_NONE;
    const token = member(event.before, event.beforeToken, layout.nameIds[ROW_KEY]);
    if (token === TWICE) event.fail('JSON_DUPLICATE_KEY', `The column ${layout.columns[ROW_KEY]} stands twice in the image before the change.`);
    if (token < 0) return ID_NONE;
    const kind = this.#values.identifier(event.before, token, out, at, intern);
    if (kind === ID_SHORT && out[at] === 0x30000000 && out[at + 3] === 1) return ID_NONE;
    return Math.max(ID_NONE, kind);
  }

  /** True when the before image has the very key text of the row: the usual case, told without decoding. */
  sameKey(event: Envelope, layout: TableLayout): boolean {
    const { before, row } = event;
    const old = member(before, event.beforeToken, layout.nameIds[ROW_KEY]);
    const now = member(row, event.rowToken, layout.nameIds[ROW_KEY]);
    if (old === ABSENT || (old >= 0 && before.kind(old) === TOKEN_NULL)) return true;
    return old >= 0 && now >= 0 && sameText(before, old, row, now);
  }

  /** Primary key in a list of names and values beside the images, or ID_NONE. */
  fromList(event: Envelope, layout: TableLayout, out: Uint32Array, at: number, intern: (text: string) => number): number {
    const tape = event.keyList;
    const list = event.keyListToken;
    if (list < 0 || tape.kind(list) !== TOKEN_ARRAY) return ID_NONE;
    const end = tape.next(list);
    for (let item = tape.first(list); item < end; item = tape.next(item)) {
      if (tape.kind(item) !== TOKEN_OBJECT) continue;
      const { slots } = tape.collect(item, this.#vocabulary.ces, this.#members);
      const name = slots[CES_COLUMN_NAME];
      const value = slots[CES_VALUE];
      if (name < 0 || value < 0 || tape.kind(name) !== TOKEN_STRING || !this.#view.see(tape, name)) continue;
      if (this.#vocabulary.names.find(this.#view.bytes, this.#view.start, this.#view.end) !== layout.nameIds[ROW_KEY]) continue;
      return this.#values.identifier(tape, value, out, at, intern);
    }
    return ID_NONE;
  }

  /** Connect's StringConverter writes a struct key as `Struct{id=5}`: no text to take a key from. */
  #isStruct(): boolean {
    return STRUCT.every((byte, i) => this.#bytes[this.#start + i] === byte);
  }
}

const ABSENT = -1;
const TWICE = -2;

/** Whether two values are written alike. */
function sameText(a: Tape, aToken: number, b: Tape, bToken: number): boolean {
  const length = a.end(aToken) - a.start(aToken);
  if (b.end(bToken) - b.start(bToken) !== length) return false;
  for (let i = 0; i < length; i++) if (a.bytes[a.start(aToken) + i] !== b.bytes[b.start(bToken) + i]) return false;
  return true;
}

/** The member of that name in an object, ABSENT or TWICE. */
function member(tape: Tape, object: number, nameId: number): number {
  const end = tape.next(object);
  let found = ABSENT;
  for (let token = tape.first(object); token < end; token = tape.next(token)) {
    if (tape.name(token) === nameId) found = found === ABSENT ? token : TWICE;
  }
  return found;
}
