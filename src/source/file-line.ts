import { JsonCursor } from './file-json.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LETTER_N = 0x6e;
const NULL = Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c);
const PARTITION_MAX = 0x7fffffff;
/** Far above what a broker allows (249). */
const TOPIC_BYTES_MAX = 1_000;

const TOPIC = 1;
const PARTITION = 2;
const OFFSET = 4;
const TIME = 8;
const KEY = 16;
const PAYLOAD = 32;
const PLACE = TOPIC | PARTITION | OFFSET;
/** A missing payload is no tombstone, and a missing key no null: kcat writes both always. */
const REQUIRED = PLACE | KEY | PAYLOAD;
const NAMES = new Map([[TOPIC, 'topic'], [PARTITION, 'partition'], [OFFSET, 'offset'], [TIME, 'ts'], [KEY, 'key'], [PAYLOAD, 'payload']]);

/** The names differ in length, so that one comparison decides. */
const FIELD_BY_LENGTH: ({ readonly field: number; readonly name: Uint8Array } | undefined)[] = [];
for (const [field, name] of NAMES) FIELD_BY_LENGTH[name.length] = { field, name: Uint8Array.from(name, (letter) => letter.charCodeAt(0)) };

/**
 * One line of a dump, as `kcat -C -J` writes it: an object with `topic`, `partition`, `offset`, `ts`, `key` and `payload` in any order, others passed over.
 * `key` and `payload` are the message's bytes as JSON text, or null.
 */
export class FileLine {
  /** `topicBytes[topicStart .. topicEnd)` is the topic's name. */
  topicBytes: Uint8Array = new Uint8Array(0);
  topicStart = 0;
  topicEnd = 0;
  partition = 0;
  offset = 0;
  /** Milliseconds since 1970; NaN when the line gives none. */
  time = NaN;
  /** Places in the pool given to `parse`; a start of -1 means null. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** End of what was written to the pool. */
  poolEnd = 0;

  readonly #cursor = new JsonCursor();
  #topicScratch = new Uint8Array(256);
  /** Where in the pool the last text read begins. */
  #textStart = 0;

  /**
   * Reads the whole line `bytes[start .. end)` (a line feed stands at `end`), key and payload unescaped into `pool` from `to` on. The pool has
   * room for as many bytes as the line. Throws `JsonFault`.
   */
  parse(bytes: Uint8Array, start: number, end: number, pool: Uint8Array, to: number): void {
    this.#cursor.reset(bytes, start, end);
    this.#read(pool, to);
  }

  /** Reads topic, partition and offset only and leaves the rest of the line unread. Throws `JsonFault`. */
  parsePlace(bytes: Uint8Array, start: number, end: number): void {
    this.#cursor.reset(bytes, start, end);
    this.#read(null, 0);
  }

