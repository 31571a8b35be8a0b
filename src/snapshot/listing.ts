import { isLineageId, parseFileName, type Names } from './names.ts';
import type { Store } from './store.ts';

/** What lies in a store under our names. */
export interface Listing {
  readonly lineages: ReadonlyMap<string, LineageListing>;
  /** Names that are none of ours by their form. */
  readonly strange: readonly string[];
}

export interface LineageListing {
  /** Generations with a manifest, newest first. */
  readonly manifests: readonly number[];
  /** Data and dead-letter files, with the generation in their names. */
  readonly files: readonly ListedFile[];
  /** Highest generation in any name; 0 when there is none. */
  readonly highest: number;
}

export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  readonly generation: number;
}

const NOTHING: LineageListing = { manifests: [], files: [], highest: 0 };

/** Everything below the prefix. */
export async function listAll(store: Store, names: Names): Promise<Listing> {
  const inLineages = new Map<string, Named[]>();
  const strange: string[] = [];
  for await (const { name, size } of store.list(names.prefix)) {
    if (name === names.current || name === names.parquet || name.startsWith(names.legacy)) continue;
    const [lineage, file, ...more] = name.startsWith(names.checkpoints) ? name.slice(names.checkpoints.length).split('/') : [];
    if (lineage === undefined || file === undefined || more.length > 0 || !isLineageId(lineage) || parseFileName(file) === null) strange.push(name);
    else inLineages.set(lineage, [...inLineages.get(lineage) ?? [], { name: file, size }]);
  }
  return { lineages: new Map([...inLineages].map(([lineage, files]) => [lineage, summarise(files)])), strange };
}

/** One lineage's folder. */
export async function listLineage(store: Store, names: Names, lineage: string): Promise<LineageListing> {
  const folder = names.lineage(lineage);
  const files: Named[] = [];
  for await (const { name, size } of store.list(folder)) files.push({ name: name.slice(folder.length), size });
  return files.length === 0 ? NOTHING : summarise(files);
}

interface Named {
  readonly name: string;
  readonly size: number;
}

function summarise(names: readonly Named[]): LineageListing {
  const manifests: number[] = [];
  const files: ListedFile[] = [];
  let highest = 0;
  for (const { name, size } of names) {
    const parsed = parseFileName(name);
    if (parsed === null) continue;
    highest = Math.max(highest, parsed.generation);
    if (parsed.kind === 'manifest') manifests.push(parsed.generation);
    else files.push({ name, bytes: size, generation: parsed.generation });
  }
  return { manifests: manifests.sort((a, b) => b - a), files, highest };
}
