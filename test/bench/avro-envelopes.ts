import type avro from 'avsc';
import type { Schema } from 'avsc';
import { avroType, framed } from '../support/avro-events.ts';
import { COLUMN_TYPES } from './envelopes.ts';

/** The envelopes of the benchmarks as Debezium's Avro converter writes them. */

/** Number of their schema. */
export const AVRO_SCHEMA_ID = 1;

const optional = (type: Schema): Schema => ['null', type] as Schema;
const AVRO_TYPES: Readonly<Record<string, string>> = { int32: 'int', int64: 'long' };
const AMOUNT = { 'type': 'bytes', 'scale': 2, 'precision': 12, 'connect.name': 'org.apache.kafka.connect.data.Decimal', 'connect.version': 1, 'logicalType': 'decimal' } as unknown as Schema;

const ROW = {
  'type': 'record', 'name': 'Value', 'connect.name': 'pg.public.expenses.Value',
  'fields': COLUMN_TYPES.map(([name, type, meaning]) => ({
    name, type: optional(name === 'amount' ? AMOUNT : meaning === null ? (AVRO_TYPES[type] ?? type) : { 'type': AVRO_TYPES[type] ?? type, 'connect.version': 1, 'connect.name': meaning } as unknown as Schema),
  })),
} as unknown as Schema;

const LONGS = ['ts_ms', 'txId', 'lsn', 'xmin', 'origin_lsn', 'ts_us'];
const SOURCE = {
  type: 'record', name: 'Source', namespace: 'io.debezium.connector.postgresql',
  fields: ['version', 'connector', 'name', 'ts_ms', 'snapshot', 'db', 'sequence', 'schema', 'table', 'txId', 'lsn', 'xmin', 'origin', 'origin_lsn', 'ts_us']
    .map((name) => ({ name, type: optional(LONGS.includes(name) ? 'long' : 'string') })),
} as Schema;

const ENVELOPE = {
  type: 'record', name: 'Envelope', namespace: 'pg.public.expenses',
  fields: [
    { name: 'before', type: optional(ROW) }, { name: 'after', type: optional('Value') }, { name: 'source', type: SOURCE }, { name: 'transaction', type: optional('string') }, { name: 'op', type: 'string' },
    { name: 'ts_ms', type: optional('long') }, { name: 'ts_us', type: optional('long') }, { name: 'ts_ns', type: optional('long') },
  ],
} as Schema;

let type: avro.Type | null = null;

/** Text of their schema. */
export function avroSchema(): string {
  return JSON.stringify(ENVELOPE);
}

/** The same event as an envelope in JSON, in Avro and framed. */
export function avroEnvelope(json: string): Uint8Array {
  type ??= avroType(ENVELOPE);
  const event = JSON.parse(json) as { after: Record<string, unknown>; source: Record<string, unknown> } & Record<string, unknown>;
  const long = (value: unknown): bigint | null => (value === null || value === undefined ? null : BigInt(value as number));
  const units = BigInt(String(event.after['amount']).replace('.', ''));
  const amount = Buffer.alloc(4);
  amount.writeInt32BE(Number(units));
  return framed(AVRO_SCHEMA_ID, new Uint8Array(type.toBuffer({
    ...event, after: { ...event.after, amount, created_by: long(event.after['created_by']) },
    source: { ...event.source, ...Object.fromEntries(LONGS.map((name) => [name, long(event.source[name])])) },
    ts_ms: long(event['ts_ms']), ts_us: long(event['ts_us']), ts_ns: long(event['ts_ns']),
  })));
}
