import { SHARDS } from '../change/identifier.ts';
import { RentfoldError } from '../errors.ts';
import type { BooksCut, RowColumns } from '../ledger/ledger.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { State } from '../state.ts';
import type { CheckpointRequest, SnapshotOptions, Step } from './checkpointer.ts';
import type { Merge } from './compaction-plan.ts';
import { type LettersEntry, type Manifest, type ManifestPart, RULES_VERSION, type SourceIdentity } from './manifest.ts';
import { dataFileName, lettersFileName, type Names } from './names.ts';
import { type Attempts, ensureCurrent, publishManifest } from './publish.ts';
import type { SegmentEntry } from './segment.ts';
import { SLICE_ROWS_FIRST, SliceSize } from './slice-size.ts';
import type { Standing } from './standing.ts';

/** What writing one generation needs to know. */
export interface CutParts {
  readonly options: SnapshotOptions;
  readonly names: Names;
  readonly standing: Standing;
  readonly merge: Merge | null;
  /** The lineage to begin when there is none: the same for every try. */
  readonly newLineage: () => string;
  readonly attempts: Attempts;
  /** A number for a file name, never given before by this process. */
  readonly nextFile: () => number;
  readonly mayPublish: () => boolean;
  /** Called in the synchronous stretch in which cut and positions are taken. */
  readonly atCut: () => void;
  readonly step: (step: Step) => Promise<void>;
}

export type CutWritten =
  | { readonly kind: 'published'; readonly manifest: Manifest; readonly rows: number; readonly bytes: number; readonly ms: number }
  | { readonly kind: 'fenced'; readonly by: string };

/** One generation: takes the cut, writes its segment and dead letters, then its manifest. Used once. */
export class CutWriter {
  readonly #parts: CutParts;
  readonly #request: CheckpointRequest;
  /** Files named so far that no manifest can name yet. */
  #unnamed: string[] = [];

