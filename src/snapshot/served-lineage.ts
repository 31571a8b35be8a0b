import { RentfoldError } from '../errors.ts';
import { decodeCurrent } from './current.ts';
import { Damage } from './damage.ts';
import type { LineageListing, Listing } from './listing.ts';
import type { Names } from './names.ts';
import type { Store } from './store.ts';

/** Which lineage is served, and how sure that is. */
export interface Served {
  /** Null: the store is empty. Without a manifest in it, it is to be begun. */
  readonly lineage: string | null;
  /** What is wrong with `current.json`, when the lineage was found without it. */
  readonly problem: Damage | null;
}

/** What `current.json` says: a lineage, nothing (there is no such file), or why it cannot be trusted. */
export async function readCurrent(store: Store, names: Names): Promise<{ readonly lineage: string | null; readonly tag: string | null; readonly problem: Damage | null }> {
  const content = await store.read(names.current);
  if (content === null) return { lineage: null, tag: null, problem: null };
  try {
    return { lineage: decodeCurrent(names.current, content.bytes).lineage, tag: content.tag, problem: null };
  } catch (error) {
    if (error instanceof Damage) return { lineage: null, tag: content.tag, problem: error };
    throw error;
  }
}

/**
 * The lineage to restore. Without a usable `current.json` it is the only one that holds manifests; with several, nobody can tell, and with
 * data but no manifest something was lost: both throw STORE_DAMAGED.
 */
export async function findServed(store: Store, names: Names, listing: Listing): Promise<Served> {
  const current = await readCurrent(store, names);
  const complete = [...listing.lineages].filter(([, files]) => files.manifests.length > 0).map(([lineage]) => lineage);
  if (current.lineage !== null) {
    if (complete.includes(current.lineage)) return { lineage: current.lineage, problem: null };
    if (complete.length === 0 && !hasLostManifests(listing.lineages.get(current.lineage))) return { lineage: current.lineage, problem: null };
    throw damaged(store, names, `${names.current} names lineage ${current.lineage}, whose manifests are gone`);
  }
  const problem = current.problem ?? (complete.length > 0 ? new Damage(names.current, 'the file is missing') : null);
  if (complete.length === 1) return { lineage: complete[0], problem };
  if (complete.length > 1) throw damaged(store, names, `${problem?.message ?? names.current}, and there are ${complete.length} lineages (${complete.join(', ')}): nobody can tell which is served`);
  if ([...listing.lineages.values()].some(hasLostManifests)) throw damaged(store, names, 'there are checkpoint files but no manifest');
  return { lineage: null, problem };
}

/** A first checkpoint that was cut short leaves files of generation 1 without a manifest; later ones cannot be without. */
function hasLostManifests(files: LineageListing | undefined): boolean {
  return files !== undefined && files.manifests.length === 0 && files.highest > 1;
}

function damaged(store: Store, names: Names, what: string): RentfoldError {
  return new RentfoldError('STORE_DAMAGED', `the store ${store.place} is damaged: ${what}; put ${names.checkpoints} back from a copy, or use an empty store to read the log from zero`);
}
