import { ID_LONG, ID_NONE, ID_SHORT, ID_UUID_UPPER } from '../change/identifier.ts';

/** A column of UTF-8 texts being filled, as Arrow keeps it: bytes one after the other, and where each begins. No string per value. */
export class TextColumn {
  /** `offsets[i] .. offsets[i + 1]` are the bytes of value `i`. */
  readonly offsets: Int32Array;
  #bytes: Uint8Array;
  #filled = 0;
  #count = 0;

  constructor(rows: number, bytesPerRow: number) {
    this.offsets = new Int32Array(rows + 1);
    this.#bytes = new Uint8Array(rows * bytesPerRow);
  }

  /** The bytes filled so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#filled);
  }

  /** A null, which has no bytes. */
  appendNothing(): void {
    this.offsets[++this.#count] = this.#filled;
  }

  append(text: Uint8Array): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#filled + i] = text[i];
    this.#filled += text.length;
    this.offsets[++this.#count] = this.#filled;
  }

  /** The text of an identifier; `long` gives the bytes of one that lies in a string table. */
  appendIdentifier(kind: number, words: Uint32Array, at: number, long: (index: number) => Uint8Array): void {
    if (kind === ID_NONE) this.appendNothing();
    else if (kind === ID_LONG) this.append(long(words[at]));
    else if (kind === ID_SHORT) this.#appendShort(words, at);
    else this.#appendUuid(words, at, kind === ID_UUID_UPPER ? UPPER : LOWER);
  }

  #appendShort(words: Uint32Array, at: number): void {
    const length = words[at + 3] & 0xff;
    this.#reserve(length);
    for (let i = 0; i < length; i++) this.#bytes[this.#filled++] = (words[at + (i >> 2)] >>> (24 - 8 * (i & 3))) & 0xff;
    this.offsets[++this.#count] = this.#filled;
  }

  #appendUuid(words: Uint32Array, at: number, digits: Uint8Array): void {
    this.#reserve(36);
    const bytes = this.#bytes;
    let to = this.#filled;
    for (let digit = 0; digit < 32; digit++) {
      if (digit === 8 || digit === 12 || digit === 16 || digit === 20) bytes[to++] = 45;
      bytes[to++] = digits[(words[at + (digit >> 3)] >>> (28 - 4 * (digit & 7))) & 15];
    }
    this.#filled = to;
    this.offsets[++this.#count] = to;
  }

  #reserve(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2, 1024));
    larger.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = larger;
  }
}

const LOWER = Buffer.from('0123456789abcdef');
const UPPER = Buffer.from('0123456789ABCDEF');

/** Numbers texts in the order they are met, without making a string for one met before. */
export class TextNumbers {
  readonly strings: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #slots = new Int32Array(256).fill(-1);
  readonly #texts: Uint8Array[] = [];

  /** Number of the text `bytes[start .. end)`. */
  numberOf(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
    const slot = (hash ^ (hash >>> 8)) & 255;
    const known = this.#slots[slot];
    if (known >= 0 && isSame(this.#texts[known], bytes, start, end)) return known;
    const number = this.numberOfText(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'));
    this.#texts[number] ??= bytes.slice(start, end);
    this.#slots[slot] = number;
    return number;
  }

  numberOfText(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.strings.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }
}

function isSame(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[start + i]) return false;
  return true;
}
