/**
 * Goal: the parquet file holds the figures of the generation it names, whatever is folded while it is written; it is written after its generation, by the
 * publisher alone, and nothing that goes wrong with it touches the checkpoint.
 * Method: real books and state over a local store with the worker thread, read back by DuckDB; what goes wrong is made to over a store in memory.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import { TOTAL_NAMES } from '../../src/ledger/figure-columns.ts';
import type { CheckpointOutcome, SnapshotOptions } from '../../src/snapshot/checkpointer.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import { createInlineWork } from '../../src/snapshot/work.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { breakLease, createMemoryPlace, MemoryStore } from '../support/memory-store.ts';
import { labelsOf, queryParquet } from '../support/parquet-query.ts';
import { newFolder, openLocal, PREFIX, startRun, type Run } from '../support/snapshot-run.ts';
import { manyChanges, NOW, someChanges } from '../support/some-changes.ts';

const NAME = `${PREFIX}financial_performance_current.parquet`;
const pathIn = (directory: string): string => join(directory, NAME);

async function withThread(directory: string, options: Partial<SnapshotOptions> = {}): Promise<Run> {
  return startRun(await openLocal(directory), { work: createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } }), ...options });
}

function fileOf(outcome: CheckpointOutcome): unknown {
  return outcome.kind === 'standby' ? outcome : outcome.parquet;
}

describe('the file of a generation', () => {
  it('sums to the control totals of its generation while everything is folded anew', async () => {
    const directory = newFolder();
    const log = new ChangeWriter();
    let round = 100;
    const run: Run = await withThread(directory, { onStep: () => { run.state.step(log.batch(manyChanges(round++)), NOW); } });
    run.state.step(log.batch(manyChanges(1)), NOW);
    for (let generation = 1; generation <= 3; generation++) {
      const outcome = await run.checkpoint({});
      expect(outcome).toMatchObject({ kind: 'published', generation, parquet: { kind: 'written', generation, asOf: 30_000, outOfRange: 0 } });
      const labels = await labelsOf(pathIn(directory));
      expect(labels).toMatchObject({ generation: String(generation), lineage: run.snapshots.status().lineage, as_of: '2052-02-20', time_zone: 'UTC', complete_history: 'true' });
      expect(labels.file_totals).toBe(labels.control_totals);
      expect(JSON.parse(labels.positions!)).toEqual(outcome.kind === 'published' && outcome.positions.map(({ topic, partition, next }) => ({ topic, partition, next })));
      const [sums] = await queryParquet(pathIn(directory), `select sum(cumulative_total_revenue)::varchar as total_revenue, sum(cumulative_rent)::varchar as rent, sum(cumulative_expenses)::varchar as expenses
        from FILE where unit_id is null`);
      expect(sums).toEqual(JSON.parse(labels.control_totals!));
    }
    await run.snapshots.close();
  });

  it('has an account a row, as reading answers', async () => {
    const directory = newFolder();
    const log = new ChangeWriter();
    const run = await withThread(directory);
    for (let round = 1; round < 9; round++) run.state.step(log.batch(someChanges(round)), NOW);
    await run.checkpoint({ asOf: 20_005 });
    const rows = await queryParquet(pathIn(directory), 'select property_id, unit_id, columns(\'^(ytd|cumulative|cash)_\')::varchar, epoch_us(last_calculated_at)::double as calculated from FILE');
    expect(rows.length).toBe(run.state.books.counts().accounts);
    const money = (units: number | null): string | null => (units === null ? null : `${units < 0 ? '-' : ''}${Math.floor(Math.abs(units) / 10_000)}.${String(Math.abs(units) % 10_000).padStart(4, '0')}`);
    for (const row of rows) {
      const answer = run.state.books.figures({ propertyId: row.property_id as string, unitId: row.unit_id as string | null, asOf: 20_005 });
      if (answer.kind !== 'figures') throw new Error(answer.kind);
      const { figures } = answer;
      const totals = (['ytd', 'cumulative'] as const).flatMap((span) => TOTAL_NAMES.map((name) => [`${span}_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, money(figures[span][name])]));
      expect(row).toEqual({
        property_id: row.property_id, unit_id: row.unit_id, ...Object.fromEntries(totals), cash_on_cash: money(figures.cashOnCash), calculated: figures.lastCalculatedAt * 1_000,
      });
    }
    await run.snapshots.close();
  });

  it('for another day is written alone when nothing has changed, as the generation that stands', async () => {
    const directory = newFolder();
    const run = await withThread(directory);
    run.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
    await run.checkpoint({});
    expect(await run.checkpoint({ asOf: 30_001, isReason: true })).toMatchObject({ kind: 'unchanged', generation: 1, parquet: { kind: 'written', generation: 1, asOf: 30_001 } });
    expect(await labelsOf(pathIn(directory))).toMatchObject({ generation: '1', as_of: '2052-02-21' });
    expect(await run.checkpoint({ asOf: 30_001, isReason: true })).toEqual({ kind: 'skipped', parquet: expect.objectContaining({ kind: 'current', generation: 1, asOf: 30_001 }) as unknown });
    expect(await run.checkpoint({ asOf: 30_001, money: 'double' })).toMatchObject({ kind: 'unchanged', parquet: { kind: 'written' } });
    await run.snapshots.close();
  });

  it('of the newest generation may stand at start though rows changed since; one that lies behind may not', async () => {
    const store = new MemoryStore();
    const log = new ChangeWriter();
    const run = await startRun(store);
    run.state.step(log.batch(someChanges(1)), NOW);
    await run.checkpoint({});
    run.state.step(log.batch(someChanges(2)), NOW);
    expect(fileOf(await run.checkpoint({ mayStand: true, isReason: true }))).toMatchObject({ kind: 'current', generation: 1 });
    await run.checkpoint();
    expect(await run.checkpoint({ mayStand: true, isReason: true })).toMatchObject({ kind: 'unchanged', parquet: { kind: 'written', generation: 2 } });
    await run.snapshots.close();
  });
});

describe('what goes wrong with it', () => {
  async function troubled(work: (inner: ReturnType<typeof createInlineWork>) => object, store = new MemoryStore()): Promise<Run> {
    const inner = createInlineWork(store);
    const run = await startRun(store, { work: { ...inner, ...work(inner) } });
    run.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
    return run;
  }

  it.each(['prepareParquet', 'writeParquet'])('an error in %s is an outcome, the generation is durable, and nothing is drawn ahead any more', async (which) => {
    const run = await troubled(() => ({ [which]: () => Promise.reject(new TypeError('no parquet today')) }));
    expect(await run.checkpoint({})).toMatchObject({ kind: 'published', generation: 1, parquet: { kind: 'failed', error: { code: 'UNEXPECTED', message: 'no parquet today' } } });
    run.state.books.beginAccountsCut(0).end();
    await run.snapshots.close();
  });

  it('figures that cannot be cut are an outcome, too, and the next file has them', async () => {
    const run = await troubled(() => ({}));
    const other = run.state.books.beginAccountsCut(0);
    expect(await run.checkpoint({})).toMatchObject({ kind: 'published', generation: 1, parquet: { kind: 'failed', error: { message: expect.stringContaining('open already') as string } } });
    other.end();
    expect(await run.checkpoint({})).toMatchObject({ kind: 'unchanged', generation: 1, parquet: { kind: 'written', generation: 1 } });
    await run.snapshots.close();
  });

  it('what throws in the moment of the cut gives the cut of rows up', async () => {
    const run = await troubled(() => ({}));
    Object.assign(run.state, { positions: () => { throw new TypeError('not now'); } });
    await expect(run.checkpoint()).rejects.toThrow('not now');
    Reflect.deleteProperty(run.state, 'positions');
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 1 });
    await run.snapshots.close();
  });

  it('a checkpoint that fails writes no file and ends the cut of accounts', async () => {
    const store = new MemoryStore();
    const run = await troubled(() => ({ writeSegment: () => Promise.reject(new RentfoldError('STORE_UNAVAILABLE', 'full')) }), store);
    await expect(run.checkpoint({})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    run.state.books.beginAccountsCut(0).end();
    expect(await store.read(NAME)).toBeNull();
    await run.snapshots.close();
  });

  it('somebody who wrote it since it was looked at keeps what he wrote', async () => {
    const store = new MemoryStore();
    const run = await troubled((inner) => ({
      writeParquet: async (...given: Parameters<typeof inner.writeParquet>) => {
        await store.create(NAME, Buffer.from('another\'s'));
        return inner.writeParquet(...given);
      },
    }), store);
    expect(fileOf(await run.checkpoint({}))).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('somebody else') as string } });
    expect(Buffer.from((await store.read(NAME))!.bytes).toString()).toBe('another\'s');
    await run.snapshots.close();
  });

  it('a lease that ran out while it was drawn leaves what was there', async () => {
    const place = createMemoryPlace();
    const run = await startRun(new MemoryStore(place), { onStep: (step) => { if (step === 'parquet-drawn') breakLease(place, false); } });
    run.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
    expect(fileOf(await run.checkpoint({}))).toMatchObject({ kind: 'failed', error: { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('lease') as string } });
    expect(place.files.has(NAME)).toBe(false);
    await run.snapshots.close();
  });

  it('a stand-by writes none', async () => {
    const place = createMemoryPlace();
    const first = await startRun(new MemoryStore(place));
    const second = await startRun(new MemoryStore(place));
    second.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
    expect(await second.checkpoint({})).toMatchObject({ kind: 'standby' });
    expect(place.files.size).toBe(0);
    await first.snapshots.close();
  });

  it('an upload that breaks off in the worker leaves the file before it, and no other trace', async () => {
    const directory = newFolder();
    let breaks = false;
    const run = await withThread(directory, { onStep: (step) => { if (breaks && step === 'parquet-drawn') throw new RentfoldError('STORE_UNAVAILABLE', 'cut off'); } });
    const log = new ChangeWriter();
    run.state.step(log.batch(manyChanges(1)), NOW);
    await run.checkpoint({});
    breaks = true;
    run.state.step(log.batch(manyChanges(2)), NOW);
    expect(await run.checkpoint({})).toMatchObject({ generation: 2, parquet: { kind: 'failed' } });
    expect((await labelsOf(pathIn(directory))).generation).toBe('1');
    expect(readdirSync(join(directory, PREFIX, '.rentfold')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
    expect(readdirSync(join(directory, PREFIX, 'legacy'))).toEqual(['first-written.json']);
    await run.snapshots.close();
  });
});
