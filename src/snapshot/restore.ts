import { RentfoldError, type Code } from '../errors.ts';
import type { Books, ControlTotals } from '../ledger/ledger.ts';
import { messageOf } from '../runtime/message-of.ts';
import type { StateSeed } from '../state.ts';
import { Damage } from './damage.ts';
import { readLetters } from './dead-letter-file.ts';
import { listAll, listLineage, type Listing } from './listing.ts';
import { decodeManifest, namedFiles, RULES_VERSION, type Manifest } from './manifest.ts';
import type { Names } from './names.ts';
import { findServed } from './served-lineage.ts';
import type { Store } from './store.ts';
import type { SnapshotWork } from './work.ts';

/** Loading the newest usable generation of the served lineage. Reads only. */
export interface RestoreParts {
  readonly store: Store;
  readonly names: Names;
  readonly work: SnapshotWork;
  /** New empty books; asked again for every generation tried. */
  readonly createBooks: () => Books;
  /** True: files without a manifest are left-overs and worth a word; false: another process may be writing them. */
  readonly reportUnexplained: boolean;
}

export type RestoreResult = Restored | RestoredNothing;

/** A generation was loaded. */
export interface Restored {
  readonly kind: 'restored';
  readonly books: Books;
  readonly seed: StateSeed;
  readonly manifest: Manifest;
  readonly lineage: string;
  readonly generation: number;
  /** Highest generation in any name of the lineage: numbers go on above it. */
  readonly highest: number;
  readonly warnings: readonly Warning[];
}

/** The store holds no checkpoint. `lineage` is one that was begun but has no manifest yet. */
export interface RestoredNothing {
  readonly kind: 'empty';
  readonly lineage: string | null;
  readonly warnings: readonly Warning[];
}

export interface Warning {
  readonly code: Code;
  readonly message: string;
}

const ATTEMPTS_MAX = 32;
const UNEXPLAINED_NAMED_MAX = 20;

/**
 * Loads the newest generation that passes all checks; falls back generation by generation, and says so. Throws STORE_DAMAGED when none
 * passes, STORE_FOREIGN for a newer format, STORE_UNAVAILABLE for an outage.
 */
export async function restoreNewest(parts: RestoreParts): Promise<RestoreResult> {
  const { store, names } = parts;
  const listing = await listAll(store, names);
  const served = await findServed(store, names, listing);
  const warnings: Warning[] = [];
  if (served.problem !== null && served.lineage !== null) {
    warnings.push({ code: 'GENERATION_UNUSABLE', message: `${served.problem.message}; lineage ${served.lineage} is the only one with checkpoints and is used; the next checkpoint writes the file anew` });
  }
  const { lineage } = served;
  warnings.push(...await unexplained(parts, listing, lineage));
  const files = lineage === null ? undefined : listing.lineages.get(lineage);
  if (lineage === null || files === undefined || files.manifests.length === 0) return { kind: 'empty', lineage, warnings };
  return restoreLineage(parts, lineage, warnings);
}

async function restoreLineage(parts: RestoreParts, lineage: string, warnings: readonly Warning[]): Promise<Restored> {
  const failed = new Map<number, Damage>();
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    // Listed again each time: while one generation was read, the publisher may have written newer ones and removed this one.
    const listing = await listLineage(parts.store, parts.names, lineage);
    const generation = listing.manifests.find((candidate) => !failed.has(candidate));
    if (generation === undefined) break;
    try {
      const { manifest, books } = await loadGeneration(parts, lineage, generation);
      const { positions, counters, seenTables, newestChangeAt, wholeEvents } = manifest;
      const newer = [...failed].filter(([other]) => other > generation);
      return {
        kind: 'restored', books, seed: { positions, counters, seenTables, newestChangeAt, wholeEvents }, manifest, lineage, generation, highest: listing.highest,
        warnings: [...warnings, ...newer.map(([other, damage]) => unusable(other, damage, generation, listing.highest))],
      };
    } catch (error) {
      if (error instanceof RentfoldError) throw error;
      failed.set(generation, error instanceof Damage ? error : new Damage(parts.names.manifest(lineage, generation), `loading failed: ${messageOf(error)}`));
    }
  }
  const reasons = [...failed].map(([generation, damage]) => `generation ${generation}: ${damage.message}`);
  throw new RentfoldError('STORE_DAMAGED', `no generation of lineage ${lineage} in ${parts.store.place} is usable (${reasons.join('; ')}); put the store back from a copy, or use an empty one to read the log from zero`);
}

