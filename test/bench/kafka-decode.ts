/**
 * Record batches of a broker's answer → `RecordBatch`es, as the Kafka source reads them, beside kafkajs' own decoder on the same bytes in the same run; bare, gzip, and with six headers a record.
 * `node test/bench/kafka-decode.ts [records] [rounds]` (default 100 000, 5; the median counts) prints one JSON line. Values are Debezium envelopes of about 900 bytes.
 */
import { createRequire } from 'node:module';
import { AnswerReader } from '../../src/source/kafka-answer.ts';
import { readFetchAnswer } from '../../src/source/kafka-fetch.ts';
import { KafkaPartition } from '../../src/source/kafka-partitions.ts';
import { fetchAnswerBody, recordBatch, type WireRecord } from '../support/kafka-wire.ts';
import { envelope } from './envelopes.ts';

const require = createRequire(import.meta.url);
const { decode } = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as { decode(raw: Buffer): Promise<{ responses: { partitions: { messages: unknown[] }[] }[] }> };

const RECORDS = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const BATCH_RECORDS = 500;
const ANSWER_RECORDS = 4_500;
const RECORDS_MAX = 250;

/** Answers of about four megabytes that repeat: a position behind the last begins again. */
async function answers(codec: number, headers: Record<string, Buffer>): Promise<Buffer[]> {
  const made: Buffer[] = [];
  for (let first = 0; first < 3 * ANSWER_RECORDS; first += ANSWER_RECORDS) {
    const batches: Buffer[] = [];
    for (let base = first; base < first + ANSWER_RECORDS; base += BATCH_RECORDS) {
      const records = Array.from({ length: BATCH_RECORDS }, (_, i): WireRecord => ({ offset: base + i, time: 1_795_358_974_249 + i, key: Buffer.from(`{"id":"${base + i}"}`), value: Buffer.from(envelope(base + i)), headers }));
      batches.push(await recordBatch({ records, codec }));
    }
    made.push(fetchAnswerBody([{ topic: 't', partition: 0, records: Buffer.concat(batches) }]));
  }
  return made;
}

async function rate(read: (answer: Buffer) => number | Promise<number>, from: readonly Buffer[]): Promise<{ recordsPerCpuSecond: number; nsPerRecord: number }> {
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let records = 0;
    const cpu = process.cpuUsage();
    for (let i = 0; records < RECORDS; i++) records += await read(from[i % from.length]);
    const used = process.cpuUsage(cpu);
    if (round > 0) rates.push(records / ((used.user + used.system) / 1e6));
  }
  const median = rates.sort((a, b) => a - b)[rates.length >> 1];
  return { recordsPerCpuSecond: Math.round(median), nsPerRecord: Math.round(1e9 / median) };
}

function ours(recordsMax: number): (raw: Buffer) => number {
  const reader = new AnswerReader(recordsMax, false);
  return (raw) => {
    const answer = readFetchAnswer(raw, 11);
    const first = Number(raw.readBigInt64BE(answer.shares[0].start));
    const state = new KafkaPartition({ topic: 't', partition: 0 }, 1, { start: 0, end: 1e9 }, first, null);
    let records = 0;
    for (const event of reader.read(answer, [{ share: answer.shares[0], state }])) {
      if (event.kind !== 'records') throw new Error(JSON.stringify(event));
      records += event.batch.count;
    }
    return records;
  };
}

const kafkajs = async (raw: Buffer): Promise<number> => (await decode(raw)).responses[0].partitions[0].messages.length;
const result: Record<string, unknown> = { bench: 'kafka-decode', node: process.version, recordsPerRound: RECORDS, rounds: ROUNDS };
const sixHeaders = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`header-${i}`, Buffer.from(`value ${i}`)]));
for (const [name, codec, headers] of [['bare', 0, {}], ['withHeaders', 0, sixHeaders], ['gzip', 1, {}]] as const) {
  const made = await answers(codec, headers);
  const [rentfold, library] = [await rate(ours(RECORDS_MAX), made), await rate(kafkajs, made)];
  result[name] = { bytesPerRecord: Math.round(made.reduce((sum, raw) => sum + raw.length, 0) / (made.length * ANSWER_RECORDS)), rentfold, kafkajs: library, ratio: Math.round((10 * rentfold.recordsPerCpuSecond) / library.recordsPerCpuSecond) / 10 };
}
console.log(JSON.stringify(result));
