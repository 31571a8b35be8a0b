/**
 * Decode rate: Debezium envelopes of about 900 bytes (UUID keys, text decimals, fifteen columns) from payload bytes to change batches, bare
 * and with their schema block; beside them `JSON.parse` of the bare ones alone, to read the figures on a busy machine. Prints one JSON line. Arguments: records per shape (default 200 000), rounds (default 5; the median counts).
 */
import { randomUUID } from 'node:crypto';
import { createDecoder } from '../../src/change/decode.ts';
import { COLUMNS } from '../../src/change/decoder.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';
import type { RecordBatch } from '../../src/source/source.ts';

const BATCH = 1000;
const POOL = 20_000;
const recordsWanted = Number(process.argv[2] ?? 200_000);
const rounds = Number(process.argv[3] ?? 5);

const same = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));
const options: DecodeOptions = {
  timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] }, epochs: [],
  columns: { expenses: same(COLUMNS.expenses), rents: same(COLUMNS.rents), properties: same(COLUMNS.properties) },
};

const COLUMN_TYPES: readonly (readonly [string, string, string | null])[] = [
  ['id', 'string', 'io.debezium.data.Uuid'], ['property_id', 'string', 'io.debezium.data.Uuid'], ['unit_id', 'string', 'io.debezium.data.Uuid'],
  ['date', 'int32', 'io.debezium.time.Date'], ['amount', 'string', null], ['expense_type', 'string', null], ['is_planned', 'boolean', null],
  ['description', 'string', null], ['vendor', 'string', null], ['currency', 'string', null], ['invoice', 'string', null], ['notes', 'string', null],
  ['created_by', 'int64', null], ['created_at', 'string', 'io.debezium.time.ZonedTimestamp'], ['updated_at', 'string', 'io.debezium.time.ZonedTimestamp'],
];

function envelope(i: number): string {
  const day = 20_000 + (i % 900);
  const lsn = 22_267_872 + i * 56;
  const row = {
    id: randomUUID(), property_id: randomUUID(), unit_id: i % 3 === 0 ? null : randomUUID(), date: day, amount: `${(i * 37) % 5000}.${String(i % 100).padStart(2, '0')}`,
    expense_type: ['maintenance', 'utilities', 'pandi', 'capex'][i % 4], is_planned: false, description: 'boiler – second visit', vendor: 'Smith & Sons', currency: 'EUR',
    invoice: `INV-${i}`, notes: null, created_by: 17, created_at: '2026-11-22T14:49:34.147013Z', updated_at: '2026-11-22T14:49:34.147013Z',
  };
  const source = {
    version: '3.6.1.Final', connector: 'postgresql', name: 'pg', ts_ms: 1_795_358_974_149 + i, snapshot: 'false', db: 'rental', sequence: `["${lsn - 56}","${lsn}"]`,
    schema: 'public', table: 'expenses', txId: 700 + i, lsn, xmin: null, origin: null, origin_lsn: null, ts_us: 1_795_358_974_149_390 + i,
  };
  return JSON.stringify({ before: null, after: row, source, transaction: null, op: i % 4 === 0 ? 'u' : 'c', ts_ms: 1_795_358_974_249 + i, ts_us: 1_795_358_974_249_390 + i, ts_ns: `${1_795_358_974_249 + i}390123` });
}

function schemaBlock(): string {
  const row = (field: string): object => ({
    type: 'struct', fields: COLUMN_TYPES.map(([column, type, name]) => ({ type, optional: true, ...(name === null ? {} : { name, version: 1 }), field: column })),
    optional: true, name: 'pg.public.expenses.Value', field,
  });
  const source = { type: 'struct', fields: ['version', 'connector', 'name', 'ts_ms', 'snapshot', 'db', 'sequence', 'schema', 'table', 'txId', 'lsn', 'xmin'].map((field) => ({ type: 'string', optional: false, field })), field: 'source' };
  return JSON.stringify({ type: 'struct', fields: [row('before'), row('after'), source, { type: 'string', optional: false, field: 'op' }], name: 'pg.public.expenses.Envelope' });
}

function batches(values: readonly string[]): RecordBatch[] {
  const encoder = new TextEncoder();
  const made: RecordBatch[] = [];
  for (let from = 0; from < values.length; from += BATCH) {
    const parts = values.slice(from, from + BATCH).map((value) => encoder.encode(value));
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

function median(values: number[]): number {
  return Math.round(values.sort((a, b) => a - b)[values.length >> 1]);
}

function rate(values: readonly string[]): { recordsPerSecond: number; recordsPerCpuSecond: number; bytesPerRecord: number; megabytesPerSecond: number; deadLetters: number } {
  const made = batches(values);
  const decoder = createDecoder(options, { positions: [], seenTables: {} });
  const rates: number[] = [];
  const cpuRates: number[] = [];
  let deadLetters = 0;
  for (let round = 0; round <= rounds; round++) {
    const start = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    let records = 0;
    for (let i = 0; records < recordsWanted; i++) {
      const batch = decoder.decode(made[i % made.length]);
      records += batch.records;
      deadLetters += batch.letters.length;
    }
    if (round === 0) continue;
    rates.push(records / (Number(process.hrtime.bigint() - start) / 1e9));
    const used = process.cpuUsage(cpu);
    cpuRates.push(records / ((used.user + used.system) / 1e6));
  }
  const recordsPerSecond = median(rates);
  const bytesPerRecord = Math.round(made.reduce((sum, batch) => sum + batch.bytes.length, 0) / values.length);
  return { recordsPerSecond, recordsPerCpuSecond: median(cpuRates), bytesPerRecord, megabytesPerSecond: Math.round((recordsPerSecond * bytesPerRecord) / 1e6), deadLetters };
}

/** `JSON.parse` of the bytes as text, nothing else. */
function parseRate(values: readonly string[]): number {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const parts = values.map((value) => encoder.encode(value));
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const cpu = process.cpuUsage();
    for (const part of parts) JSON.parse(decoder.decode(part));
    const used = process.cpuUsage(cpu);
    if (round > 0) rates.push(parts.length / ((used.user + used.system) / 1e6));
  }
  return median(rates);
}

const bare = Array.from({ length: POOL }, (_, i) => envelope(i));
const schema = schemaBlock();
const plain = rate(bare);
const withSchema = rate(bare.map((payload) => `{"schema":${schema},"payload":${payload}}`));
console.log(JSON.stringify({ bench: 'decode', node: process.version, recordsPerRound: recordsWanted, rounds, plain, withSchema, jsonParsePerCpuSecond: parseRate(bare) }));
