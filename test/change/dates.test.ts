// Goal: calendar dates are exact, and an instant falls on the right day of its zone. Method: tables, and fast-check against Date and Intl.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_DAY } from '../../src/change/change.ts';
import { DAY_MAX, DAY_MIN, dateOf, dateText, dayInZone, dayOf, parseDate } from '../../src/change/dates.ts';

test('every day from year 1 to 9999 agrees with Date', () => {
  const date = new Date(0);
  for (let day = DAY_MIN; day <= DAY_MAX; day += 1) {
    date.setTime(day * 86_400_000);
    const { year, month, day: dayOfMonth } = dateOf(day);
    if (year !== date.getUTCFullYear() || month !== date.getUTCMonth() + 1 || dayOfMonth !== date.getUTCDate() || dayOf(year, month, dayOfMonth) !== day) {
      expect.fail(`day ${day}`);
    }
  }
});

test.each([[2023, 2, 29], [1900, 2, 29], [2024, 13, 1], [2024, 0, 1], [2024, 4, 31], [2024, 1, 0], [0, 1, 1], [10_000, 1, 1], [Number.NaN, 1, 1]])(
  '%d-%d-%d does not exist', (year, month, day) => {
    expect(dayOf(year, month, day)).toBe(NO_DAY);
  });

test('text', () => {
  expect(dateText(0)).toBe('1970-01-01');
  expect(dateText(DAY_MIN)).toBe('0001-01-01');
  expect(parseDate('2026-01-31')).toBe(20_484);
  expect(parseDate('2024-02-29')).toBe(dayOf(2024, 2, 29));
  for (const text of ['', '2026-1-31', '2026-01-31Z', ' 2026-01-31', '2026-02-30', '0000-00-00', '10000-01-01', '2026-01-31\n', '２026-01-31']) expect(parseDate(text)).toBeNull();
  fc.assert(fc.property(fc.integer({ min: DAY_MIN, max: DAY_MAX }), (day) => parseDate(dateText(day)) === day));
});

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia', 'Pacific/Chatham', 'Africa/Casablanca', 'America/St_Johns'])(
  'instants in %s agree with Intl', (zone) => {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
    const from = Date.UTC(1900, 0, 1);
    const to = Date.UTC(2100, 0, 1);
    const near = fc.tuple(fc.integer({ min: -25_567, max: 47_481 }), fc.integer({ min: -60_000, max: 60_000 }), fc.integer({ min: 0, max: 23 }))
      .map(([day, jitter, hour]) => day * 86_400_000 + hour * 3_600_000 + jitter);
    fc.assert(fc.property(fc.oneof(fc.integer({ min: from, max: to }), near), (instant) => {
      expect(dateText(dayInZone(instant, zone))).toBe(format.format(instant));
    }), { numRuns: 300 });
  });

test('changes of the clock inside a day', () => {
  // Berlin's summer time 2026 begins at 01:00 UTC on March 29; Samoa left out 2011-12-30 altogether.
  expect(dateText(dayInZone(Date.UTC(2026, 2, 28, 22, 59, 59, 999), 'Europe/Berlin'))).toBe('2026-03-28');
  expect(dateText(dayInZone(Date.UTC(2026, 2, 28, 23), 'Europe/Berlin'))).toBe('2026-03-29');
  expect(dateText(dayInZone(Date.UTC(2026, 2, 29, 22), 'Europe/Berlin'))).toBe('2026-03-30');
  expect(dateText(dayInZone(Date.UTC(2011, 11, 30, 9, 59, 59, 999), 'Pacific/Apia'))).toBe('2011-12-29');
  expect(dateText(dayInZone(Date.UTC(2011, 11, 30, 10), 'Pacific/Apia'))).toBe('2011-12-31');
});

test('a zone that does not exist is refused', () => {
  expect(() => dayInZone(0, 'Mars/Olympus')).toThrow(RangeError);
});
