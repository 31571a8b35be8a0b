/**
 * Goal: a serving process is honest from the first moment to the last: it answers while it restores, serves no partial sums, says what is wrong, keeps
 * going when the store fails, and lets everything go when it ends, whenever that is.
 * Method: `serve` in this process over a store, an ingest and a clock of the test's own, asked over HTTP.
 */
import { describe, expect, it, vi } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import { encodeCurrent } from '../../src/snapshot/current.ts';
import { createLineageId } from '../../src/snapshot/names.ts';
import type { OpenedLog } from '../../src/source/source.ts';
import { ChangeWriter, type Change } from '../support/change-writer.ts';
import { faultFired } from '../support/faults/fired.ts';
import { turns } from '../support/manual-clock.ts';
import { createMemoryPlace, MemoryStore, type MemoryPlace } from '../support/memory-store.ts';
import { ServeRun } from '../support/serve-run.ts';
import { PREFIX } from '../support/snapshot-run.ts';

const FIGURES = '/financial-performance/p1?as_of=2024-12-31';
const rent = (n: number): Change => ({ op: 'upsert', table: 'rents', key: `r${n}`, property: 'p1', amount: 10_000, day: 19_800 });
const rents = (from: number, to: number): Change[] => Array.from({ length: to - from }, (_, i) => rent(from + i));

function opened(end: number, more: Partial<OpenedLog> = {}): () => Promise<OpenedLog> {
  return () => Promise.resolve({ bounds: [{ topic: 'rents', partition: 0, start: 0, end }], gaps: [], notes: [], identity: 'scripted', ...more });
}

/** A run that has folded ten rents and is ready. */
async function readyRun(place: MemoryPlace, more: Partial<OpenedLog> = {}, environment: Record<string, string> = {}): Promise<{ run: ServeRun; log: ChangeWriter }> {
  const run = new ServeRun(place);
  const log = new ChangeWriter('rents', 1);
  run.ingest.opening = opened(10, more);
  run.start(environment);
  run.ingest.give(log.batch(rents(0, 10)));
  await run.ready();
  return { run, log };
}

/** The place of a run that ended after ten rents. */
async function checkpointed(more: Partial<OpenedLog> = {}): Promise<{ place: MemoryPlace; log: ChangeWriter }> {
  const place = createMemoryPlace();
  const { run, log } = await readyRun(place, more);
  await run.end();
  return { place, log };
}

async function refusesConnections(run: ServeRun): Promise<void> {
  await expect(fetch(`${run.url}/health/live`)).rejects.toThrow('fetch failed');
}

async function leaseIsFree(place: MemoryPlace): Promise<boolean> {
  const lease = await new MemoryStore(place).acquireLease('somebody', () => undefined);
  if (lease.held) await lease.release();
  return lease.held;
}