  #read(pool: Uint8Array | null, to: number): void {
    const cursor = this.#cursor;
    let seen = 0;
    this.time = NaN;
    this.keyStart = this.keyEnd = this.valueStart = this.valueEnd = -1;
    this.poolEnd = to;
    this.#expectObject();
    for (;;) {
      const field = this.#readName();
      cursor.expect(COLON);
      cursor.peek();
      if ((seen & field) !== 0) cursor.fault(`\`${NAMES.get(field)}\` stands twice`);
      seen |= field;
      switch (field) {
        case TOPIC: this.#readTopic(); break;
        case PARTITION: this.partition = this.#readInteger('partition', 0, PARTITION_MAX); break;
        case OFFSET: this.offset = this.#readInteger('offset', 0, Number.MAX_SAFE_INTEGER - 1); break;
        case TIME: this.time = this.#readTime(); break;
        case KEY:
          if (this.#readText('key', pool)) [this.keyStart, this.keyEnd] = [this.#textStart, this.poolEnd];
          break;
        case PAYLOAD:
          if (this.#readText('payload', pool)) [this.valueStart, this.valueEnd] = [this.#textStart, this.poolEnd];
          break;
        default: cursor.skipValue();
      }
      if (pool === null && (seen & PLACE) === PLACE) return;
      const after = cursor.peek();
      if (after === CLOSE_OBJECT) break;
      if (after !== COMMA) cursor.fault("',' or '}' was expected");
      cursor.at++;
    }
    cursor.at++;
    cursor.peek();
    if (cursor.at < cursor.end) cursor.fault('something follows the object');
    if ((seen & REQUIRED) !== REQUIRED) cursor.fault(`it has no ${[...NAMES].filter(([bit]) => (REQUIRED & bit & ~seen) !== 0).map(([, name]) => `\`${name}\``).join(', ')}`, cursor.start);
  }

  #expectObject(): void {
    const cursor = this.#cursor;
    const first = cursor.peek();
    if (cursor.at >= cursor.end) cursor.fault('a record was expected');
    if (first === 0xef) cursor.fault('it begins with a byte order mark; save the file without one');
    if (first === 0xff || first === 0xfe || first === 0) cursor.fault('it is not UTF-8; save the file as UTF-8');
    cursor.expect(OPEN_OBJECT);
  }

  /** The field whose name is next, or 0 for one that is passed over. A name with escapes is compared unescaped. */
  #readName(): number {
    const cursor = this.#cursor;
    if (cursor.peek() !== QUOTE) cursor.fault('a name in quotes was expected');
    const start = cursor.at;
    if (!cursor.skipString()) return fieldOf(cursor.bytes, start + 1, cursor.at - 1);
    const unescaped = new Uint8Array(cursor.at - start);
    cursor.at = start;
    return fieldOf(unescaped, 0, cursor.readString(unescaped, 0));
  }

  #readTopic(): void {
    const cursor = this.#cursor;
    const start = cursor.at;
    if (cursor.bytes[start] !== QUOTE) cursor.fault('`topic` is not text');
    this.topicBytes = cursor.bytes;
    if (cursor.skipString()) {
      if (this.#topicScratch.length < cursor.at - start) this.#topicScratch = new Uint8Array(cursor.at - start);
      cursor.at = start;
      this.topicBytes = this.#topicScratch;
      this.topicStart = 0;
      this.topicEnd = cursor.readString(this.#topicScratch, 0);
    } else {
      this.topicStart = start + 1;
      this.topicEnd = cursor.at - 1;
    }
    if (this.topicEnd === this.topicStart) cursor.fault('`topic` is empty', start);
    if (this.topicEnd - this.topicStart > TOPIC_BYTES_MAX) cursor.fault(`\`topic\` is longer than ${TOPIC_BYTES_MAX} bytes`, start);
  }

  #readInteger(name: string, min: number, max: number): number {
    const cursor = this.#cursor;
    const start = cursor.at;
    if (!isNumberStart(cursor.bytes[start])) cursor.fault(`\`${name}\` is not a number`);
    const value = cursor.readNumber() + 0;
    if (!Number.isSafeInteger(value) || value < min || value > max) cursor.fault(`\`${name}\` is not a whole number from ${min} to ${max}`, start);
    return value;
  }

  /** kcat writes -1 where the broker gave no time. */
  #readTime(): number {
    if (this.#cursor.bytes[this.#cursor.at] === LETTER_N) {
      this.#cursor.skipLiteral(NULL);
      return NaN;
    }
    const time = this.#readInteger('ts', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    return time < 0 ? NaN : time;
  }

  /** Reads text into the pool, or skips it when there is none; false for null. */
  #readText(name: string, pool: Uint8Array | null): boolean {
    const cursor = this.#cursor;
    const first = cursor.bytes[cursor.at];
    if (first === LETTER_N) {
      cursor.skipLiteral(NULL);
      return false;
    }
    if (first !== QUOTE) cursor.fault(`\`${name}\` is neither text nor null`);
    if (pool === null) {
      cursor.skipString();
      return false;
    }
    this.#textStart = this.poolEnd;
    this.poolEnd = cursor.readString(pool, this.poolEnd);
    return true;
  }
}

function fieldOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const candidate = length < FIELD_BY_LENGTH.length ? FIELD_BY_LENGTH[length] : undefined;
  if (candidate === undefined) return 0;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== candidate.name[i]) return 0;
  return candidate.field;
}

function isNumberStart(byte: number): boolean {
  return byte === 0x2d || (byte >= 48 && byte <= 57);
}
