import { RentfoldError } from '../errors.ts';
import { listLineage } from './listing.ts';
import { namedFiles } from './manifest.ts';
import type { Names } from './names.ts';
import { nullWhenDamaged, readManifestFile } from './restore.ts';
import type { Store } from './store.ts';

/** Generations kept, with all they name. */
export const GENERATIONS_KEPT = 5;

export interface PruneParts {
  readonly store: Store;
  readonly names: Names;
  readonly lineage: string;
  /** File names in use though no manifest names them yet: a merge under way or waiting to be published. */
  readonly inUse: ReadonlySet<string>;
  readonly onStep: (step: 'prune-manifest-removed' | 'prune-file-removed') => void | Promise<void>;
}

/** `prune`; answers the outage that kept it from its work, if one did. */
export async function tryToPrune(parts: PruneParts): Promise<RentfoldError | null> {
  try {
    await prune(parts);
    return null;
  } catch (error) {
    if (error instanceof RentfoldError) return error;
    throw error;
  }
}

/**
 * Removes older generations: their manifests first, oldest first, then the files older than the oldest kept generation that no kept manifest
 * names; left-overs of interrupted checkpoints go the same way in time. While a kept manifest cannot be read, no file is removed:
 * nobody knows what it names.
 */
export async function prune(parts: PruneParts): Promise<{ readonly removed: number }> {
  const { store, names, lineage } = parts;
  const listing = await listLineage(store, names, lineage);
  const kept = listing.manifests.slice(0, GENERATIONS_KEPT);
  const oldestKept = kept.at(-1);
  if (oldestKept === undefined) return { removed: 0 };
  let removed = 0;
  for (const generation of listing.manifests.slice(GENERATIONS_KEPT).reverse()) {
    await store.remove(names.manifest(lineage, generation));
    removed++;
    await parts.onStep('prune-manifest-removed');
  }
  const needed = new Set(parts.inUse);
  for (const generation of kept) {
    const manifest = await readManifestFile(store, names, lineage, generation).catch(nullWhenDamaged);
    if (manifest === null) return { removed };
    for (const name of namedFiles(manifest)) needed.add(name);
  }
  for (const file of listing.files) {
    if (file.generation >= oldestKept || needed.has(file.name)) continue;
    await store.remove(names.file(lineage, file.name));
    removed++;
    await parts.onStep('prune-file-removed');
  }
  return { removed };
}
