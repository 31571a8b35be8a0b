import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { faultReport } from './table.ts';

/**
 * Collects what `faultFired` tells in all of vitest's processes, and prints the table at the end. RENTFOLD_TEST_FAULTS=FILE says that the run is complete:
 * the table is then written to that file, too, and a fault that never happened fails the run. In other runs only what happened is printed.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'rentfold-faults-'));
  const told = join(folder, 'told');
  await writeFile(told, '');
  project.provide('rentfoldFaults', told);
  return async () => {
    const ids = (await readFile(told, 'utf8')).split('\n').filter((id) => id !== '');
    await rm(folder, { recursive: true });
    await report(ids, process.env.RENTFOLD_TEST_FAULTS ?? null);
  };
}

async function report(told: readonly string[], completeRunFile: string | null): Promise<void> {
  const { lines, missing } = faultReport(told);
  if (completeRunFile === null) {
    const seen = lines.filter((line) => !missing.some((id) => line.startsWith(`${id} `)));
    if (seen.length > 0) process.stdout.write(`\nFaults that happened, and how often:\n${seen.join('\n')}\n`);
    return;
  }
  const verdict = missing.length === 0 ? `every one of ${lines.length} faults happened` : `FAILED: never happened: ${missing.join(', ')}`;
  const text = `Faults, and how often each happened:\n${lines.join('\n')}\n${verdict}\n`;
  await writeFile(completeRunFile, text);
  process.stdout.write(`\n${text}`);
  if (missing.length > 0) process.exitCode = 1;
}
