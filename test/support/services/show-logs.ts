import { readFile } from 'node:fs/promises';
import { afterEach } from 'vitest';
import { usedLogFiles } from './shared.ts';

/** Of every test file: the last lines of the services it uses are shown when one of its tests fails. */

const LINES = 40;

afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const file of usedLogFiles) {
    const log = await readFile(file, 'utf8').catch(() => '');
    process.stderr.write(`--- last lines of ${file}\n${log.split('\n').slice(-LINES).join('\n')}\n`);
  }
});
