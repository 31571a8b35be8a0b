import * as nodeFiles from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import { createLocalStore } from '../../src/snapshot/local-store.ts';
import { createInlineWork, type SnapshotWork } from '../../src/snapshot/work.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { createMemoryPlace, MemoryStore } from '../support/memory-store.ts';
import { newFolder, openLocal, pictureOf, PREFIX, startRun, type Run } from '../support/snapshot-run.ts';
import { NOW, someChanges } from '../support/some-changes.ts';

// Goal: what was checkpointed comes back, delta upon delta, through merges and pruning. Method: real books and state over a local store in a
// temporary folder; a restore into new books must give the same picture.

async function picturesAgree(run: Run): Promise<void> {
  const other = await startRun(run.store);
  expect(other.restored.kind).toBe('restored');
  expect(pictureOf(other.state)).toBe(pictureOf(run.state));
}

describe('checkpoint and restore', () => {
  it('an empty store restores nothing; an empty state can be checkpointed and comes back', async () => {
    const run = await startRun(await openLocal(newFolder()));
    expect(run.restored).toMatchObject({ kind: 'empty', lineage: null, warnings: [] });
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 1, rows: 0 });
    await picturesAgree(run);
    await run.snapshots.close();
  });

  it('every generation holds what was folded before it, positions and dead letters included', async () => {
    const run = await startRun(await openLocal(newFolder()));
    const log = new ChangeWriter();
    for (let round = 1; round <= 12; round++) {
      run.state.step(log.batch(someChanges(round)), NOW);
      expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: round, positions: run.state.positions() });
      await picturesAgree(run);
    }
    await run.snapshots.close();
  });

  it('what is folded while the cut is drawn belongs to the next generation', async () => {
    const store = await openLocal(newFolder());
    const log = new ChangeWriter();
    let picture = '';
    let folds = true;
    const run = await startRun(store, {
      onStep: (step) => {
        if (folds && step === 'cut-begun') picture = pictureOf(run.state);
        if (folds && (step === 'cut-begun' || step === 'slice-drawn')) run.state.step(log.batch(someChanges(5)), NOW);
      },
    });
    run.state.step(log.batch(Array.from({ length: 9_000 }, (_, i) => ({ op: 'upsert', table: 'rents', key: `k${i}`, property: `p${i % 7}` }) as const)), NOW);
    const outcome = await run.checkpoint();
    const other = await startRun(store);
    expect(pictureOf(other.state)).toBe(picture);
    expect(outcome).toMatchObject({ rows: 9_000 });
    folds = false;
    await run.checkpoint();
    await picturesAgree(run);
    await run.snapshots.close();
  });

  it('a delta holds the changed rows only', async () => {
    const run = await startRun(await openLocal(newFolder()));
    const log = new ChangeWriter();
    run.state.step(log.batch(Array.from({ length: 2_000 }, (_, i) => ({ op: 'upsert', table: 'rents', key: `k${i}`, property: `p${i % 7}` }) as const)), NOW);
    expect(await run.checkpoint()).toMatchObject({ rows: 2_000 });
    run.state.step(log.batch([{ op: 'upsert', table: 'rents', key: 'k5', property: 'p1', amount: 3 }, { op: 'delete', table: 'rents', key: 'k6' }]), NOW);
    expect(await run.checkpoint()).toMatchObject({ rows: 2 });
    expect(await run.checkpoint()).toMatchObject({ rows: 0, generation: 3 });
    await picturesAgree(run);
    await run.snapshots.close();
  });

  it('truncated rows do not come back', async () => {
    const run = await startRun(await openLocal(newFolder()));
    const log = new ChangeWriter('t', 1);
    run.state.step(log.batch(someChanges(1)), NOW);
    await run.checkpoint();
    run.state.step(log.batch([{ op: 'truncate', table: 'expenses' }, { op: 'upsert', table: 'expenses', key: 'after', type: 'tax' }]), NOW);
    await run.checkpoint();
    await picturesAgree(run);
    const rows = [...(await startRun(run.store)).state.books.canonicalRows()].filter((line) => line.includes('expenses'));
    expect(rows).toHaveLength(1);
    await run.snapshots.close();
  });

  it('deltas are merged into a base, old generations are pruned, the last five stay, and nothing else of ours is left', async () => {
    const run = await startRun(await openLocal(newFolder()));
    const log = new ChangeWriter();
    for (let round = 1; round <= 25; round++) {
      run.state.step(log.batch(someChanges(round)), NOW);
      await run.checkpoint();
      await run.snapshots.maintain();
      await run.snapshots.settled();
      await picturesAgree(run);
    }
    const names: string[] = [];
    for await (const { name } of run.store.list('')) names.push(name);
    expect(names.filter((name) => /\d{10}\.json$/.test(name)).map((name) => Number(name.slice(-15, -5)))).toEqual([21, 22, 23, 24, 25]);
    expect(run.snapshots.status().segments).toBeLessThanOrEqual(6);
    expect(names.filter((name) => name.endsWith('.arrow')).length).toBeLessThan(24);
    expect((await startRun(run.store)).restored.warnings).toEqual([]);
    await run.snapshots.close();
  });

  it('a merge that takes long is kept from pruning and replaces what it merged, with what came after it on top', async () => {
    const store = new MemoryStore();
    const inline = createInlineWork(store);
    const gate = Promise.withResolvers<void>();
    let merges = 0;
    const work: SnapshotWork = {
      ...inline,
      compact: async (job) => {
        const result = await inline.compact(job);
        if (++merges === 1) await gate.promise;
        return result;
      },
    };
    const run = await startRun(store, { work });
    const log = new ChangeWriter();
    for (let round = 1; round <= 16; round++) {
      run.state.step(log.batch(someChanges(round)), NOW);
      await run.checkpoint();
      await run.snapshots.maintain();
    }
    expect([merges, run.snapshots.status().segments]).toEqual([1, 16]);
    gate.resolve();
    await run.snapshots.settled();
    run.state.step(log.batch(someChanges(17)), NOW);
    await run.checkpoint();
    expect(run.snapshots.status().segments).toBeLessThan(14);
    await picturesAgree(run);
    await run.snapshots.close();
  });

  it('goes on after a restart with deltas on the same lineage', async () => {
    const store = await openLocal(newFolder());
    const first = await startRun(store);
    const log = new ChangeWriter();
    first.state.step(log.batch(someChanges(1)), NOW);
    await first.checkpoint();
    const { lineage } = first.snapshots.status();
    await first.snapshots.close();
    const second = await startRun(store);
    second.state.step(log.batch([{ op: 'upsert', table: 'rents', key: 'r1', property: 'p9' }]), NOW);
    expect(await second.checkpoint()).toMatchObject({ generation: 2, rows: 1 });
    expect(second.snapshots.status().lineage).toBe(lineage);
    await picturesAgree(second);
    await second.snapshots.close();
  });
});

