import { rm } from 'node:fs/promises';
import { createStore, type StoreSpec } from '../../src/snapshot/store-spec.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import { ChangeWriter, type Change } from '../support/change-writer.ts';
import { startLocalAzurite } from '../support/services/azurite.ts';
import { newFolder, PREFIX, startRun, type Run } from '../support/snapshot-run.ts';

// A delta of 10 000 changed rows among a million against a full checkpoint: bytes and time, with the longest time the main thread did not
// come round; then the restore. The worker writes, as in `serve`. Prints one JSON line. Arguments: rows, changed rows, store
// (`local`, or `azure` for an Azurite of its own).

const rows = Number(process.argv[2] ?? 1_000_000);
const changed = Number(process.argv[3] ?? 10_000);
const kind = process.argv[4] ?? 'local';
const BATCH = 10_000;
const context = { now: Date.now(), mayForgetDeletes: true };

function changeOf(i: number, amount: number): Change {
  const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
  const key = `${hex(Math.imul(i, 0x9e3779b1) >>> 0, 8)}-1111-4222-8333-${hex(i, 12)}`;
  const common = { op: 'upsert', key, property: `${hex(i % 20_000, 8)}-aaaa-4bbb-8ccc-dddddddddddd`, unit: `unit ${i % 60_000}`, day: 18_000 + (i % 1_500), amount } as const;
  return i % 2 === 0 ? { ...common, table: 'rents' } : { ...common, table: 'expenses', type: 'maintenance' };
}

const directory = newFolder();
const azurite = kind === 'azure' ? await startLocalAzurite({ inMemory: true }) : null;
const spec: StoreSpec = azurite === null
  ? { kind: 'local', options: { directory, ownFolder: PREFIX } }
  : { kind: 'azure', options: { container: 'bench', credential: { kind: 'connection-string', connectionString: azurite.connectionString }, ownFolder: PREFIX } };

async function open(): Promise<Run> {
  const store = createStore(spec);
  await store.open();
  return startRun(store, { work: createThreadWork(spec) });
}

async function timed(run: Run): Promise<{ rows: number; bytes: number; ms: number; stallMs: number }> {
  let last = performance.now();
  let stallMs = 0;
  const look = (): void => {
    const now = performance.now();
    stallMs = Math.max(stallMs, now - last - 1);
    last = now;
  };
  const timer = setInterval(look, 1);
  const outcome = await run.checkpoint();
  look();
  clearInterval(timer);
  if (outcome.kind !== 'published') throw new Error(outcome.kind);
  return { rows: outcome.rows, bytes: outcome.bytes, ms: Math.round(outcome.ms), stallMs: Math.round(stallMs) };
}

const run = await open();
const log = new ChangeWriter('bench', 4);
run.state.step(log.batch([changeOf(0, 1)]), context);
await run.checkpoint();
for (let from = 0; from < rows; from += BATCH) {
  run.state.step(log.batch(Array.from({ length: Math.min(BATCH, rows - from) }, (_, i) => changeOf(from + i, 10_000))), context);
  // The lease is kept by a timer of this thread.
  await new Promise<void>((resolve) => { setImmediate(resolve); });
}
const full = await timed(run);
const deltas = [];
for (let round = 0; round < 3; round++) {
  run.state.step(log.batch(Array.from({ length: changed }, (_, i) => changeOf(Math.floor((i + 0.5) * (rows / changed)), 20_000 + round))), context);
  deltas.push(await timed(run));
}
await run.snapshots.close();
const begun = performance.now();
const again = await open();
const restoreMs = Math.round(performance.now() - begun);
const delta = deltas.toSorted((a, b) => a.ms - b.ms)[1];
console.log(JSON.stringify({
  bench: 'checkpoint', store: kind, rows, changed, full, delta, bytesPercent: Number((100 * delta.bytes / full.bytes).toFixed(2)), timePercent: Number((100 * delta.ms / full.ms).toFixed(2)),
  restoreMs, restored: again.restored.kind,
}));
await again.snapshots.close();
await azurite?.[Symbol.asyncDispose]();
await rm(directory, { recursive: true });
