// Goal: an event in Avro means the same as the event in JSON; what cannot be read by its schema is a dead letter with a reason; hostile bytes and schemas cost no more than their length. Method: every
// conformance case again as Avro that `avsc` wrote, single values of every type by property-based tests, and a table of what is wrong.
import type { Schema } from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChangeBatch } from '../../src/change/change.ts';
import { createDecoder } from '../../src/change/decode.ts';
import type { SchemaAnswer } from '../../src/change/schemas.ts';
import type { SchemaId } from '../../src/change/framing.ts';
import type { RecordBatch } from '../../src/source/source.ts';
import { AvroEvents, framed, writeAvro } from '../support/avro-events.ts';
import { PROPERTY_ID, RENT_ID, debezium, entriesOf, rent } from './entries.ts';
import type { PlainEntry } from './entries.ts';
import { CASE_NAMES, batchOf, caseOptions, conformanceCase, optionsOf } from './records.ts';
import type { TestRecord } from './records.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';

/** Decodes after everything that is missing was answered. */
function decodeWith(answers: ReadonlyMap<SchemaId, SchemaAnswer>, batch: RecordBatch, options: Partial<DecodeOptions> = {}): ChangeBatch {
  const decoder = createDecoder(optionsOf(options), { positions: [], seenTables: {} });
  for (const { id } of decoder.schemas.missing(batch)) if (answers.has(id)) decoder.schemas.learn(id, answers.get(id)!);
  return decoder.decode(batch);
}

function asAvro(lines: readonly TestRecord[]): { readonly lines: TestRecord[]; readonly answers: ReadonlyMap<number, SchemaAnswer> } {
  const events = new AvroEvents();
  const frame = (part: TestRecord['value'] | undefined): TestRecord['value'] => (typeof part === 'string' && part.trimStart().startsWith('{') ? events.frame(part) : part ?? null);
  return { lines: lines.map((line) => ({ ...line, key: frame(line.key) as Uint8Array, value: frame(line.value) })), answers: events.answers };
}

/** `poison` holds what only JSON can say; decimals in base64 without a schema are no Avro. */
const LINES_MAX = 400;
const CASES = CASE_NAMES.filter((name) => name !== 'poison' && !(conformanceCase(name).settings['RENTFOLD_DECIMALS'] ?? '').startsWith('base64'));

test.each(CASES)('%s means the same as Avro', (name) => {
  const { settings, lines: all } = conformanceCase(name);
  const lines = all.slice(0, LINES_MAX);
  const options = caseOptions(settings);
  const json = entriesOf(createDecoder(options, { positions: [], seenTables: {} }).decode(batchOf(lines)));
  const made = asAvro(lines);
  expect(made.lines.filter(({ value }) => value instanceof Uint8Array).length).toBeGreaterThan(0.6 * lines.filter(({ value }) => value !== null).length);
  expect(entriesOf(decodeWith(made.answers, batchOf(made.lines), options))).toEqual(json);
});

