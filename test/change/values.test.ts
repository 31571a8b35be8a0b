// Goal: a value means the same in every form the formats have, and its unit is never guessed where a schema tells it. Method: tables of forms through the
// public decoder; dates against Date by fast-check.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dateText } from '../../src/change/dates.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';
import { debezium, entriesFrom, entryFrom, rent } from './entries.ts';

const upsert = (changes: Record<string, unknown>, options: Partial<DecodeOptions> = {}): ReturnType<typeof entryFrom> => entryFrom(debezium('c', rent(changes)), {}, options);
/** A rent whose column holds a JSON text as it stands. */
const raw = (column: string, json: string, options: Partial<DecodeOptions> = {}): ReturnType<typeof entryFrom> =>
  entryFrom(JSON.stringify(debezium('c', rent({ [column]: '@' }))).replace('"@"', json), {}, options);
const typed = (column: string, value: unknown, field: object, options: Partial<DecodeOptions> = {}): ReturnType<typeof entryFrom> =>
  entryFrom({ schema: { fields: [{ field: 'after', fields: [{ field: column, ...field }] }] }, payload: debezium('c', rent({ [column]: value })) }, {}, options);

describe('amounts', () => {
  test.each([['"1234.50"', 12_345_000], ['1234.5', 12_345_000], ['1.2345E3', 12_345_000], ['-0.0', 0], ['"-12.50"', -125_000], ['0.1', 1000], ['99999999999.9999', 999_999_999_999_999], ['1E7', 100_000_000_000]])(
    '%s', (json, units) => expect(raw('amount', json).amount).toBe(units));

  test('text is base64 only where that was said, or the schema says it', () => {
    const base64: Partial<DecodeOptions> = { decimals: { kind: 'base64', scale: 2 } };
    expect(upsert({ amount: 'MDk=' }, base64).amount).toBe(1_234_500);
    expect(upsert({ amount: '1234' }, base64).amount).not.toBe(12_340_000);
    expect(raw('amount', '12.5', base64).amount).toBe(125_000);
    expect(upsert({ amount: 'MDk=' }).code).toBe('AMOUNT_INVALID');
    expect(typed('amount', '12.34', { type: 'string' }, base64).amount).toBe(123_400);
    expect(typed('amount', 'MDk=', { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '3' } }, base64).amount).toBe(123_450);
    expect(typed('other', 'x', { type: 'string' })).toMatchObject({ kind: 'upsert', amount: 12_345_000 });
    expect(typed('amount', 'MDk=', { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: {} }).code).toBe('AMOUNT_INVALID');
    expect(typed('amount', 12.34, { type: 'double' }).amount).toBe(123_400);
  });

  test('of a property may be null or absent', () => {
    const property = (after: object): ReturnType<typeof entryFrom> => entryFrom(debezium('c', after, null, { table: 'properties' }));
    expect(property({ id: 'p', cash_invested: null, down_payment: '2.50' })).toMatchObject({ table: 'properties', key: 'p', property: 'p', amount: null, amount2: 25_000, flags: [], present: 72 });
    expect(property({ id: 'p' })).toMatchObject({ amount: null, amount2: null, present: 72, flags: [] });
    expect(property({ id: 'p', cash_invested: 'x' })).toMatchObject({ code: 'AMOUNT_INVALID', key: 'p' });
  });
});