describe('an outage', () => {
  it('fails the checkpoint, keeps the rows to be written, leaves no torn file, and the next one holds all', async () => {
    const directory = newFolder();
    const from = { on: false };
    const files = {
      ...nodeFiles,
      link: (existing: string | Buffer | URL, path: string | Buffer | URL): Promise<void> => (from.on && String(path).endsWith('.json') ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) : nodeFiles.link(existing, path)),
    };
    const store = createLocalStore({ directory, ownFolder: PREFIX }, { files });
    await store.open();
    const run = await startRun(store);
    const log = new ChangeWriter();
    run.state.step(log.batch(someChanges(1)), NOW);
    await run.checkpoint();
    const before = pictureOf(run.state);
    from.on = true;
    for (const round of [2, 3]) {
      run.state.step(log.batch(someChanges(round)), NOW);
      await expect(run.checkpoint()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('the disk is full') as unknown });
    }
    expect(pictureOf((await startRun(await openLocal(directory))).state)).toBe(before);
    from.on = false;
    run.state.step(log.batch(someChanges(4)), NOW);
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 2 });
    await picturesAgree(run);
    await run.snapshots.close();
  });

  it('tries that fail leave nothing behind, however often, and begin one lineage only', async () => {
    let writes = 0;
    let roomFor = 0;
    const lineages = new Set<string>();
    class Full extends MemoryStore {
      override async create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'> {
        lineages.add(name.split('/').at(-2)!);
        if (++writes > roomFor) throw new RentfoldError('STORE_UNAVAILABLE', `could not write ${name}: the disk is full`);
        return await super.create(name, content);
      }
    }
    const place = createMemoryPlace();
    const run = await startRun(new Full(place));
    run.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
    // Rows, accounts and dead letters are written before the manifest.
    for (const room of [0, 1, 2, 0, 1, 2]) {
      writes = 0;
      roomFor = room;
      await expect(run.checkpoint()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect([...place.files.keys()]).toEqual([]);
    }
    roomFor = Infinity;
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 1 });
    expect(lineages.size).toBe(1);
    await picturesAgree(run);
    await run.snapshots.close();
  });

  it('checkpoints asked for at the same time are written one after the other', async () => {
    const run = await startRun(await openLocal(newFolder()));
    run.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
    const outcomes = await Promise.all([run.checkpoint(), run.checkpoint(), run.checkpoint()]);
    expect(outcomes.map((outcome) => (outcome.kind === 'published' ? outcome.generation : 0))).toEqual([1, 2, 3]);
    await picturesAgree(run);
    await run.snapshots.close();
  });
});
