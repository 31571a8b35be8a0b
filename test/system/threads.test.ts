/**
 * Goal: the thread that answers reads goes first: the threads that read ahead and write checkpoints are a little less urgent, it is not.
 * Method: the real process; the system is asked for the niceness of each of its threads by name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RentfoldProcess } from '../support/process.ts';
import { Workplace } from '../support/workplace.ts';

/** Niceness by name of thread; the main thread is '(main)'. */
function niceness(pid: number): Map<string, number> {
  const nice = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))!;
    nice.set(thread === String(pid) ? '(main)' : name, Number(rest.split(' ')[16]));
  }
  return nice;
}

it.skipIf(process.platform !== 'linux')('gives the workers a little less than the main thread', async () => {
  await using place = await Workplace.create();
  await using program = new RentfoldProcess({ ...place.settings, RENTFOLD_FILE_DIR: 'config/demo', RENTFOLD_CHECKPOINT_CHANGES: '10' });
  await program.ready();
  await program.until('has written a checkpoint', async () => Number((await program.status()).checkpoints.succeeded) > 0);
  const own = niceness(process.pid).get('(main)')!;
  // A thread that is just beginning has not given way yet.
  await expect.poll(() => [...niceness(program.pid)].filter(([name]) => ['(main)', 'ingest', 'snapshot'].includes(name))).toEqual([['(main)', own], ['ingest', own + 5], ['snapshot', own + 5]]);
});