function unusable(generation: number, damage: Damage, used: number, highest: number): Warning {
  return { code: 'GENERATION_UNUSABLE', message: `generation ${generation} cannot be used: ${damage.message}; generation ${used} was restored instead, the next one gets number ${highest + 1}` };
}

async function loadGeneration(parts: RestoreParts, lineage: string, generation: number): Promise<{ manifest: Manifest; books: Books }> {
  const file = parts.names.manifest(lineage, generation);
  const manifest = await readManifestFile(parts.store, parts.names, lineage, generation);
  if (manifest === null) throw new Damage(file, 'the file is missing');
  const [part] = manifest.parts;
  const folder = parts.names.lineage(lineage);
  const letters = part.deadLetters === null ? [] : await readLetters(parts.store, folder, part.deadLetters);
  const books = parts.createBooks();
  const loader = books.load();
  loader.reserve(part.segments.reduce((rows, segment) => rows + segment.rows.rows, 0));
  for (const segment of part.segments) {
    for await (const blocks of parts.work.readSegment(folder, segment)) {
      for (const block of blocks) {
        loader.rows(block);
        await new Promise<void>((resolve) => { setImmediate(resolve); });
      }
    }
  }
  loader.marks(part.marks);
  loader.deadLetters(letters);
  loader.finish();
  const difference = totalsDifference(manifest, books.controlTotals());
  if (difference !== null) throw new Damage(file, `the rows do not give the recorded control totals: ${difference}`);
  return { manifest, books };
}

/** The manifest of a generation, or null when there is none. Throws `Damage`, or STORE_FOREIGN. */
export async function readManifestFile(store: Store, names: Names, lineage: string, generation: number): Promise<Manifest | null> {
  const file = names.manifest(lineage, generation);
  const content = await store.read(file);
  return content === null ? null : decodeManifest(file, content.bytes, { lineage, generation });
}

/** Which control total differs, in words, or null. Sums that follow from the rules are left out when those have changed since. */
function totalsDifference(manifest: Manifest, found: ControlTotals): string | null {
  const recorded = manifest.parts[0].controlTotals;
  const sameRules = manifest.definitions.rulesVersion === RULES_VERSION;
  const pairs: [string, string | number, string | number][] = [
    ['expenses rows', recorded.rows.expenses, found.rows.expenses], ['rents rows', recorded.rows.rents, found.rows.rents],
    ['properties rows', recorded.rows.properties, found.rows.properties], ['remembered deletes', recorded.rememberedDeletes, found.rememberedDeletes], ['truncate marks', recorded.truncateMarks, found.truncateMarks],
    ['cash invested', recorded.cashInvested, found.cashInvested], ['down payment', recorded.downPayment, found.downPayment],
  ];
  if (sameRules) pairs.push(['total revenue', recorded.totalRevenue, found.totalRevenue], ['rent', recorded.rent, found.rent], ['expenses', recorded.expenses, found.expenses]);
  const different = pairs.find(([, before, after]) => before !== after);
  return different === undefined ? null : `${different[0]} ${different[1]} recorded, ${different[2]} found`;
}

/** Files under our names that no manifest of the served lineage explains. */
async function unexplained(parts: RestoreParts, listing: Listing, lineage: string | null): Promise<Warning[]> {
  const names = [...listing.strange];
  const files = lineage === null ? undefined : listing.lineages.get(lineage);
  if (parts.reportUnexplained && lineage !== null && files !== undefined) {
    const explained = new Set<string>();
    for (const generation of files.manifests) {
      const manifest = await readManifestFile(parts.store, parts.names, lineage, generation).catch(nullWhenDamaged);
      if (manifest !== null) for (const name of namedFiles(manifest)) explained.add(name);
    }
    names.push(...files.files.filter(({ name }) => !explained.has(name)).map(({ name }) => parts.names.file(lineage, name)));
  }
  const warnings = names.slice(0, UNEXPLAINED_NAMED_MAX).map((name): Warning => ({ code: 'FILE_UNEXPLAINED', message: `${name} belongs to no manifest and was not used; a file of an interrupted checkpoint is removed later, any other remove yourself` }));
  if (names.length > UNEXPLAINED_NAMED_MAX) warnings.push({ code: 'FILE_UNEXPLAINED', message: `${names.length - UNEXPLAINED_NAMED_MAX} more files below ${parts.names.prefix} belong to no manifest` });
  return warnings;
}

/** For reading manifests only to learn what they name. */
export function nullWhenDamaged(error: unknown): null {
  if (error instanceof Damage) return null;
  throw error;
}
