/**
 * Dump files → worker thread → decoding → fold on this thread, and its first stage alone. `node test/bench/file-end-to-end.ts [events]` (default 400 000) makes
 * dumps of Debezium envelopes in a temporary folder and prints one JSON line. Memory and processor time are the process's, both threads.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COLUMNS } from '../../src/change/decoder.ts';
import type { IngestOptions } from '../../src/ingest/ingest.ts';
import { createWorkerIngest } from '../../src/ingest/worker.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { createFileSource } from '../../src/source/file.ts';
import { createState } from '../../src/state.ts';
import { EnvelopeDump } from './envelope-dump.ts';

const EVENTS = Number(process.argv[2] ?? 400_000);
const RECORDS_MAX = 1000;
const identity = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));
const OPTIONS: IngestOptions = {
  positions: [], seenTables: {}, acceptIncompleteHistory: false, recordsMax: RECORDS_MAX, creditsMax: 4,
  decode: {
    timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] }, epochs: [],
    columns: { expenses: identity(COLUMNS.expenses), rents: identity(COLUMNS.rents), properties: identity(COLUMNS.properties) },
  },
};

const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000);

async function readAlone(folder: string): Promise<{ scanMs: number; readMs: number }> {
  const source = createFileSource({ folder });
  const start = performance.now();
  await source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: RECORDS_MAX });
  const scanned = performance.now();
  let records = 0;
  for await (const event of source.batches(new AbortController().signal)) {
    if (event.kind === 'records') records += event.batch.count;
    if (records === EVENTS) break;
  }
  const readMs = performance.now() - scanned;
  await source.close();
  return { scanMs: scanned - start, readMs };
}

/** Through the worker; `fold` takes each batch. The time begins at the first batch asked for, when the source is open. */
async function readThroughWorker(folder: string, fold: (batch: Parameters<ReturnType<typeof createState>['step']>[0]) => void): Promise<{ ms: number; cpuMs: number; memoryMax: number }> {
  const ingest = createWorkerIngest({ source: { kind: 'file', folder } });
  await ingest.open(OPTIONS);
  const start = performance.now();
  const cpu = process.cpuUsage();
  let records = 0;
  let batches = 0;
  let memoryMax = 0;
  for await (const event of ingest.events(new AbortController().signal)) {
    if (event.kind !== 'changes') continue;
    fold(event.batch);
    records += event.batch.records;
    if (batches++ % 20 === 0) memoryMax = Math.max(memoryMax, process.memoryUsage.rss());
    if (records === EVENTS) break;
  }
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  await ingest.close();
  return { ms, cpuMs: (user + system) / 1000, memoryMax };
}

const folder = await mkdtemp(join(tmpdir(), 'rentfold-bench-'));
try {
  const bytes = await new EnvelopeDump(EVENTS).write(EVENTS, (table) => join(folder, `pg.public.${table}.jsonl`));
  const memoryBefore = process.memoryUsage.rss();
  const alone = await readAlone(folder);
  const decoded = await readThroughWorker(folder, () => undefined);
  const state = createState(createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 }));
  const folded = await readThroughWorker(folder, (batch) => void state.step(batch, { now: Date.now(), mayForgetDeletes: false }));
  const counts = state.books.counts();
  const totals = state.counters().reduce((sum, c) => ({ applied: sum.applied + c.applied, deadLetters: sum.deadLetters + c.deadLetters }), { applied: 0, deadLetters: 0 });
  console.log(JSON.stringify({
    bench: 'file-end-to-end', events: EVENTS, bytesPerLine: Math.round(bytes / EVENTS), dumpMegabytes: megabytes(bytes),
    scanLinesPerSecond: perSecond(EVENTS, alone.scanMs), readLinesPerSecond: perSecond(EVENTS, alone.readMs),
    workerDecodeEventsPerSecond: perSecond(EVENTS, decoded.ms), endToEndEventsPerSecond: perSecond(EVENTS, folded.ms),
    cpuSecondsPerMillionEvents: { decode: Math.round(decoded.cpuMs / EVENTS * 1e4) / 10, endToEnd: Math.round(folded.cpuMs / EVENTS * 1e4) / 10 },
    memoryMegabytes: { before: megabytes(memoryBefore), decodeMax: megabytes(decoded.memoryMax), endToEndMax: megabytes(folded.memoryMax), ledger: megabytes(counts.ledgerBytes + counts.accountBytes) },
    rows: counts.rows, ...totals,
  }));
} finally {
  await rm(folder, { recursive: true, force: true });
}
