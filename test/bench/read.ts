/**
 * Lookups a second at 50 connections when idle; and, at a fixed 2 000 requests a second over 50 connections, p99 while 100 000 changes a second
 * are folded in the same thread against p99 when idle. The load comes from a process of its own. Prints one JSON line.
 *
 * `node test/bench/read.ts [rows] [properties] [seconds] [records a batch]`
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { createControl } from '../../src/control.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { buildApp, listen } from '../../src/read/app.ts';
import { createReadModel } from '../../src/read/read-model.ts';
import { propertyText, RentBatches } from './rent-batches.ts';

const [rows = 1_000_000, properties = 100_000, seconds = 4, records = 1_000] = process.argv.slice(2).map(Number);
const CONNECTIONS = 50;
const FIXED_RATE = 2_000;
const CHANGES_PER_SECOND = 100_000;

interface Load {
  readonly requests: number;
  readonly requests_per_second: number;
  readonly failures: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
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

/** Folds at the given rate, a batch at a time, letting reads in between, until stopped. Answers what it did. */
function foldMeanwhile(): () => Promise<{ readonly changes_per_second: number; readonly batch_ms_p50: number; readonly batch_ms_max: number }> {
  const begin = performance.now();
  const times: number[] = [];
  let stopped = false;
  const done = (async (): Promise<void> => {
    while (!stopped) {
      const due = ((performance.now() - begin) / 1_000) * CHANGES_PER_SECOND;
      if (times.length * records < due) {
        const batch = batches.random();
        const start = performance.now();
        books.fold(batch, { now: Date.now(), mayForgetDeletes: true });
        control.folded(batch.partitions, Date.now());
        times.push(performance.now() - start);
      } else await new Promise((resolve) => { setTimeout(resolve, 1); });
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  })();
  return async () => {
    stopped = true;
    await done;
    const folded = (times.length * records) / ((performance.now() - begin) / 1_000);
    times.sort((a, b) => a - b);
    return { changes_per_second: Math.round(folded), batch_ms_p50: Number(times[times.length >> 1].toFixed(3)), batch_ms_max: Number(times.at(-1)!.toFixed(3)) };
  };
}

await load(0);
const open = await load(0);
await load(FIXED_RATE);
const idle = await load(FIXED_RATE);
const stop = foldMeanwhile();
await load(FIXED_RATE);
const folding = await load(FIXED_RATE);
const folded = await stop();
await app.close();
console.log(JSON.stringify({
  bench: 'read', rows, properties, connections: CONNECTIONS, batch_records: records, lookups_per_second: open.requests_per_second, lookups: open,
  at_fixed_rate: { requests_per_second: FIXED_RATE, idle, folding, p99_ratio: Number((folding.p99_ms / idle.p99_ms).toFixed(2)), ...folded },
}));
