import { NO_DAY } from './change.ts';
import { DAY_MAX, DAY_MIN, MILLISECONDS_PER_DAY, dayInZone, dayOf } from './dates.ts';

/** Units of integer dates: milliseconds are 3 digits below seconds, and so on; days stand alone. BY_SIZE decides by the number's size. */
export const DATE_BY_SIZE = 0;
export const DATE_DAYS = 1;
export const DATE_MILLISECONDS = 2;
export const DATE_MICROSECONDS = 3;
export const DATE_NANOSECONDS = 4;

/** Debezium's ±infinity; the ends of Long mean it too, and what lies beyond them is no Long. */
const INFINITE = new Set(['9223372036825200000', '-9223372036832400000']);
const LONG_MAX = '9223372036854775807';
const DIGITS_MAX = 19;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Parts of the date text last read by `readParts`. */
const parts = { day: NO_DAY, time: 0, offset: 0, hasTime: false, hasZone: false };

/**
 * Day of a date as text `bytes[start..end)`: `YYYY-MM-DD`, with `Z`, or with a time (`T` or a space between). Only a time with a
 * zone or offset makes an instant, which falls on its day in `zone`. NO_DAY when it is none of these or outside the years 1 to 9999.
 */
export function parseDateText(bytes: Uint8Array, start: number, end: number, zone: string): number {
  if (!readParts(bytes, start, end)) return NO_DAY;
  if (!parts.hasTime || !parts.hasZone) return parts.day;
  return inRange(dayInZone(parts.day * MILLISECONDS_PER_DAY + parts.time - parts.offset, zone));
}

/** Milliseconds since 1970 of an ISO timestamp; without a zone it is UTC. NaN when it is none. */
export function parseInstant(bytes: Uint8Array, start: number, end: number): number {
  return readParts(bytes, start, end) ? parts.day * MILLISECONDS_PER_DAY + parts.time - parts.offset : Number.NaN;
}

function inRange(day: number): number {
  return day >= DAY_MIN && day <= DAY_MAX ? day : NO_DAY;
}

function readParts(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 10 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return false;
  parts.day = dayOf(number(bytes, start, 4), number(bytes, start + 5, 2), number(bytes, start + 8, 2));
  if (parts.day === NO_DAY) return false;
  parts.time = 0;
  parts.offset = 0;
  parts.hasTime = false;
  parts.hasZone = false;
  let at = start + 10;
  if (at === end) return true;
  if (bytes[at] === 84 || bytes[at] === 32) {
    at = readTime(bytes, at + 1, end);
    if (at < 0) return false;
    parts.hasTime = true;
  }
  return at === end || readZone(bytes, at, end);
}

/** `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fraction`; returns where it ends or -1. */
function readTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 5 || bytes[start + 2] !== 58) return -1;
  const hour = number(bytes, start, 2);
  const minute = number(bytes, start + 3, 2);
  if (!(hour <= 23 && minute <= 59)) return -1;
  parts.time = hour * HOUR + minute * MINUTE;
  let at = start + 5;
  if (at >= end || bytes[at] !== 58) return at;
  const second = at + 3 <= end ? number(bytes, at + 1, 2) : Number.NaN;
  if (!(second <= 59)) return -1;
  parts.time += second * SECOND;
  at += 3;
  if (at >= end || bytes[at] !== 46) return at;
  let unit = 100;
  const fraction = ++at;
  for (; at < end && bytes[at] >= 48 && bytes[at] <= 57; at++) {
    parts.time += (bytes[at] - 48) * Math.trunc(unit);
    unit /= 10;
  }
  return at === fraction ? -1 : at;
}

/** `Z`, `±HH`, `±HHMM`, `±HH:MM`, `±HH:MM:SS`, one space before; after a date alone only `Z`. */
function readZone(bytes: Uint8Array, start: number, end: number): boolean {
  let at = bytes[start] === 32 ? start + 1 : start;
  parts.hasZone = true;
  if (bytes[at] === 90) return at + 1 === end && (parts.hasTime || at === start);
  if (!parts.hasTime || (bytes[at] !== 43 && bytes[at] !== 45)) return false;
  const sign = bytes[at] === 45 ? -1 : 1;
  at++;
  let unit = HOUR;
  for (let part = 0; part < 3; part++) {
    const value = at + 2 <= end ? number(bytes, at, 2) : Number.NaN;
    if (!(value <= (part === 0 ? 18 : 59))) return false;
    parts.offset += sign * value * unit;
    unit /= 60;
    at += 2;
    if (at === end) return true;
    if (bytes[at] === 58) at++;
    else if (part > 0) return false;
  }
  return false;
}

/** Value of `count` digits, NaN when they are none. */
function number(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = bytes[at] - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Day of a date as an integer `bytes[start..end)` in `unit`; it has no zone and keeps its UTC day. By size: below 10⁶ days, below 10¹⁴
 * milliseconds, below 10¹⁷ microseconds, else nanoseconds. NO_DAY when it is no integer, infinite or outside the years 1 to 9999.
 */
export function parseDateInteger(bytes: Uint8Array, start: number, end: number, unit: number): number {
  const negative = bytes[start] === 45;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > DIGITS_MAX) return NO_DAY;
  if (digits === DIGITS_MAX) {
    const text = String.fromCharCode(...bytes.subarray(start, end));
    if (INFINITE.has(text) || text.slice(-DIGITS_MAX) >= LONG_MAX) return NO_DAY;
  }
  const known = unit !== DATE_BY_SIZE ? unit
    : digits <= 6 ? DATE_DAYS : digits <= 14 ? DATE_MILLISECONDS : digits <= 17 ? DATE_MICROSECONDS : DATE_NANOSECONDS;
  const dropped = known === DATE_MICROSECONDS ? 3 : known === DATE_NANOSECONDS ? 6 : 0;
  let value = 0;
  let rest = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at] - 48;
    if (digit < 0 || digit > 9) return NO_DAY;
    if (at < end - dropped) value = value * 10 + digit;
    else rest |= digit;
  }
  if (known === DATE_DAYS) return inRange(negative ? -value : value);
  if (value > Number.MAX_SAFE_INTEGER) return NO_DAY;
  return inRange(Math.floor((negative ? -value - (rest === 0 ? 0 : 1) : value) / MILLISECONDS_PER_DAY));
}
