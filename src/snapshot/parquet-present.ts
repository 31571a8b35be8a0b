import { RentfoldError } from '../errors.ts';
import { Damage } from './damage.ts';
import { copiesOf, copyAside, hasWritten, isAmong, markWritten, type CopyPlace } from './parquet-copies.ts';
import { readFooter } from './parquet-footer.ts';
import { formText, presentLabels, type ParquetForm, type PresentLabels } from './parquet-labels.ts';
import type { Store } from './store.ts';

/** Looks at the parquet file that is there, and decides what may become of it: it may be ours, of another publisher, or of another program. */

export interface PrepareJob extends CopyPlace {
  /** Null: none is begun yet. */
  readonly lineage: string | null;
  /** Generation whose figures are to be written. */
  readonly generation: number;
  /** A file of this generation and form need not be written again; null: every file has to. */
  readonly current: { readonly generation: number; readonly form: ParquetForm } | null;
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
    const prepared = await lookAndDecide(store, job).catch(againAfterDamage);
    if (prepared !== 'again') return prepared;
  }
  throw new RentfoldError('STORE_UNAVAILABLE', `${job.name} changes while it is looked at; it is tried again`);
}

/** A file that was replaced while it was read. */
function againAfterDamage(error: unknown): 'again' {
  if (error instanceof Damage) return 'again';
  throw error;
}

async function lookAndDecide(store: Store, job: PrepareJob): Promise<Prepared | 'again'> {
  const there = await lookAt(store, job.name);
  if (there === null) return job.isEmpty ? left('empty', 'there is no account yet', null) : { kind: 'write', tag: null, copiedTo: null };
  const { present, tag, size } = there;
  if (present !== null) {
    await markWritten(store, job);
    return decideOwn(job, present, tag);
  }
  if (job.isEmpty) return left('empty', 'there is no account yet', tag);
  if (!job.overwrite && await hasWritten(store, job)) {
    return left('foreign', `${job.name} in ${store.place} was written by another program since rentfold wrote it; rentfold leaves it alone until RENTFOLD_PARQUET_OVERWRITE=true`, tag);
  }
  const copies = await copiesOf(store, job);
  const copiedTo = await isAmong(store, copies, job.name, size) ? null : await copyAside(store, job, copies, job.now);
  const again = await store.readEnd(job.name, TAG_BYTES);
  return again?.tag === tag ? { kind: 'write', tag, copiedTo } : 'again';
}

function decideOwn(job: PrepareJob, present: PresentLabels, tag: string): Prepared {
  if (present.lineage === job.lineage && present.generation > job.generation) {
    return left('behind', `${job.name} holds generation ${present.generation}, beyond generation ${job.generation} of this process`, tag);
  }
  const isCurrent = job.current !== null && present.lineage === job.lineage && present.generation === job.current.generation && present.form === formText(job.current.form);
  return isCurrent ? { kind: 'current', present } : { kind: 'write', tag, copiedTo: null };
}

function left(why: 'behind' | 'foreign' | 'empty', message: string, tag: string | null): Prepared {
  return { kind: 'left', why, message, tag };
}

/** The file's labels (null: it is not ours), version tag and size; null when there is none. */
async function lookAt(store: Store, name: string): Promise<{ readonly present: PresentLabels | null; readonly tag: string; readonly size: number } | null> {
  let end = await store.readEnd(name, END_BYTES);
  if (end === null) return null;
  let footer = readFooter(end.bytes, end.size);
  if (footer.kind === 'longer') {
    end = await store.readEnd(name, footer.bytes);
    if (end === null) return null;
    footer = readFooter(end.bytes, end.size);
  }
  return { present: footer.kind === 'footer' ? presentLabels(footer) : null, tag: end.tag, size: end.size };
}
