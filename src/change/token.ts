import { PLAIN, SCAN_ESCAPED, SCAN_INVALID, scanNumber, scanString } from './json-scan.ts';

/** Kinds of tokens. */
export const TOKEN_NULL = 1;
export const TOKEN_TRUE = 2;
export const TOKEN_FALSE = 3;
export const TOKEN_NUMBER = 4;
export const TOKEN_STRING = 5;
export const TOKEN_ARRAY = 6;
export const TOKEN_OBJECT = 7;

/** A token is four words: kind, flags and the member name's id; start; end; the token after it. */
export const TOKEN_WORDS = 4;
export const TOKEN_KIND = 7;
export const TOKEN_ESCAPED = 8;
/** The token's places are those in the text its shape was learnt from: see `TextShape`. */
export const TOKEN_FIXED = 16;
export const TOKEN_NAME_SHIFT = 8;

/** The literals' bytes as big-endian words; `false` is told by its last four. */
const WORD_NULL = 0x6e756c6c;
const WORD_TRUE = 0x74727565;
const WORD_ALSE = 0x616c7365;

/**
 * Reads the string, number or literal at `at` and writes it to `words` as token `token`, the value of the member `name`. Strings span what is between the quotes. Returns where the
 * value ends, or a negative answer of `json-scan.ts`. `view` is over `bytes`.
 */
export function readScalar(bytes: Uint8Array, view: DataView, at: number, end: number, words: Int32Array, token: number, name: number): number {
  const byte = at < end ? bytes[at] : 0;
  if (byte === 34) return readString(bytes, at + 1, end, words, token, name);
  let kind = TOKEN_NUMBER;
  let close = SCAN_INVALID;
  if (byte === 110) {
    kind = TOKEN_NULL;
    if (at + 4 <= end && view.getInt32(at) === WORD_NULL) close = at + 4;
  } else if (byte === 116) {
    kind = TOKEN_TRUE;
    if (at + 4 <= end && view.getInt32(at) === WORD_TRUE) close = at + 4;
  } else if (byte === 102) {
    kind = TOKEN_FALSE;
    if (at + 5 <= end && view.getInt32(at + 1) === WORD_ALSE) close = at + 5;
  } else close = scanNumber(bytes, at, end);
  words[token] = kind | (name << TOKEN_NAME_SHIFT);
  words[token + 1] = at;
  words[token + 2] = close;
  words[token + 3] = token + TOKEN_WORDS;
  return close;
}

function readString(bytes: Uint8Array, start: number, end: number, words: Int32Array, token: number, name: number): number {
  let close = start;
  let kind = TOKEN_STRING;
  while (PLAIN[bytes[close]] === 1) close++;
  if (close >= end || bytes[close] !== 34) {
    close = scanString(bytes, close < end ? close : start, end);
    if (close < 0) return close;
    if (close >= SCAN_ESCAPED) kind |= TOKEN_ESCAPED;
    close &= SCAN_ESCAPED - 1;
  }
  words[token] = kind | (name << TOKEN_NAME_SHIFT);
  words[token + 1] = start;
  words[token + 2] = close;
  words[token + 3] = token + TOKEN_WORDS;
  return close + 1;
}
