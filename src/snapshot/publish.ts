import { RentfoldError } from '../errors.ts';
import { sha256Of } from './file-entry.ts';
import { encodeManifest, type Manifest } from './manifest.ts';
import type { Names } from './names.ts';
import { encodeCurrent } from './current.ts';
import { readCurrent } from './served-lineage.ts';
import type { Store } from './store.ts';

/** The writes that make a generation count. Both are conditional, and both find out what became of a write whose reply was lost. */

/** What became of a manifest. `fenced`: another writer has this generation. */
export type Publication = 'published' | 'fenced';

/** Manifests this process tried to write and does not know the outcome of, by generation. */
export type Attempts = Map<number, { readonly manifest: Manifest; readonly sha256: string }>;

/**
 * Creates the manifest of its generation. When the store says there is one already, or does not answer, it is read back: our own content is
 * our own write. Throws what the store throws when the outcome stays unknown; the attempt is then remembered.
 */
export async function publishManifest(store: Store, names: Names, manifest: Manifest, attempts: Attempts): Promise<Publication> {
  const bytes = encodeManifest(manifest);
  const sha256 = sha256Of(bytes);
  const name = names.manifest(manifest.lineage, manifest.generation);
  const earlier = attempts.get(manifest.generation);
  attempts.set(manifest.generation, { manifest, sha256 });
  let failure: Error | null = null;
  try {
    if (await store.create(name, bytes) === 'created') return forgetAttempt(attempts, manifest.generation, 'published');
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const there = await store.read(name).catch(() => null);
  const found = there === null ? null : sha256Of(there.bytes);
  if (found === sha256) return forgetAttempt(attempts, manifest.generation, 'published');
  if (found === null && failure !== null) throw failure;
  if (found !== null && found === earlier?.sha256) {
    attempts.set(manifest.generation, earlier);
    throw new RentfoldError('STORE_UNAVAILABLE', `${name} is there from an earlier try of ours that got no reply; the next checkpoint goes on from it`);
  }
  if (found === null) throw new RentfoldError('STORE_UNAVAILABLE', `${name} is said to exist but cannot be read; the checkpoint is tried again`);
  return forgetAttempt(attempts, manifest.generation, 'fenced');
}

function forgetAttempt(attempts: Attempts, generation: number, outcome: Publication): Publication {
  attempts.delete(generation);
  return outcome;
}

/** The attempt that turned out to be written, or null: the manifest there is not one of ours. */
export async function attemptThere(store: Store, names: Names, lineage: string, generation: number, attempts: Attempts): Promise<Manifest | null> {
  const attempt = attempts.get(generation);
  if (attempt === undefined) return null;
  const there = await store.read(names.manifest(lineage, generation));
  return there !== null && sha256Of(there.bytes) === attempt.sha256 ? attempt.manifest : null;
}

/**
 * Makes sure `current.json` names the lineage: writes it when it is missing or cannot be read. Answers the lineage that is served then,
 * which is another's when somebody was faster.
 */
export async function ensureCurrent(store: Store, names: Names, lineage: string, now: number): Promise<string> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const current = await readCurrent(store, names);
    if (current.lineage !== null) return current.lineage;
    await store.replace(names.current, encodeCurrent({ lineage, changedAt: now }), current.tag);
  }
  throw new RentfoldError('STORE_UNAVAILABLE', `${names.current} could not be written; the checkpoint is tried again`);
}
