import { readManifest, type Manifest } from '../../src/snapshot/manifest.ts';
import { ChangeWriter } from './change-writer.ts';
import { createMemoryPlace, MemoryStore, type MemoryPlace } from './memory-store.ts';
import { PREFIX, pictureOf, startRun } from './snapshot-run.ts';
import { NOW, someChanges } from './some-changes.ts';

/** A sound store of six generations, and the state that each of them is. */
export interface SixGenerations {
  readonly place: MemoryPlace;
  readonly pictures: ReadonlyMap<number, string>;
  readonly lineage: string;
  /** Folder of the lineage, ending in `/`. */
  readonly folder: string;
  manifestName(generation: number): string;
  manifestOf(generation: number): Manifest;
  /** Names of what only generation 6 needs: its manifest, rows, accounts and dead letters. */
  filesOfNewest(): string[];
}

/** Makes them. */
export async function sixGenerations(): Promise<SixGenerations> {
  const place = createMemoryPlace();
  const pictures = new Map<number, string>();
  const run = await startRun(new MemoryStore(place));
  const log = new ChangeWriter();
  for (let generation = 1; generation <= 6; generation++) {
    run.state.step(log.batch(someChanges(generation)), NOW);
    await run.checkpoint();
    pictures.set(generation, pictureOf(run.state));
  }
  const lineage = run.snapshots.status().lineage ?? '';
  await run.snapshots.close();
  const folder = `${PREFIX}checkpoints/${lineage}/`;
  const manifestName = (generation: number): string => `${folder}${String(generation).padStart(10, '0')}.json`;
  const manifestOf = (generation: number): Manifest => readManifest('test', place.files.get(manifestName(generation))!);
  return {
    place, pictures, lineage, folder, manifestName, manifestOf,
    filesOfNewest: () => {
      const [part] = manifestOf(6).parts;
      const delta = part.segments.at(-1)!;
      return [manifestName(6), ...[delta.rows.name, delta.accounts.name, part.deadLetters!.name].map((name) => folder + name)];
    },
  };
}
