import { createHash } from 'node:crypto';
import { RentfoldError } from '../errors.ts';
import type { Store } from './store.ts';

/** What stood in the parquet file's place and was not ours: copies in a folder of their own, and the mark that rentfold has written there since. */

/** The names. */
export interface CopyPlace {
  /** The parquet file. */
  readonly name: string;
  /** Folder of the copies. Only files named as copies are named count: an operator may keep others there. */
  readonly legacy: string;
  /** Is there once rentfold has written the file. */
  readonly marker: string;
}

/** A copy, as it lies there. */
export interface Copy {
  readonly name: string;
  readonly size: number;
}

/** Kept besides the oldest, which is what stood there before rentfold. */
const NEWEST_KEPT = 4;
const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** All copies, the oldest first. */
export async function copiesOf(store: Store, place: CopyPlace): Promise<Copy[]> {
  const copies: Copy[] = [];
  for await (const { name, size } of store.list(place.legacy)) if (takenAt(place, name) !== null) copies.push({ name, size });
  return copies;
}

/** Whether one of the copies has the bytes of the file, which is of this size. Throws `Damage` when one of them changes meanwhile. */
export async function isAmong(store: Store, copies: readonly Copy[], name: string, size: number): Promise<boolean> {
  const alike = copies.filter((copy) => copy.size === size);
  if (alike.length === 0) return false;
  const hash = await hashOf(store, name);
  for (const copy of alike) if (hash !== null && await hashOf(store, copy.name) === hash) return true;
  return false;
}

/**
 * Copies the file, and removes the copies that are too many; answers the new one's name, or null when the file is gone. `now`: milliseconds since 1970, for
 * its name. Throws `Damage` when the file changes meanwhile.
 */
export async function copyAside(store: Store, place: CopyPlace, copies: readonly Copy[], now: number): Promise<string | null> {
  const stream = await store.readStream(place.name);
  if (stream === null) return null;
  // Names stay in the order of copying, whatever the clock does: the first one is never taken for a later one.
  const newest = copies.at(-1);
  const at = Math.max(now, newest === undefined ? 0 : takenAt(place, newest.name)! + 1);
  const copy = `${stem(place)}${new Date(at).toISOString().replace(/[-:.]/g, '')}.parquet`;
  if (await store.create(copy, stream) !== 'created') throw new RentfoldError('STORE_UNAVAILABLE', `${copy} is there already; it is tried again under another name`);
  for (const { name } of copies.slice(1, Math.max(1, copies.length + 1 - NEWEST_KEPT))) await store.remove(name);
  return copy;
}

/** Whether rentfold has written the file before. */
export async function hasWritten(store: Store, { marker }: CopyPlace): Promise<boolean> {
  return await store.readEnd(marker, 1) !== null;
}

/** Remembers that rentfold has written the file: from now on what another program puts there came after ours. */
export async function markWritten(store: Store, { marker }: Pick<CopyPlace, 'marker'>): Promise<void> {
  if (await store.readEnd(marker, 1) === null) await store.create(marker, Buffer.from('{"note":"rentfold has written the parquet file; without this file it takes what it finds there for what stood there before"}\n'));
}

function stem({ name, legacy }: CopyPlace): string {
  return `${legacy}${name.slice(name.lastIndexOf('/') + 1).replace(/\.parquet$/, '')}-`;
}

/** When a copy was taken, by its name, in milliseconds; null: it is none. */
function takenAt(place: CopyPlace, name: string): number | null {
  const start = stem(place);
  if (!name.startsWith(start) || !name.endsWith('.parquet')) return null;
  const stamp = STAMP.exec(name.slice(start.length, -'.parquet'.length));
  const at = stamp === null ? Number.NaN : Date.parse(`${stamp.slice(1, 4).join('-')}T${stamp.slice(4, 7).join(':')}.${stamp[7]}Z`);
  return Number.isNaN(at) ? null : at;
}

async function hashOf(store: Store, name: string): Promise<string | null> {
  const stream = await store.readStream(name);
  if (stream === null) return null;
  const hash = createHash('sha256');
  for await (const piece of stream) hash.update(piece);
  return hash.digest('hex');
}
