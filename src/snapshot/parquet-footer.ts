/**
 * What a parquet file's footer says about the file, whoever wrote it. The footer is one Thrift struct in the compact protocol; only a few of its fields are
 * read, the rest is stepped over. Nothing is taken on trust: whatever does not fit ends the reading.
 */

export interface Footer {
  /** The file's own key and value pairs. */
  readonly pairs: ReadonlyMap<string, string>;
  /** The program that wrote the file; empty when it does not say. */
  readonly createdBy: string;
  /** Rows of the file; -1 when it does not say. */
  readonly rows: number;
}

/** What the end of a file says. `longer`: its footer needs so many of the last bytes. */
export type FooterEnd =
  | { readonly kind: 'footer' } & Footer
  | { readonly kind: 'longer'; readonly bytes: number }
  | { readonly kind: 'unreadable' };

const MAGIC = 'PAR1';
const TRAILER_BYTES = 8;
/** A longer footer is none that we would read. */
const FOOTER_BYTES_MAX = 64 << 20;
const DEPTH_MAX = 32;
/** Fields of FileMetaData. */
const NUM_ROWS = 3;
const KEY_VALUE_METADATA = 5;
const CREATED_BY = 6;

/** Types of the compact protocol. */
const TYPE_TRUE = 1;
const TYPE_FALSE = 2;
const TYPE_BYTE = 3;
const TYPE_I64 = 6;
const TYPE_DOUBLE = 7;
const TYPE_BINARY = 8;
const TYPE_LIST = 9;
const TYPE_SET = 10;
const TYPE_MAP = 11;
const TYPE_STRUCT = 12;

/** Reads the footer from the last bytes of a file of `size` bytes. */
export function readFooter(end: Uint8Array, size: number): FooterEnd {
  const bytes = Buffer.from(end.buffer, end.byteOffset, end.byteLength);
  if (bytes.length < TRAILER_BYTES || bytes.toString('latin1', bytes.length - 4) !== MAGIC) return { kind: 'unreadable' };
  const needed = bytes.readUInt32LE(bytes.length - TRAILER_BYTES) + TRAILER_BYTES;
  if (needed > size || needed > FOOTER_BYTES_MAX) return { kind: 'unreadable' };
  if (needed > bytes.length) return { kind: 'longer', bytes: needed };
  try {
    return { kind: 'footer', ...new CompactReader(bytes.subarray(bytes.length - needed, bytes.length - TRAILER_BYTES)).footer() };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'unreadable' };
    throw error;
  }
}

class CompactReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Of the FileMetaData struct that stands here. Throws a RangeError when it is none. */
  footer(): Footer {
    const pairs = new Map<string, string>();
    let [createdBy, rows] = ['', -1];
    this.#struct((field, type) => {
      if (field === NUM_ROWS && type === TYPE_I64) rows = zigzag(this.#varint());
      else if (field === CREATED_BY && type === TYPE_BINARY) createdBy = this.#text();
      else if (field === KEY_VALUE_METADATA && type === TYPE_LIST) this.#pairs(pairs);
      else this.#skip(type, 0);
    });
    return { pairs, createdBy, rows };
  }

  #pairs(into: Map<string, string>): void {
    const { count } = this.#listHead();
    for (let i = 0; i < count; i++) this.#pair(into);
  }

  #pair(into: Map<string, string>): void {
    const texts = new Map<number, string>();
    this.#struct((field, type) => {
      if (type === TYPE_BINARY) texts.set(field, this.#text());
      else this.#skip(type, 1);
    });
    into.set(texts.get(1) ?? '', texts.get(2) ?? '');
  }

  /** Calls `read` for every field, which has to read or skip its value. */
  #struct(read: (field: number, type: number) => void): void {
    for (let field = 0; ;) {
      const head = this.#byte();
      if (head === 0) return;
      const delta = head >>> 4;
      field = delta === 0 ? zigzag(this.#varint()) : field + delta;
      read(field, head & 15);
    }
  }

  #skip(type: number, depth: number): void {
    if (depth > DEPTH_MAX) throw new RangeError('nested too deeply');
    if (type === TYPE_TRUE || type === TYPE_FALSE) return;
    if (type === TYPE_BYTE) this.#byte();
    else if (type > TYPE_BYTE && type <= TYPE_I64) this.#varint();
    else if (type === TYPE_DOUBLE) this.#take(8);
    else if (type === TYPE_BINARY) this.#take(this.#varint());
    else if (type === TYPE_STRUCT) this.#struct((_field, inner) => this.#skip(inner, depth + 1));
    else if (type === TYPE_LIST || type === TYPE_SET) this.#skipList(depth);
    else if (type === TYPE_MAP) this.#skipMap(depth);
    else throw new RangeError(`type ${type} is none`);
  }

  #skipList(depth: number): void {
    const { count, type } = this.#listHead();
    for (let i = 0; i < count; i++) this.#skipElement(type, depth);
  }

  #skipMap(depth: number): void {
    const count = this.#varint();
    if (count === 0) return;
    const types = this.#byte();
    for (let i = 0; i < count; i++) {
      this.#skipElement(types >>> 4, depth);
      this.#skipElement(types & 15, depth);
    }
  }

  /** In collections a boolean takes a byte. */
  #skipElement(type: number, depth: number): void {
    if (type === TYPE_TRUE || type === TYPE_FALSE) this.#byte();
    else this.#skip(type, depth + 1);
  }

  #listHead(): { readonly count: number; readonly type: number } {
    const head = this.#byte();
    const short = head >>> 4;
    return { count: short === 15 ? this.#varint() : short, type: head & 15 };
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new RangeError('a number without an end');
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw new RangeError('it ends early');
    return this.#bytes[this.#at++];
  }

  #text(): string {
    return this.#take(this.#varint()).toString('utf8');
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new RangeError('it ends early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
