import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A generation as its manifest in a local store says. */
export interface Generation {
  readonly generation: number;
  readonly writer: string;
}

/** All generations that lie in a local store, the newest last. Reads names and two fields, nothing of the code under test. */
export function generationsIn(storeFolder: string): readonly Generation[] {
  const root = join(storeFolder, 'cdc/financial_performance/checkpoints');
  return namesIn(root)
    .filter((name) => /^\d{10}\.json$/.test(name.split('/').at(-1)!))
    .map((name) => {
      try {
        return JSON.parse(readFileSync(join(root, name), 'utf8')) as Generation;
      } catch {
        // Removed since it was listed.
        return null;
      }
    })
    .filter((manifest) => manifest !== null)
    .sort((a, b) => a.generation - b.generation);
}

/** Number of the newest, 0 when there is none. */
export function newestGeneration(storeFolder: string): number {
  return generationsIn(storeFolder).at(-1)?.generation ?? 0;
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}
