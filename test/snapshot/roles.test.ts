import { describe, expect, it } from 'vitest';
import { ChangeWriter } from '../support/change-writer.ts';
import { breakLease, createMemoryPlace, MemoryStore } from '../support/memory-store.ts';
import { DECODING, DEFINITIONS, PREFIX, pictureOf, startRun, type Run } from '../support/snapshot-run.ts';
import { NOW, someChanges } from '../support/some-changes.ts';
import { encodeCurrent } from '../../src/snapshot/current.ts';
import { createLineageId } from '../../src/snapshot/names.ts';
import { createSystemClock } from '../../src/runtime/clock.ts';
import { openSnapshots } from '../../src/snapshot/checkpointer.ts';
import { createInlineWork } from '../../src/snapshot/work.ts';

// Goal: one publisher at a time, a stand-by that takes over rightly, and no harm from a publisher that does not know it was replaced. Method:
// two runs over one place in memory, both folding the same log; the lease is taken away by hand.

const ROUNDS = 6;

function log() {
  const writer = new ChangeWriter();
  return Array.from({ length: ROUNDS }, (_, i) => writer.batch(someChanges(i + 1)));
}

function foldAll(run: Run, batches: ReturnType<typeof log>): void {
  for (const batch of batches) run.state.step(batch, NOW);
}

async function manifests(store: MemoryStore): Promise<number[]> {
  const generations: number[] = [];
  for await (const { name } of store.list(`${PREFIX}checkpoints/`)) {
    const match = /(\d{10})\.json$/.exec(name);
    if (match !== null) generations.push(Number(match[1]));
  }
  return generations;
}

