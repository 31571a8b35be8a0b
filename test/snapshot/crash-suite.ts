import { describe, expect, it } from 'vitest';
import { STEPS, type Step } from '../../src/snapshot/checkpointer.ts';
import { RentfoldError } from '../../src/errors.ts';
import { formatUnits } from '../../src/change/money.ts';
import { readManifest } from '../../src/snapshot/manifest.ts';
import { createNames } from '../../src/snapshot/names.ts';
import { readFooter } from '../../src/snapshot/parquet-footer.ts';
import type { Store } from '../../src/snapshot/store.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { pictureOf, PREFIX, startRun, type Run } from '../support/snapshot-run.ts';
import { NOW, someChanges } from '../support/some-changes.ts';

/**
 * Goal: a crash between any two effects of a checkpoint, a merge or a pruning loses nothing and doubles nothing, and generation numbers never fall; the parquet
 * file is absent, or whole and of a generation that is there.
 * Method: an error thrown at the n-th occurrence of each step ends the run, as a crash would; a fresh run restores, and must stand at a
 * state that was checkpointed, never before the last one that was answered for. Then it reads the log on from its positions, as a process would,
 * and must arrive at the same rows. Run it from a test with a factory of empty stores.
 */
export interface CrashPlace {
  /** A new empty store, open. */
  newStore(): Promise<Store>;
  /** Which occurrences of each step end a run. The first of these must come about. */
  readonly occurrences: readonly number[];
  /** Rounds of the log, a checkpoint each: fewer where a store is slow. */
  readonly rounds: number;
}

class Crash extends Error {
  override readonly name = 'Crash';
}

/** The log: round by round, the same for every run. */
function batches(rounds: number) {
  const log = new ChangeWriter();
  return Array.from({ length: rounds }, (_, i) => log.batch(someChanges(i + 1)));
}

/** Folds the rounds the state has not seen, after each a checkpoint with its parquet file. */
async function work(run: Run, rounds: number, answered: (picture: string, generation: number) => void): Promise<void> {
  const log = batches(rounds);
  for (let round = 0; round < rounds; round++) {
    const { topic, next } = log[round].partitions[0];
    if ((run.state.position(topic, 0)?.next ?? 0) >= next) continue;
    run.state.step(log[round], NOW);
    const picture = pictureOf(run.state);
    const outcome = await run.checkpoint({});
    if (outcome.kind === 'published') answered(picture, outcome.generation);
    await run.snapshots.maintain();
    await run.snapshots.settled();
  }
}

const NAMES = createNames(PREFIX);

/** The generation the parquet file names, once its totals are those in that generation's manifest; 0: there is no file. */
async function fileGeneration(store: Store, lineage: string | null): Promise<number> {
  const file = await store.read(NAMES.parquet);
  if (file === null) return 0;
  const footer = readFooter(file.bytes, file.bytes.length);
  if (footer.kind !== 'footer') throw new Error(`the file is ${footer.kind}`);
  const label = (name: string): string => footer.pairs.get(`rentfold.${name}`) ?? '';
  expect(label('lineage')).toBe(lineage);
  const generation = Number(label('generation'));
  const name = NAMES.manifest(label('lineage'), generation);
  const { totalRevenue, rent, expenses } = readManifest(name, (await store.read(name))!.bytes).parts[0].controlTotals;
  const totals = JSON.parse(label('file_totals')) as unknown;
  expect(totals).toEqual({ total_revenue: formatUnits(Number(totalRevenue)), rent: formatUnits(Number(rent)), expenses: formatUnits(Number(expenses)) });
  expect(JSON.parse(label('control_totals'))).toEqual(totals);
  return generation;
}

/** Registers the suite. */
export function describeCrashes(kind: string, place: CrashPlace): void {
  let expectedPicture: Promise<string> | null = null;

  /** The state at the end of the log, without a crash. */
  const finalPicture = (): Promise<string> => expectedPicture ??= undisturbed(place);

  describe(`${kind} store: crash at every step`, () => crashes(place, finalPicture));
  describe(`${kind} store: lost replies`, () => lostReplies(place, finalPicture));
}

async function undisturbed({ newStore, rounds }: CrashPlace): Promise<string> {
  const run = await startRun(await newStore());
  await work(run, rounds, () => undefined);
  await run.snapshots.close();
  return pictureOf(run.state);
}

