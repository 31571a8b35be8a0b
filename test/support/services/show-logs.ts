import { afterEach } from 'vitest';
import { logTails } from './log-tails.ts';

/** Of every test file: the last lines of the services it uses are shown when one of its tests fails. */

afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const [file, lines] of await logTails()) process.stderr.write(`--- last lines of ${file}\n${lines}\n`);
});