describe('beginning', () => {
  it('answers that it lives while it restores, however long that takes, and serves nothing', async () => {
    const { place, log } = await checkpointed();
    const run = new ServeRun(place);
    run.ingest.opening = opened(12);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    run.store.gate = gate;
    run.start();
    expect(await run.get('/health/live')).toMatchObject({ status: 200 });
    expect(await run.get('/health/ready')).toMatchObject({ status: 503, body: { code: 'RESTORING' } });
    expect(await run.get(FIGURES)).toMatchObject({ status: 503, body: { code: 'RESTORING' } });
    expect(await run.status()).toMatchObject({ phase: 'restoring', ready: false, lag_records: null, lineage: null });
    open();
    run.ingest.give(log.batch(rents(10, 12)));
    await run.ready();
    expect(await run.get(FIGURES)).toMatchObject({ status: 200, body: { cumulative_rent: 12 } });
  });

  it('a new store serves no sums before the end seen at start is folded', async () => {
    const run = new ServeRun(createMemoryPlace());
    const log = new ChangeWriter('rents', 1);
    run.ingest.opening = opened(10);
    run.start();
    run.ingest.give(log.batch(rents(0, 9)));
    await run.until('folded nine', async () => (await run.status()).lag_records === 1);
    expect(await run.get(FIGURES)).toMatchObject({ status: 503, body: { code: 'CATCHING_UP' } });
    expect(await run.status()).toMatchObject({ phase: 'catching-up', lineage: null, generation: null });
    run.ingest.give(log.batch(rents(9, 10)));
    await run.ready();
    expect(await run.get(FIGURES)).toMatchObject({ status: 200, body: { cumulative_rent: 10, complete: true, freshness: { caught_up: true, lag_records: 0 } } });
  });

  it('a store that has once been caught up serves what it knows after a restart, and says how fresh that is', async () => {
    const { place, log } = await checkpointed();
    const run = new ServeRun(place);
    run.ingest.opening = opened(15);
    run.start();
    await run.until('restored', async () => (await run.status()).phase === 'catching-up');
    expect(await run.get(FIGURES)).toMatchObject({ status: 200, body: { cumulative_rent: 10, freshness: { caught_up: false, lag_records: 5 } } });
    expect(await run.get('/health/ready')).toMatchObject({ status: 503, body: { code: 'CATCHING_UP' } });
    run.ingest.give(log.batch(rents(10, 15)));
    await run.ready();
    expect(await run.get(FIGURES)).toMatchObject({ status: 200, body: { cumulative_rent: 15, freshness: { caught_up: true, lag_records: 0 } } });
    expect(run.ingest.openedWith[0].positions).toMatchObject([{ topic: 'rents', partition: 0, next: 10 }]);
  });

  it('the lineage is unknown until its first checkpoint, then shown with its generation', async () => {
    const { run, log } = await readyRun(createMemoryPlace());
    expect(await run.status()).toMatchObject({ lineage: null, generation: null, role: 'publisher' });
    await run.clock.pass(30);
    await run.until('checkpointed', async () => (await run.status()).generation === 1);
    const { lineage } = await run.status();
    expect(lineage).toMatch(/^20\d{6}T/);
    run.ingest.give(log.batch(rents(10, 11)));
    await run.clock.pass(30);
    await run.until('checkpointed again', async () => (await run.status()).generation === 2);
    expect(await run.status()).toMatchObject({ lineage });
  });

  it('history that is known to be missing stays missing through restarts', async () => {
    const { place, log } = await checkpointed({ gaps: ['rents/0 begins at offset 5'] });
    for (let restart = 0; restart < 2; restart++) {
      const run = new ServeRun(place);
      run.ingest.opening = opened(11 + restart);
      run.start();
      run.ingest.give(log.batch(rents(10 + restart, 11 + restart)));
      await run.ready();
      expect(await run.get(FIGURES)).toMatchObject({ status: 200, body: { complete: false } });
      expect(await run.status()).toMatchObject({ incomplete_history: ['rents/0 begins at offset 5'] });
      await run.end();
    }
  });

  it.each(['store', 'source'])('a %s that cannot be opened ends the start with its error, the port closed and the lease free', async (which) => {
    const place = createMemoryPlace();
    const run = new ServeRun(place);
    const error = new RentfoldError(which === 'store' ? 'STORE_NOT_WRITABLE' : 'HISTORY_INCOMPLETE', 'why');
    if (which === 'store') run.store.openError = error;
    else run.ingest.opening = () => Promise.reject(error);
    run.start();
    await expect(run.ended).rejects.toBe(error);
    await refusesConnections(run);
    expect(run.ingest.isClosed).toBe(true);
    expect(await leaseIsFree(place)).toBe(true);
  });
});

describe('asked to end before it began', () => {
  it('while restoring: it ends at once, and what comes of the restore no longer matters', async () => {
    const { place } = await checkpointed();
    const run = new ServeRun(place);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    run.store.gate = gate;
    run.start();
    await run.get('/health/live');
    await run.end();
    await refusesConnections(run);
    expect(await leaseIsFree(place)).toBe(true);
    open();
    await turns();
    expect(run.ingest.openedWith).toEqual([]);
  });

  it('while the source is being opened: it ends at once and writes nothing', async () => {
    const place = createMemoryPlace();
    const run = new ServeRun(place);
    const { promise: opening, reject } = Promise.withResolvers<OpenedLog>();
    run.ingest.opening = () => opening;
    run.start();
    await run.until('opening', () => run.ingest.openedWith.length === 1);
    await run.end();
    await refusesConnections(run);
    expect(run.ingest.isClosed).toBe(true);
    expect(place.files.size).toBe(0);
    reject(new RentfoldError('SOURCE_FAILED', 'closed while it was being opened'));
    await turns();
  });
});

describe('standing by', () => {
  it('asks for the lease as often as the store says, shows who holds it or what is wrong, and takes it when it is free', async () => {
    const place = createMemoryPlace();
    const holder = await new MemoryStore(place).acquireLease('other', () => undefined);
    const run = new ServeRun(place);
    Object.assign(run.store, { leaseTerms: { askEveryMs: 5_000, takeOverMs: 5_000 } });
    const asked = vi.spyOn(run.store, 'acquireLease');
    run.ingest.opening = opened(0);
    run.start();
    await run.ready();
    expect(await run.status()).toMatchObject({ role: 'standby', role_reason: 'writer other publishes' });
    expect(asked).toHaveBeenCalledTimes(1);
    await run.clock.pass(60);
    expect(asked).toHaveBeenCalledTimes(13);
    asked.mockRejectedValueOnce(new RentfoldError('STORE_UNAVAILABLE', 'nothing listens there'));
    await run.clock.pass(5);
    expect(await run.status()).toMatchObject({
      role: 'standby', role_reason: 'the store could not be asked for the lease: nothing listens there',
      unpublished: { failures: 1, last_failure: { attempt: 'lease', code: 'STORE_UNAVAILABLE', message: 'nothing listens there' } },
    });
    if (holder.held) await holder.release();
    await run.clock.pass(5);
    expect(await run.status()).toMatchObject({ role: 'publisher', role_reason: null, unpublished: { failures: 0, last_failure: null } });
  });
});

