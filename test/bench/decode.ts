/**
 * Decode rate: Debezium envelopes of about 900 bytes (UUID keys, text decimals, fifteen columns) from payload bytes to change batches, bare
 * and with their schema block, and the same events as Debezium's Avro in Confluent's framing (precise decimals); beside them `JSON.parse` of the bare ones alone, to read the figures on a busy machine. Prints one JSON line. Arguments: records per shape (default 200 000), rounds (default 5; the median counts).
 */
import { createDecoder } from '../../src/change/decode.ts';
import type { SchemaAnswer } from '../../src/change/schemas.ts';
import { AVRO_SCHEMA_ID, avroEnvelope, avroSchema } from './avro-envelopes.ts';
import { batches, decodeOptions, envelope, schemaBlock } from './envelopes.ts';

const POOL = 20_000;
const recordsWanted = Number(process.argv[2] ?? 200_000);
const rounds = Number(process.argv[3] ?? 5);

function median(values: number[]): number {
  return Math.round(values.sort((a, b) => a - b)[values.length >> 1]);
}

function rate(values: readonly (string | Uint8Array)[], answers: ReadonlyMap<number, SchemaAnswer> = new Map()): { recordsPerSecond: number; recordsPerCpuSecond: number; bytesPerRecord: number; megabytesPerSecond: number; deadLetters: number } {
  const made = batches(values);
  const decoder = createDecoder(decodeOptions, { positions: [], seenTables: {} });
  for (const [id, answer] of answers) decoder.schemas.learn(id, answer);
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
const avro = rate(bare.map(avroEnvelope), new Map([[AVRO_SCHEMA_ID, { kind: 'avro', texts: [avroSchema()] }]]));
const withSchema = rate(bare.map((payload) => `{"schema":${schema},"payload":${payload}}`));
console.log(JSON.stringify({ bench: 'decode', node: process.version, recordsPerRound: recordsWanted, rounds, plain, withSchema, avro, jsonParsePerCpuSecond: parseRate(bare) }));
