/**
 * Scanners over JSON text in UTF-8 bytes: strings, numbers, escapes. They accept exactly what JSON allows (RFC 8259,
 * like `JSON.parse`) and answer where the thing ends, or one of the negative answers below.
 */
export const SCAN_INVALID = -1;
export const SCAN_NOT_UTF8 = -2;
export const SCAN_TOO_DEEP = -3;

/** Bit a string's end carries when the string has escapes; ends stay below 2^30. */
export const SCAN_ESCAPED = 0x40000000;

/** 1 for bytes that may stand in a string as they are and are ASCII. */
export const PLAIN = new Uint8Array(256);
for (let byte = 0x20; byte < 0x80; byte++) PLAIN[byte] = byte === 34 || byte === 92 ? 0 : 1;

/** Character that `\x` stands for, 0 when there is no such escape. */
const SIMPLE_ESCAPE = new Uint8Array(256);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)])) {
  SIMPLE_ESCAPE[letter] = meaning;
}

const HEX = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Index of the first byte at or after `from` that is no JSON white space. */
export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] <= 32 && (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 13 || bytes[at] === 9)) at++;
  return at;
}

/** From inside a string to its closing quote: its index, with SCAN_ESCAPED added when escapes were met on the way. */
export function scanString(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  let escaped = 0;
  while (at < end) {
    const byte = bytes[at];
    if (PLAIN[byte] === 1) at++;
    else if (byte === 34) return at | escaped;
    else if (byte === 92) {
      escaped = SCAN_ESCAPED;
      if (at + 1 >= end) return SCAN_INVALID;
      if (SIMPLE_ESCAPE[bytes[at + 1]] !== 0) at += 2;
      else if (bytes[at + 1] === 117 && at + 5 < end && hexUnit(bytes, at + 2) >= 0) at += 6;
      else return SCAN_INVALID;
    } else if (byte < 0x20) return SCAN_INVALID;
    else {
      const length = utf8Length(bytes, at, end);
      if (length === 0) return SCAN_NOT_UTF8;
      at += length;
    }
  }
  return SCAN_INVALID;
}

/** Value of four hexadecimal digits, negative when they are none. */
function hexUnit(bytes: Uint8Array, at: number): number {
  return (HEX[bytes[at]] << 12) | (HEX[bytes[at + 1]] << 8) | (HEX[bytes[at + 2]] << 4) | HEX[bytes[at + 3]];
}

/** Length of the well-formed UTF-8 sequence of two to four bytes at `at`, 0 when there is none (Unicode, table 3-7). */
function utf8Length(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (bytes[at + 1] < low || bytes[at + 1] > high) return 0;
  for (let i = at + 2; i < at + length; i++) if ((bytes[i] & 0xc0) !== 0x80) return 0;
  return length;
}

/** True when `bytes[start..end)` is well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end;) {
    const length = bytes[at] < 0x80 ? 1 : utf8Length(bytes, at, end);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/** End of the number that begins at `from`. */
export function scanNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  if (at < end && bytes[at] === 45) at++;
  if (at >= end) return SCAN_INVALID;
  if (bytes[at] === 48) at++;
  else {
    const digits = at;
    at = scanDigits(bytes, at, end);
    if (at === digits) return SCAN_INVALID;
  }
  if (at < end && bytes[at] === 46) {
    const digits = at + 1;
    at = scanDigits(bytes, digits, end);
    if (at === digits) return SCAN_INVALID;
  }
  if (at < end && (bytes[at] | 0x20) === 101) {
    at++;
    if (at < end && (bytes[at] === 43 || bytes[at] === 45)) at++;
    const digits = at;
    at = scanDigits(bytes, at, end);
    if (at === digits) return SCAN_INVALID;
  }
  return at;
}

/** End of the run of digits at `from`. */
function scanDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] >= 48 && bytes[at] <= 57) at++;
  return at;
}

/**
 * Writes what the string contents `bytes[start..end)` (valid, escapes and all) mean to `out` and returns the length; `out` has room
 * for `end - start`. A surrogate without its partner has no UTF-8 form: the answer is `SCAN_NOT_UTF8` if `strict`, else it becomes U+FFFD.
 */
export function unescape(bytes: Uint8Array, start: number, end: number, out: Uint8Array, strict: boolean): number {
  let length = 0;
  for (let at = start; at < end;) {
    const byte = bytes[at];
    if (byte !== 92) {
      out[length++] = byte;
      at++;
      continue;
    }
    if (bytes[at + 1] !== 117) {
      out[length++] = SIMPLE_ESCAPE[bytes[at + 1]];
      at += 2;
      continue;
    }
    let code = hexUnit(bytes, at + 2);
    at += 6;
    if (code >= 0xd800 && code <= 0xdbff && at + 5 < end && bytes[at] === 92 && bytes[at + 1] === 117) {
      const low = hexUnit(bytes, at + 2);
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      if (strict) return SCAN_NOT_UTF8;
      code = 0xfffd;
    }
    length = writeUtf8(code, out, length);
  }
  return length;
}

function writeUtf8(code: number, out: Uint8Array, at: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  let next = at;
  if (code < 0x800) out[next++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) out[next++] = 0xe0 | (code >> 12);
    else {
      out[next++] = 0xf0 | (code >> 18);
      out[next++] = 0x80 | ((code >> 12) & 63);
    }
    out[next++] = 0x80 | ((code >> 6) & 63);
  }
  out[next++] = 0x80 | (code & 63);
  return next;
}
