// Goal: a tombstone directly behind a delete of its key belongs to it, any other speaks for itself, also when the decoder was made anew in between.
// Method: deletes and tombstones in several partitions, decoded in one batch and in two by two decoders.
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/change/decode.ts';
import { hashRecord } from '../../src/source/positions.ts';
import { PROPERTY_ID, RENT_ID, debezium, entriesFrom, entriesOf, rent } from './entries.ts';
import { batchOf, optionsOf } from './records.ts';
import type { TestRecord } from './records.ts';

const key = JSON.stringify({ id: RENT_ID });
const other = JSON.stringify({ id: 'b' });
const remove: TestRecord = { key, value: debezium('d', null, { id: RENT_ID }) };
const upsert: TestRecord = { key, value: debezium('c', rent()) };
const tombstone: TestRecord = { key, value: null };

/** What became of each record: in one batch, and the same in two batches with a new decoder in between. */
function outcomes(records: readonly TestRecord[], cut: number): (string | null)[] {
  const numbered = records.map((record, offset) => ({ ...record, offset }));
  const whole = entriesFrom(numbered).map(({ kind, reason }) => reason ?? kind);
  const first = createDecoder(optionsOf(), { positions: [], seenTables: {} }).decode(batchOf(numbered.slice(0, cut)));
  const second = createDecoder(optionsOf(), { positions: first.partitions, seenTables: {} }).decode(batchOf(numbered.slice(cut)));
  expect([first, second].flatMap(entriesOf).map(({ kind, reason }) => reason ?? kind)).toEqual(whole);
  return whole;
}

test('directly behind its delete it does nothing', () => {
  expect(outcomes([upsert, remove, tombstone], 2)).toEqual(['upsert', 'delete', 'tombstone_of_delete']);
  expect(outcomes([remove, { key, value: 'null' }], 1)).toEqual(['delete', 'tombstone_of_delete']);
  expect(outcomes([remove, { key, value: { schema: {}, payload: null } }], 1)).toEqual(['delete', 'tombstone_of_delete']);
  expect(outcomes([{ ...remove, key: null }, { ...tombstone, key: null }], 1)).toEqual(['delete', 'tombstone_of_delete']);
  expect(outcomes([{ key: 'k', value: { ...rent(), __deleted: 'true' } }, { key: 'k', value: null }], 1)).toEqual(['delete', 'tombstone_of_delete']);
  expect(outcomes([{ topic: 'cdc', key, value: debezium('d', null, { id: 1 }, { table: 'users' }) }, { topic: 'cdc', key, value: null }], 1)).toEqual(['other_table', 'tombstone_of_delete']);
});

test('otherwise it speaks for itself', () => {
  expect(outcomes([upsert, tombstone], 1)).toEqual(['upsert', 'tombstone']);
  expect(outcomes([remove, { key: other, value: null }], 1)).toEqual(['delete', 'tombstone']);
  expect(outcomes([remove, tombstone, tombstone], 2)).toEqual(['delete', 'tombstone_of_delete', 'tombstone']);
  expect(outcomes([remove, { ...upsert, key: other }, tombstone], 2)).toEqual(['delete', 'upsert', 'tombstone']);
  expect(outcomes([remove, { ...tombstone, partition: 1 }, tombstone], 1)).toEqual(['delete', 'tombstone', 'tombstone_of_delete']);
  expect(outcomes([{ key, value: debezium('d', null, { id: null }) }, { key: JSON.stringify({ property_id: 1 }), value: null }], 1)).toEqual(['delete', 'tombstone_without_primary_key']);
});

describe('the row it names', () => {
  const named = (record: Partial<TestRecord>): object => entriesFrom([{ ...tombstone, ...record }])[0];
  const row = { kind: 'tombstone', table: 'rents', key: RENT_ID, position: [0, 0, 0, 0, 0, 0, 0], commitTime: null };
  test.each<[string, Partial<TestRecord>]>([
    ['a struct', {}], ['a struct with its schema', { key: JSON.stringify({ schema: { type: 'struct' }, payload: { id: RENT_ID } }) }], ['more columns', { key: JSON.stringify({ property_id: PROPERTY_ID, id: RENT_ID }) }],
    ['bare text', { key: RENT_ID }], ['quoted text', { key: `"${RENT_ID}"` }], ['one value with its schema', { key: JSON.stringify({ schema: { type: 'string' }, payload: RENT_ID }) }],
    ['a routed key', { topic: 'cdc', key: JSON.stringify({ id: RENT_ID, __dbz__physicalTableIdentifier: 'pg.public.rents' }) }], ['an older routed key', { topic: 'cdc', key: JSON.stringify({ id: RENT_ID, __dbz__sourceIdentifier: 'pg.public.rents' }) }],
  ])('by %s', (_, record) => expect(named(record)).toMatchObject(row));

  test('an integer', () => expect(named({ key: '17' })).toMatchObject({ ...row, key: '17' }));

  test.each<[string, Partial<TestRecord>]>([
    ['no key', { key: null }], ['an empty key', { key: '' }], ['a key without the column', { key: JSON.stringify({ property_id: PROPERTY_ID }) }], ['a null in it', { key: JSON.stringify({ id: null }) }], ['a doubled column', { key: '{"id":1,"id":2}' }],
    ['Connect\'s struct text', { key: 'Struct{id=5}' }], ['half a struct', { key: '{"id":' }], ['a list', { key: '[1]' }], ['no UTF-8', { key: Uint8Array.from([0xff]) }], ['a text that is too long', { key: 'x'.repeat(600) }], ['a flag', { key: 'true' }],
  ])('%s: none', (_, record) => expect(named(record)).toMatchObject({ kind: 'passed over', reason: 'tombstone_without_primary_key', key: null }));

  test('of a table that is not ours', () => {
    expect(named({ topic: 'pg.public.users' })).toMatchObject({ kind: 'passed over', reason: 'other_table' });
    expect(named({ topic: 'pg.public.rents', key: JSON.stringify({ id: 1, __dbz__physicalTableIdentifier: 'pg.public.users' }) })).toMatchObject({ reason: 'other_table' });
  });
});

test('positions after a batch', () => {
  const decoder = createDecoder(optionsOf(), { positions: [], seenTables: {} });
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const first = batchOf([{ ...upsert, offset: 4, time: 100 }, { ...remove, offset: 9, time: 200 }, { ...upsert, partition: 1, offset: 3 }]);
  expect(decoder.decode({ ...first, partitions: [{ topic: 'pg.public.rents', partition: 0, next: 12, token: 't' }, first.partitions[1]] }).partitions).toEqual([
    { topic: 'pg.public.rents', partition: 0, next: 12, token: 't', lastOffset: 9, lastTime: 200, lastHash: hashRecord(bytes(key), bytes(JSON.stringify(remove.value))), deleteKeyHash: hashRecord(bytes(key), null) },
    { topic: 'pg.public.rents', partition: 1, next: 4, token: null, lastOffset: 3, lastTime: null, lastHash: hashRecord(bytes(key), bytes(JSON.stringify(upsert.value))), deleteKeyHash: null },
  ]);
  const gap = { ...batchOf([]), partitions: [{ topic: 'pg.public.rents', partition: 0, next: 20, token: null }] };
  expect(decoder.decode(gap)).toMatchObject({ records: 0, count: 0, partitions: [{ next: 20, lastOffset: 9, lastTime: 200, deleteKeyHash: hashRecord(bytes(key), null) }] });
  expect(entriesOf(decoder.decode(batchOf([{ ...tombstone, offset: 20 }])))).toMatchObject([{ reason: 'tombstone_of_delete' }]);
});