describe('trouble while running', () => {
  it('a full disk: folding and reading go on, it is said and counted, and the next checkpoint after there is room has everything', async () => {
    const place = createMemoryPlace();
    const { run, log } = await readyRun(place);
    run.store.isFull = true;
    await run.clock.pass(30);
    await run.until('failed', () => run.said('CHECKPOINT_FAILED') > 0);
    faultFired('O10');
    run.ingest.give(log.batch(rents(10, 20)));
    await run.until('folded on', async () => (await run.get(FIGURES)).body.cumulative_rent === 20);
    expect(await run.get('/health/ready')).toMatchObject({ status: 200 });
    const status = await run.status();
    expect(status).toMatchObject({ generation: null, checkpoints: { succeeded: 0, history: [{ error: expect.stringContaining('the disk is full') as string }] } });
    expect((await run.get('/metrics')).text).toMatch(/rentfold_checkpoints_total\{outcome="failed"\} [1-9]/);
    run.store.isFull = false;
    await run.clock.pass(60);
    await run.until('written', async () => (await run.status()).generation === 1);
    expect((await run.get('/metrics')).text).toMatch(/rentfold_checkpoints_total\{outcome="succeeded"\} 1/);
    await run.end();
    const next = new ServeRun(place);
    next.ingest.opening = opened(20);
    next.start();
    await next.ready();
    expect(await next.get(FIGURES)).toMatchObject({ body: { cumulative_rent: 20 } });
    expect(next.said('GENERATION_UNUSABLE')).toBe(0);
  });

  it('a full disk at the end: the error says so, the port is closed and the lease free; the next start reads the rest again', async () => {
    const { place, log } = await checkpointed();
    const run = new ServeRun(place);
    run.ingest.opening = opened(15);
    run.start();
    run.ingest.give(log.batch(rents(10, 15)));
    await run.ready();
    run.store.isFull = true;
    run.shutdown.abort();
    await expect(run.ended).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('the disk is full') as string });
    expect(run.lines.find((line) => line.code === 'CHECKPOINT_FAILED')?.msg).toContain('the next start goes on from generation 1');
    await refusesConnections(run);
    expect(await leaseIsFree(place)).toBe(true);
    const next = new ServeRun(place);
    next.ingest.opening = opened(15);
    next.start();
    await next.until('restored', async () => (await next.status()).phase === 'catching-up');
    expect(next.ingest.openedWith[0].positions).toMatchObject([{ next: 10 }]);
  });

  it('a snapshot worker that died: told, and the next one writes everything', async () => {
    const { run } = await readyRun(createMemoryPlace());
    const writeSegment = run.work.writeSegment.bind(run.work);
    Object.assign(run.work, { writeSegment: () => Promise.reject(new RentfoldError('UNEXPECTED', 'the snapshot worker ended: exit code 134')) });
    await run.clock.pass(30);
    await run.until('failed', () => run.said('CHECKPOINT_FAILED') === 1);
    Object.assign(run.work, { writeSegment });
    await run.clock.pass(1);
    await run.until('written', async () => (await run.status()).generation === 1);
    expect(await run.status()).toMatchObject({ checkpoints: { failed: 1, succeeded: 1, history: [{}, { rows: 10 }] } });
  });

  it('a lineage that is no longer served: it is said once that nothing is written any more', async () => {
    const place = createMemoryPlace();
    const { run, log } = await readyRun(place);
    await run.clock.pass(30);
    await run.until('written', async () => (await run.status()).generation === 1);
    const other = createLineageId(1);
    place.files.set(`${PREFIX}checkpoints/current.json`, encodeCurrent({ lineage: other, changedAt: 1 }));
    run.ingest.give(log.batch(rents(10, 11)));
    await run.clock.pass(60);
    await run.until('said', () => run.said('CHECKPOINT_FAILED') === 1);
    expect(run.lines.find((line) => line.code === 'CHECKPOINT_FAILED')?.msg).toContain(`lineage ${other} is served now`);
    await run.clock.pass(60);
    expect(run.said('CHECKPOINT_FAILED')).toBe(1);
  });

  it('a source that fails: alive, not ready, and the status says why', async () => {
    const place = createMemoryPlace();
    const { run } = await readyRun(place);
    run.ingest.fail(new Error('the cable is cut'));
    await run.until('stopped', async () => (await run.status()).phase === 'stopped');
    expect(await run.get('/health/live')).toMatchObject({ status: 200 });
    expect(await run.get(FIGURES)).toMatchObject({ status: 503, body: { code: 'PARTITION_STOPPED' } });
    expect(await run.status()).toMatchObject({ source_stop: { code: 'SOURCE_FAILED', message: expect.stringContaining('the cable is cut') as string } });
    await run.end();
    expect(place.files.size).toBeGreaterThan(0);
  });
});
