/**
 * `rentfold replay` of Debezium events from a real broker on the same two cores, checkpoints and parquet on: events a second end to end, events a second of processor time,
 * most memory held; against a plain consumer that parses with `JSON.parse` into a `Map`, in the same run. The sums of both are compared. Processor time is each process's own, the
 * broker's left out. Rounds alternate; the median of each figure. Prints one JSON line.
 *
 * `node test/bench/kafka-replay.ts [events] [rounds]` (default 5 000 000, 3)
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { MAIN } from '../support/process.ts';
import { startKafka } from '../support/services/services.ts';
import { TABLES } from './change-events.ts';
import { medians, runMeasured, type Measured } from './measured.ts';

const [events = 5_000_000, rounds = 3] = process.argv.slice(2).map(Number);
const PARTITIONS = 6;
const ROWS = Math.round(events * 0.5);
const PREFIX = 'pg';

const script = (name: string): string => join(import.meta.dirname, name);

async function load(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: TABLES.map((table) => ({ topic: `${PREFIX}.public.${table}`, numPartitions: PARTITIONS, configEntries: [{ name: 'retention.ms', value: '-1' }] })) });
  await admin.disconnect();
  await promisify(execFile)(process.execPath, [script('kafka-load.ts'), brokers, PREFIX, '0', String(events), String(ROWS), String(PARTITIONS)]);
}

async function replay(brokers: string, store: string): Promise<Measured> {
  await rm(store, { recursive: true, force: true });
  return await runMeasured([...MAIN, 'replay'], {
    RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: brokers, RENTFOLD_KAFKA_TOPICS: `${PREFIX}.public.*`, RENTFOLD_STORE_DIR: store, RENTFOLD_LOG_FORMAT: 'json',
  });
}

function checked(measured: Measured, what: string): Measured {
  if (measured.code !== 0) throw new Error(`${what} ended with ${measured.code}\n${measured.stdout}\n${measured.stderr}`);
  return measured;
}

const folder = await mkdtemp(join(tmpdir(), 'rentfold-bench-'));
try {
  await using kafka = await startKafka();
  await load(kafka.brokers.join(','));
  const ours: Measured[] = [];
  const plain: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(checked(await replay(kafka.brokers.join(','), join(folder, 'store')), 'replay'));
    if (process.env.BENCH_SKIP_PLAIN !== 'true') plain.push(checked(await runMeasured([script('kafka-plain-consumer.ts'), kafka.brokers.join(','), PREFIX, String(events)]), 'the plain consumer'));
  }
  const figures = { ...medians('replay', events, ours), ...(plain.length > 0 ? medians('plain', events, plain) : {}) };
  const ratio = plain.length > 0 ? Number((figures.replay_events_per_cpu_second / figures.plain_events_per_cpu_second).toFixed(1)) : null;
  console.log(JSON.stringify({ bench: 'kafka-replay', events, rounds, ...figures, per_cpu_second_ratio: ratio }));
  if (process.env.BENCH_VERBOSE === 'true') console.log(ours[0].stdout, ours[0].stderr.slice(-2000), plain[0]?.stdout);
} finally {
  await rm(folder, { recursive: true, force: true });
}
