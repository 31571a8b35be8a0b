// Goal: a row lands in the table it is of, or reading stops before it is guessed. Method: events of many physical tables, with and without patterns.
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/change/decode.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';
import { debezium, entriesOf, entryFrom, rent } from './entries.ts';
import { batchOf, decodeAll, optionsOf } from './records.ts';
import type { TestRecord } from './records.ts';

const patterns = (rents: string[]): Partial<DecodeOptions> => ({ tables: { expenses: [], rents, properties: [] } });
const of = (db: string | null, schema: string | null, table: string, topic = 'cdc'): TestRecord => ({ topic, value: debezium('c', rent(), null, { db, schema, table }) });
const tableOf = (record: TestRecord, options: Partial<DecodeOptions> = {}): string | null => entryFrom(record.value, { topic: record.topic ?? 'cdc' }, options).table;

describe('patterns', () => {
  test.each<[string[], [string | null, string | null, string], boolean]>([
    [[], ['a', 'b', 'rents'], true], [[], ['a', 'b', 'Rents'], false], [['payments'], ['a', 'b', 'payments'], true], [['payments'], ['a', 'b', 'rents'], false], [['b.rents'], ['a', 'b', 'rents'], true], [['b.rents'], ['a', 'c', 'rents'], false],
    [['a.rents'], ['a', null, 'rents'], true], [['a.rents'], ['a', 'b', 'rents'], false], [['a.b.rents'], ['a', 'b', 'rents'], true], [['a.b.rents'], ['x', 'b', 'rents'], false], [['*.rents'], ['a', 'x', 'rents'], true],
    [['b.rent*'], ['a', 'b', 'rents_2026'], true], [['tenant_*.rents'], ['a', 'tenant_7', 'rents'], true], [['x.rents', 'b.rents'], ['a', 'b', 'rents'], true], [['re.ts'], ['a', 'b', 'rents'], false], [['b.r+nts'], ['a', 'b', 'rrnts'], false],
  ])('%j and %j: %j', (list, [db, schema, table], matches) => expect(tableOf(of(db, schema, table), patterns(list))).toBe(matches ? 'rents' : null));

  test('are matched by the topic when the event names no schema', () => {
    const row = { ...rent(), __op: 'c', __table: 'rents' };
    expect(tableOf({ value: row, topic: 'pg.public.rents' }, patterns(['public.rents']))).toBe('rents');
    expect(tableOf({ value: row, topic: 'pg.archive.rents' }, patterns(['public.rents']))).toBeNull();
    expect(entryFrom(row, { topic: 'cdc' }, patterns(['public.rents'])).code).toBe('TABLE_UNKNOWN');
    expect(entryFrom(rent(), { topic: 'rents' }, patterns(['public.rents'])).code).toBe('TABLE_UNKNOWN');
    expect(entryFrom(null, { topic: 'rents', key: '5' }, patterns(['public.rents']))).toMatchObject({ kind: 'tombstone', table: 'rents', key: '5' });
    expect(entryFrom(null, { topic: 'pg.archive.rents', key: '5' }, patterns(['public.rents']))).toMatchObject({ reason: 'other_table' });
    expect(entryFrom({ ...rent(), __deleted: 'false' }, { topic: 'pg.archive.rents' }, patterns(['public.rents']))).toMatchObject({ reason: 'other_table' });
    expect(entryFrom(rent(), { topic: 'pg.archive.rents', key: JSON.stringify({ id: rent().id }) }, patterns(['public.rents']))).toMatchObject({ reason: 'other_table' });
  });
});

test('one decoder finds every table as one that has met no other, however alike the events are', () => {
  const names = ['rents', 'rants', 'payments', ''] as const;
  const places = [['rental', 'public'], ['rental', 'public'], ['rental', 'qublic'], ['dental', 'public'], ['rental', ''], ['', ''], [null, 'public'], [null, null]] as const;
  const options = patterns(['rental.public.rents', '*.payments']);
  const records = places.flatMap(([db, schema]) => names.flatMap((name) => [of(db, schema, name, 'pg.public.rents'), of(db, schema, 'rents'), of(db, schema, name), of(db, schema, name), of('rental', 'public', 'rents')]));
  const together = [...records, ...records.toReversed()];
  const met = entriesOf(decodeAll(together, options)).map(({ table }) => table);
  expect(met).toEqual(together.map((record) => tableOf(record, options)));
  expect(new Set(met)).toEqual(new Set(['rents', null]));
});

