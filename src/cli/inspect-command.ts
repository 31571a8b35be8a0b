import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { RentfoldError } from '../errors.ts';
import { damageAsError } from '../snapshot/damage.ts';
import { describeFile } from '../snapshot/describe.ts';
import { listAll, type Listing } from '../snapshot/listing.ts';
import { createNames, type Names } from '../snapshot/names.ts';
import { nullWhenDamaged, readManifestFile } from '../snapshot/restore.ts';
import { findServed } from '../snapshot/served-lineage.ts';
import type { Store } from '../snapshot/store.ts';

/** Text of `rentfold inspect`: what the store holds, or one file of it in words. Throws STORE_DAMAGED for a file that is altered. */
export async function inspectText(store: Store, prefix: string, parameters: readonly string[]): Promise<string> {
  const [file] = parameters;
  if (file === undefined) return await storeText(store, createNames(prefix));
  const bytes = existsSync(file) ? await readFile(file) : (await store.read(file).catch(() => null))?.bytes;
  if (bytes === undefined) throw new RentfoldError('CONFIGURATION_INVALID', `there is no ${file}, neither as a path nor as a name in ${store.place}; rentfold inspect lists what there is`);
  try {
    return `${describeFile(file, bytes).join('\n')}\n`;
  } catch (error) {
    throw damageAsError(error);
  }
}

async function storeText(store: Store, names: Names): Promise<string> {
  const listing = await listAll(store, names);
  const served = await servedOrWhyNot(store, names, listing);
  const lines = [`store ${store.place}`];
  if (served.problem !== null) lines.push(`warning: ${served.problem}`);
  if (listing.lineages.size === 0) lines.push('no checkpoint yet');
  for (const [lineage, files] of [...listing.lineages].sort()) {
    lines.push(`lineage ${lineage}${lineage === served.lineage ? ' (served)' : ''}`);
    for (const generation of files.manifests) lines.push(await generationLine(store, names, lineage, generation));
    lines.push(`  ${files.files.length} data files`);
  }
  for (const name of listing.strange) lines.push(`not ours, not used: ${name}`);
  return `${lines.join('\n')}\n`;
}

/** A store in which nobody can tell what is served is shown all the same: that is when it is looked at. */
async function servedOrWhyNot(store: Store, names: Names, listing: Listing): Promise<{ readonly lineage: string | null; readonly problem: string | null }> {
  try {
    const { lineage, problem } = await findServed(store, names, listing);
    return { lineage, problem: problem?.message ?? null };
  } catch (error) {
    if (!(error instanceof RentfoldError) || error.code !== 'STORE_DAMAGED') throw error;
    return { lineage: null, problem: error.message };
  }
}

async function generationLine(store: Store, names: Names, lineage: string, generation: number): Promise<string> {
  const name = names.manifest(lineage, generation);
  const manifest = await readManifestFile(store, names, lineage, generation).catch(nullWhenDamaged);
  if (manifest === null) return `  ${name}: damaged`;
  const [part] = manifest.parts;
  const rows = Object.values(part.controlTotals.rows).reduce((sum, count) => sum + count, 0);
  return `  ${name}: ${new Date(manifest.createdAt).toISOString()}, ${rows} rows in ${part.segments.length} segments, ${part.deadLetters?.count ?? 0} open dead letters`;
}
