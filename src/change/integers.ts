import { TOKEN_NUMBER, TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';

/**
 * Whole numbers out of JSON, exactly: LSNs need 64 bits, and Debezium's documentation prints some Longs as strings, so a number
 * and a string of digits mean the same here.
 */
export function readInteger(tape: Tape, token: number): number {
  const kind = tape.kind(token);
  if (kind !== TOKEN_NUMBER && kind !== TOKEN_STRING) return Number.NaN;
  const { bytes } = tape;
  const end = tape.end(token);
  let at = tape.start(token);
  const negative = at < end && bytes[at] === 45;
  if (negative) at++;
  if (at === end) return Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return negative ? -value : value;
}

const DIGITS_EXACT = 15;

/**
 * Reads the digits at `start` into `out[at]` (high) and `out[at + 1]` (low) as an unsigned 64-bit number. Returns where the digits
 * end, or -1 when there are none or the number needs more bits.
 */
export function readUnsigned(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): number {
  let value = 0;
  let next = start;
  for (; next < end; next++) {
    const digit = bytes[next] - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (next === start) return -1;
  if (next - start > DIGITS_EXACT) return readLong(bytes, start, next, out, at);
  const high = Math.floor(value / 0x100000000);
  out[at] = high;
  out[at + 1] = value - high * 0x100000000;
  return next;
}

/** The digits `bytes[start..end)` when they are too many for exact doubles. */
function readLong(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): number {
  let high = 0;
  let low = 0;
  for (let next = start; next < end; next++) {
    low = low * 10 + bytes[next] - 48;
    const carry = Math.floor(low / 0x100000000);
    low -= carry * 0x100000000;
    high = high * 10 + carry;
    if (high > 0xffffffff) return -1;
  }
  out[at] = high;
  out[at + 1] = low;
  return end;
}

/** `readUnsigned` for a whole token, number or text. False when it is anything else. */
export function readUnsignedToken(tape: Tape, token: number, out: Uint32Array, at: number): boolean {
  const kind = tape.kind(token);
  if (kind !== TOKEN_NUMBER && kind !== TOKEN_STRING) return false;
  const end = tape.end(token);
  return readUnsigned(tape.bytes, tape.start(token), end, out, at) === end;
}
