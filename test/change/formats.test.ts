// Goal: every format says the same thing with the same row: the entry does not depend on how it came. Method: one rent in every envelope, with
// its deletes, and the records each format sends that are about no row, through the public decoder.
import { describe, expect, test } from 'vitest';
import { PROPERTY_ID, RENT_ID, UNIT_ID, debezium, entriesFrom, entryFrom, rent, source } from './entries.ts';
import type { TestRecord } from './records.ts';

const ROW = { kind: 'upsert', table: 'rents', key: RENT_ID, property: PROPERTY_ID, unit: UNIT_ID, day: '2026-01-31', amount: 12_345_000, flag: false, type: null, present: 47, code: null };
const GONE = { kind: 'delete', table: 'rents', key: RENT_ID, property: null, unit: null, day: null, amount: null, code: null };

const schemaOf = (fields: object[]): object => ({ type: 'struct', fields: [{ type: 'struct', field: 'before', fields }, { type: 'struct', field: 'after', fields }, { type: 'string', field: 'op' }] });
const PRECISE = [
  { type: 'string', field: 'id', name: 'io.debezium.data.Uuid' }, { type: 'bytes', field: 'amount', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } },
  { type: 'int32', field: 'payment_date', name: 'io.debezium.time.Date' }, { type: 'boolean', field: 'is_non_irs_revenue' },
];
const VARIABLE = [{ type: 'struct', field: 'amount', name: 'io.debezium.data.VariableScaleDecimal' }, { type: 'int64', field: 'payment_date', name: 'io.debezium.time.MicroTimestamp' }];
const flat = (changes: object = {}): object => ({ ...rent(), ...changes });
const cloudEvent = (op: string | undefined, data: unknown, changes: object = {}): object => ({
  id: 'x', source: '/debezium/postgresql/pg', specversion: '1.0', type: 'io.debezium.connector.postgresql.DataChangeEvent', time: '2025-01-01T00:00:00Z', iodebeziumop: op,
  iodebeziumdb: 'rental', iodebeziumschema: 'public', iodebeziumtable: 'rents', iodebeziumtsms: '1735689600000', iodebeziumsequence: '["100","108"]', iodebeziumlsn: '108', data, ...changes,
});
const maxwell = (type: string, changes: object = {}): object => ({ database: 'rental', table: 'rents', type, ts: 1_735_689_600, xid: 7, position: 'binlog.000023:1810', data: rent({ payment_date: '2026-01-31' }), ...changes });
const ces = (operation: string, current: unknown, old: unknown = {}, changes: object = {}, sourceChanges: object = {}): object => ({
  specversion: '1.0', type: 'com.microsoft.SQL.CES.DML.V1', source: '/', id: 'a', logicalid: 'G:0000002C00000300017C:00000000000000000007', time: '2025-01-01T00:00:00Z', operation, segmentindex: 1, finalsegment: true,
  data: JSON.stringify({
    eventsource: { db: 'rental', schema: 'dbo', tbl: 'rents', cols: [], pkkey: [{ columnname: 'id', value: RENT_ID }], transaction: { commitlsn: '00000027:015F0576:0005', sequencenumber: 3, committime: '2025-01-01T00:00:00Z' }, ...sourceChanges },
    eventrow: { old: JSON.stringify(old), current: JSON.stringify(current) },
  }),
  ...changes,
});
const TEXT_ROW = { ...rent({ payment_date: '2026-01-31 16:45:01.000', is_non_irs_revenue: '0' }) };

