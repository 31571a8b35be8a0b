import type { SchemaBook } from '../change/decoder.ts';
import type { SchemaId } from '../change/framing.ts';
import type { SchemaNeed } from '../change/schemas.ts';
import type { SchemaRegistry } from '../registry/registry.ts';
import type { Clock } from '../runtime/clock.ts';
import { Wake } from '../runtime/wake.ts';
import type { RecordBatch, SourceEvent, SourceWarning } from '../source/source.ts';
import { copiesOf, partOf } from './batch-parts.ts';
import { HeldRecords } from './held-records.ts';
import { SchemaDesk } from './schema-desk.ts';

/** A batch waits so long for its schemas before the partitions that need them are set apart. */
const PATIENCE_MS = 2_000;
/** Records set apart, in bytes; beyond it nothing is read any more until registries answer. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Stands between source and decoder: lets batches through once the schemas they name are known, or refused, by the registries. While a registry is away, the partitions whose records need it are set apart, with
 * everything that follows in them, and the others go on; their order is kept. What is set apart is bounded: beyond that, everything waits. When it ends, what is set apart is
 * dropped: no position was moved over it.
 */
export class SchemaGate {
  readonly #source: AsyncIterator<SourceEvent>;
  readonly #book: SchemaBook;
  readonly #desk: SchemaDesk;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #changed = new Wake();
  readonly #held = new HeldRecords();

  constructor(source: AsyncIterable<SourceEvent>, book: SchemaBook, registries: readonly SchemaRegistry[], clock: Clock, signal: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]();
    this.#book = book;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
    this.#desk = new SchemaDesk(registries, book, clock, this.#signal, this.#changed);
  }

  /** Events until the source ends or the signal aborts. The next one is asked for when the one before was dealt with: batches reuse their memory. */
  async *events(): AsyncGenerator<SourceEvent, void, void> {
    const wake = (): void => this.#changed.ring();
    this.#signal.addEventListener('abort', wake);
    let next: Promise<IteratorResult<SourceEvent>> | null = null;
    // One for all rounds: a bell that rang between two of them is heard by the wait that is there already.
    let waiting: Promise<null> | null = null;
    let isOver = false;
    try {
      while (!this.#signal.aborted) {
        yield* this.#warnings();
        yield* this.#released();
        if (isOver && this.#held.isEmpty) break;
        if (!isOver && this.#held.bytes <= HELD_BYTES_MAX) next ??= this.#source.next();
        if (!this.#held.isEmpty) waiting ??= this.#changed.wait().then(() => null);
        const got = await Promise.race([next, this.#held.isEmpty ? null : waiting].filter((one) => one !== null));
        if (got === null) {
          waiting = null;
          continue;
        }
        next = null;
        if (got.done === true) isOver = true;
        else if (got.value.kind === 'records') yield* this.#let(got.value.batch);
        else yield got.value;
      }
    } finally {
      this.#signal.removeEventListener('abort', wake);
      this.#ended.abort();
      const returned = this.#source.return?.().then(() => undefined);
      // The source ends when what it was asked for last has come; that may take long, and nobody waits for it any more.
      if (next !== null) void Promise.allSettled([next, returned]);
      else await returned;
    }
  }

  *#warnings(): Generator<SourceEvent, void, void> {
    for (let warning: SourceWarning | null; (warning = this.#desk.nextWarning()) !== null;) yield { kind: 'warned', warning };
  }

  /** A batch of the source: the part of it that may be decoded; the rest is copied and set apart: what lacks a schema, and what stands behind records that wait in its partition. */
  async *#let(batch: RecordBatch): AsyncGenerator<SourceEvent, void, void> {
    this.#desk.forgetOld();
    if (this.#held.isEmpty) this.#book.trim();
    const ids = this.#missing(batch).map(({ id }) => id);
    if (ids.length === 0 && this.#held.isEmpty) return yield { kind: 'records', batch };
    if (ids.length > 0) await this.#desk.ask(ids, this.#held.isEmpty ? PATIENCE_MS : 0);
    yield* this.#warnings();
    const lacks: SchemaId[][] = batch.partitions.map(() => []);
    if (ids.length > 0) for (const { id, partitions } of this.#missing(batch)) for (const partition of partitions) lacks[partition].push(id);
    const waits = batch.partitions.map((place, partition) => lacks[partition].length > 0 || this.#held.has(place));
    if (!waits.includes(true)) return yield { kind: 'records', batch };
    for (const [partition, part] of copiesOf(batch, (number) => waits[number])) this.#held.add(part, lacks[partition]);
    if (waits.includes(false)) yield { kind: 'records', batch: partOf(batch, (partition) => !waits[partition]) };
  }

  /** What was set apart and may be decoded now. */
  *#released(): Generator<SourceEvent, void, void> {
    for (let id: SchemaId | null; (id = this.#desk.nextLearnt()) !== null;) {
      for (const batch of this.#held.release(id, (held) => this.#askedFor(held))) yield { kind: 'records', batch };
    }
  }

  /** Ids that a batch lacks; they are asked for. One that was refused while its records waited for another may be forgotten by now. */
  #askedFor(batch: RecordBatch): readonly SchemaId[] {
    const ids = this.#missing(batch).map(({ id }) => id);
    this.#desk.begin(ids);
    return ids;
  }

  #missing(batch: RecordBatch): readonly SchemaNeed[] {
    return this.#book.missing(batch).filter(({ id }) => this.#desk.covers(id));
  }
}
