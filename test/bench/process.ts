/**
 * The real `serve` on dumps of Debezium envelopes, checkpoints on: events a second from dump files to folded books, most memory held, time to come back after
 * kill -9 in the middle, and p99 of lookups at 2 000 a second over 50 connections while 100 000 events a second are appended to the log, against idle, in rounds
 * that alternate, the median round of each. Load and dumps come from other processes, on the same cores. Prints one JSON line.
 *
 * `node test/bench/process.ts [events] [seconds a round] [rounds]` (default 1 000 000, 3, 3)
 */
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RentfoldProcess } from '../support/process.ts';
import { PROPERTIES, PROPERTY_PREFIX } from './change-events.ts';
import { EnvelopeDump } from './envelope-dump.ts';

const [events = 1_000_000, seconds = 3, rounds = 3] = process.argv.slice(2).map(Number);
const CONNECTIONS = 50;
const READS_PER_SECOND = 2_000;
const EVENTS_PER_SECOND = 100_000;
const TABLES = ['rents', 'expenses'] as const;

/** What `read-load.ts` prints. */
interface Load {
  readonly failures: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

const folder = await mkdtemp(join(tmpdir(), 'rentfold-bench-'));
const logFolder = join(folder, 'log');
await mkdir(logFolder);
const logFile = (table: string): string => join(logFolder, `pg.public.${table}.jsonl`);
/** A second of the log to come; its name keeps it out of the log. */
const laterFile = (second: number) => (table: string): string => join(folder, `${table}-${second}`);
const laterSeconds = rounds * (seconds + 1);

function start(): RentfoldProcess {
  return new RentfoldProcess({ RENTFOLD_FILE_DIR: logFolder, RENTFOLD_STORE_DIR: join(folder, 'store'), RENTFOLD_CHECKPOINT_SECONDS: '2' });
}

function memoryMax(program: RentfoldProcess): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))!;
  return Math.round(Number(kilobytes) / 1_000);
}

const loggedAt = (program: RentfoldProcess, words: string): number => Date.parse(String(program.logLines.find(({ msg }) => String(msg).includes(words))!.time));
const hasRead = async (program: RentfoldProcess, records: number): Promise<void> => program.until(`has read ${records}`, async () => Number((await program.status()).records.read) >= records);

/** Reads the whole log once, from an empty store. */
async function readAll(): Promise<Record<string, number>> {
  await using program = start();
  const begin = performance.now();
  await program.ready();
  const wholeMs = performance.now() - begin;
  const ms = loggedAt(program, 'ready: ') - loggedAt(program, 'reading file:');
  const { checkpoints } = await program.status();
  const result = {
    events_per_second: Math.round((events / ms) * 1_000), with_start_and_scan_events_per_second: Math.round((events / wholeMs) * 1_000),
    checkpoints: Number(checkpoints.succeeded), memory_max_megabytes: memoryMax(program),
  };
  await program.kill('SIGKILL');
  await rm(join(folder, 'store'), { recursive: true });
  return result;
}

/** Killed half-way: how long until it answers from its checkpoint, and until it has read the rest. */
async function comeBack(): Promise<Record<string, number>> {
  const first = start();
  await first.url();
  await hasRead(first, events / 2);
  await first.kill('SIGKILL');
  await using second = start();
  const begin = performance.now();
  await second.until('restored', async () => (await second.status()).phase !== 'restoring');
  const restoredMs = performance.now() - begin;
  const readAgain = Number((await second.status()).records.read);
  await second.ready();
  const readyMs = performance.now() - begin;
  await second.kill('SIGKILL');
  await using third = start();
  const again = performance.now();
  await third.ready();
  return {
    after_kill_restored_ms: Math.round(restoredMs), after_kill_from_record: readAgain, after_kill_ready_ms: Math.round(readyMs),
    after_kill_at_the_end_ready_ms: Math.round(performance.now() - again),
  };
}

async function load(url: string): Promise<Load> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'read-load.ts'), url, String(CONNECTIONS), String(seconds), String(READS_PER_SECOND), String(PROPERTIES), PROPERTY_PREFIX]);
  const result = JSON.parse(stdout) as Load;
  if (result.failures > 0) throw new Error(`${result.failures} lookups failed`);
  return result;
}

let secondsUsed = 0;

/** Appends one prepared second of the log, evenly, in pieces as a writer would. */
async function appendSecond(): Promise<void> {
  const second = secondsUsed++;
  const begin = performance.now();
  await Promise.all(TABLES.map(async (table) => {
    const from = laterFile(second)(table);
    const { size } = await stat(from);
    const to = createWriteStream(logFile(table), { flags: 'a' });
    let written = 0;
    for await (const piece of createReadStream(from, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
      const waitMs = (written / size) * 1_000 - (performance.now() - begin);
      if (waitMs > 1) await new Promise((resolve) => { setTimeout(resolve, waitMs); });
      to.write(piece);
      written += piece.length;
    }
    to.end();
    await once(to, 'close');
  }));
  const left = 1_000 - (performance.now() - begin);
  if (left > 1) await new Promise((resolve) => { setTimeout(resolve, left); });
}

async function whileFolding<Result>(program: RentfoldProcess, work: () => Promise<Result>): Promise<{ result: Result; rate: number }> {
  const readBefore = Number((await program.status()).records.read);
  const begin = performance.now();
  const appending = (async () => {
    for (let second = 0; second <= seconds; second++) await appendSecond();
  })();
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  const result = await work();
  const rate = (Number((await program.status()).records.read) - readBefore) / ((performance.now() - begin) / 1_000);
  await appending;
  await hasRead(program, events + secondsUsed * EVENTS_PER_SECOND);
  return { result, rate };
}

function median(values: readonly number[]): number {
  return Number(values.toSorted((a, b) => a - b)[values.length >> 1].toFixed(3));
}

async function reads(): Promise<Record<string, number>> {
  await using program = start();
  await program.ready();
  const url = await program.url();
  await load(url);
  const idle: Load[] = [];
  const folding: Load[] = [];
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    idle.push(await load(url));
    const { result, rate } = await whileFolding(program, () => load(url));
    folding.push(result);
    rates.push(rate);
  }
  const [idleMs, foldingMs] = [median(idle.map(({ p99_ms: ms }) => ms)), median(folding.map(({ p99_ms: ms }) => ms))];
  return {
    requests_per_second: READS_PER_SECOND, folded_per_second: Math.round(median(rates)), rounds,
    idle_p50_ms: median(idle.map(({ p50_ms: ms }) => ms)), idle_p99_ms: idleMs,
    folding_p50_ms: median(folding.map(({ p50_ms: ms }) => ms)), folding_p99_ms: foldingMs, p99_ratio: Number((foldingMs / idleMs).toFixed(2)),
    memory_max_megabytes: memoryMax(program),
  };
}

try {
  const dump = new EnvelopeDump(events);
  const bytes = await dump.write(events, logFile);
  for (let second = 0; second < laterSeconds; second++) await dump.write(EVENTS_PER_SECOND, laterFile(second));
  const end_to_end = await readAll();
  const kill = await comeBack();
  const at_fixed_rate = await reads();
  console.log(JSON.stringify({ bench: 'process', events, bytes_per_line: Math.round(bytes / events), end_to_end, kill, at_fixed_rate }));
} finally {
  await rm(folder, { recursive: true, force: true });
}
