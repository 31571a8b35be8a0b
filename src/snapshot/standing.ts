import type { DecodeOptions } from '../change/decoder.ts';
import { partitionName, type PartitionPosition } from '../source/positions.ts';
import type { CheckpointRequest, SnapshotStatus } from './checkpointer.ts';
import { decodingChanges } from './decoding-changes.ts';
import { listLineage, type LineageListing } from './listing.ts';
import type { Manifest } from './manifest.ts';
import type { Names } from './names.ts';
import { attemptThere, type Attempts } from './publish.ts';
import { nullWhenDamaged, readManifestFile } from './restore.ts';
import { readCurrent } from './served-lineage.ts';
import type { Store } from './store.ts';

/** Where our state stands in the store: what its next generation follows. */
export interface Standing {
  /** Null until a lineage is begun or joined. */
  readonly lineage: string | null;
  /** The generation our unwritten changes come on top of; null: everything must be written. */
  readonly head: Manifest | null;
  /** Newest generation known, for `parent`; differs from `head` after a take-over. */
  readonly parent: Manifest | null;
  /** Highest generation number seen in any name. */
  readonly highest: number;
}

export const NOWHERE: Standing = { lineage: null, head: null, parent: null, highest: 0 };

/** May we publish on top of what the store holds now? */
export type Confirmation =
  /** `lost`: what of our last generation is not in the store any more, in words, or null; then everything has to be written. */
  | { readonly kind: 'confirmed'; readonly standing: Standing; readonly lost: string | null }
  /** Another process published since we last looked. */
  | { readonly kind: 'overtaken'; readonly by: string; readonly standing: Standing }
  /** Not now, or never as we are. */
  | { readonly kind: 'barred'; readonly reason: string };

/**
 * Compares our standing with the store. A generation we do not know was written by another process (or by a try of ours whose reply was lost):
 * our unwritten changes are not on top of it, so the next cut has to be full, numbered above it, and may not stand behind its positions. Neither are they on top of a
 * generation that somebody took files of since (a lifecycle rule, a hand, a new container in the old one's place): what is in memory is then all there is.
 */
export async function confirmStanding(
  store: Store, names: Names, standing: Standing, attempts: Attempts, state: { readonly decoding: DecodeOptions; readonly positions: readonly PartitionPosition[] },
): Promise<Confirmation> {
  const current = await readCurrent(store, names);
  if (current.lineage !== null && standing.lineage !== null && current.lineage !== standing.lineage) {
    return { kind: 'barred', reason: `lineage ${current.lineage} is served now, this process holds lineage ${standing.lineage}: start it again to serve the other` };
  }
  const lineage = current.lineage ?? standing.lineage;
  if (lineage === null) return { kind: 'confirmed', standing, lost: null };
  const listing = await listLineage(store, names, lineage);
  const newest = listing.manifests[0] ?? 0;
  const highest = Math.max(standing.highest, newest);
  if (newest <= standing.highest) {
    const lost = standing.head === null ? null : lostOf(standing.head, listing, names);
    return { kind: 'confirmed', standing: { ...standing, lineage, highest }, lost };
  }
  const own = await attemptThere(store, names, lineage, newest, attempts);
  if (own !== null) return { kind: 'confirmed', standing: { lineage, head: own, parent: own, highest }, lost: null };
  const other = await readManifestFile(store, names, lineage, newest).catch(nullWhenDamaged);
  const moved: Standing = { lineage, head: null, parent: other ?? standing.parent, highest };
  const by = other === null ? `generation ${newest}` : `writer ${other.writer}, generation ${newest}`;
  if (other === null) return { kind: 'overtaken', by, standing: moved };
  const [change] = decodingChanges(other.decoding, state.decoding, other.newestChangeAt);
  if (change !== undefined) return { kind: 'barred', reason: `${change.option} differs from the one generation ${newest} was read with (${change.recorded} there, ${change.now} here)` };
  const behind = firstBehind(state.positions, other.positions);
  if (behind !== null) return { kind: 'barred', reason: `generation ${newest} is further than this process has read: ${behind}` };
  return { kind: 'overtaken', by, standing: moved };
}

/** What the status of snapshots says of a standing. */
export function describeStanding({ head, parent, lineage }: Standing): Omit<SnapshotStatus, 'role' | 'reason'> {
  const manifest = head ?? parent;
  const segments = manifest?.parts[0].segments ?? [];
  return {
    lineage, generation: manifest?.generation ?? null, createdAt: manifest?.createdAt ?? null, segments: segments.length,
    bytes: segments.reduce((sum, { rows, accounts }) => sum + rows.bytes + accounts.bytes, 0),
  };
}

/** Whether the state is still the one a generation holds: it follows from the log, so nothing has changed while the positions have not. */
export function isStateOf(manifest: Manifest, { state, caughtUpOnce, incompleteHistory }: CheckpointRequest): boolean {
  return manifest.caughtUpOnce === caughtUpOnce && JSON.stringify([manifest.positions, manifest.incompleteHistory]) === JSON.stringify([state.positions(), incompleteHistory]);
}

/** The first file of a generation that is gone or has another length, in words, or null. Only names and lengths are looked at: a restore compares the hashes. */
function lostOf(head: Manifest, listing: LineageListing, names: Names): string | null {
  const there = new Map(listing.files.map(({ name, bytes }) => [name, bytes]));
  const [part] = head.parts;
  const files = [...part.segments.flatMap(({ rows, accounts }) => [rows, accounts]), ...(part.deadLetters === null ? [] : [part.deadLetters])];
  const wrong = listing.manifests.includes(head.generation) ? files.find(({ name, bytes }) => there.get(name) !== bytes)?.name : names.manifest(head.lineage, head.generation);
  if (wrong === undefined) return null;
  const what = there.has(wrong) ? 'has another length than it was written with' : 'was removed from the store';
  return `generation ${head.generation} cannot be restored any more: ${wrong} ${what} (by a lifecycle rule or by hand?)`;
}

/** The first partition in which `ours` stands before `theirs`, in words, or null. */
function firstBehind(ours: readonly PartitionPosition[], theirs: readonly PartitionPosition[]): string | null {
  const known = new Map(ours.map((position) => [partitionName(position), position.next]));
  for (const position of theirs) {
    const next = known.get(partitionName(position)) ?? 0;
    if (next < position.next) return `${partitionName(position)} at ${next}, published ${position.next}`;
  }
  return null;
}
