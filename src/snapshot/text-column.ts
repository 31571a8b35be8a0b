import { ID_LONG, ID_NONE, ID_SHORT, ID_UUID_UPPER } from '../change/identifier.ts';

/** A column of UTF-8 texts being filled, as Arrow keeps it: bytes one after the other, and where each begins. No string per value. */
export class TextColumn {
  /** `offsets[i] .. offsets[i + 1]` are the bytes of value `i`. */
  readonly offsets: Int32Array;
  #bytes: Uint8Array;
  /** The same memory. */
  #words: Uint32Array;
  #filled = 0;
  #count = 0;

  constructor(rows: number, bytesPerRow: number) {
    this.offsets = new Int32Array(rows + 1);
    this.#words = new Uint32Array(Math.ceil((rows * bytesPerRow) / 4));
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** How many bytes are filled. */
  get length(): number {
    return this.#filled;
  }

  /** The bytes filled so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#filled);
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#filled = 0;
    this.#count = 0;
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
    else this.#appendUuid(words, at, kind === ID_UUID_UPPER ? UPPER_LETTERS : LOWER_LETTERS);
  }

  #appendShort(words: Uint32Array, at: number): void {
    const length = words[at + 3] & 0xff;
    this.#reserve(length);
    for (let i = 0; i < length; i++) this.#bytes[this.#filled++] = (words[at + (i >> 2)] >>> (24 - 8 * (i & 3))) & 0xff;
    this.offsets[++this.#count] = this.#filled;
  }

  #appendUuid(words: Uint32Array, at: number, letters: number): void {
    this.#reserve(UUID_BYTES);
    const to = this.#filled;
    const a = words[at];
    const b = words[at + 1];
    const c = words[at + 2];
    const d = words[at + 3];
    if ((to & 3) === 0) {
      const out = this.#words;
      const b1 = hexOf(b >>> 16, letters);
      const b2 = hexOf(b & 0xffff, letters);
      const c1 = hexOf(c >>> 16, letters);
      const c2 = hexOf(c & 0xffff, letters);
      let word = to >> 2;
      out[word++] = hexOf(a >>> 16, letters);
      out[word++] = hexOf(a & 0xffff, letters);
      out[word++] = DASH | (b1 << 8);
      out[word++] = (b1 >>> 24) | (DASH << 8) | (b2 << 16);
      out[word++] = (b2 >>> 16) | (DASH << 16) | (c1 << 24);
      out[word++] = (c1 >>> 8) | (DASH << 24);
      out[word++] = c2;
      out[word++] = hexOf(d >>> 16, letters);
      out[word] = hexOf(d & 0xffff, letters);
    } else {
      this.#putHex(to, a >>> 16, letters);
      this.#putHex(to + 4, a & 0xffff, letters);
      this.#putHex(to + 9, b >>> 16, letters);
      this.#putHex(to + 14, b & 0xffff, letters);
      this.#putHex(to + 19, c >>> 16, letters);
      this.#putHex(to + 24, c & 0xffff, letters);
      this.#putHex(to + 28, d >>> 16, letters);
      this.#putHex(to + 32, d & 0xffff, letters);
      for (const dash of DASHES) this.#bytes[to + dash] = DASH;
    }
    this.#filled = to + UUID_BYTES;
    this.offsets[++this.#count] = this.#filled;
  }

  #putHex(at: number, bits: number, letters: number): void {
    const text = hexOf(bits, letters);
    for (let i = 0; i < 4; i++) this.#bytes[at + i] = text >>> (8 * i);
  }

  #reserve(bytes: number): void {
    const needed = this.#filled + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint32Array(Math.ceil(Math.max(needed, this.#bytes.length * 2, 1024) / 4));
    this.#words = larger;
    const bytesNow = new Uint8Array(larger.buffer);
    bytesNow.set(this.bytes);
    this.#bytes = bytesNow;
  }
}

const UUID_BYTES = 36;
const DASH = 45;
const DASHES = [8, 13, 18, 23];
/** What is added to a digit above nine to make it a letter. */
const LOWER_LETTERS = 39;
const UPPER_LETTERS = 7;

/** Four digits of sixteen bits as four bytes of text, the first one lowest: how a little-endian machine stores them in order. */
function hexOf(bits: number, letters: number): number {
  const bytes = (bits >>> 8) | ((bits & 0xff) << 16);
  const digits = ((bytes >>> 4) & 0x000f000f) | ((bytes & 0x000f000f) << 8);
  const above = ((digits + 0x06060606) >>> 4) & 0x01010101;
  return digits + 0x30303030 + above * letters;
}

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