describe('dates', () => {
  const berlin: Partial<DecodeOptions> = { timeZone: 'Europe/Berlin' };
  test.each([
    ['20484', '2026-01-31'], ['-1', '1969-12-31'], ['0', '1970-01-01'], ['999999', '4707-11-28'], ['1000000', '1970-01-01'], ['-1000000', '1969-12-31'], ['1769817600000', '2026-01-31'], ['1769903999999', '2026-01-31'],
    ['1769817600000000', '2026-01-31'], ['1769903999999999', '2026-01-31'], ['1769817600000000000', '2026-01-31'], ['1769903999999999999', '2026-01-31'], ['-1000000000000000001', '1938-04-24'],
    ['"2026-01-31"', '2026-01-31'], ['"2026-01-31Z"', '2026-01-31'], ['"2026-01-31 23:59:59.999"', '2026-01-31'], ['"2026-01-31T23:59"', '2026-01-31'], ['{"year":2026,"month":1,"day":31}', '2026-01-31'],
  ])('%s has no zone and keeps its day', (json, day) => {
    expect(raw('payment_date', json).day).toBe(day);
    expect(raw('payment_date', json, berlin).day).toBe(day);
  });

  test.each([['2026-01-30T23:30:00Z', '2026-01-31'], ['2026-01-30T22:59:59.999999Z', '2026-01-30'], ['2026-06-30T22:00:00Z', '2026-07-01'], ['2026-02-01T00:30:00+02:00', '2026-01-31'], ['2026-01-31 23:30:00 -05:00', '2026-02-01'],
    ['2026-01-31T12:00:00+0530', '2026-01-31'], ['2026-01-31T01:30:00.5+01', '2026-01-31'], ['2026-01-31T00:00:00+00:00:01', '2026-01-31']])('%s is an instant: its day in Berlin is %s', (text, day) => {
    expect(upsert({ payment_date: text }, berlin).day).toBe(day);
  });

  test.each([
    '9223372036825200000', '-9223372036832400000', '9223372036854775807', '-9223372036854775808', '9999999999999999999', '123456789012345678901', '-1000001000000', '1e5', '2.0', '"20484"', '"0000-00-00"', '"10000-01-01"',
    '"2026-1-1"', '"2026-02-29"', '"2026-01-31 "', '"2026-01-31T"', '"2026-01-31T24:00:00"', '"2026-01-31T23:60:00"', '"2026-01-31T23:59:60Z"', '"2026-01-31T23:59:59.Z"', '"2026-01-31+02:00"', '"2026-01-31 Z"', '"2026-01-31T10:00:00z"',
    '"2026-01-31T10:00:00+"', '"2026-01-31T10:00:00+2"', '"2026-01-31T10:00:00+19:00"', '"2026-01-31T10:00:00+02:00x"', '"2026-01-31T10:00:00+02:"', '"31.01.2026"', '"infinity"', '""', 'true', '[]', '{}', '{"year":2026,"month":1}',
    '{"year":2026,"month":2,"day":30}', '{"year":2026,"month":1,"day":31,"hour":5}', '"0001-01-01T00:00:00+10:00"',
  ])('%s is none', (json) => {
    const entry = raw('payment_date', json);
    if (json === '-1000001000000') expect(entry.day).toBe('1938-04-24');
    else expect(entry.code).toBe('DATE_INVALID');
  });

  test('a schema\'s unit counts, not the size', () => {
    expect(typed('payment_date', 20_484, { name: 'io.debezium.time.Date' }).day).toBe('2026-01-31');
    expect(typed('payment_date', 86_400, { name: 'io.debezium.time.Timestamp' }).day).toBe('1970-01-01');
    expect(typed('payment_date', 86_400_000, { name: 'io.debezium.time.Timestamp' }).day).toBe('1970-01-02');
    expect(typed('payment_date', 86_400_000_000, { name: 'io.debezium.time.MicroTimestamp' }).day).toBe('1970-01-02');
    expect(typed('payment_date', -1, { name: 'io.debezium.time.NanoTimestamp' }).day).toBe('1969-12-31');
    expect(typed('payment_date', 3_000_000, { name: 'io.debezium.time.Date' }).code).toBe('DATE_INVALID');
    expect(typed('payment_date', '2026-01-31T00:00:00Z', { name: 'io.debezium.time.ZonedTimestamp' }).day).toBe('2026-01-31');
  });

  test('any integer by its size, against Date', () => {
    fc.assert(fc.property(fc.oneof(fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }), fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })), (value) => {
      const size = value < 0n ? -value : value;
      const unit = size < 10n ** 6n ? 1n : size < 10n ** 14n ? 86_400_000n : size < 10n ** 17n ? 86_400_000_000n : 86_400_000_000_000n;
      let day = value / unit;
      if (value < 0n && value % unit !== 0n) day--;
      const entry = raw('payment_date', String(value));
      if (day < -719_162n) expect(entry.code).toBe('DATE_INVALID');
      else expect(entry.day).toBe(dateText(Number(day)));
    }));
  });
});

test.each([['true', true], ['false', false], ['1', true], ['0', false], ['"1"', true], ['"0"', false], ['"t"', true], ['"f"', false], ['"true"', true], ['"false"', false], ['null', false]])('flag %s', (json, flag) => {
  expect(raw('is_non_irs_revenue', json)).toMatchObject({ kind: 'upsert', flag });
});

test.each([['"a"', 'a'], ['17', '17'], ['-3', '-3'], ['12345678901234567890123', '12345678901234567890123'], ['null', null], ['""', null], ['"None"', null], ['"none"', 'none'], ['"0"', '0'], ['" "', ' '], ['"\\u0000"', '\u0000'],
  ['"Straße 12, Größe"', 'Straße 12, Größe'], ['"__proto__"', '__proto__'], ['"\\ud83c\\udfe0"', '🏠'], ['"D327C45D-02d5-43ad-8dca-59901b1b1b90"', 'D327C45D-02d5-43ad-8dca-59901b1b1b90']])('id %s', (json, unit) => {
  expect(raw('unit_id', json)).toMatchObject({ kind: 'upsert', unit });
});

test('expense types are texts as they came', () => {
  const expense = (expense_type: unknown): string | null =>
    entryFrom(debezium('c', { id: 'x', property_id: 'p', unit_id: null, date: 1, amount: '1', expense_type, is_planned: null }, null, { table: 'expenses' })).type;
  expect([null, '', 'tax', 'Tax', 'größer', 'a long type with many words in it'].map(expense)).toEqual([null, '', 'tax', 'Tax', 'größer', 'a long type with many words in it']);
});

test('long ids and expense types share one table of strings', () => {
  const row = (n: number): object => ({ id: `expense number ${n} of many`, property_id: `a house of many words, number ${n % 2}`, unit_id: `a flat of many words, number ${n % 3}`, date: 1, amount: '1', expense_type: `type ${n % 4}`, is_planned: null });
  const entries = entriesFrom(Array.from({ length: 12 }, (_, n) => ({ value: debezium('c', row(n), null, { table: 'expenses' }) })));
  expect(entries.map(({ key, property, unit, type }) => ({ id: key, property_id: property, unit_id: unit, date: 1, amount: '1', expense_type: type, is_planned: null }))).toEqual(entries.map((_, n) => row(n)));
});

test('columns by other names, and none', () => {
  const columns = { expenses: { id: 'id' }, properties: { id: 'id' }, rents: { id: 'rent_no', property_id: 'house', unit_id: null, amount: 'paid', payment_date: 'paid_on', is_non_irs_revenue: null } };
  const row = { rent_no: 5, house: 7, paid: '3.00', paid_on: 1, unit_id: 'ignored', amount: 'ignored' };
  expect(entryFrom(debezium('c', row), {}, { columns })).toMatchObject({ key: '5', property: '7', unit: null, amount: 30_000, flag: false, present: 47, flags: [] });
  expect(entryFrom(debezium('c', { ...row, paid: undefined }), {}, { columns })).toMatchObject({ code: 'COLUMN_MISSING', key: '5' });
});
