import type { Step } from '../../src/snapshot/checkpointer.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import { ChangeWriter } from './change-writer.ts';
import { openLocal, PREFIX, startRun } from './snapshot-run.ts';
import { manyChanges, NOW } from './some-changes.ts';

/** A process that folds and checkpoints round after round with a real worker, and kills itself at the n-th occurrence of a step: folder, step, n. */
const [directory, step, count] = [process.argv[2], process.argv[3] as Step, Number(process.argv[4])];
let seen = 0;
const run = await startRun(await openLocal(directory), {
  work: createThreadWork({ kind: 'local', options: { directory, ownFolder: PREFIX } }),
  onStep: (at) => { if (at === step && ++seen === count) process.kill(process.pid, 'SIGKILL'); },
});
const log = new ChangeWriter();
for (let round = 1; round <= 40; round++) {
  run.state.step(log.batch(manyChanges(round)), NOW);
  const outcome = await run.checkpoint();
  process.stdout.write(`${outcome.kind === 'published' ? outcome.generation : outcome.kind}\n`);
  await run.snapshots.maintain();
  await run.snapshots.settled();
}
await run.snapshots.close();