test('a topic has the connector\'s name where a database would stand', () => {
  const options = patterns(['rental.public.rents']);
  const row = { ...rent(), __op: 'c', __table: 'rents' };
  expect(tableOf({ value: { ...row, __schema: 'public', __db: 'rental' }, topic: 'pg.public.rents' }, options)).toBe('rents');
  expect(entryFrom(null, { topic: 'pg.public.rents', key: '5' }, options)).toMatchObject({ kind: 'tombstone', table: 'rents', key: '5' });
  expect(entryFrom(row, { topic: 'pg.public.rents' }, options).code).toBe('TABLE_UNKNOWN');
  expect(entryFrom(null, { topic: 'pg.archive.rents', key: '5' }, options)).toMatchObject({ reason: 'other_table' });
  expect(tableOf({ value: row, topic: 'srv.rental.public.rents' }, options)).toBe('rents');
  expect(entryFrom(null, { topic: 'srv.archive.public.rents', key: '5' }, options)).toMatchObject({ reason: 'other_table' });
});

test('a part that may be anything may be missing', () => {
  expect(tableOf({ value: rent(), topic: 'rents' }, patterns(['*.rents']))).toBe('rents');
  expect(tableOf({ value: rent(), topic: 'rents' }, patterns(['*.*.rents']))).toBe('rents');
  expect(tableOf(of(null, null, 'rents'), patterns(['*.rents']))).toBe('rents');
});

describe('a row routed into a topic of several tables', () => {
  const routed = (table: string): string => JSON.stringify({ id: 'r-1', __dbz__physicalTableIdentifier: table });
  test('is of the table its key names, when it names none', () => {
    expect(entryFrom({ ...rent(), __op: 'c' }, { topic: 'cdc', key: routed('pg.public.rents') }).table).toBe('rents');
    expect(entryFrom(rent(), { topic: 'cdc', key: routed('pg.public.rents') }).table).toBe('rents');
    expect(entryFrom({ ...rent(), __op: 'c' }, { topic: 'cdc', key: routed('pg.public.leases') }).code).toBe('TABLE_UNKNOWN');
    expect(entryFrom({ ...rent(), __op: 'c', __table: 'rents' }, { topic: 'cdc', key: routed('pg.public.rents') }, patterns(['public.rents'])).table).toBe('rents');
    expect(entryFrom({ ...rent(), __op: 'c', __table: 'rents' }, { topic: 'cdc', key: routed('pg.archive.rents') }, patterns(['public.rents']))).toMatchObject({ reason: 'other_table' });
  });
  test('names it also where the value cannot be read', () =>
    expect(entryFrom('{', { topic: 'cdc', key: routed('pg.public.rents') })).toMatchObject({ code: 'JSON_INVALID', table: 'rents', key: 'r-1' }));
  test('what the event itself says stands', () =>
    expect(tableOf({ ...of('a', 'public', 'rents'), key: routed('pg.public.expenses') })).toBe('rents'));
});

test('bare rows of other tables in topics of their own are passed over, what is no row is not', () => {
  const key = '{"id":"t-1"}';
  expect(entryFrom({ id: 't-1', name: 'x' }, { topic: 'pg.public.tenants', key })).toMatchObject({ reason: 'other_table' });
  expect(entryFrom({ id: 't-1', name: 'x' }, { topic: 'cdc', key: '{"id":"t-1","__dbz__physicalTableIdentifier":"pg.public.tenants"}' })).toMatchObject({ reason: 'other_table' });
  expect(entryFrom({ ...rent(), id: 't-1' }, { topic: 'pg.public.rent_payments', key }).code).toBe('TABLE_UNKNOWN');
  expect(entryFrom({ id: 't-2', name: 'x' }, { topic: 'pg.public.tenants', key }).code).toBe('ENVELOPE_UNKNOWN');
  expect(entryFrom({ name: 'x' }, { topic: 'pg.public.tenants', key }).code).toBe('ENVELOPE_UNKNOWN');
  expect(entryFrom({ id: 't-1', name: 'x' }, { topic: 'cdc', key }).code).toBe('ENVELOPE_UNKNOWN');
  expect(entryFrom([1], { topic: 'pg.public.tenants', key }).code).toBe('ENVELOPE_UNKNOWN');
});