const UPSERTS: Record<string, TestRecord['value']> = {
  'debezium': debezium('c', rent()),
  'debezium, spaced': JSON.stringify(debezium('c', rent()), null, 3),
  'debezium update without before': debezium('u', rent()),
  'debezium with members in another order': JSON.stringify(Object.fromEntries(Object.entries(debezium('c', rent())).reverse())),
  'debezium with escaped names and values': JSON.stringify(debezium('c', rent())).replaceAll('"amount"', '"\\u0061mount"').replaceAll('"after"', '"aft\\u0065r"').replaceAll(RENT_ID, `\\u00${RENT_ID.charCodeAt(0).toString(16)}${RENT_ID.slice(1)}`),
  'debezium with a null schema': { schema: null, payload: debezium('c', rent()) },
  'debezium with its schema, precise decimals': { schema: schemaOf(PRECISE), payload: debezium('c', rent({ amount: 'AeI6' })) },
  'debezium with its schema last': { payload: debezium('c', rent({ amount: 'AeI6' })), schema: schemaOf(PRECISE) },
  'debezium with its schema, variable scale, microseconds': { schema: schemaOf(VARIABLE), payload: debezium('c', rent({ amount: { scale: 1, value: 'MDk=' }, payment_date: 1_769_817_600_000_000 })) },
  'debezium with its schema, text': { schema: schemaOf([{ type: 'string', field: 'amount' }]), payload: debezium('c', rent()) },
  'debezium without a schema, struct decimal': debezium('c', rent({ amount: { scale: 1, value: 'MDk=' } })),
  'debezium with columns of null characters and proto': debezium('c', { ...rent(), 'a\u0000': 1, ['__proto__x']: { id: 1, amount: 2 } }),
  'flattened with everything': flat({ __deleted: 'false', __op: 'c', __table: 'rents', __lsn: 108, __source_sequence: '["100","108"]', __source_ts_ms: 1_735_689_600_000 }),
  'flattened with __deleted only': flat({ __deleted: 'false' }),
  'flattened with nothing, in its topic': flat(),
  'flattened with its schema': { schema: { type: 'struct', fields: PRECISE }, payload: flat({ amount: 'AeI6', __op: 'u', __schema: 'public', __table: 'rents', __db: null }) },
  'cloud event': cloudEvent('c', { before: null, after: rent() }),
  'cloud event with a schema inside': cloudEvent('u', { schema: schemaOf(PRECISE), payload: { before: null, after: rent({ amount: 'AeI6' }) } }),
  'cloud event without attributes, an envelope inside': { specversion: '1.0', type: 'io.debezium.connector.postgresql.DataChangeEvent', id: 'x', source: '/', data: debezium('c', rent()) },
  'maxwell insert': maxwell('insert'),
  'maxwell update': maxwell('update', { old: { amount: '1.00' } }),
  'maxwell with a position object': maxwell('insert', { position: { file: 'binlog.000023', pos: 1810 } }),
  'change event': ces('INS', TEXT_ROW),
  'change event of the older names': ces('INS', TEXT_ROW, {}, { segmentindex: undefined, finalsegment: undefined, splitindex: 0, splittotalcnt: 0 }),
  'change event update with all columns': ces('UPD', TEXT_ROW, TEXT_ROW),
  'change event without transaction': ces('INS', TEXT_ROW, {}, {}, { transaction: undefined }),
  'change event with its data as an object': ces('INS', TEXT_ROW, {}, { data: { eventsource: { db: 'rental', schema: 'dbo', tbl: 'rents' }, eventrow: { old: null, current: TEXT_ROW } } }),
};

test.each(Object.entries(UPSERTS))('%s: an upsert', (_, value) => {
  expect(entryFrom(value)).toMatchObject({ ...ROW, flags: [] });
});

const OTHER_KEY = JSON.stringify({ schema: {}, payload: { property_id: PROPERTY_ID } });
const DELETES: Record<string, TestRecord> = {
  'debezium, before with plausible fakes': { value: debezium('d', null, { id: RENT_ID, property_id: '0', amount: '0.00', payment_date: 0 }), key: OTHER_KEY },
  'debezium, key from the message': { value: debezium('d', null, null), key: JSON.stringify({ id: RENT_ID }) },
  'debezium, empty key in before': { value: debezium('d', null, { id: '' }), key: JSON.stringify({ id: RENT_ID }) },
  'debezium, key with schema': { value: debezium('d', null, null), key: JSON.stringify({ schema: { type: 'struct' }, payload: { id: RENT_ID } }) },
  'debezium, bare key': { value: debezium('d', null, null), key: RENT_ID },
  'debezium, quoted key': { value: debezium('d', null, null), key: `"${RENT_ID}"` },
  'flattened, __deleted': { value: flat({ __deleted: 'true', property_id: '', amount: 0 }) },
  'flattened, __op': { value: flat({ __op: 'd', __table: 'rents' }) },
  'flattened, key only in the message': { value: { __deleted: true, id: null }, key: JSON.stringify({ id: RENT_ID }) },
  'cloud event': { value: cloudEvent('d', { before: { id: RENT_ID }, after: null }) },
  'cloud event without data': { value: cloudEvent('d', null), key: JSON.stringify({ id: RENT_ID }) },
  'maxwell': { value: maxwell('delete') },
  'change event, old row': { value: ces('DEL', {}, TEXT_ROW) },
  'change event, key list': { value: ces('DEL', {}, {}) },
};