describe('roles', () => {
  it('a stand-by restores and follows but publishes nothing, and says who does', async () => {
    const place = createMemoryPlace();
    const first = await startRun(new MemoryStore(place));
    foldAll(first, log().slice(0, 2));
    await first.checkpoint();
    // What a checkpoint under way has written so far: no left-over to anybody who does not publish.
    const [segment] = [...place.files.keys()].filter((name) => name.endsWith('.arrow'));
    place.files.set(segment.replace('/0000000001-', '/0000000002-'), Uint8Array.of(1));
    const second = await startRun(new MemoryStore(place));
    expect(second.restored).toMatchObject({ kind: 'restored', generation: 1, warnings: [] });
    expect(second.snapshots.status()).toMatchObject({ role: 'standby', reason: expect.stringContaining('publishes') as unknown });
    expect(await second.checkpoint()).toMatchObject({ kind: 'standby', reason: expect.stringContaining('publishes') as unknown });
    expect(await manifests(new MemoryStore(place))).toEqual([1]);
    expect(await second.snapshots.claim()).toBe('standby');
  });

  it('takes over when the lease is free: a full cut, numbered above, with what it folded itself', async () => {
    const place = createMemoryPlace();
    const batches = log();
    const first = await startRun(new MemoryStore(place));
    const second = await startRun(new MemoryStore(place));
    for (const batch of batches.slice(0, 3)) {
      first.state.step(batch, NOW);
      await first.checkpoint();
    }
    foldAll(second, batches.slice(0, 4));
    await first.snapshots.close();
    expect(await second.snapshots.claim()).toBe('publisher');
    expect(await second.checkpoint()).toMatchObject({ kind: 'published', generation: 4 });
    expect(second.snapshots.status().segments).toBe(1);
    const third = await startRun(new MemoryStore(place));
    expect(third.restored).toMatchObject({ generation: 4, manifest: { parent: 3 } });
    expect(pictureOf(third.state)).toBe(pictureOf(second.state));
    second.state.step(batches[4], NOW);
    expect(await second.checkpoint()).toMatchObject({ generation: 5 });
    expect(pictureOf((await startRun(new MemoryStore(place))).state)).toBe(pictureOf(second.state));
  });

  it('does not publish while it has read less than what is published: positions never fall', async () => {
    const place = createMemoryPlace();
    const batches = log();
    const first = await startRun(new MemoryStore(place));
    const second = await startRun(new MemoryStore(place));
    foldAll(first, batches.slice(0, 3));
    await first.checkpoint();
    foldAll(second, batches.slice(0, 2));
    await first.snapshots.close();
    await second.snapshots.claim();
    expect(await second.checkpoint()).toMatchObject({ kind: 'standby', reason: expect.stringContaining('further than this process has read') as unknown });
    second.state.step(batches[2], NOW);
    expect(await second.checkpoint()).toMatchObject({ kind: 'published', generation: 2 });
  });

  it('goes on with deltas when nobody published meanwhile', async () => {
    const place = createMemoryPlace();
    const batches = log();
    const run = await startRun(new MemoryStore(place));
    run.state.step(batches[0], NOW);
    await run.checkpoint();
    breakLease(place, true);
    expect(run.warnings.map((warning) => warning.code)).toEqual(['LEASE_LOST']);
    expect(await run.checkpoint()).toMatchObject({ kind: 'standby' });
    await run.snapshots.claim();
    run.state.step(batches[1], NOW);
    await run.checkpoint();
    expect(run.snapshots.status()).toMatchObject({ generation: 2, segments: 2 });
  });

  it('takes over though the generation it restored is long pruned', async () => {
    const place = createMemoryPlace();
    const writer = new ChangeWriter();
    const first = await startRun(new MemoryStore(place));
    first.state.step(writer.batch(someChanges(1)), NOW);
    await first.checkpoint();
    const second = await startRun(new MemoryStore(place));
    expect(second.restored.kind).toBe('restored');
    for (let round = 2; round < 15; round++) {
      const batch = writer.batch(someChanges(round));
      first.state.step(batch, NOW);
      second.state.step(batch, NOW);
      await first.checkpoint();
      await first.snapshots.maintain();
      await first.snapshots.settled();
    }
    await first.snapshots.close();
    await second.snapshots.claim();
    expect(await second.checkpoint()).toMatchObject({ kind: 'published', generation: 15 });
    const third = await startRun(new MemoryStore(place));
    expect(third.restored).toMatchObject({ generation: 15, warnings: [] });
    expect(pictureOf(third.state)).toBe(pictureOf(second.state));
  });

  it('a lease that runs out while the cut is written: no manifest is published', async () => {
    const place = createMemoryPlace();
    const run = await startRun(new MemoryStore(place), { onStep: (step) => { if (step === 'current-written') breakLease(place, false); } });
    run.state.step(log()[0], NOW);
    expect(await run.checkpoint()).toMatchObject({ kind: 'standby', reason: expect.stringContaining('lease') as unknown });
    expect(await manifests(new MemoryStore(place))).toEqual([]);
    expect(run.state.books.changedSinceCut).toBeGreaterThan(0);
  });

  it('the loser of a manifest stops: what the other wrote stands, and the loser says LEASE_LOST', async () => {
    const place = createMemoryPlace();
    const batches = log();
    let meanwhile: (() => Promise<void>) | null = null;
    const first = await startRun(new MemoryStore(place), { onStep: async (step) => { if (step === 'current-written') await meanwhile?.(); } });
    first.state.step(batches[0], NOW);
    await first.checkpoint();
    const second = await startRun(new MemoryStore(place));
    foldAll(second, batches.slice(1, 3));
    meanwhile = async () => {
      meanwhile = null;
      // The lease goes to the other and comes back before the first has looked: only the manifest can tell.
      const held = place.holder;
      place.holder = null;
      await second.snapshots.claim();
      expect(await second.checkpoint()).toMatchObject({ kind: 'published', generation: 2 });
      place.holder = held;
    };
    first.state.step(batches[1], NOW);
    expect(await first.checkpoint()).toMatchObject({ kind: 'standby', reason: expect.stringContaining('generation 2') as unknown });
    expect(first.warnings.map((warning) => warning.code)).toEqual(['LEASE_LOST']);
    expect(pictureOf((await startRun(new MemoryStore(place))).state)).toBe(pictureOf(second.state));
    // Its rows are still unwritten: when it publishes again, everything is there.
    first.state.step(batches[2], NOW);
    first.state.step(batches[3], NOW);
    place.holder = null;
    await first.snapshots.claim();
    expect(await first.checkpoint()).toMatchObject({ kind: 'published', generation: 3 });
    expect(pictureOf((await startRun(new MemoryStore(place))).state)).toBe(pictureOf(first.state));
  });

  it('a publisher that was overtaken without noticing stops before it writes anything', async () => {
    const place = createMemoryPlace();
    const batches = log();
    const first = await startRun(new MemoryStore(place));
    const second = await startRun(new MemoryStore(place));
    first.state.step(batches[0], NOW);
    await first.checkpoint();
    const held = place.holder;
    breakLease(place, false);
    foldAll(second, batches.slice(0, 2));
    await second.snapshots.claim();
    await second.checkpoint();
    place.holder = held;
    const before = place.files.size;
    foldAll(first, batches.slice(1, 3));
    expect(await first.checkpoint()).toMatchObject({ kind: 'standby', reason: expect.stringContaining('while this process held the lease') as unknown });
    expect(place.files.size).toBe(before);
  });

  it('two first checkpoints of an empty store end in one lineage', async () => {
    const place = createMemoryPlace();
    const batches = log();
    const first = await startRun(new MemoryStore(place));
    const second = await startRun(new MemoryStore(place));
    foldAll(first, batches.slice(0, 1));
    foldAll(second, batches.slice(0, 2));
    await first.checkpoint();
    await first.snapshots.close();
    await second.snapshots.claim();
    await second.checkpoint();
    expect(second.snapshots.status().lineage).toBe(first.snapshots.status().lineage);
    expect(await manifests(new MemoryStore(place))).toEqual([1, 2]);
  });

  it('does not publish into a lineage that is not its own, nor over one that was read with other options', async () => {
    const place = createMemoryPlace();
    const run = await startRun(new MemoryStore(place));
    run.state.step(log()[0], NOW);
    await run.checkpoint();
    const other = await startRun(new MemoryStore(place));
    foldAll(other, log().slice(0, 2));
    run.state.step(log()[1], NOW);
    await run.checkpoint();
    await run.snapshots.close();
    await other.snapshots.claim();
    const zone = { ...DECODING, timeZone: 'Europe/Berlin' };
    const request = { state: other.state, decoding: zone, definitions: DEFINITIONS, sourceIdentity: 'x', caughtUpOnce: true, incompleteHistory: [] };
    expect(await other.snapshots.checkpoint(request)).toMatchObject({ kind: 'standby', reason: expect.stringContaining('RENTFOLD_TIME_ZONE') as unknown });
    const promoted = createLineageId(1);
    place.files.set(`${PREFIX}checkpoints/current.json`, encodeCurrent({ lineage: promoted, changedAt: 1 }));
    expect(await other.checkpoint()).toMatchObject({ kind: 'standby', reason: expect.stringContaining(promoted) as unknown });
  });

  it('a restore goes on when the generation it reads is pruned under its hands', async () => {
    const place = createMemoryPlace();
    const writer = new ChangeWriter();
    const publisher = await startRun(new MemoryStore(place));
    publisher.state.step(writer.batch(someChanges(1)), NOW);
    await publisher.checkpoint();
    let disturbed = false;
    class Slow extends MemoryStore {
      override async readStream(name: string): Promise<AsyncIterable<Uint8Array> | null> {
        if (!disturbed) {
          disturbed = true;
          for (let round = 2; round < 16; round++) {
            publisher.state.step(writer.batch(someChanges(round)), NOW);
            await publisher.checkpoint();
            await publisher.snapshots.maintain();
            await publisher.snapshots.settled();
          }
        }
        return super.readStream(name);
      }
    }
    const follower = await startRun(new Slow(place));
    expect(follower.restored).toMatchObject({ kind: 'restored', generation: 15 });
    expect(follower.restored.warnings).toEqual([]);
    expect(pictureOf(follower.state)).toBe(pictureOf(publisher.state));
  });

  it('a lease that comes when the process has already closed is given back', async () => {
    const place = createMemoryPlace();
    const { promise: gate, resolve: answer } = Promise.withResolvers<void>();
    class Slow extends MemoryStore {
      override async acquireLease(writer: string, lost: (reason: string) => void): ReturnType<MemoryStore['acquireLease']> {
        await gate;
        return await super.acquireLease(writer, lost);
      }
    }
    const store = new Slow(place);
    const snapshots = openSnapshots({ store, prefix: PREFIX, clock: createSystemClock(), writer: 'late', work: createInlineWork(store), notify: () => undefined });
    const claimed = snapshots.claim();
    await snapshots.close();
    answer();
    expect(await claimed).toBe('standby');
    expect(place.holder).toBeNull();
  });
});
