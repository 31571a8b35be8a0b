import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import { ChangeWriter, type Change } from '../support/change-writer.ts';
import { DECODING, DEFINITIONS, newFolder, openLocal, PREFIX, startRun } from '../support/snapshot-run.ts';

// The parquet file of a million accounts, written by the worker as in `serve`, while this thread goes on folding changes of rows all over the ledger:
// the longest time the main thread did not come round, with and without a file being written; time, size, and how much the process grew.
// Prints one JSON line. Arguments: accounts, records a fold, rows a unit (many: every property has a row dated ahead and a long chain to be walked).

const accounts = Number(process.argv[2] ?? 1_000_000);
const batchRecords = Number(process.argv[3] ?? 250);
const rowsPerUnit = Number(process.argv[4] ?? 1);
const UNITS_PER_PROPERTY = 4;
const BATCH = 10_000;
const IDLE_MS = 3_000;
const context = { now: Date.now(), mayForgetDeletes: true };
const TODAY = Math.floor(Date.now() / 86_400_000);

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
const properties = Math.round(accounts / (UNITS_PER_PROPERTY + 1));

/** One row per unit, of which every hundredth is dated ahead, so that its property has to be walked; or many per unit, with one ahead in every property. */
function changeOf(i: number, amount: number): Change {
  const property = i % properties;
  const unit = Math.floor(i / properties) % UNITS_PER_PROPERTY;
  return {
    op: 'upsert', table: i % 2 === 0 ? 'rents' : 'expenses', type: i % 2 === 0 ? null : 'tax', key: `${hex(Math.imul(i, 0x9e3779b1) >>> 0, 8)}-1111-4222-8333-${hex(i, 12)}`, amount,
    property: `${hex(property, 8)}-aaaa-4bbb-8ccc-dddddddddddd`, unit: `${hex(property, 8)}-aaaa-4bbb-8ccc-${hex(unit, 12)}`, day: isAhead(i) ? TODAY + 30 : TODAY - (i % 1_500),
  };
}

function isAhead(i: number): boolean {
  return rowsPerUnit === 1 ? i % 100 === 0 : i < properties;
}

const directory = newFolder();
const run = await startRun(await openLocal(directory), { work: createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } }) });
const log = new ChangeWriter('bench', 4);
const rows = properties * UNITS_PER_PROPERTY * rowsPerUnit;
for (let from = 0; from < rows; from += BATCH) {
  run.state.step(log.batch(Array.from({ length: Math.min(BATCH, rows - from) }, (_, i) => changeOf(from + i, 10_000))), context);
  await new Promise<void>((resolve) => { setImmediate(resolve); });
}
await run.checkpoint();

/** Folds until told to stop; batches are made beforehand, so that only folding counts. */
const batches = Array.from({ length: 200 }, (_, b) => log.batch(Array.from({ length: batchRecords }, (_, i) => changeOf(Math.floor(Math.random() * rows), 20_000 + b + i))));
let folded = 0;
let stalls: number[] = [];
/** CPU time of this thread in the longest turn: what a stall costs by itself, on a machine shared with others. */
let longestTurnCpuMs = 0;
let peakBytes = 0;
let isFolding = true;
const folding = (async () => {
  let last = performance.now();
  let cpuBefore = process.threadCpuUsage();
  for (let turn = 0; isFolding; turn++) {
    // The same rows once more, with another amount each time: every batch changes accounts.
    const batch = batches[turn % batches.length];
    for (let i = 0; i < batch.count; i++) batch.amount[i] += 1;
    run.state.step(batch, context);
    folded += batch.count;
    await new Promise<void>((resolve) => { setTimeout(resolve, 4); });
    const now = performance.now();
    stalls.push(now - last - 4);
    last = now;
    const { user, system } = process.threadCpuUsage(cpuBefore);
    cpuBefore = process.threadCpuUsage();
    longestTurnCpuMs = Math.max(longestTurnCpuMs, (user + system) / 1000);
    if (turn % 16 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }
})();

await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
const idleStallMs = Math.max(...stalls);
await run.checkpoint();
globalThis.gc?.();
const beforeBytes = process.memoryUsage.rss();
stalls = [];
longestTurnCpuMs = 0;
folded = 0;
peakBytes = 0;
const cpu = process.cpuUsage();
const mainCpu = process.threadCpuUsage();
const outcome = await run.snapshots.checkpoint({
  state: run.state, decoding: DECODING, definitions: DEFINITIONS, sourceIdentity: 'bench', caughtUpOnce: true, incompleteHistory: [],
  parquet: { asOf: TODAY, money: 'decimal', overwrite: false, mayStand: false, isReason: false },
});
const { user, system } = process.cpuUsage(cpu);
const main = process.threadCpuUsage(mainCpu);
isFolding = false;
await folding;
if (outcome.kind !== 'published' || outcome.parquet?.kind !== 'written') throw new Error(JSON.stringify(outcome));
const { parquet } = outcome;
const sorted = stalls.toSorted((a, b) => a - b);
console.log(JSON.stringify({
  bench: 'parquet', rowsPerUnit, accounts: parquet.accounts, seconds: Math.round(parquet.ms) / 1000, accountsPerSecond: Math.round((parquet.accounts * 1000) / parquet.ms), bytes: parquet.bytes,
  fileBytes: (await stat(join(directory, PREFIX, 'financial_performance_current.parquet'))).size,
  longestTurnCpuMs: Math.round(longestTurnCpuMs), longestStallMs: Math.round(sorted.at(-1)!), p99StallMs: Math.round(sorted[Math.floor(sorted.length * 0.99)]), longestStallWithoutMs: Math.round(idleStallMs), foldedMeanwhile: folded,
  cpuSeconds: Math.round((user + system) / 1e4) / 100, mainThreadCpuSeconds: Math.round((main.user + main.system) / 1e4) / 100,
  residentBeforeBytes: beforeBytes, residentGrowthBytes: peakBytes - beforeBytes,
}));
await run.snapshots.close();
await rm(directory, { recursive: true });