  constructor(parts: CutParts, request: CheckpointRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  async write(): Promise<CutWritten> {
    const { options, standing, step, newLineage } = this.#parts;
    const { state } = this.#request;
    const begunMs = options.clock.monotonicMs();
    // Cut and positions are taken in one synchronous stretch: no batch is folded between them.
    const cut = state.books.beginCut(standing.head === null ? 'full' : 'delta');
    let isDurable = false;
    try {
      this.#parts.atCut();
      const seed = { positions: state.positions(), counters: state.counters(), seenTables: { ...state.seenTables }, newestChangeAt: state.newestChangeAt, ...wholeEventsOf(state) };
      await step('cut-begun');
      const lineage = standing.lineage ?? newLineage();
      const generation = standing.highest + 1;
      const segment = await this.#writeSegment(cut, lineage, generation, seed.positions);
      const letters = await this.#writeLetters(cut, lineage, generation);
      const served = await ensureCurrent(options.store, this.#parts.names, lineage, options.clock.now());
      await step('current-written');
      if (served !== lineage) return abandon(cut, `lineage ${served} is served, begun by another process`);
      const segments = mergedSegments(standing.head, this.#parts.merge);
      const part: ManifestPart = {
        firstShard: 0, lastShard: SHARDS - 1, segments: segment === null ? segments : [...segments, segment], deadLetters: letters, marks: cut.marks,
        controlTotals: cut.controlTotals,
      };
      const manifest = this.#manifest(lineage, generation, seed, part);
      if (!this.#parts.mayPublish()) return abandon(cut, 'the lease has run out');
      // From here on a manifest may be there that names them, whatever the reply.
      this.#unnamed = [];
      if (await publishManifest(options.store, this.#parts.names, manifest, this.#parts.attempts) === 'fenced') {
        return abandon(cut, `another process has published generation ${generation}`);
      }
      isDurable = true;
      cut.commit();
      await step('manifest-written');
      const written = segment === null ? 0 : segment.rows.bytes + segment.accounts.bytes;
      return { kind: 'published', manifest, rows: segment?.rows.rows ?? 0, bytes: written + (letters?.bytes ?? 0), ms: options.clock.monotonicMs() - begunMs };
    } catch (error) {
      if (!isDurable) cut.abort();
      if (error instanceof RentfoldError) await this.#removeUnnamed();
      throw error;
    }
  }

  /** Null when nothing changed. */
  async #writeSegment(cut: BooksCut, lineage: string, generation: number, positions: readonly PartitionPosition[]): Promise<SegmentEntry | null> {
    const { options, names, nextFile, step } = this.#parts;
    const first = cut.next(SLICE_ROWS_FIRST);
    if (first === null) return null;
    const target = {
      kind: cut.kind === 'full' ? 'base' as const : 'delta' as const, folder: names.lineage(lineage), partitions: positions.map(({ topic, partition }) => ({ topic, partition })),
      rowsName: this.#file(lineage, dataFileName(generation, options.writer, nextFile())), accountsName: this.#file(lineage, dataFileName(generation, options.writer, nextFile())),
    };
    const segment = await options.work.writeSegment(target, slices(cut, first, options.clock, step));
    await step('segment-written');
    return segment;
  }

  /** What an outage left half done takes no room until the next try, which uses other names. */
  async #removeUnnamed(): Promise<void> {
    for (const name of this.#unnamed) await this.#parts.options.store.remove(name).catch(() => undefined);
  }

  #file(lineage: string, name: string): string {
    this.#unnamed.push(this.#parts.names.file(lineage, name));
    return name;
  }

  async #writeLetters(cut: BooksCut, lineage: string, generation: number): Promise<LettersEntry | null> {
    const { options, names, standing, nextFile, step } = this.#parts;
    if (cut.deadLetters.length === 0) return null;
    const name = this.#file(lineage, lettersFileName(generation, options.writer, nextFile()));
    const previous = standing.head?.parts[0].deadLetters ?? null;
    const entry = await options.work.writeLetters({ folder: names.lineage(lineage), name, letters: cut.deadLetters, previous });
    await step('dead-letters-written');
    return entry;
  }

  #manifest(lineage: string, generation: number, seed: Pick<Manifest, 'positions' | 'counters' | 'seenTables' | 'newestChangeAt' | 'wholeEvents'>, part: ManifestPart): Manifest {
    const { options, standing } = this.#parts;
    const { decoding, definitions, sourceIdentity, caughtUpOnce, incompleteHistory } = this.#request;
    return {
      lineage, generation, parent: standing.parent?.generation ?? null, writer: options.writer, createdAt: options.clock.now(), source: sourceOf(sourceIdentity, seed.positions),
      ...seed, caughtUpOnce, incompleteHistory, decoding,
      definitions: { rulesVersion: RULES_VERSION, fiscalYearStartMonth: definitions.fiscalYearStartMonth, deletedKeysDays: definitions.deletedKeysDays },
      parts: [part],
    };
  }
}

/** Left out where there is nothing to say, as in all manifests of lineages that never saw an event in pieces. */
function wholeEventsOf({ wholeEvents }: State): Pick<Manifest, 'wholeEvents'> {
  return wholeEvents.length === 0 ? {} : { wholeEvents };
}

function abandon(cut: BooksCut, by: string): CutWritten {
  cut.abort();
  return { kind: 'fenced', by };
}

async function* slices(cut: BooksCut, first: RowColumns, clock: Clock, step: CutParts['step']): AsyncGenerator<RowColumns> {
  const size = new SliceSize();
  for (let slice: RowColumns | null = first; slice !== null;) {
    yield slice;
    await step('slice-drawn');
    await new Promise<void>((resolve) => { setImmediate(resolve); });
    const begunMs = clock.monotonicMs();
    slice = cut.next(size.rows);
    size.took(clock.monotonicMs() - begunMs);
  }
}

/** The segments of the head, with a finished merge in the place of what it merged. A full cut begins anew. */
function mergedSegments(head: Manifest | null, merge: Merge | null): readonly SegmentEntry[] {
  const segments = head?.parts[0].segments ?? [];
  if (merge === null) return segments;
  const from = segments.findIndex((segment) => segment.rows.name === merge.inputs[0]);
  const fits = from >= 0 && merge.inputs.every((name, i) => segments[from + i]?.rows.name === name);
  return fits ? [...segments.slice(0, from), merge.result, ...segments.slice(from + merge.inputs.length)] : segments;
}

function sourceOf(identity: string, positions: readonly PartitionPosition[]): SourceIdentity {
  const partitions = new Map<string, number>();
  for (const { topic } of positions) partitions.set(topic, (partitions.get(topic) ?? 0) + 1);
  return { identity, topics: [...partitions].map(([topic, count]) => ({ topic, partitions: count })) };
}
