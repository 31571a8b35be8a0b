/**
 * Exact money. An amount is an integer count of 1/10 000 ("units") in a JS number; floating point never touches a figure.
 * A row's amount needs at most four decimals and stays below 10¹¹ in size; sums may grow to ±5·10¹⁵ units.
 */

/** Units in one whole unit of currency. */
const UNITS_PER_WHOLE = 10_000;
/** A row's amount is smaller than this many units (10¹¹ whole ones). */
const AMOUNT_LIMIT_UNITS = 1e15;

/** Answers of the parsers besides units: the text is no decimal number in the form expected (AMOUNT_INVALID). */
export const MONEY_INVALID = Number.NaN;
/** It is one, and needs more than four decimals or reaches 10¹¹ (AMOUNT_OUT_OF_BOUNDS). */
export const MONEY_OUT_OF_BOUNDS = Number.POSITIVE_INFINITY;

const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const SIGNIFICANT_DIGITS_MAX = 15;
const UNIT_DECIMALS = 4;
const EXPONENT_MAX = 1_000_000_000;
/** Longest unscaled integer read: Postgres' 16 383 decimals of an amount in bounds take 6.8 kB. */
const UNSCALED_BYTES_MAX = 8_192;

/** Text with exactly four decimals, for parquet and control totals: `-12.5000`. Throws a RangeError when `units` is no safe integer. */
export function formatUnits(units: number): string {
  checkUnits(units);
  const size = Math.abs(units);
  const fraction = size % UNITS_PER_WHOLE;
  const whole = (size - fraction) / UNITS_PER_WHOLE;
  return `${units < 0 ? '-' : ''}${whole}.${fraction.toString().padStart(UNIT_DECIMALS, '0')}`;
}

/** Shortest plain decimal number for JSON: `1200.5`, `-3`, `0`. Throws a RangeError when `units` is no safe integer. */
export function jsonNumber(units: number): string {
  checkUnits(units);
  const size = Math.abs(units);
  let fraction = size % UNITS_PER_WHOLE;
  const whole = (size - fraction) / UNITS_PER_WHOLE;
  const sign = units < 0 ? '-' : '';
  if (fraction === 0) return `${sign}${whole}`;
  let digits = UNIT_DECIMALS;
  while (fraction % 10 === 0) {
    fraction /= 10;
    digits--;
  }
  return `${sign}${whole}.${fraction.toString().padStart(digits, '0')}`;
}

function checkUnits(units: number): void {
  if (!Number.isSafeInteger(units)) throw new RangeError(`${units} is no exact amount`);
}

/** Units of decimal text; MONEY_INVALID or MONEY_OUT_OF_BOUNDS when it has none. See `parseDecimal` for the form. */
export function parseMoney(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return parseDecimal(bytes, 0, bytes.length);
}

/**
 * Units of the decimal text `bytes[start..end)`: digits with an optional minus, point and exponent (`-12.50`, `1.2e3`), nothing around
 * them. Zeros after the fourth decimal are fine. MONEY_INVALID or MONEY_OUT_OF_BOUNDS when it has no units.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = at < end && bytes[at] === 45;
  if (negative) at++;
  let digits = 0;
  let mantissa = 0;
  let significant = 0;
  let zeros = 0;
  let decimals = 0;
  let point = false;
  for (; at < end; at++) {
    const digit = bytes[at] - 48;
    if (digit >= 0 && digit <= 9) {
      digits++;
      if (point) decimals++;
      if (digit === 0) {
        if (significant > 0) zeros++;
        continue;
      }
      significant += zeros + 1;
      if (significant <= SIGNIFICANT_DIGITS_MAX) mantissa = mantissa * POWERS_OF_TEN[zeros + 1] + digit;
      zeros = 0;
    } else if (bytes[at] === 46 && !point && digits > 0) {
      point = true;
      digits = 0;
    } else break;
  }
  if (digits === 0) return MONEY_INVALID;
  let exponent = zeros - decimals;
  if (at < end) {
    const power = parseExponent(bytes, at, end);
    if (Number.isNaN(power)) return MONEY_INVALID;
    exponent += power;
  }
  if (significant === 0) return 0;
  if (significant > SIGNIFICANT_DIGITS_MAX || exponent < -UNIT_DECIMALS || exponent + significant > 11) return MONEY_OUT_OF_BOUNDS;
  const units = mantissa * POWERS_OF_TEN[exponent + UNIT_DECIMALS];
  return negative ? -units : units;
}

/** The exponent part `e±digits` up to `end`, or NaN. */
function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  if ((bytes[start] | 0x20) !== 101) return Number.NaN;
  let at = start + 1;
  const negative = bytes[at] === 45;
  if (at < end && (negative || bytes[at] === 43)) at++;
  if (at >= end) return Number.NaN;
  let power = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    if (power < EXPONENT_MAX) power = power * 10 + digit;
  }
  return negative ? -power : power;
}

