import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { createBooks } from '../../src/ledger/books.ts';
import type { RowColumns } from '../../src/ledger/ledger.ts';
import type { Step } from '../../src/snapshot/checkpointer.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import type { SnapshotWork } from '../../src/snapshot/work.ts';
import { createState } from '../../src/state.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { DEFINITIONS, newFolder, openLocal, pictureOf, PREFIX, startRun } from '../support/snapshot-run.ts';
import { manyChanges, NOW, someChanges } from '../support/some-changes.ts';

// Goal: with a real worker thread and a real kill -9, a restart stands at a state that equals folding the log up to its positions, at once, and
// goes on. Method: a child process kills itself at a step; this process takes its store over and compares with a fold of its own.

const folders: string[] = [];
afterAll(async () => { for (const folder of folders) await rm(folder, { recursive: true, force: true }); });

function folder(): string {
  folders.push(newFolder());
  return folders.at(-1)!;
}

/** The state after folding rounds until the positions given are reached. */
function foldedTo(next: number): string {
  const state = createState(createBooks(DEFINITIONS));
  const log = new ChangeWriter();
  for (let round = 1; (state.positions()[0]?.next ?? 0) < next; round++) state.step(log.batch(manyChanges(round)), NOW);
  return pictureOf(state);
}

describe('kill -9 of a process with a worker', () => {
  const kills: [Step, number][] = [
    ['slice-drawn', 4], ['segment-written', 3], ['dead-letters-written', 2], ['current-written', 1], ['manifest-written', 3], ['prune-manifest-removed', 1],
    ['prune-file-removed', 1], ['compaction-begun', 1], ['compaction-written', 1],
  ];
  it.each(kills)('at %s, time %i', async (step, count) => {
    const directory = folder();
    const child = promisify(execFile)(process.execPath, [join(import.meta.dirname, '../support/checkpoint-loop.ts'), directory, step, String(count)]);
    const failure = await child.then(() => null, (error: unknown) => error as { signal: string; stdout: string });
    expect(failure?.signal, 'the step must have been reached').toBe('SIGKILL');
    const answered = failure!.stdout.trim() === '' ? 0 : Math.max(...failure!.stdout.trim().split('\n').map(Number));
    const work = createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } });
    const run = await startRun(await openLocal(directory), { work });
    expect(run.snapshots.status().role, 'the lease of a dead process is taken at once').toBe('publisher');
    expect(run.restored.kind === 'restored' ? run.restored.generation : 0).toBeGreaterThanOrEqual(answered);
    if (run.restored.kind === 'restored') expect(pictureOf(run.state)).toBe(foldedTo(run.state.positions()[0].next));
    expect((await readdir(join(directory, PREFIX, '.rentfold'))).filter((name) => name.startsWith('tmp-'))).toEqual([]);
    run.state.step(new ChangeWriter('other', 1).batch(someChanges(99)), NOW);
    const outcome = await run.checkpoint();
    expect(outcome.kind === 'published' && outcome.generation > answered).toBe(true);
    const picture = pictureOf(run.state);
    await run.snapshots.close();
    const again = await startRun(await openLocal(directory));
    expect(pictureOf(again.state)).toBe(picture);
    await again.snapshots.close();
  });
});

describe('the worker thread', () => {
  it('does all jobs, and tells damage as damage', async () => {
    const directory = folder();
    const store = await openLocal(directory);
    const run = await startRun(store, { work: createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } }) });
    const log = new ChangeWriter();
    for (let round = 1; round <= 8; round++) {
      run.state.step(log.batch(manyChanges(round)), NOW);
      await run.checkpoint();
      await run.snapshots.maintain();
      await run.snapshots.settled();
    }
    const picture = pictureOf(run.state);
    await run.snapshots.close();
    const work = createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } });
    const other = await startRun(store, { work });
    expect(pictureOf(other.state)).toBe(picture);
    const newest = other.restored.kind === 'restored' ? other.restored.manifest : null;
    const base = newest!.parts[0].segments.at(-1)!;
    await other.snapshots.close();
    await store.remove(`${PREFIX}checkpoints/${newest!.lineage}/${base.accounts.name}`);
    const damaged = await startRun(store, { work: createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } }) });
    expect(damaged.restored).toMatchObject({ kind: 'restored', generation: newest!.generation - 1, warnings: [{ code: 'GENERATION_UNUSABLE', message: expect.stringContaining(base.accounts.name) as unknown }] });
    await damaged.snapshots.close();
  });

  it('gives up a write whose blocks fail, leaves nothing behind, and does the next', async () => {
    const directory = folder();
    await openLocal(directory);
    const work = createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } });
    async function* failing(): AsyncGenerator<RowColumns> {
      yield* [];
      await Promise.resolve();
      throw new Error('no more rows');
    }
    const target = { kind: 'base' as const, folder: `${PREFIX}x/`, rowsName: '0000000001-abcd-1.arrow', accountsName: '0000000001-abcd-2.arrow', partitions: [] };
    await expect(work.writeSegment(target, failing())).rejects.toThrow('no more rows');
    async function* none(): AsyncGenerator<RowColumns> { yield* []; await Promise.resolve(); }
    const entry = await work.writeSegment(target, none());
    expect(entry.rows.rows).toBe(0);
    expect((await readdir(join(directory, PREFIX, 'x'))).sort()).toEqual(['0000000001-abcd-1.arrow', '0000000001-abcd-2.arrow']);
    await work.close();
  });

  it('fails jobs with a store error as such, and jobs under way when it is closed', async () => {
    const directory = folder();
    const work = createThreadWork({ kind: 'local', options: { directory: join(directory, 'not-open'), ownFolder: PREFIX } });
    const job = { folder: `${PREFIX}x/`, name: '0000000001-abcd-1.dead-letters.jsonl', letters: [], previous: null };
    await expect(work.writeLetters(job)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const pending = work.writeLetters(job);
    const failed = expect(pending).rejects.toMatchObject({ code: 'UNEXPECTED' });
    await work.close();
    await failed;
  });

  it('is not started again once it is closed: a restore under way at the end fails at once', async () => {
    const directory = folder();
    const store = await openLocal(directory);
    const before = await startRun(store);
    before.state.step(new ChangeWriter().batch(manyChanges(1)), NOW);
    await before.checkpoint();
    await before.snapshots.close();
    const work = createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } });
    const readSegment = work.readSegment.bind(work);
    const ending: SnapshotWork = {
      ...work,
      readSegment: (from, entry) => {
        void work.close();
        return readSegment(from, entry);
      },
    };
    await expect(startRun(store, { work: ending })).rejects.toMatchObject({ code: 'UNEXPECTED', message: expect.stringContaining('the process is ending') as unknown });
    await expect(work.writeLetters({ folder: `${PREFIX}x/`, name: '0000000001-abcd-1.dead-letters.jsonl', letters: [], previous: null })).rejects.toMatchObject({ code: 'UNEXPECTED' });
  });
});
