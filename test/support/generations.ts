import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerClient } from '@azure/storage-blob';

/** A generation as its manifest in a local store says. */
export interface Generation {
  readonly generation: number;
  readonly writer: string;
  readonly parts: readonly { readonly controlTotals: { readonly totalRevenue: string; readonly rent: string; readonly expenses: string } }[];
}

/** All generations that lie in a local store, the newest last. Reads names and a few fields, nothing of the code under test. */
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

/** The same of a container. */
export async function generationsInContainer(client: ContainerClient): Promise<readonly Generation[]> {
  const manifests: Generation[] = [];
  if (!await client.exists()) return manifests;
  for await (const { name } of client.listBlobsFlat({ prefix: 'cdc/financial_performance/checkpoints/' })) {
    if (!/\/\d{10}\.json$/.test(name)) continue;
    const bytes = await client.getBlobClient(name).downloadToBuffer().catch((error: { statusCode?: number }) => {
      if (error.statusCode === 404) return null;
      throw error;
    });
    if (bytes !== null) manifests.push(JSON.parse(bytes.toString()) as Generation);
  }
  return manifests.sort((a, b) => a.generation - b.generation);
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