function crashes({ newStore, occurrences, rounds }: CrashPlace, finalPicture: () => Promise<string>): void {
  const crashes = STEPS.flatMap((step) => occurrences.map((count) => ({ step, count })));

  it.each(crashes)('$step, time $count', async ({ step: at, count }) => {
    const expected = await finalPicture();
    const store = await newStore();
    let seen = 0;
    const pictures: string[] = [];
    let lastGeneration = 0;
    let isDead = false;
    // What catches the error, as writing the file does, comes no further than the next step.
    const first = await startRun(store, { onStep: (step: Step) => { if (isDead ||= step === at && ++seen === count) throw new Crash(); } });
    const answered = (picture: string, generation: number): void => {
      expect(generation).toBeGreaterThan(lastGeneration);
      lastGeneration = generation;
      pictures.push(picture);
    };
    const crashed = await work(first, rounds, answered).then(() => false, (error: unknown) => {
      if (!(error instanceof Crash)) throw error;
      return true;
    });
    if (count === occurrences[0]) expect(crashed, 'the step must have been reached').toBe(true);
    await first.snapshots.close();
    const second = await startRun(store);
    if (second.restored.kind === 'restored') {
      expect(second.restored.generation).toBeGreaterThanOrEqual(lastGeneration);
      // Everything answered for is there; one more generation may be durable that nobody was told of.
      const restored = pictureOf(second.state);
      if (second.restored.generation === lastGeneration) expect(restored).toBe(pictures.at(-1));
      expect(second.restored.warnings.filter((warning) => warning.code !== 'FILE_UNEXPLAINED')).toEqual([]);
      lastGeneration = second.restored.generation;
    } else expect(pictures).toEqual([]);
    const { lineage } = second.snapshots.status();
    expect(await fileGeneration(store, lineage)).toBeLessThanOrEqual(second.restored.kind === 'restored' ? second.restored.generation : 0);
    await work(second, rounds, answered);
    expect(pictureOf(second.state)).toBe(expected);
    const third = await startRun(store);
    if (crashed || pictures.length > 0) expect(pictureOf(third.state)).toBe(expected);
    const { generation } = second.snapshots.status();
    // Killed after the last manifest, nothing makes a checkpoint due here any more.
    expect(generation! - await fileGeneration(store, second.snapshots.status().lineage)).toBeLessThanOrEqual(1);
    await second.snapshots.close();
  });

  it('left-overs of a crash are named once by the next start and removed in time', async () => {
    const store = await newStore();
    const first = await startRun(store, { onStep: (step) => { if (step === 'current-written') throw new Crash(); } });
    first.state.step(batches(rounds)[0], NOW);
    await expect(first.checkpoint()).rejects.toThrow(Crash);
    await first.snapshots.close();
    const second = await startRun(store);
    expect(second.restored.warnings.map((warning) => warning.code)).toEqual(['FILE_UNEXPLAINED', 'FILE_UNEXPLAINED', 'FILE_UNEXPLAINED']);
    await work(second, rounds, () => undefined);
    await second.snapshots.close();
    expect((await startRun(store)).restored.warnings).toEqual([]);
  });
}

function lostReplies({ newStore, rounds }: CrashPlace, finalPicture: () => Promise<string>): void {
  /** A store whose calls with a matching name are applied, or not, and then fail. */
  function unreliable(store: Store, fails: (operation: 'create' | 'replace', name: string) => 'applied' | 'refused' | null): Store {
    const lost = (name: string): RentfoldError => new RentfoldError('STORE_UNAVAILABLE', `no reply for ${name}`);
    return Object.assign(Object.create(store) as Store, {
      place: store.place,
      read: (name: string) => store.read(name),
      readStream: (name: string) => store.readStream(name),
      list: (prefix: string) => store.list(prefix),
      remove: (name: string) => store.remove(name),
      acquireLease: (writer: string, gone: (reason: string) => void) => store.acquireLease(writer, gone),
      create: async (name: string, content: Uint8Array | AsyncIterable<Uint8Array>) => {
        const fate = fails('create', name);
        if (fate === 'refused') throw lost(name);
        const outcome = await store.create(name, content);
        if (fate === 'applied') throw lost(name);
        return outcome;
      },
      replace: async (name: string, content: Uint8Array, tag: string | null) => {
        const fate = fails('replace', name);
        if (fate === 'refused') throw lost(name);
        const outcome = await store.replace(name, content, tag);
        if (fate === 'applied') throw lost(name);
        return outcome;
      },
    });
  }

  it.each(['applied', 'refused'] as const)('one write in seven is %s without a reply: nothing is lost, numbers rise', async (fate) => {
    const expected = await finalPicture();
    const store = await newStore();
    let writes = 0;
    const run = await startRun(unreliable(store, () => (++writes % 7 === 0 ? fate : null)));
    const generations: number[] = [];
    let failures = 0;
    for (const batch of batches(rounds)) {
      run.state.step(batch, NOW);
      for (let attempt = 0; attempt < 10; attempt++) {
        try {
          const outcome = await run.checkpoint();
          if (outcome.kind === 'published') generations.push(outcome.generation);
          break;
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
          failures++;
        }
      }
      const other = await startRun(store);
      expect(pictureOf(other.state)).toBe(pictureOf(run.state));
    }
    expect(failures).toBeGreaterThan(0);
    expect(generations).toEqual([...generations].sort((a, b) => a - b));
    expect(new Set(generations).size).toBe(rounds);
    expect(pictureOf(run.state)).toBe(expected);
    await run.snapshots.close();
  });

  it('a manifest that was applied though its reply was lost is recognised as our own', async () => {
    const store = await newStore();
    const run = await startRun(unreliable(store, (operation, name) => (operation === 'create' && name.endsWith('.json') ? 'applied' : null)));
    run.state.step(batches(rounds)[0], NOW);
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 1 });
    expect(run.warnings).toEqual([]);
    await run.snapshots.close();
  });

  it('a manifest that arrives after we looked is gone on from, not fought', async () => {
    const store = await newStore();
    const late: (() => Promise<unknown>)[] = [];
    const held = unreliable(store, () => null);
    const run = await startRun(Object.assign(held, {
      create: (name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'> => {
        if (!name.endsWith('.json') || late.length > 0) return store.create(name, content);
        late.push(() => store.create(name, content));
        return Promise.reject(new RentfoldError('STORE_UNAVAILABLE', 'no reply'));
      },
    }));
    const log = batches(rounds);
    run.state.step(log[0], NOW);
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await late[0]();
    run.state.step(log[1], NOW);
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 2 });
    expect(run.snapshots.status().role).toBe('publisher');
    const other = await startRun(store);
    expect(pictureOf(other.state)).toBe(pictureOf(run.state));
    await run.snapshots.close();
  });
}