test.each(Object.entries(DELETES))('%s: a delete', (_, record) => {
  expect(entriesFrom([record])).toMatchObject([GONE]);
});

test('truncates', () => {
  expect(entryFrom(debezium('t', null))).toMatchObject({ kind: 'truncate', table: 'rents', key: null, commitTime: 1_735_689_600_000 });
  expect(entryFrom(cloudEvent('t', { before: null, after: null }))).toMatchObject({ kind: 'truncate', table: 'rents' });
  expect(entryFrom(debezium('t', null, null, { table: 'users' }))).toMatchObject({ kind: 'passed over', reason: 'other_table' });
});

test('snapshot rows are marked', () => {
  for (const value of [debezium('r', rent()), flat({ __op: 'r' }), cloudEvent('r', { after: rent() }), maxwell('bootstrap-insert')]) {
    expect(entryFrom(value)).toMatchObject({ ...ROW, flags: ['snapshot'] });
  }
});

describe('what is about no row is passed over', () => {
  test.each<[string, TestRecord['value'], Partial<TestRecord>]>([
    ['heartbeat', { ts_ms: 1 }, {}], ['heartbeat', { schema: {}, payload: { ts_ms: 1 } }, {}], ['heartbeat', { ts_ms: 1, ts_us: 2, ts_ns: 3 }, {}],
    ['transaction', { status: 'BEGIN', id: '1:2', event_count: null, data_collections: null, ts_ms: 1 }, {}], ['transaction', { status: 'END', id: '1:2', event_count: 3, data_collections: [], ts_ms: 1 }, {}],
    ['schema_change', { source: {}, ts_ms: 1, databaseName: 'rental', schemaName: null, ddl: 'DROP TABLE rents', tableChanges: [] }, {}], ['schema_change', maxwell('table-alter', { data: undefined, def: {} }), {}],
    ['signal', { type: 'execute-snapshot', data: { 'data-collections': ['public.rents'] } }, {}], ['signal', { id: 'a', aggregate_type: 'Initial Snapshot', type: 'COMPLETED', additional_data: {}, timestamp: 1 }, {}],
    ['logical_message', { op: 'm', ts_ms: 1, source: source({ schema: '', table: '' }), message: { prefix: 'a', content: 'aGVsbG8=' } }, {}], ['logical_message', cloudEvent('m', {}), {}],
    ['bootstrap_marker', maxwell('bootstrap-start', { data: {} }), {}], ['bootstrap_marker', maxwell('bootstrap-complete', { data: {} }), {}],
    ['other_table', debezium('c', { id: 1 }, null, { table: 'users' }), {}], ['other_table', debezium('z', 7, 7, { table: 'debezium_signal' }), {}],
    ['other_table', flat({ __table: 'users', __op: 'c' }), {}], ['other_table', { id: 1, name: 'a', __op: 'c' }, { topic: 'pg.public.users' }], ['other_table', ces('INS', {}, {}, {}, { tbl: 'users' }), {}],
    ['other_table', maxwell('insert', { table: 'users' }), {}],
  ])('%s: %j', (reason, value, record) => {
    for (const topic of reason === 'signal' ? ['cdc', 'pg.public.users'] : ['cdc', 'pg.public.rents']) {
      expect(entryFrom(value, { topic, ...record })).toMatchObject({ kind: 'passed over', reason, table: null, key: null });
    }
  });

  test('but a bare row in the topic of its table is a row, whatever its other columns are called', () => {
    const columns = { type: 'monthly', data: {}, source: 'bank', op: 'x', status: 'BEGIN', ts_ms: 1, ddl: 1, message: 'm' };
    expect(entryFrom({ ...rent(), ...columns })).toMatchObject(ROW);
    expect(entryFrom({ ...rent(), ...columns, payload: 1, schema: 2, aggregate_type: 'x' })).toMatchObject(ROW);
  });
});