test('identity comes from the payload, the topic stands in', () => {
  expect(tableOf(of('a', 'b', 'rents', 'pg.public.expenses'))).toBe('rents');
  expect(tableOf(of(null, null, '', 'pg.public.rents'))).toBe('rents');
  expect(tableOf({ value: { ...rent(), __op: 'c' }, topic: 'rents' })).toBe('rents');
  expect(entryFrom({ ...rent(), __op: 'c' }, { topic: 'cdc' }).code).toBe('TABLE_UNKNOWN');
  expect(entryFrom({ id: 1, __op: 'c' }, { topic: 'cdc' })).toMatchObject({ reason: 'other_table' });
});

describe('an unqualified name that stands for two tables', () => {
  const first = of('a', 'b', 'rents');
  test.each([of('a', 'c', 'rents'), of('x', 'b', 'rents')])('stops before the second', (second) => {
    const batch = decodeAll([first, of('a', 'b', 'users'), second, first]);
    expect(batch).toMatchObject({ records: 2, count: 2, stop: { topic: 'cdc', partition: 0, offset: 2, code: 'TABLE_AMBIGUOUS' }, seenTables: { rents: 'a.b' } });
    expect(batch.partitions).toMatchObject([{ topic: 'cdc', next: 2, lastOffset: 1, token: null }]);
    expect(batch.stop!.message).toMatch(/a\.b\.rents.*\.rents.*RENTFOLD_TABLE_RENTS/);
  });

  test('a part that is missing is not a second one', () => {
    const batch = decodeAll([of('a', null, 'rents'), of(null, 'b', 'rents'), of('a', 'b', 'rents'), { topic: 'pg.zzz.rents', value: { ...rent(), __op: 'c' } }]);
    expect(batch).toMatchObject({ records: 4, stop: null, seenTables: { rents: 'a.b' } });
    expect(decodeAll([of('a', null, 'rents'), of(null, 'b', 'rents'), of('x', null, 'rents')]).stop?.offset).toBe(2);
  });

  test('stays two after a restart, and for good', () => {
    const decoder = createDecoder(optionsOf(), { positions: [], seenTables: { rents: 'a.b' } });
    expect(decoder.decode(batchOf([first]))).toMatchObject({ stop: null, seenTables: null });
    expect(decoder.decode(batchOf([{ ...of('a', 'c', 'rents'), offset: 8 }]))).toMatchObject({ records: 0, count: 0, stop: { offset: 8 }, partitions: [{ next: 8, lastOffset: 0 }] });
    expect(decoder.decode(batchOf([{ ...first, offset: 9 }]))).toMatchObject({ records: 0, stop: { offset: 8 }, partitions: [{ next: 9, lastOffset: 0 }] });
  });

  test('names with points in them', () => {
    const batch = decodeAll([of('a.b%', 'c', 'rents')]);
    expect(batch.seenTables).toEqual({ rents: 'a%2Eb%25.c' });
    expect(createDecoder(optionsOf(), { positions: [], seenTables: batch.seenTables! }).decode(batchOf([of('a.b%', 'c', 'rents')]))).toMatchObject({ stop: null, seenTables: null });
  });

  test('a pattern that says which one is meant ends the doubt', () => {
    const batch = decodeAll([first, of('a', 'c', 'rents'), of('x', 'b', 'rents')], patterns(['a.b.rents']));
    expect(entriesOf(batch).map(({ table }) => table)).toEqual(['rents', null, null]);
    expect(batch).toMatchObject({ stop: null, seenTables: null });
  });
});
