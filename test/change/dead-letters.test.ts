// Goal: what cannot be understood is set aside with the right reason, its exact bytes, and the row it is about as far as that can be read; every reason
// code of decoding is reached. Method: one table of events and reasons, checked against the table of codes.
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { PROPERTY_ID, RENT_ID, debezium, entryFrom, rent, source } from './entries.ts';
import { decodeAll } from './records.ts';
import type { TestRecord } from './records.ts';

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);
const text = (value: unknown): string => JSON.stringify(value);
const c = (changes: Record<string, unknown>): object => debezium('c', rent(changes));
const whole = { table: 'rents', key: RENT_ID, property: PROPERTY_ID };
const nothing = { table: 'rents', key: null, property: null };
const ces = (changes: object): object => ({ specversion: '1.0', type: 'com.microsoft.SQL.CES.DML.V1', id: 'a', operation: 'INS', data: text({ eventsource: { tbl: 'rents' }, eventrow: { old: '{}', current: text(rent()) } }), ...changes });

const CASES: [code: string, value: TestRecord['value'], row?: object, record?: Partial<TestRecord>][] = [
  ['JSON_INVALID', '', nothing], ['JSON_INVALID', ' ', nothing], ['JSON_INVALID', '{"before":', nothing], ['JSON_INVALID', '{"before":', { table: 'rents', key: RENT_ID, property: null }, { key: text({ id: RENT_ID }) }],
  ['JSON_INVALID', `${text(c({}))}x`], ['JSON_INVALID', ces({ data: '{' })], ['JSON_INVALID', ces({ data: text({ eventsource: {}, eventrow: { current: 'x' } }) })], ['JSON_INVALID', '\ufeff{}'],
  ['JSON_TOO_DEEP', `${'['.repeat(200)}${']'.repeat(200)}`], ['UTF8_INVALID', bytes(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ['JSON_DUPLICATE_KEY', text(debezium('c', rent())).replace('"amount"', '"amount":"1","amount"'), whole], ['JSON_DUPLICATE_KEY', text(debezium('c', rent())).replace('"op"', '"op":"d","op"')],
  ['JSON_DUPLICATE_KEY', text(debezium('c', rent())).replace('"table"', '"table":"users","table"')], ['JSON_DUPLICATE_KEY', text(debezium('d', null, rent())).replace('"id"', '"id":"x","id"')],
  ['JSON_DUPLICATE_KEY', text({ ...rent(), __op: 'c' }).replace('"__op"', '"__op":"d","__op"')], ['JSON_DUPLICATE_KEY', text({ ...rent(), __op: 'c', __lsn: 1 }).replace('"__lsn"', '"__lsn":2,"__lsn"')],
  ['FRAMING_UNSUPPORTED', bytes(0, 0, 0, 0, 1, 0x7b, 0x7d)], ['FRAMING_UNSUPPORTED', bytes(1, 9)],
  ['ENVELOPE_UNKNOWN', '42'], ['ENVELOPE_UNKNOWN', '[]'], ['ENVELOPE_UNKNOWN', '"x"'], ['ENVELOPE_UNKNOWN', '{"before":null,"after":{}}'], ['ENVELOPE_UNKNOWN', { a: 1 }, {}, { topic: 'cdc' }],
  ['ENVELOPE_UNKNOWN', { specversion: '1.0', type: 'com.example', data: {} }], ['ENVELOPE_UNKNOWN', ces({ data: undefined })], ['ENVELOPE_UNKNOWN', ces({ data: '{}' })], ['ENVELOPE_UNKNOWN', ces({ data: '7' })],
  ['OPERATION_UNKNOWN', debezium('z', rent()), whole], ['OPERATION_UNKNOWN', debezium('cc', rent())], ['OPERATION_UNKNOWN', { ...debezium('c', rent()), op: 1 }], ['OPERATION_UNKNOWN', { ...rent(), __op: 'x' }],
  ['OPERATION_UNKNOWN', { ...rent(), __deleted: 'maybe' }], ['OPERATION_UNKNOWN', { database: 'rental', table: 'rents', type: 'upsert', data: rent() }], ['OPERATION_UNKNOWN', ces({ operation: 'MRG' })],
  ['OPERATION_UNKNOWN', { specversion: '1.0', type: 'io.debezium.x', iodebeziumtable: 'rents', data: { before: null, after: rent() }, iodebeziumop: null }],
  ['IMAGE_MISSING', debezium('c', null)], ['IMAGE_MISSING', debezium('u', 'x', rent())], ['IMAGE_MISSING', { database: 'rental', table: 'rents', type: 'insert', ts: 1 }], ['IMAGE_MISSING', ces({ data: text({ eventsource: { tbl: 'rents' }, eventrow: {} }) })],
  ['SEGMENTED', ces({ segmentindex: 2, finalsegment: true })], ['SEGMENTED', ces({ segmentindex: 0, finalsegment: false })], ['SEGMENTED', ces({ splitindex: 0, splittotalcnt: 2 })], ['SEGMENTED', ces({ segmentindex: 2 })],
  ['TABLE_UNKNOWN', { ...rent(), __op: 'c' }, { table: null }, { topic: 'cdc' }],
  ['KEY_MISSING', c({ id: null }), { ...whole, key: null }], ['KEY_MISSING', c({ id: undefined })], ['KEY_MISSING', c({ id: '' })], ['KEY_MISSING', c({ id: 'None' })], ['KEY_MISSING', c({ id: '__debezium_unavailable_value' })], ['KEY_MISSING', c({ id: null }), whole, { key: text({ id: RENT_ID }) }],
  ['KEY_MISSING', debezium('d', null, { id: null }), nothing, { key: text({ property_id: PROPERTY_ID }) }], ['KEY_MISSING', debezium('d', null, { id: 0 })], ['KEY_MISSING', debezium('d', null), nothing, { key: 'Struct{id=5}' }],
  ['COLUMN_MISSING', c({ amount: undefined }), whole], ['COLUMN_MISSING', c({ property_id: undefined }), { ...whole, property: null }], ['COLUMN_MISSING', c({ unit_id: undefined }), whole], ['COLUMN_MISSING', c({ payment_date: undefined })],
  ['COLUMN_MISSING', c({ is_non_irs_revenue: undefined }), whole],
  ['PROPERTY_MISSING', c({ property_id: null }), { ...whole, property: null }], ['PROPERTY_MISSING', c({ property_id: '' })], ['PROPERTY_MISSING', c({ property_id: 'None' })],
  ['IDENTIFIER_INVALID', c({ id: true }), { ...whole, key: null }], ['IDENTIFIER_INVALID', c({ id: 1.5 })], ['IDENTIFIER_INVALID', c({ property_id: { a: 1 } }), { ...whole, property: null }], ['IDENTIFIER_INVALID', c({ unit_id: [] }), whole],
  ['IDENTIFIER_INVALID', text(c({})).replace(RENT_ID, '\\ud83d')], ['IDENTIFIER_INVALID', text(c({ id: 1 })).replace('"id":1', '"id":1e3')],
  ['IDENTIFIER_TOO_LONG', c({ id: 'x'.repeat(513) })], ['IDENTIFIER_TOO_LONG', c({ unit_id: 'é'.repeat(257) }), whole],
  ['AMOUNT_MISSING', c({ amount: null }), whole], ['AMOUNT_INVALID', c({ amount: 'NaN' }), whole], ['AMOUNT_INVALID', c({ amount: '' })], ['AMOUNT_INVALID', c({ amount: true })], ['AMOUNT_INVALID', c({ amount: '1,234.56' })],
  ['AMOUNT_INVALID', c({ amount: 'MDk=' })], ['AMOUNT_INVALID', c({ amount: { scale: 2 } })], ['AMOUNT_INVALID', c({ amount: { scale: 'x', value: 'MDk=' } })],
  ['AMOUNT_INVALID', { schema: { fields: [{ field: 'after', type: 'struct', fields: [{ field: 'amount', type: 'bytes' }] }] }, payload: c({ amount: 'MDk=' }) }],
  ['AMOUNT_OUT_OF_BOUNDS', c({ amount: '0.00001' }), whole], ['AMOUNT_OUT_OF_BOUNDS', c({ amount: 1e11 })], ['AMOUNT_OUT_OF_BOUNDS', c({ amount: { scale: -11, value: 'AQ==' } })],
  ['DATE_MISSING', c({ payment_date: null }), whole], ['DATE_INVALID', c({ payment_date: '2026-02-30' }), whole], ['DATE_INVALID', c({ payment_date: 'infinity' })], ['DATE_INVALID', c({ payment_date: 20484.5 })], ['DATE_INVALID', c({ payment_date: true })],
  ['FLAG_INVALID', c({ is_non_irs_revenue: 'perhaps' }), whole], ['FLAG_INVALID', c({ is_non_irs_revenue: 2 })], ['FLAG_INVALID', c({ is_non_irs_revenue: {} })],
  ['TYPE_INVALID', debezium('c', { id: 'x', property_id: PROPERTY_ID, unit_id: null, date: 1, amount: '1', expense_type: 7, is_planned: null }, null, { table: 'expenses' }), { table: 'expenses', key: 'x', property: PROPERTY_ID }],
  ['POSITION_INVALID', { ...c({}), source: source({ sequence: 'soon' }) }, whole], ['POSITION_INVALID', { ...c({}), source: source({ ts_ms: 'soon' }) }], ['POSITION_INVALID', { ...c({}), source: source({ sequence: null, lsn: -5 }) }],
  ['POSITION_INVALID', { ...c({}), source: { table: 'rents', file: 'binlog', pos: 4 } }], ['POSITION_INVALID', { ...c({}), source: { table: 'rents', commit_lsn: '0000' } }],
  ['POSITION_INVALID', { database: 'rental', table: 'rents', type: 'insert', ts: 1, position: 'binlog:4', data: rent() }], ['POSITION_INVALID', ces({ logicalid: 'x:y:z' })],
];

test.each(CASES)('%s: %s', (code, value, row, record) => {
  expect(entryFrom(value, { key: null, ...record })).toMatchObject({ kind: 'dead letter', code, reason: null, unit: null, day: null, amount: null, flags: [], ...row });
});

test('RECORD_TOO_LARGE: more than 32 MiB', () => {
  expect(entryFrom(new Uint8Array(32 * 1024 * 1024 + 1))).toMatchObject({ kind: 'dead letter', code: 'RECORD_TOO_LARGE' });
});

test('every reason of decoding is reached', () => {
  // Those of schemas are reached in avro.test.ts.
  const reached = new Set<string>([...CASES.map(([code]) => code), 'RECORD_TOO_LARGE', 'PARTIAL_UNORDERED', 'SEGMENT_PENDING', 'SEGMENTS_INCOMPLETE', 'SCHEMA_UNKNOWN', 'SCHEMA_INVALID', 'AVRO_INVALID']);
  expect(Object.entries(ERROR_CODES).filter(([, { kind }]) => kind === 'letter').map(([code]) => code).filter((code) => !reached.has(code))).toEqual([]);
});

describe('a dead letter', () => {
  test('has place, time, bytes and words, and its bytes are its own', () => {
    const value = bytes(0x7b, 0xff);
    const batch = decodeAll([{ value: c({}) }, { value, key: 'k', offset: 17, time: 5, topic: 'pg.public.rents', partition: 0 }]);
    const [{ entry, letter }] = batch.letters;
    expect(entry).toBe(1);
    expect(letter).toMatchObject({ topic: 'pg.public.rents', partition: 0, offset: 17, time: 5, code: 'JSON_INVALID', table: 'rents', key: 'k', property: null });
    expect([...letter.valueBytes!]).toEqual([...value]);
    expect(new TextDecoder().decode(letter.keyBytes!)).toBe('k');
    expect(letter.valueBytes!.buffer.byteLength).toBe(2);
    expect(letter.message).toMatch(/^[A-Z].*\.$/);
  });

  test('does not repeat what the value held', () => {
    const secret = 'IBAN DE02 1203';
    for (const [, value] of CASES) for (const { letter } of decodeAll([{ value: typeof value === 'string' ? value.replace('12,50', secret) : value }]).letters) expect(letter.message).not.toContain(secret);
    expect(entryFrom(c({ amount: secret })).code).toBe('AMOUNT_INVALID');
    expect(decodeAll([{ value: c({ amount: secret }) }]).letters[0].letter.message).not.toContain(secret);
  });

  test('of a table that is not ours is none', () => {
    expect(entryFrom(debezium('z', null, null, { table: 'users', sequence: 'soon' }))).toMatchObject({ kind: 'passed over', reason: 'other_table' });
  });
});