test('schemas are remembered per topic and still tell versions apart', () => {
  const record = (scale: string, amount: string, tail = ''): TestRecord => ({
    value: `{"schema":${JSON.stringify(schemaOf([{ ...PRECISE[1], parameters: { scale } }]))},"payload":${JSON.stringify(debezium('c', rent({ amount })))}}${tail}`,
  });
  const entries = entriesFrom([record('2', 'AeI6'), record('2', 'AeI6'), record('4', 'AeI6'), record('2', 'AeI6', ' \n'), record('2', 'AeI6', 'x'), record('4', 'AeI6')]);
  expect(entries.map(({ amount, code }) => code ?? amount)).toEqual([12_345_000, 12_345_000, 123_450, 12_345_000, 'JSON_INVALID', 123_450]);
});

test('a value with its schema first and more behind its payload is read whole', () => {
  const start = `{"schema":${JSON.stringify(schemaOf(PRECISE))},"payload":${JSON.stringify(debezium('c', rent({ amount: 'AeI6' })))}`;
  const entries = entriesFrom([{ value: `${start}}` }, { value: `${start},"payload":null}` }, { value: `${start},"more":1}` }]);
  expect(entries.map(({ kind }) => kind)).toEqual(['upsert', 'dead letter', 'dead letter']);
});

describe('an update that changed the primary key deletes the old one first', () => {
  const old = 'a'.repeat(8) + RENT_ID.slice(8);
  test.each<[string, TestRecord['value']]>([
    ['debezium', debezium('u', rent(), rent({ id: old }))], ['maxwell', maxwell('update', { old: { id: old } })], ['change event', ces('UPD', TEXT_ROW, { ...TEXT_ROW, id: old })],
    ['cloud event', cloudEvent('u', { before: { id: old }, after: rent() })],
  ])('%s', (_, value) => {
    const [first, second, ...rest] = entriesFrom([{ value }]);
    expect(first).toMatchObject({ ...GONE, key: old, flags: ['continued'], present: 0 });
    expect(second).toMatchObject(ROW);
    expect(first.position).toEqual(second.position);
    expect(rest).toEqual([]);
  });

  test.each([null, '', 0, '0', 'None', { a: 1 }, RENT_ID, undefined])('but not when it was %j', (id) => {
    expect(entriesFrom([{ value: debezium('u', rent(), rent({ id })) }])).toMatchObject([ROW]);
  });

  test('and not for an insert, nor a row that is set aside', () => {
    expect(entriesFrom([{ value: debezium('c', rent(), rent({ id: old })) }])).toHaveLength(1);
    expect(entriesFrom([{ value: debezium('u', rent({ amount: 'x' }), rent({ id: old })) }])).toMatchObject([{ kind: 'dead letter', key: RENT_ID }]);
  });

  test('long keys and many of them in one batch', () => {
    const records = Array.from({ length: 50 }, (_, i) => ({ value: debezium('u', rent({ id: `a long identifier, number ${i}` }), rent({ id: `a long identifier, number ${i + 1}` })) }));
    const entries = entriesFrom(records);
    expect(entries.map(({ key }) => key)).toEqual(records.flatMap((_, i) => [`a long identifier, number ${i + 1}`, `a long identifier, number ${i}`]));
    expect(entries.every(({ property }, e) => property === (e % 2 === 0 ? null : PROPERTY_ID))).toBe(true);
  });
});

describe('partial updates keep what they do not carry', () => {
  test('changed columns only', () => {
    const entry = entryFrom(ces('UPD', { amount: '5.00', memo: 'x' }));
    expect(entry).toMatchObject({ kind: 'upsert', key: RENT_ID, amount: 50_000, property: null, day: null, flags: ['partial'], present: 8, code: 'PARTIAL_UNORDERED' });
    expect(entryFrom(ces('INS', { amount: '5.00' }))).toMatchObject({ kind: 'dead letter', code: 'COLUMN_MISSING', key: RENT_ID });
  });

  test.each(['__debezium_unavailable_value', 'X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=='])('placeholder %s', (unit_id) => {
    expect(entryFrom(debezium('u', rent({ unit_id })))).toMatchObject({ ...ROW, unit: null, flags: ['partial'], present: 45, code: 'PARTIAL_UNORDERED' });
    expect(entryFrom(debezium('u', rent({ memo: unit_id })))).toMatchObject({ ...ROW, flags: [] });
  });
});
