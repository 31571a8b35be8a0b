/**
 * Goal: the commands that look into a store say what is wrong with it, most of all when something is.
 * Method: checkpoints in a store in memory, of which files are lost or altered; what the commands print or throw is compared.
 */
import { describe, expect, it } from 'vitest';
import { deadLettersText } from '../../src/cli/dead-letters-command.ts';
import { inspectText } from '../../src/cli/inspect-command.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { createMemoryPlace, MemoryStore, type MemoryPlace } from '../support/memory-store.ts';
import { PREFIX, startRun } from '../support/snapshot-run.ts';
import { NOW, someChanges } from '../support/some-changes.ts';

/** A place with two generations, each with an open dead letter. */
async function checkpointed(): Promise<MemoryPlace> {
  const place = createMemoryPlace();
  const run = await startRun(new MemoryStore(place));
  const log = new ChangeWriter('rents', 1);
  for (let round = 1; round <= 2; round++) {
    run.state.step(log.batch(someChanges(round)), NOW);
    await run.checkpoint();
  }
  await run.snapshots.close();
  return place;
}

const nameOf = (place: MemoryPlace, pattern: RegExp): string => [...place.files.keys()].find((name) => pattern.test(name))!;

function flipBit(place: MemoryPlace, name: string): void {
  const bytes = Uint8Array.from(place.files.get(name)!);
  bytes[bytes.length >> 1] ^= 1;
  place.files.set(name, bytes);
}

describe('dead-letters', () => {
  it.each([['the newest manifest', /0000000002\.json$/], ['the file of letters', /0000000002-.*\.dead-letters\.jsonl$/]])('says which file is altered: %s', async (_what, pattern) => {
    const place = await checkpointed();
    const name = nameOf(place, pattern);
    flipBit(place, name);
    await expect(deadLettersText(new MemoryStore(place), PREFIX, ['list'])).rejects.toMatchObject({ code: 'STORE_DAMAGED', exit: 4, message: expect.stringContaining(name) as string });
  });
});

describe('inspect', () => {
  it('shows a store in which nobody can tell what is served, and says so', async () => {
    const place = await checkpointed();
    place.files.delete(`${PREFIX}checkpoints/current.json`);
    const other = '20260101T000000000Z-00000000';
    for (const [name, bytes] of [...place.files]) place.files.set(name.replace(/checkpoints\/[^/]+\//, `checkpoints/${other}/`), bytes);
    const text = await inspectText(new MemoryStore(place), PREFIX, []);
    expect(text).toMatch(/^warning: .*nobody can tell which is served/m);
    expect(text.match(/^lineage /gm)).toHaveLength(2);
    expect(text).not.toContain('(served)');
  });

  it('shows which generation is altered, and refuses to describe an altered file', async () => {
    const place = await checkpointed();
    const name = nameOf(place, /0000000002\.json$/);
    flipBit(place, name);
    expect(await inspectText(new MemoryStore(place), PREFIX, [])).toContain(`${name}: damaged`);
    await expect(inspectText(new MemoryStore(place), PREFIX, [name])).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });
});
