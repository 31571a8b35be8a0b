/**
 * The real `serve` on a real broker, on the same two cores. First: p99 of 2 000 lookups a second over 50 connections while it replays a backlog as fast as it goes, against idle afterwards, in
 * one run: in the first seconds in which figures can be read, when the program has not compiled all of itself yet, and in the seconds after them. Idle is when checkpoints, merging and the
 * parquet file are done too. Then, as a soak: changes of the same rows at a steady rate for some minutes, with checkpoints and parquet; resident memory of each tenth of it, and of the store's files.
 * Prints one JSON line.
 *
 * `node test/bench/kafka-serve.ts [backlog events] [soak seconds] [soak events a second]` (default 3 000 000, 600, 10 000)
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { RentfoldProcess } from '../support/process.ts';
import { startKafka } from '../support/services/services.ts';
import { PROPERTIES, PROPERTY_PREFIX, TABLES } from './change-events.ts';
import { usageOf } from './measured.ts';

const [backlog = 3_000_000, soakSeconds = 600, soakRate = 10_000] = process.argv.slice(2).map(Number);
const FIRST = 200_000;
const ROWS = 500_000;
const PARTITIONS = 6;
const CONNECTIONS = 50;
const READS_PER_SECOND = 2_000;
const FIRST_SECONDS = 5;
const READ_SECONDS = 10;
const QUIET_SECONDS = 3;
const QUIET_CPU_SECONDS = 0.06;
const PREFIX = 'pg';

const folder = await mkdtemp(join(tmpdir(), 'rentfold-bench-'));
const script = (name: string): string => join(import.meta.dirname, name);
const wait = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

async function createTopics(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: TABLES.map((table) => ({ topic: `${PREFIX}.public.${table}`, numPartitions: PARTITIONS, configEntries: [{ name: 'retention.ms', value: '-1' }] })) });
  await admin.disconnect();
}

function loadArguments(brokers: string, first: number, events: number, rate: number): string[] {
  return [script('kafka-load.ts'), brokers, PREFIX, String(first), String(events), String(ROWS), String(PARTITIONS), String(rate)];
}

function start(brokers: string): RentfoldProcess {
  return new RentfoldProcess({
    RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: brokers, RENTFOLD_KAFKA_TOPICS: `${PREFIX}.public.*`, RENTFOLD_STORE_DIR: join(folder, 'store'),
    RENTFOLD_CHECKPOINT_SECONDS: '5', RENTFOLD_PARQUET_SECONDS: '30',
  });
}

const recordsRead = async (program: RentfoldProcess): Promise<number> => Number((await program.status()).records.read);

interface Reads {
  readonly failures: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

async function reads(url: string, seconds = READ_SECONDS): Promise<Reads> {
  const { stdout } = await promisify(execFile)(process.execPath, [script('read-load.ts'), url, String(CONNECTIONS), String(seconds), String(READS_PER_SECOND), String(PROPERTIES), PROPERTY_PREFIX]);
  const result = JSON.parse(stdout) as Reads;
  if (result.failures > 0) throw new Error(`${result.failures} lookups failed`);
  return result;
}

/** Waits until the program has used next to no processor time for some seconds. */
async function untilIdle(program: RentfoldProcess): Promise<void> {
  let before = usageOf(program.pid)!.cpuSeconds;
  for (let quiet = 0; quiet < QUIET_SECONDS;) {
    await wait(1_000);
    const now = usageOf(program.pid)!.cpuSeconds;
    quiet = now - before < QUIET_CPU_SECONDS ? quiet + 1 : 0;
    before = now;
  }
}

/** The lineage has caught up once, so figures are served while the backlog is replayed. */
async function readsWhileReplaying(brokers: string): Promise<Record<string, number>> {
  await promisify(execFile)(process.execPath, loadArguments(brokers, 0, FIRST, 0));
  const first = start(brokers);
  await first.ready();
  await first.kill('SIGTERM');
  await promisify(execFile)(process.execPath, loadArguments(brokers, FIRST, backlog, 0));
  await using program = start(brokers);
  const url = await program.url();
  await program.until('answers', async () => (await program.get(`/financial-performance/${PROPERTY_PREFIX}-000000000001`)).status === 200);
  const starting = await reads(url, FIRST_SECONDS);
  const [readBefore, begin] = [await recordsRead(program), performance.now()];
  const replaying = await reads(url);
  const rate = (await recordsRead(program) - readBefore) / ((performance.now() - begin) / 1_000);
  const isStillReplaying = Number((await program.status()).records.read) < FIRST + backlog;
  await program.until('has caught up', async () => await recordsRead(program) >= FIRST + backlog);
  await untilIdle(program);
  const idle = await reads(url);
  return {
    backlog, starting_p50_ms: starting.p50_ms, starting_p99_ms: starting.p99_ms, folded_per_second: Math.round(rate), replaying_to_the_end: isStillReplaying ? 1 : 0,
    replaying_p50_ms: replaying.p50_ms, replaying_p99_ms: replaying.p99_ms,
    idle_p50_ms: idle.p50_ms, idle_p99_ms: idle.p99_ms, p99_ratio: Number((replaying.p99_ms / idle.p99_ms).toFixed(2)), starting_p99_ratio: Number((starting.p99_ms / idle.p99_ms).toFixed(2)),
  };
}

function residentMegabytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Math.round(Number(kilobytes) / 1_000);
}

function storeMegabytes(): number {
  const names = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' });
  return Math.round(names.reduce((sum, name) => sum + (statSync(join(folder, 'store', name), { throwIfNoEntry: false })?.size ?? 0), 0) / 1e6);
}

async function soak(brokers: string): Promise<Record<string, unknown>> {
  await using program = start(brokers);
  await program.ready();
  const load = spawn(process.execPath, loadArguments(brokers, FIRST + backlog, soakRate * soakSeconds, soakRate), { stdio: 'inherit' });
  const ended = once(load, 'close');
  const resident: number[][] = Array.from({ length: 10 }, () => []);
  const files: number[] = [];
  const begin = performance.now();
  for (let passed = 0; passed < soakSeconds; passed = (performance.now() - begin) / 1_000) {
    resident[Math.floor((passed / soakSeconds) * 10)].push(residentMegabytes(program.pid));
    if (files.length <= (passed / soakSeconds) * 10) files.push(storeMegabytes());
    await wait(500);
  }
  await ended;
  await program.until('has caught up', async () => await recordsRead(program) >= FIRST + backlog + soakRate * soakSeconds);
  const { checkpoints } = await program.status();
  return {
    seconds: soakSeconds, events_per_second: soakRate, checkpoints: Number(checkpoints.succeeded),
    resident_megabytes_median_by_tenth: resident.map((values) => values.toSorted((a, b) => a - b)[values.length >> 1]), resident_megabytes_max: Math.max(...resident.flat()), store_megabytes_by_tenth: files,
  };
}

try {
  await using kafka = await startKafka();
  await createTopics(kafka.brokers.join(','));
  const replaying = await readsWhileReplaying(kafka.brokers.join(','));
  console.log(JSON.stringify({ bench: 'kafka-serve', reads_while_replaying: replaying, soak: soakSeconds > 0 ? await soak(kafka.brokers.join(',')) : null }));
} finally {
  await rm(folder, { recursive: true, force: true });
}
