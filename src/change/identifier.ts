/**
 * Identifiers (primary keys, property ids, unit ids) as four 32-bit words and a kind, so that the hot path makes no strings.
 *
 * | kind | words | text |
 * |---|---|---|
 * | 0 none | 0 | null (also `''` and `None`, rule R6) |
 * | 1 uuid | the 16 bytes, big-endian | 36 characters, lower-case hexadecimal |
 * | 2 upper-case uuid | same | 36 characters, upper-case hexadecimal (SQL Server) |
 * | 3 short | UTF-8 bytes, big-endian, zero-padded; last byte is the length | at most 15 bytes |
 * | 4 long | word 0 is an index into a string table | anything else |
 *
 * The mapping text → (kind, words) is one to one, so two identifiers are equal exactly when kind and words are (long ones:
 * when the table's texts are). A UUID of digits only is kind 1.
 */
export const ID_NONE = 0;
export const ID_UUID = 1;
export const ID_UUID_UPPER = 2;
export const ID_SHORT = 3;
export const ID_LONG = 4;

/** Bytes of text that fit into a short identifier. */
const SHORT_BYTES_MAX = 15;
/** Longest identifier accepted, in UTF-8 bytes; a longer one makes a dead letter (IDENTIFIER_TOO_LONG). */
export const IDENTIFIER_BYTES_MAX = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const HEX = '0123456789abcdef';

/** Value of a hexadecimal digit in bits 0–3; bit 4: lower-case letter, bit 5: upper-case letter, bit 6: no such digit. */
const DIGIT = new Uint8Array(256).fill(64);
for (let digit = 0; digit < 16; digit++) {
  DIGIT[HEX.charCodeAt(digit)] = digit < 10 ? digit : digit | 16;
  if (digit >= 10) DIGIT[HEX.toUpperCase().charCodeAt(digit)] = digit | 32;
}

/**
 * Reads `bytes[start..end)` as a UUID into `out[at..at+4)`. Returns ID_UUID or ID_UUID_UPPER, or ID_NONE when the text is not a
 * canonical UUID of one case (then `out` is undefined).
 */
function parseUuid(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): number {
  if (end - start !== 36) return ID_NONE;
  if (bytes[start + 8] !== 45 || bytes[start + 13] !== 45 || bytes[start + 18] !== 45 || bytes[start + 23] !== 45) return ID_NONE;
  let seen = 0;
  let i = start;
  for (let half = 0; half < 8; half++) {
    const a = DIGIT[bytes[i]];
    const b = DIGIT[bytes[i + 1]];
    const c = DIGIT[bytes[i + 2]];
    const d = DIGIT[bytes[i + 3]];
    seen |= a | b | c | d;
    const value = ((a & 15) << 12) | ((b & 15) << 8) | ((c & 15) << 4) | (d & 15);
    const word = at + (half >> 1);
    out[word] = (half & 1) === 0 ? value << 16 : out[word] | value;
    i += half === 0 || half > 4 ? 4 : 5;
  }
  if ((seen & 64) !== 0 || (seen & 48) === 48) return ID_NONE;
  return (seen & 32) !== 0 ? ID_UUID_UPPER : ID_UUID;
}

/** Packs up to 15 bytes into `out[at..at+4)` as a short identifier. */
function packShort(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): void {
  const length = end - start;
  for (let word = 0; word < 4; word++) {
    let value = 0;
    for (let k = 0; k < 4; k++) {
      const index = word * 4 + k;
      value = (value << 8) | (index < length ? bytes[start + index] : 0);
    }
    out[at + word] = value >>> 0;
  }
  out[at + 3] = ((out[at + 3] & 0xffffff00) | length) >>> 0;
}

/**
 * Encodes UTF-8 bytes of an identifier (already unescaped) into `out[at..at+4)` and returns its kind. Long ones call `intern`
 * with the text and store the index it gives. The caller has dealt with null, `''` and `None`.
 */
export function encodeIdentifier(
  bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number, intern: (text: string) => number,
): number {
  const uuid = parseUuid(bytes, start, end, out, at);
  if (uuid !== ID_NONE) return uuid;
  if (end - start <= SHORT_BYTES_MAX) {
    packShort(bytes, start, end, out, at);
    return ID_SHORT;
  }
  out[at] = intern(decoder.decode(bytes.subarray(start, end)));
  out[at + 1] = 0;
  out[at + 2] = 0;
  out[at + 3] = 0;
  return ID_LONG;
}

/** `encodeIdentifier` for text, e.g. from a request. `intern` returns -1 for a text that is not in the table: then ID_NONE is returned. */
export function encodeIdentifierText(text: string, out: Uint32Array, at: number, intern: (text: string) => number): number {
  const bytes = encoder.encode(text);
  let unknown = false;
  const kind = encodeIdentifier(bytes, 0, bytes.length, out, at, (long) => {
    const index = intern(long);
    if (index < 0) unknown = true;
    return index;
  });
  return unknown ? ID_NONE : kind;
}

/** Text of an identifier; null for ID_NONE. `lookup` gives the text of a long one. */
export function identifierText(kind: number, words: Uint32Array, at: number, lookup: (index: number) => string): string | null {
  if (kind === ID_NONE) return null;
  if (kind === ID_LONG) return lookup(words[at]);
  if (kind === ID_SHORT) {
    const length = words[at + 3] & 0xff;
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = (words[at + (i >> 2)] >>> (24 - 8 * (i & 3))) & 0xff;
    return decoder.decode(bytes);
  }
  let text = '';
  for (let word = 0; word < 4; word++) {
    for (let shift = 28; shift >= 0; shift -= 4) text += HEX[(words[at + word] >>> shift) & 15];
  }
  text = `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
  return kind === ID_UUID_UPPER ? text.toUpperCase() : text;
}

/** Hash of an identifier for open-addressing tables, 32 bits unsigned. Long identifiers must be hashed by their table's index. */
export function hashIdentifier(kind: number, a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ Math.imul(kind, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(((h ^ (h >>> 13)) + b) | 0, 0xc2b2ae35);
  h = Math.imul(((h ^ (h >>> 16)) + c) | 0, 0x27d4eb2f);
  h = Math.imul(((h ^ (h >>> 15)) + d) | 0, 0x165667b1);
  h ^= h >>> 16;
  return h >>> 0;
}

/** Virtual shards a state may later be split into. */
export const SHARDS = 64;
