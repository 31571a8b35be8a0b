import { NO_DAY } from './change.ts';

/**
 * Calendar dates as epoch days (1970-01-01 is 0), proleptic Gregorian, years 1 to 9999. A date is never an instant;
 * `dayInZone` is the one place where an instant becomes a date.
 */
export const MILLISECONDS_PER_DAY = 86_400_000;
/** 0001-01-01. */
export const DAY_MIN = -719_162;
/** 9999-12-31. */
export const DAY_MAX = 2_932_896;

const DAYS_IN_MONTH = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Epoch day of a calendar date, or NO_DAY when there is no such date. */
export function dayOf(year: number, month: number, day: number): number {
  if (!(year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1)) return NO_DAY;
  if (day > DAYS_IN_MONTH[month] + (month === 2 && isLeapYear(year) ? 1 : 0)) return NO_DAY;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export interface CalendarDate {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  /** 1–31. */
  readonly day: number;
}

/** The calendar date of an epoch day. */
export function dateOf(epochDay: number): CalendarDate {
  const shifted = epochDay + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** `YYYY-MM-DD` of an epoch day. */
export function dateText(epochDay: number): string {
  const { year, month, day } = dateOf(epochDay);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** Epoch day of `YYYY-MM-DD`, or null when the text is anything else or no calendar date. */
export function parseDate(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const day = dayOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10)));
  return day === NO_DAY ? null : day;
}

/**
 * Epoch day on which an instant (milliseconds since 1970) falls in a time zone (IANA name). Throws a RangeError for a zone that
 * Intl does not know. Cheap: the zone's offset is looked up once per UTC day and remembered.
 */
export function dayInZone(milliseconds: number, zone: string): number {
  if (zone === 'UTC') return Math.floor(milliseconds / MILLISECONDS_PER_DAY);
  let offsets = zones.get(zone);
  if (offsets === undefined) zones.set(zone, (offsets = createZoneOffsets(zone)));
  return Math.floor((milliseconds + offsets(milliseconds)) / MILLISECONDS_PER_DAY);
}

/** Offset from UTC in milliseconds at an instant. */
type ZoneOffsets = (milliseconds: number) => number;

/** A stretch of one UTC day: `before` up to `change`, `after` from there on. */
interface DayOffsets {
  readonly change: number;
  readonly before: number;
  readonly after: number;
}

const zones = new Map<string, ZoneOffsets>();
const DAYS_REMEMBERED_MAX = 20_000;

function createZoneOffsets(zone: string): ZoneOffsets {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', era: 'short',
    year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  });
  const remembered = new Map<number, DayOffsets>();
  return (milliseconds) => {
    const utcDay = Math.floor(milliseconds / MILLISECONDS_PER_DAY);
    let offsets = remembered.get(utcDay);
    if (offsets === undefined) {
      if (remembered.size >= DAYS_REMEMBERED_MAX) remembered.clear();
      remembered.set(utcDay, (offsets = offsetsOfDay(format, utcDay)));
    }
    return milliseconds < offsets.change ? offsets.before : offsets.after;
  };
}

/** Offsets within one UTC day; a change inside it is found by halving, to the second. */
function offsetsOfDay(format: Intl.DateTimeFormat, utcDay: number): DayOffsets {
  let low = utcDay * MILLISECONDS_PER_DAY;
  let high = low + MILLISECONDS_PER_DAY;
  const before = offsetAt(format, low);
  const after = offsetAt(format, high);
  if (before === after) return { change: low, before, after };
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (offsetAt(format, middle) === before) low = middle;
    else high = middle;
  }
  return { change: high, before, after };
}

function offsetAt(format: Intl.DateTimeFormat, milliseconds: number): number {
  const part: Record<string, number> = {};
  let beforeChrist = false;
  for (const { type, value } of format.formatToParts(milliseconds)) {
    if (type === 'era') beforeChrist = value.startsWith('B');
    else part[type] = Number(value);
  }
  const local = new Date(0);
  local.setUTCFullYear(beforeChrist ? 1 - part['year'] : part['year'], part['month'] - 1, part['day']);
  local.setUTCHours(part['hour'], part['minute'], part['second']);
  return local.getTime() - milliseconds;
}
