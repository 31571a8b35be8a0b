/**
 * Lookups a second at 50 connections when idle; and, at a fixed 2 000 requests a second over 50 connections, p99 while 100 000 changes a second
 * are folded in the same thread against p99 when idle, in rounds that alternate, the median round of each. The load comes from a process of its
 * own. Prints one JSON line.
 *
 * `node test/bench/read.ts [rows] [properties] [seconds a round] [records a batch, else the default of RENTFOLD_BATCH_RECORDS]`
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { OPTIONS } from '../../src/config-options.ts';
import { createControl } from '../../src/control.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { buildApp, listen } from '../../src/read/app.ts';
import { createReadModel } from '../../src/read/read-model.ts';
import { propertyText, RentBatches } from './rent-batches.ts';

const [rows = 1_000_000, properties = 100_000, seconds = 3, records = Number(OPTIONS.find((option) => option.name === 'RENTFOLD_BATCH_RECORDS')!.fallback)] = process.argv.slice(2).map(Number);
const CONNECTIONS = 50;
const FIXED_RATE = 2_000;
const CHANGES_PER_SECOND = 100_000;
const ROUNDS = 5;

/** What `read-load.ts` prints. */
interface Load {
  readonly requests_per_second: number;
  readonly failures: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

const books = createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 }, { rowsExpected: rows });
const batches = new RentBatches({ rows, properties, records, batches: 64 });
const context = { now: Date.now(), mayForgetDeletes: true };
for (let first = 0; first < rows; first += records) books.fold(batches.fill(first), context);

const control = createControl(Date.now());
control.restored({ lineage: 'bench', generation: null, caughtUpOnce: true, incompleteHistory: [], positions: [] }, Date.now());
control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: Number.MAX_SAFE_INTEGER }], gaps: [] }, Date.now());
const model = createReadModel({ state: { books, counters: () => [], newestChangeAt: Date.now() }, control, clock: { now: () => Date.now() }, timeZone: 'UTC' });
const app = buildApp(model, { readToken: null, versions: {}, logger: pino({ level: 'warn' }) });
const origin = await listen(app);
if (model.figures({ propertyId: propertyText(0), unitId: null, asOf: model.today() }).kind !== 'figures') throw new Error('the books do not know their properties');

async function load(rate: number): Promise<Load> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'read-load.ts'), origin, String(CONNECTIONS), String(seconds), String(rate), String(properties)]);
  const result = JSON.parse(stdout) as Load;
  if (result.failures > 0) throw new Error(`${result.failures} lookups failed`);
  return result;
}

/** Folds at the fixed rate, a batch at a time, letting reads in between, while `work` goes on. */
async function whileFolding<T>(work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  let folded = 0;
  let stopped = false;
  const folding = (async (): Promise<void> => {
    while (!stopped) {
      if (folded < ((performance.now() - begin) / 1_000) * CHANGES_PER_SECOND) {
        const batch = batches.random();
        const start = performance.now();
        books.fold(batch, { now: Date.now(), mayForgetDeletes: true });
        control.folded(batch.partitions, Date.now());
        batchTimes.push(performance.now() - start);
        folded += records;
      } else await new Promise((resolve) => { setTimeout(resolve, 1); });
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  })();
  const result = await work();
  stopped = true;
  await folding;
  rates.push(folded / ((performance.now() - begin) / 1_000));
  return result;
}

function median(values: readonly number[]): number {
  return Number(values.toSorted((a, b) => a - b)[values.length >> 1].toFixed(3));
}

const batchTimes: number[] = [];
const rates: number[] = [];
await load(0);
const open = await load(0);
await load(FIXED_RATE);
await whileFolding(() => load(FIXED_RATE));
const idle: Load[] = [];
const folding: Load[] = [];
for (let round = 0; round < ROUNDS; round++) {
  idle.push(await load(FIXED_RATE));
  folding.push(await whileFolding(() => load(FIXED_RATE)));
}
await app.close();
const [idleMs, foldingMs] = [median(idle.map((round) => round.p99_ms)), median(folding.map((round) => round.p99_ms))];
console.log(JSON.stringify({
  bench: 'read', rows, properties, connections: CONNECTIONS, batch_records: records, lookups_per_second: open.requests_per_second, lookups_p99_ms: open.p99_ms,
  at_fixed_rate: {
    requests_per_second: FIXED_RATE, changes_per_second: Math.round(median(rates)), rounds: ROUNDS,
    idle_p50_ms: median(idle.map((round) => round.p50_ms)), idle_p99_ms: idleMs,
    folding_p50_ms: median(folding.map((round) => round.p50_ms)), folding_p99_ms: foldingMs, p99_ratio: Number((foldingMs / idleMs).toFixed(2)),
    batch_p50_ms: median(batchTimes), batch_max_ms: Number(Math.max(...batchTimes.slice(-10_000)).toFixed(3)),
  },
}));