const BASE64 = new Int8Array(256).fill(-1);
for (let i = 0; i < 64; i++) BASE64['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(i)] = i;

/**
 * Units of a Connect decimal: `bytes[start..end)` is base64 (padded) of a big-endian two's complement integer, the value is that
 * integer times 10^-scale. MONEY_INVALID or MONEY_OUT_OF_BOUNDS when it has no units.
 */
export function parseUnscaled(bytes: Uint8Array, start: number, end: number, scale: number): number {
  const length = end - start;
  if (length === 0 || length % 4 !== 0) return MONEY_INVALID;
  const padding = bytes[end - 1] !== 61 ? 0 : bytes[end - 2] !== 61 ? 1 : 2;
  const size = (length / 4) * 3 - padding;
  for (let at = start; at < end - padding; at++) if (BASE64[bytes[at]] < 0) return MONEY_INVALID;
  if (padding > 0 && (BASE64[bytes[end - padding - 1]] & (padding === 1 ? 3 : 15)) !== 0) return MONEY_INVALID;
  if (size > UNSCALED_BYTES_MAX) return MONEY_OUT_OF_BOUNDS;
  if (size > 6) return scaleBigInt(decodeBigInt(bytes, start, end, padding), scale);
  let value = 0;
  for (let at = start; at < end - padding; at++) value = value * 64 + BASE64[bytes[at]];
  value = Math.floor(value / (padding === 0 ? 1 : padding === 1 ? 4 : 16));
  const negative = BASE64[bytes[start]] >= 32;
  if (negative) value -= 2 ** (8 * size);
  return scaleInteger(value, scale);
}

/** Units of `unscaled`·10^-scale. `unscaled` is an exact integer. */
function scaleInteger(unscaled: number, scale: number): number {
  if (unscaled === 0) return 0;
  const drop = scale - UNIT_DECIMALS;
  if (drop > SIGNIFICANT_DIGITS_MAX || -drop > SIGNIFICANT_DIGITS_MAX) return MONEY_OUT_OF_BOUNDS;
  if (drop > 0 && unscaled % POWERS_OF_TEN[drop] !== 0) return MONEY_OUT_OF_BOUNDS;
  const units = drop > 0 ? unscaled / POWERS_OF_TEN[drop] : unscaled * POWERS_OF_TEN[-drop];
  return Math.abs(units) < AMOUNT_LIMIT_UNITS ? units : MONEY_OUT_OF_BOUNDS;
}

function decodeBigInt(bytes: Uint8Array, start: number, end: number, padding: number): bigint {
  let hex = '';
  for (let at = start; at < end; at += 4) {
    const block = (BASE64[bytes[at]] << 18) | (BASE64[bytes[at + 1]] << 12)
      | (Math.max(0, BASE64[bytes[at + 2]]) << 6) | Math.max(0, BASE64[bytes[at + 3]]);
    hex += block.toString(16).padStart(6, '0');
  }
  if (padding > 0) hex = hex.slice(0, -2 * padding);
  return BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`));
}

function scaleBigInt(unscaled: bigint, scale: number): number {
  if (unscaled === 0n) return 0;
  const drop = scale - UNIT_DECIMALS;
  if (drop > 3 * UNSCALED_BYTES_MAX || -drop > SIGNIFICANT_DIGITS_MAX) return MONEY_OUT_OF_BOUNDS;
  const power = 10n ** BigInt(Math.abs(drop));
  if (drop > 0 && unscaled % power !== 0n) return MONEY_OUT_OF_BOUNDS;
  const units = drop > 0 ? unscaled / power : unscaled * power;
  const limit = BigInt(AMOUNT_LIMIT_UNITS);
  return units < limit && units > -limit ? Number(units) : MONEY_OUT_OF_BOUNDS;
}
