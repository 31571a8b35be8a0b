const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
/** `e`; `E` with the bit for lower case set. */
const EXPONENT = 0x65;
const LOWER_CASE = 0x20;

/** End of the JSON number that begins at `at`, or -1 when none does. Something that is no digit must follow it in memory. */
export function endOfNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++;
  let end = bytes[at] === ZERO ? at + 1 : endOfDigits(bytes, at);
  if (end >= 0 && bytes[end] === POINT) end = endOfDigits(bytes, end + 1);
  if (end >= 0 && (bytes[end] | LOWER_CASE) === EXPONENT) {
    const sign = bytes[end + 1];
    end = endOfDigits(bytes, sign === PLUS || sign === MINUS ? end + 2 : end + 1);
  }
  return end;
}

/** End of at least one digit, or -1. */
function endOfDigits(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end] >= ZERO && bytes[end] <= ZERO + 9) end++;
  return end === at ? -1 : end;
}
