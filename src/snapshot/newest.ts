import { listAll } from './listing.ts';
import type { Manifest } from './manifest.ts';
import type { Names } from './names.ts';
import { nullWhenDamaged, readManifestFile } from './restore.ts';
import { findServed } from './served-lineage.ts';
import type { Store } from './store.ts';

/** The newest manifest of the served lineage that can be read, or null. Reads only; its segments are not looked at. Throws what `findServed` throws. */
export async function newestManifest(store: Store, names: Names): Promise<Manifest | null> {
  const listing = await listAll(store, names);
  const { lineage } = await findServed(store, names, listing);
  if (lineage === null) return null;
  for (const generation of listing.lineages.get(lineage)?.manifests ?? []) {
    const manifest = await readManifestFile(store, names, lineage, generation).catch(nullWhenDamaged);
    if (manifest !== null) return manifest;
  }
  return null;
}
