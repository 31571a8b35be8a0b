import type { AvroInput } from './avro-input.ts';

/** A decimal longer than this is out of the bounds of money whatever its scale: 16 383 decimals of an amount in bounds take 6.8 kB. */
const DECIMAL_BYTES_MAX = 8_192;
const FIRST_BYTES = 4_096;
const KEPT_BYTES_MAX = 1 << 20;
const BEYOND = '1e99';
/** Decimals written as digits behind a point; more are an exponent. */
const POINT_DECIMALS_MAX = 64;
const MILLION = 1_000_000;
/** Digits of integers up to this are made with integers. A number below 2^53 without its last eight digits is one. */
const INTEGER_MAX = 0x7fffffff;
const EIGHT_DIGITS = 100_000_000;
const TWO_32 = 0x1_0000_0000;
const BASE64 = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** Texts of binary values, one behind the other: what JSON would say. `bytes` may be another array after every call. */
export class AvroText {
  bytes = new Uint8Array(FIRST_BYTES);
  length = 0;
  readonly #digits = new Uint8Array(20);

  /** Begins anew. Memory that one large value asked for is given back. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(FIRST_BYTES);
  }

  /** Adds a copy of bytes; true when all of them are ASCII. */
  addBytes(from: Uint8Array, start: number, end: number): boolean {
    this.#makeRoom(end - start);
    const { bytes } = this;
    let { length } = this;
    let seen = 0;
    for (let at = start; at < end; at++) {
      const byte = from[at];
      seen |= byte;
      bytes[length++] = byte;
    }
    this.length = length;
    return seen < 0x80;
  }

  /** Adds the text of the integer that was read last, with a point before its last `decimals` digits. */
  addLong(input: AvroInput, decimals: number): void {
    this.#addInteger(input.isNegative, input.high, input.low, decimals);
  }

  /** Adds an unscaled integer (big-endian two's complement) with its scale; nothing for no bytes. */
  addDecimal(from: Uint8Array, start: number, end: number, scale: number): void {
    if (start === end) return;
    if (end - start > DECIMAL_BYTES_MAX) return this.addText(BEYOND);
    if (end - start > 8) return this.addText(withScale(wideInteger(from, start, end), scale));
    let high = from[start] >= 0x80 ? -1 : 0;
    let low = high;
    for (let at = start; at < end; at++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | from[at];
    }
    const isNegative = high < 0;
    if (isNegative) {
      low = -low | 0;
      high = ~high + (low === 0 ? 1 : 0);
    }
    if (scale >= 0 && scale <= POINT_DECIMALS_MAX) return this.#addInteger(isNegative, high >>> 0, low >>> 0, scale);
    this.#addInteger(isNegative, high >>> 0, low >>> 0, 0);
    this.addText(`e${-scale}`);
  }

  /** Adds base64 of bytes. */
  addBase64(from: Uint8Array, start: number, end: number): void {
    this.#makeRoom(4 * Math.ceil((end - start) / 3));
    const { bytes } = this;
    for (let at = start; at < end; at += 3) {
      const left = end - at;
      const block = (from[at] << 16) | (left > 1 ? from[at + 1] << 8 : 0) | (left > 2 ? from[at + 2] : 0);
      bytes[this.length++] = BASE64[block >> 18];
      bytes[this.length++] = BASE64[(block >> 12) & 63];
      bytes[this.length++] = left > 1 ? BASE64[(block >> 6) & 63] : 61;
      bytes[this.length++] = left > 2 ? BASE64[block & 63] : 61;
    }
  }

  /** Adds ASCII text. */
  addText(text: string): void {
    this.#makeRoom(text.length);
    for (let at = 0; at < text.length; at++) this.bytes[this.length++] = text.charCodeAt(at);
  }

  /** A number of up to 64 bits, given as two halves without sign. Its digits are made from the last to the first; below 2^53 doubles are exact. */
  #addInteger(isNegative: boolean, high: number, low: number, decimals: number): void {
    const digits = this.#digits;
    let count = 0;
    let rest = high * TWO_32 + low;
    if (high >= 0x20_0000) {
      const part = (high % MILLION) * TWO_32 + low;
      rest = Math.floor(high / MILLION) * TWO_32 + Math.floor(part / MILLION);
      let last = part % MILLION;
      for (; count < 6; last = Math.floor(last / 10)) digits[count++] = last % 10;
    }
    if (rest > INTEGER_MAX) {
      const top = Math.floor(rest / EIGHT_DIGITS);
      let last = rest - top * EIGHT_DIGITS;
      for (let i = 0; i < 8; i++, last = (last / 10) | 0) digits[count++] = last % 10;
      rest = top;
    }
    for (let small = rest | 0; small > 0; small = (small / 10) | 0) digits[count++] = small % 10;
    this.#makeRoom(count + decimals + 3);
    const { bytes } = this;
    if (isNegative) bytes[this.length++] = 45;
    for (let place = Math.max(count, decimals + 1) - 1; place >= 0; place--) {
      bytes[this.length++] = 48 + (place < count ? digits[place] : 0);
      if (place === decimals && decimals > 0) bytes[this.length++] = 46;
    }
  }

  #makeRoom(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}

function wideInteger(from: Uint8Array, start: number, end: number): bigint {
  let hex = '0x';
  for (let at = start; at < end; at++) hex += from[at].toString(16).padStart(2, '0');
  return BigInt.asIntN(8 * (end - start), BigInt(hex));
}

/** Text of an unscaled integer with its scale. */
function withScale(unscaled: bigint, scale: number): string {
  return scale === 0 ? unscaled.toString() : `${unscaled}e${-scale}`;
}

/** The shortest text that means the same 32-bit float, as Java writes it. */
export function floatText(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}
