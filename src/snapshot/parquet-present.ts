import { createHash } from 'node:crypto';
import { RentfoldError } from '../errors.ts';
import { readFooterPairs } from './parquet-footer.ts';
import { presentLabels, type PresentLabels } from './parquet-labels.ts';
import type { ParquetMoney } from './parquet-schema.ts';
import type { Store } from './store.ts';

/** Looks at the parquet file that is there, and decides what may become of it: it may be ours, of another publisher, or of another program. */

export interface PrepareJob {
  /** Name of the file, and of the folder for what was not ours. */
  readonly name: string;
  readonly legacy: string;
  /** Null: none is begun yet. */
  readonly lineage: string | null;
  /** Generation whose figures are to be written. */
  readonly generation: number;
  /** A file of this generation and form need not be written again; null: every file has to. */
  readonly current: { readonly generation: number; readonly asOf: number; readonly money: ParquetMoney } | null;
  /** There is no account to write. */
  readonly isEmpty: boolean;
  /** Overwrite what another program wrote since we did. */
  readonly overwrite: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type Prepared =
  /** Write it, if its version tag is still this one; null: if there is still none. `copiedTo`: where what was there, and not ours, was copied now. */
  | { readonly kind: 'write'; readonly tag: string | null; readonly copiedTo: string | null }
  /** It is there already. */
  | { readonly kind: 'current'; readonly present: PresentLabels }
  /** Leave it: another publisher is further, another program writes it, or there is nothing to write and nothing of ours to replace. */
  | { readonly kind: 'left'; readonly why: 'behind' | 'foreign' | 'empty'; readonly message: string; readonly tag: string | null };

/** Last bytes read at first: most footers fit. */
const END_BYTES = 1 << 20;
const TAG_BYTES = 8;
/** Looks at a file that changes under every one of them. */
const LOOKS_MAX = 3;

/** Decides, and copies what is not ours to the legacy folder before it may be overwritten. Throws what the store throws. */
export async function prepareParquet(store: Store, job: PrepareJob): Promise<Prepared> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const there = await lookAt(store, job.name);
    if (there === null) return job.isEmpty ? left('empty', 'there is no account yet', null) : { kind: 'write', tag: null, copiedTo: null };
    const { present, tag, size } = there;
    if (present !== null) return decideOwn(job, present, tag);
    if (job.isEmpty) return left('empty', 'there is no account yet', tag);
    const copies = await copiesIn(store, job.legacy);
    const isCopied = await isAmong(store, copies, job.name, size);
    if (copies.length > 0 && !isCopied && !job.overwrite) {
      return left('foreign', `${job.name} in ${store.place} was written by another program since rentfold wrote it; rentfold leaves it alone until RENTFOLD_PARQUET_OVERWRITE=true`, tag);
    }
    const copiedTo = isCopied ? null : await copyAside(store, job);
    const again = await store.readEnd(job.name, TAG_BYTES);
    if (again?.tag === tag) return { kind: 'write', tag, copiedTo };
  }
  throw new RentfoldError('STORE_UNAVAILABLE', `${job.name} changes while it is looked at; it is tried again`);
}

function decideOwn(job: PrepareJob, present: PresentLabels, tag: string): Prepared {
  if (present.lineage === job.lineage && present.generation > job.generation) {
    return left('behind', `${job.name} holds generation ${present.generation}, beyond generation ${job.generation} of this process`, tag);
  }
  const isCurrent = job.current !== null && present.lineage === job.lineage && present.generation === job.current.generation
    && present.asOf === job.current.asOf && present.money === job.current.money;
  return isCurrent ? { kind: 'current', present } : { kind: 'write', tag, copiedTo: null };
}

function left(why: 'behind' | 'foreign' | 'empty', message: string, tag: string | null): Prepared {
  return { kind: 'left', why, message, tag };
}

/** The file's labels (null: it is not ours), version tag and size; null when there is none. */
async function lookAt(store: Store, name: string): Promise<{ readonly present: PresentLabels | null; readonly tag: string; readonly size: number } | null> {
  let end = await store.readEnd(name, END_BYTES);
  if (end === null) return null;
  let footer = readFooterPairs(end.bytes, end.size);
  if (footer.kind === 'longer') {
    end = await store.readEnd(name, footer.bytes);
    if (end === null) return null;
    footer = readFooterPairs(end.bytes, end.size);
  }
  return { present: footer.kind === 'pairs' ? presentLabels(footer.pairs) : null, tag: end.tag, size: end.size };
}

async function copiesIn(store: Store, folder: string): Promise<{ readonly name: string; readonly size: number }[]> {
  const copies: { name: string; size: number }[] = [];
  for await (const copy of store.list(folder)) copies.push(copy);
  return copies;
}

/** Whether one of the copies has the bytes of the file. */
async function isAmong(store: Store, copies: readonly { readonly name: string; readonly size: number }[], name: string, size: number): Promise<boolean> {
  const alike = copies.filter((copy) => copy.size === size);
  if (alike.length === 0) return false;
  const hash = await hashOf(store, name);
  for (const copy of alike) if (hash !== null && await hashOf(store, copy.name) === hash) return true;
  return false;
}

async function hashOf(store: Store, name: string): Promise<string | null> {
  const stream = await store.readStream(name);
  if (stream === null) return null;
  const hash = createHash('sha256');
  for await (const piece of stream) hash.update(piece);
  return hash.digest('hex');
}

/** Copies the file to the legacy folder; answers the copy's name, or null when the file is gone. */
async function copyAside(store: Store, job: PrepareJob): Promise<string | null> {
  const stream = await store.readStream(job.name);
  if (stream === null) return null;
  const file = job.name.slice(job.name.lastIndexOf('/') + 1).replace(/\.parquet$/, '');
  const copy = `${job.legacy}${file}-${new Date(job.now).toISOString().replace(/[-:.]/g, '')}.parquet`;
  if (await store.create(copy, stream) === 'created') return copy;
  throw new RentfoldError('STORE_UNAVAILABLE', `${copy} is there already; it is tried again under another name`);
}
