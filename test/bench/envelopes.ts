import { randomUUID } from 'node:crypto';
import { COLUMNS } from '../../src/change/decoder.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';
import type { RecordBatch } from '../../src/source/source.ts';

/** Debezium envelopes for the benchmarks. */

const same = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));
/** Options that decode the envelopes below. */
export const decodeOptions: DecodeOptions = {
  timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] }, epochs: [],
  columns: { expenses: same(COLUMNS.expenses), rents: same(COLUMNS.rents), properties: same(COLUMNS.properties) },
};

/** Columns of a row: name, Connect type, Connect's name of what it means. */
export const COLUMN_TYPES: readonly (readonly [string, string, string | null])[] = [
  ['id', 'string', 'io.debezium.data.Uuid'], ['property_id', 'string', 'io.debezium.data.Uuid'], ['unit_id', 'string', 'io.debezium.data.Uuid'],
  ['date', 'int32', 'io.debezium.time.Date'], ['amount', 'string', null], ['expense_type', 'string', null], ['is_planned', 'boolean', null],
  ['description', 'string', null], ['vendor', 'string', null], ['currency', 'string', null], ['invoice', 'string', null], ['notes', 'string', null],
  ['created_by', 'int64', null], ['created_at', 'string', 'io.debezium.time.ZonedTimestamp'], ['updated_at', 'string', 'io.debezium.time.ZonedTimestamp'],
];

/** Ids of a row, where the caller wants to choose them. */
export interface EnvelopeIds {
  readonly id: string;
  readonly property: string;
  readonly unit: string | null;
}

const randomIds = (i: number): EnvelopeIds => ({ id: randomUUID(), property: randomUUID(), unit: i % 3 === 0 ? null : randomUUID() });

/** Event number `i` of a Debezium stream of expenses, about 860 bytes: UUID keys, text decimals, fifteen columns, schemas off. */
export function envelope(i: number, ids: EnvelopeIds = randomIds(i)): string {
  const day = 20_000 + (i % 900);
  const lsn = 22_267_872 + i * 56;
  const row = {
    id: ids.id, property_id: ids.property, unit_id: ids.unit, date: day, amount: `${(i * 37) % 5000}.${String(i % 100).padStart(2, '0')}`,
    expense_type: ['maintenance', 'utilities', 'pandi', 'capex'][i % 4], is_planned: false, description: 'boiler – second visit', vendor: 'Smith & Sons', currency: 'EUR',
    invoice: `INV-${i}`, notes: null, created_by: 17, created_at: '2026-11-22T14:49:34.147013Z', updated_at: '2026-11-22T14:49:34.147013Z',
  };
  const source = {
    version: '3.6.1.Final', connector: 'postgresql', name: 'pg', ts_ms: 1_795_358_974_149 + i, snapshot: 'false', db: 'rental', sequence: `["${lsn - 56}","${lsn}"]`,
    schema: 'public', table: 'expenses', txId: 700 + i, lsn, xmin: null, origin: null, origin_lsn: null, ts_us: 1_795_358_974_149_390 + i,
  };
  return JSON.stringify({ before: null, after: row, source, transaction: null, op: i % 4 === 0 ? 'u' : 'c', ts_ms: 1_795_358_974_249 + i, ts_us: 1_795_358_974_249_390 + i, ts_ns: `${1_795_358_974_249 + i}390123` });
}

/** Schema block of such an envelope, as the JSON converter writes it. */
export function schemaBlock(): string {
  const row = (field: string): object => ({
    type: 'struct', fields: COLUMN_TYPES.map(([column, type, name]) => ({ type, optional: true, ...(name === null ? {} : { name, version: 1 }), field: column })),
    optional: true, name: 'pg.public.expenses.Value', field,
  });
  const source = { type: 'struct', fields: ['version', 'connector', 'name', 'ts_ms', 'snapshot', 'db', 'sequence', 'schema', 'table', 'txId', 'lsn', 'xmin'].map((field) => ({ type: 'string', optional: false, field })), field: 'source' };
  return JSON.stringify({ type: 'struct', fields: [row('before'), row('after'), source, { type: 'string', optional: false, field: 'op' }], name: 'pg.public.expenses.Envelope' });
}

/** Values as batches of one partition. */
export function batches(values: readonly (string | Uint8Array)[], batchRecords = 1000): RecordBatch[] {
  const encoder = new TextEncoder();
  const made: RecordBatch[] = [];
  for (let from = 0; from < values.length; from += batchRecords) {
    const parts = values.slice(from, from + batchRecords).map((value) => (typeof value === 'string' ? encoder.encode(value) : value));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    const count = parts.length;
    const batch = {
      count, partitions: [{ topic: 'pg.public.expenses', partition: 0, next: from + count, token: null }], partitionOf: new Uint16Array(count),
      offset: Float64Array.from(parts, (_, i) => from + i), time: new Float64Array(count).fill(1_795_358_974_149), bytes,
      keyStart: new Int32Array(count).fill(-1), keyEnd: new Int32Array(count).fill(-1), valueStart: new Int32Array(count), valueEnd: new Int32Array(count),
    };
    let used = 0;
    parts.forEach((part, i) => {
      bytes.set(part, used);
      batch.valueStart[i] = used;
      used += part.length;
      batch.valueEnd[i] = used;
    });
    made.push(batch);
  }
  return made;
}