const RENT: Schema = {
  type: 'record', name: 'Value', namespace: 'pg.public.rents', fields: [
    { name: 'id', type: 'string' }, { name: 'property_id', type: 'string' }, { name: 'unit_id', type: ['null', 'string'] }, { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', scale: 2, precision: 12 } },
    { name: 'payment_date', type: { type: 'int', 'connect.name': 'io.debezium.time.Date' } as Schema }, { name: 'is_non_irs_revenue', type: ['null', 'boolean'] }, { name: 'memo', type: 'string' },
  ],
} as Schema;
const SOURCE: Schema = {
  type: 'record', name: 'Source', namespace: 'io.debezium.connector.postgresql', fields: [
    { name: 'ts_ms', type: 'long' }, { name: 'snapshot', type: { type: 'enum', name: 'Snapshot', symbols: ['false', 'true', 'last'] } }, { name: 'db', type: 'string' }, { name: 'sequence', type: ['null', 'string'] },
    { name: 'schema', type: 'string' }, { name: 'table', type: 'string' }, { name: 'lsn', type: ['null', 'long'] },
  ],
} as Schema;
/** As Debezium's: the row's type stands in `before`, `after` names it. */
const envelopeOf = (row: Schema): Schema => ({
  type: 'record', name: 'Envelope', namespace: 'pg.public.rents',
  fields: [{ name: 'before', type: ['null', row] }, { name: 'after', type: ['null', 'Value'] }, { name: 'source', type: SOURCE }, { name: 'op', type: 'string' }, { name: 'ts_ms', type: ['null', 'long'] }],
} as Schema);
const ENVELOPE = envelopeOf(RENT);
const SOURCE_VALUE = { ts_ms: 1_735_689_600_000n, snapshot: 'false', db: 'rental', sequence: '["100","108"]', schema: 'public', table: 'rents', lsn: 108n };
const unscaled = (units: bigint, size = 8): Buffer => Buffer.from(BigInt.asUintN(8 * size, units).toString(16).padStart(2 * size, '0'), 'hex');
const ROW = { id: RENT_ID, property_id: PROPERTY_ID, unit_id: null, amount: unscaled(123_450n), payment_date: 20_484, is_non_irs_revenue: false, memo: 'x' };
const EVENT = { before: null, after: ROW, source: SOURCE_VALUE, op: 'c', ts_ms: 9n };
const EVENT_BYTES = writeAvro(ENVELOPE, EVENT);

/** The one entry of a value with a schema, as number 7. */
function entryOf(value: Uint8Array, schema: unknown, record: Partial<TestRecord> = {}, answer?: SchemaAnswer): PlainEntry {
  const answers = new Map([[7, answer ?? { kind: 'avro', texts: [typeof schema === 'string' ? schema : JSON.stringify(schema)] } as const]]);
  const [entry, ...more] = entriesOf(decodeWith(answers, batchOf([{ ...record, value: framed(7, value) }])));
  expect(more).toEqual([]);
  return entry!;
}

/** A rent whose column has another type and value. */
function columnEntry(column: string, type: unknown, value: unknown): PlainEntry {
  const row = { ...RENT as object, fields: (RENT as unknown as { fields: { name: string }[] }).fields.map((field) => (field.name === column ? { name: column, type } : field)) } as unknown as Schema;
  const envelope = envelopeOf(row);
  return entryOf(writeAvro(envelope, { ...EVENT, after: { ...ROW, [column]: value } }), envelope);
}

/** The same by JSON, with its schema block when the column needs one. */
function jsonEntry(column: string, connect: object | null, value: unknown): PlainEntry {
  const payload = { ...debezium('c', rent({ [column]: value, unit_id: null })) };
  const schema = { type: 'struct', fields: [{ type: 'struct', field: 'after', fields: [{ field: column, ...connect }] }] };
  return entriesOf(createDecoder(optionsOf(), { positions: [], seenTables: {} }).decode(batchOf([{ value: connect === null ? payload : { schema, payload } }])))[0]!;
}

describe('a value of every type', () => {
  test('the envelope with named types and namespaces', () => {
    expect(entryOf(EVENT_BYTES, ENVELOPE)).toMatchObject({ kind: 'upsert', table: 'rents', key: RENT_ID, property: PROPERTY_ID, unit: null, amount: 12_345_000, day: '2026-01-31', flag: false, commitTime: 1_735_689_600_000 });
  });

  test('whole numbers of 64 bits keep their digits', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      expect(columnEntry('id', 'long', value).key).toBe(value.toString());
    }));
  });

  test('decimals are exact at every scale, as JSON has them', () => {
    const units = fc.oneof(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }), fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }));
    fc.assert(fc.property(units, fc.integer({ min: -6, max: 24 }), fc.constantFrom(8, 16), (value, scale, least) => {
      const size = value >= -(2n ** 63n) && value < 2n ** 63n ? least : 16;
      const bytes = unscaled(value, size);
      const json = jsonEntry('amount', { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: String(scale) } }, bytes.toString('base64'));
      const expected = { amount: json.amount, code: json.code };
      expect(columnEntry('amount', { type: 'bytes', 'connect.name': 'org.apache.kafka.connect.data.Decimal', 'connect.parameters': { scale: String(scale) } }, bytes)).toMatchObject(expected);
      if (scale >= 0) expect(columnEntry('amount', { type: 'fixed', name: 'D', size, logicalType: 'decimal', scale, precision: 38 }, bytes)).toMatchObject(expected);
    }));
  });

  test('floating numbers are what their text in JSON is', () => {
    fc.assert(fc.property(fc.oneof(fc.double(), fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 100)), (value) => {
      const json = jsonEntry('amount', null, Number.isFinite(value) ? value : String(value));
      expect(columnEntry('amount', 'double', value)).toMatchObject({ amount: json.amount === null ? null : json.amount + 0, code: json.code });
    }));
    expect(columnEntry('amount', 'float', Math.fround(1234.56))).toMatchObject({ amount: 12_345_600 });
    expect(columnEntry('amount', 'float', Math.fround(0.1))).toMatchObject({ amount: 1_000 });
  });

  test.each([
    ['int days', { type: 'int', 'connect.name': 'io.debezium.time.Date' }, 20_484], ['Avro days', { type: 'int', logicalType: 'date' }, 20_484], ['milliseconds', { type: 'long', 'connect.name': 'io.debezium.time.Timestamp' }, 1_769_817_600_000n],
    ['Avro milliseconds', { type: 'long', logicalType: 'timestamp-millis' }, 1_769_817_600_000n], ['microseconds', { type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' }, 1_769_817_600_000_000n],
    ['Avro microseconds', { type: 'long', logicalType: 'local-timestamp-micros' }, 1_769_817_600_000_000n], ['nanoseconds', { type: 'long', 'connect.name': 'io.debezium.time.NanoTimestamp' }, 1_769_817_600_000_000_000n],
    ['an instant as text', { type: 'string', 'connect.name': 'io.debezium.time.ZonedTimestamp' }, '2026-01-31T10:00:00Z'],
  ])('a date as %s', (_, type, value) => {
    expect(columnEntry('payment_date', type, value)).toMatchObject({ kind: 'upsert', day: '2026-01-31' });
  });

  test('milliseconds near 1970 are not taken for days', () => {
    expect(columnEntry('payment_date', { type: 'long', 'connect.name': 'io.debezium.time.Timestamp' }, 20_484n)).toMatchObject({ day: '1970-01-01' });
  });

  test('infinite dates are dead letters', () => {
    for (const value of [9_223_372_036_825_200_000n, -9_223_372_036_832_400_000n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(columnEntry('payment_date', { type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' }, value)).toMatchObject({ code: 'DATE_INVALID' });
    }
  });

  test('enums, text, and what was not sent', () => {
    expect(columnEntry('unit_id', { type: 'enum', name: 'Unit', symbols: ['A', 'B'] }, 'B')).toMatchObject({ unit: 'B' });
    expect(columnEntry('unit_id', 'string', 'é\u{1f600}"\\')).toMatchObject({ unit: 'é\u{1f600}"\\' });
    expect(columnEntry('unit_id', { type: 'array', items: 'string' }, ['a', 'b'])).toMatchObject({ code: 'IDENTIFIER_INVALID' });
    expect(columnEntry('memo', { type: 'map', values: { type: 'array', items: ['null', 'long'] } }, { a: [1n, null], b: [] })).toMatchObject({ kind: 'upsert' });
    expect(columnEntry('unit_id', 'string', '__debezium_unavailable_value')).toMatchObject({ flags: ['partial'], code: 'PARTIAL_UNORDERED' });
    expect(columnEntry('memo', 'bytes', Buffer.from([0xff, 0xfe]))).toMatchObject({ kind: 'upsert' });
    expect(columnEntry('amount', 'bytes', Buffer.from([1]))).toMatchObject({ code: 'AMOUNT_INVALID' });
  });

  test('a name that was made legal for Avro is the column\'s', () => {
    const columns = optionsOf().columns;
    const row = { ...RENT as object, fields: (RENT as unknown as { fields: { name: string }[] }).fields.map((field) => (field.name === 'amount' ? { ...field, name: 'net_amount' } : field)) } as unknown as Schema;
    const value = writeAvro(envelopeOf(row), { ...EVENT, after: { ...ROW, net_amount: ROW.amount } });
    const answers = new Map([[7, { kind: 'avro', texts: [JSON.stringify(envelopeOf(row))] } as const]]);
    const [entry] = entriesOf(decodeWith(answers, batchOf([{ value: framed(7, value) }]), { columns: { ...columns, rents: { ...columns.rents, amount: 'net-amount' } } }));
    expect(entry).toMatchObject({ amount: 12_345_000 });
  });
});

describe('where the schema comes from', () => {
  test('a content type names it, and comes first', () => {
    const batch = { ...batchOf([{ value: EVENT_BYTES }, { value: debezium('c', rent()) }]), contentTypes: { names: ['', 'Avro/Binary+0123abcd'], of: Uint16Array.of(1, 0) } };
    const decoder = createDecoder(optionsOf(), { positions: [], seenTables: {} });
    expect(decoder.schemas.missing(batch)).toEqual([{ id: '0123abcd', partitions: new Set([0]) }]);
    decoder.schemas.learn('0123abcd', { kind: 'avro', texts: [JSON.stringify(ENVELOPE)] });
    expect(decoder.schemas.missing(batch)).toEqual([]);
    expect(entriesOf(decoder.decode(batch)).map(({ kind }) => kind)).toEqual(['upsert', 'upsert']);
  });

  test('a schema that others are needed for is compiled with them', () => {
    const texts = [JSON.stringify(RENT), JSON.stringify(SOURCE), JSON.stringify({
      type: 'record', name: 'Envelope', namespace: 'pg.public.rents',
      fields: [{ name: 'before', type: ['null', 'Value'] }, { name: 'after', type: ['null', 'Value'] }, { name: 'source', type: 'io.debezium.connector.postgresql.Source' }, { name: 'op', type: 'string' }, { name: 'ts_ms', type: ['null', 'long'] }],
    })];
    expect(entryOf(EVENT_BYTES, '', {}, { kind: 'avro', texts })).toMatchObject({ kind: 'upsert', amount: 12_345_000 });
  });

  test('JSON stands behind the frame of a JSON Schema', () => {
    expect(entryOf(Buffer.from(JSON.stringify(debezium('c', rent()))), '', {}, { kind: 'json' })).toMatchObject({ kind: 'upsert', key: RENT_ID });
  });

  test('keys in Avro name the row of a tombstone and of a bare delete', () => {
    const key: Schema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] };
    const answers = new Map<number, SchemaAnswer>([[8, { kind: 'avro', texts: [JSON.stringify(key)] }], [9, { kind: 'avro', texts: ['"string"'] }]]);
    const keys = [framed(8, writeAvro(key, { id: 2n ** 60n })), framed(9, writeAvro('string', 'abc'))];
    const records = keys.flatMap((bytes) => [{ key: bytes, value: null }, { key: bytes, value: debezium('d', null, null) }]);
    expect(entriesOf(decodeWith(answers, batchOf(records))).map(({ kind, key: text }) => [kind, text])).toEqual([['tombstone', String(2n ** 60n)], ['delete', String(2n ** 60n)], ['tombstone', 'abc'], ['delete', 'abc']]);
  });

  test('a tombstone whose key\'s schema cannot be had is a dead letter; one whose key is a binary number is as it was', () => {
    const refused: SchemaAnswer = { kind: 'refused', code: 'SCHEMA_UNKNOWN', reason: 'the registry does not know it', mayChange: true };
    const long = Uint8Array.of(0, 0, 0, 0, 0, 0, 48, 57);
    const batch = batchOf([{ key: framed(8, Uint8Array.of(2)), value: null }, { key: long, value: debezium('c', rent()) }]);
    expect(createDecoder(optionsOf(), { positions: [], seenTables: {} }).schemas.missing(batch).map(({ id }) => id)).toEqual([8]);
    expect(entriesOf(decodeWith(new Map([[8, refused]]), batch)).map(({ kind, code }) => [kind, code])).toEqual([['dead letter', 'SCHEMA_UNKNOWN'], ['upsert', null]]);
  });

  test('schemas are asked for once, and again when they were forgotten', () => {
    const batch = batchOf([{ partition: 3, value: framed(7, EVENT_BYTES) }, { partition: 4, value: framed(7, EVENT_BYTES) }, { partition: 4, value: framed(6, EVENT_BYTES), key: framed(5, EVENT_BYTES) }, { value: '{}' }]);
    const { schemas } = createDecoder(optionsOf(), { positions: [], seenTables: {} });
    expect(schemas.missing(batch)).toEqual([{ id: 7, partitions: new Set([0, 1]) }, { id: 6, partitions: new Set([1]) }, { id: 5, partitions: new Set([1]) }]);
    for (const id of [5, 6, 7]) schemas.learn(id, { kind: 'json' });
    expect(schemas.missing(batch)).toEqual([]);
    schemas.forget(6);
    expect(schemas.missing(batch).map(({ id }) => id)).toEqual([6]);
  });
});

describe('what is wrong is a dead letter', () => {
  const field = (type: unknown): object => ({ type: 'record', name: 'R', fields: [{ name: 'after', type }] });
  test.each<[what: string, value: Uint8Array, schema: unknown, code: string]>([
    ['cut short', EVENT_BYTES.subarray(0, -1), ENVELOPE, 'AVRO_INVALID'], ['too long', Uint8Array.of(...EVENT_BYTES, 0), ENVELOPE, 'AVRO_INVALID'], ['empty', new Uint8Array(0), ENVELOPE, 'AVRO_INVALID'],
    ['a length beyond the end', Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f), '"string"', 'AVRO_INVALID'], ['a negative length', Uint8Array.of(1), '"string"', 'AVRO_INVALID'], ['eleven bytes of integer', new Uint8Array(11).fill(0xff), '"long"', 'AVRO_INVALID'],
    ['more than 64 bits', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 2), '"long"', 'AVRO_INVALID'], ['a branch that is not there', Uint8Array.of(4), ['null', 'long'], 'AVRO_INVALID'], ['text that is not UTF-8', Uint8Array.of(2, 0xff), field('string'), 'UTF8_INVALID'],
    ['a boolean of 2', Uint8Array.of(2), '"boolean"', 'AVRO_INVALID'], ['a symbol that is not there', Uint8Array.of(2), { type: 'enum', name: 'E', symbols: ['A'] }, 'AVRO_INVALID'], ['records without end', new Uint8Array(0), field('R'), 'AVRO_INVALID'],
    ['unions without end', new Uint8Array(500).fill(2), field(['null', 'R']), 'AVRO_INVALID'], ['2^31 nulls', Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 0), { type: 'array', items: 'null' }, 'AVRO_INVALID'],
    ['2^60 nulls', Uint8Array.of(0xfe, 255, 255, 255, 255, 255, 255, 255, 0x0f, 0), { type: 'array', items: 'null' }, 'AVRO_INVALID'], ['a number', Uint8Array.of(2), '"long"', 'ENVELOPE_UNKNOWN'],
    ['a schema that is not JSON', EVENT_BYTES, '{', 'SCHEMA_INVALID'], ['a type that is not there', EVENT_BYTES, '"Nothing"', 'SCHEMA_INVALID'], ['a type by an inherited name', EVENT_BYTES, '"constructor"', 'SCHEMA_INVALID'],
    ['a union in a union', EVENT_BYTES, ['null', ['null', 'int']], 'SCHEMA_INVALID'], ['a schema of numbers', EVENT_BYTES, '7', 'SCHEMA_INVALID'], ['two fields of one name', EVENT_BYTES, { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }, { name: 'a', type: 'int' }] }, 'SCHEMA_INVALID'],
    ['a schema that is deep', EVENT_BYTES, `${'{"type":"array","items":'.repeat(5_000)}"int"${'}'.repeat(5_000)}`, 'SCHEMA_INVALID'], ['a scale beyond reason', EVENT_BYTES, { type: 'bytes', logicalType: 'decimal', scale: 1e9 }, 'SCHEMA_INVALID'],
  ])('%s', (_, value, schema, code) => {
    expect(entryOf(value, schema)).toMatchObject({ kind: 'dead letter', code });
  });

  test('2^100 values that take no bytes are not counted one by one', () => {
    const types = Array.from({ length: 100 }, (_, i) => ({ type: 'record', name: `R${i}`, fields: ['after', 'b'].map((name) => ({ name, type: i === 0 ? 'null' : `R${i - 1}` })) }));
    expect(entryOf(new Uint8Array(0), '', {}, { kind: 'avro', texts: types.map((type) => JSON.stringify(type)) })).toMatchObject({ code: 'AVRO_INVALID' });
  });

  test('without a registry its option is named', () => {
    const decode = (contentTypes?: RecordBatch['contentTypes']): string => decodeWith(new Map(), { ...batchOf([{ value: framed(7, EVENT_BYTES) }]), ...(contentTypes === undefined ? {} : { contentTypes }) }).letters[0]!.letter.message;
    expect(decode()).toContain('RENTFOLD_SCHEMA_REGISTRY_URL');
    expect(decode({ names: ['avro/binary+a'], of: Uint16Array.of(0) })).toContain('RENTFOLD_SCHEMA_REGISTRY_NAMESPACE');
  });

  test.each([['Avro', (piece: string) => new AvroEvents().frame(piece) as Uint8Array], ['JSON behind a frame', (piece: string) => framed(1, Buffer.from(piece))]])('a piece of a split event as %s', (what, frame) => {
    const piece = JSON.stringify({ specversion: '1.0', type: 'com.microsoft.SQL.CES.DML.V1', source: '/', id: 'a', logicalid: 'G:0000002C00000300017C:00000000000000000007', time: '2025-01-01T00:00:00Z', operation: 'INS', segmentindex: 0, finalsegment: false, data: '{"eventso' });
    const events = new AvroEvents();
    events.frame(piece);
    const answers = what === 'Avro' ? events.answers : new Map<number, SchemaAnswer>([[1, { kind: 'json' }]]);
    expect(entriesOf(decodeWith(answers, batchOf([{ value: frame(piece) }])))).toMatchObject([{ kind: 'dead letter', code: 'SEGMENTED' }]);
  });

  test('any bytes by any of the schemas end in an entry', () => {
    const schemas = [ENVELOPE, RENT, SOURCE, ['null', RENT], { type: 'array', items: RENT }, { type: 'map', values: ENVELOPE }, field(['null', 'R', 'double', 'float', { type: 'bytes', logicalType: 'decimal', scale: 3 }])];
    fc.assert(fc.property(fc.constantFrom(...schemas), fc.uint8Array({ maxLength: 300 }), (schema, bytes) => {
      entryOf(bytes, schema);
    }));
    const changed = fc.array(fc.tuple(fc.nat(EVENT_BYTES.length - 1), fc.nat(255)), { maxLength: 5 });
    fc.assert(fc.property(changed, fc.nat(EVENT_BYTES.length), (changes, length) => {
      const bytes = EVENT_BYTES.slice(0, length < 20 ? length : EVENT_BYTES.length);
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      entryOf(bytes, ENVELOPE);
    }));
  });
});
