/**
 * Dump files → worker thread → decoding → fold on this thread, and its first stage alone. `node test/bench/file-end-to-end.ts [events]` (default 400 000) makes
 * dumps of Debezium envelopes in a temporary folder and prints one JSON line. Memory and processor time are the process's, both threads.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COLUMNS } from '../../src/change/decoder.ts';
import type { IngestOptions } from '../../src/ingest/ingest.ts';
import { createWorkerIngest } from '../../src/ingest/worker.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { createFileSource } from '../../src/source/file.ts';
import { createState } from '../../src/state.ts';

const EVENTS = Number(process.argv[2] ?? 400_000);
const PROPERTIES = 20_000;
const ROWS = Math.max(1, EVENTS >> 1);
const RECORDS_MAX = 1000;
const identity = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));
const OPTIONS: IngestOptions = {
  positions: [], seenTables: {}, acceptIncompleteHistory: false, recordsMax: RECORDS_MAX, creditsMax: 4,
  decode: {
    timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] }, epochs: [],
    columns: { expenses: identity(COLUMNS.expenses), rents: identity(COLUMNS.rents), properties: identity(COLUMNS.properties) },
  },
};

const uuid = (prefix: string, n: number): string => `${prefix}-7e02-4a2f-9c20-${n.toString(16).padStart(12, '0')}`;
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000);

/** A whole envelope, an expense or a rent, about 900 bytes of payload; each row is changed twice on average, at random. */
function lineOf(i: number, offset: number): string {
  const row = (Math.imul(i, 0x9e3779b1) >>> 0) % ROWS;
  const isRent = row % 4 === 0;
  const table = isRent ? 'rents' : 'expenses';
  const id = uuid(isRent ? '5e3b34e6' : '0af1b5a4', row);
  const amount = `${(row * 37 + i) % 5000}.${String(i % 100).padStart(2, '0')}`;
  const shared = { id, property_id: uuid('c2ea0f1e', row % PROPERTIES), unit_id: uuid('32834572', row % (3 * PROPERTIES)), amount };
  const after = isRent
    ? { ...shared, payment_date: 19_800 + (row % 900), revenue_description: 'Monthly rent for the apartment', is_non_irs_revenue: row % 40 === 0, created_at: '2024-11-05T09:30:00.000000Z', updated_at: '2024-11-05T09:30:00.000000Z' }
    : { ...shared, date: 19_800 + (row % 900), description: 'Replacement of the boiler, second floor', expense_type: ['tax', 'utilities', 'maintenance', 'pandi', 'capex'][row % 5], is_planned: false, created_at: '2024-11-05T09:30:00.000000Z', updated_at: '2024-11-05T09:30:00.000000Z' };
  const lsn = 23_002_011 + 8 * i;
  const source = { version: '3.6.1.Final', connector: 'postgresql', name: 'pg', ts_ms: 1_735_689_608_728 + i, snapshot: 'false', db: 'rental', sequence: `["${lsn - 8}","${lsn}"]`, ts_us: 1_735_689_608_728_000, ts_ns: 1_735_689_608_728_000_000, schema: 'public', table, txId: 705 + i, lsn, xmin: null };
  const payload = JSON.stringify({ before: null, after, source, transaction: null, op: 'c', ts_ms: 1_735_689_608_768 + i, ts_us: 1_735_689_608_768_000, ts_ns: 1_735_689_608_768_000_000 });
  return `${JSON.stringify({ topic: `pg.public.${table}`, partition: i % 4, offset, tstype: 'create', ts: 1_735_689_608_728 + i, broker: 1, key: JSON.stringify({ id }), payload })}\n`;
}

async function writeDumps(folder: string): Promise<number> {
  const files = new Map(['rents', 'expenses'].map((table) => [table, createWriteStream(join(folder, `pg.public.${table}.jsonl`), { highWaterMark: 1 << 22 })]));
  const offsets = new Map<string, number>();
  for (let i = 0; i < EVENTS; i++) {
    const table = ((Math.imul(i, 0x9e3779b1) >>> 0) % ROWS) % 4 === 0 ? 'rents' : 'expenses';
    const partition = `${table}/${i % 4}`;
    const offset = offsets.get(partition) ?? 0;
    offsets.set(partition, offset + 1);
    const file = files.get(table)!;
    if (!file.write(lineOf(i, offset))) await once(file, 'drain');
  }
  for (const file of files.values()) {
    file.end();
    await once(file, 'close');
  }
  const sizes = await Promise.all([...files.keys()].map(async (table) => (await stat(join(folder, `pg.public.${table}.jsonl`))).size));
  return sizes.reduce((a, b) => a + b, 0);
}

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
  const bytes = await writeDumps(folder);
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
