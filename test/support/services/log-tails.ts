import { readFile, rm } from 'node:fs/promises';

/** The last lines of the logs of services that this thread uses, for when a test fails; those of an ended service too. */

const LINES = 40;
const used = new Set<string>();
const ended = new Map<string, string>();

/** Notes that a service is used. */
export function useLog(file: string): void {
  used.add(file);
}

/** Removes the data of an ended service, and keeps the last lines of its logs until they are asked for. */
export async function removeData(folder: string, logFiles: readonly string[]): Promise<void> {
  for (const file of logFiles) if (used.has(file)) ended.set(file, await tailOf(file));
  await rm(folder, { recursive: true, force: true });
}

/** File → last lines, of every service used. Those of ended services are answered once. */
export async function logTails(): Promise<Map<string, string>> {
  const tails = new Map(ended);
  for (const file of used) if (!ended.has(file)) tails.set(file, await tailOf(file));
  for (const file of ended.keys()) used.delete(file);
  ended.clear();
  return tails;
}

async function tailOf(file: string): Promise<string> {
  const log = await readFile(file, 'utf8').catch(() => '');
  return log.split('\n').slice(-LINES).join('\n');
}
