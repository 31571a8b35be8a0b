import type { SchemaBook } from '../change/decoder.ts';
import type { SchemaRegistry } from '../registry/registry.ts';
import type { Clock } from '../runtime/clock.ts';
import { Wake } from '../runtime/wake.ts';
import { partitionName } from '../source/positions.ts';
import type { RecordBatch, SourceEvent, SourceWarning } from '../source/source.ts';
import { bytesHeld, copyOf, partOf } from './batch-parts.ts';
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
  #held: RecordBatch[] = [];
  #heldBytes = 0;

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
        if (isOver && this.#held.length === 0) break;
        if (!isOver && this.#heldBytes <= HELD_BYTES_MAX) next ??= this.#source.next();
        if (this.#held.length > 0) waiting ??= this.#changed.wait().then(() => null);
        const got = await Promise.race([next, this.#held.length > 0 ? waiting : null].filter((one) => one !== null));
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

  /** A batch of the source: the part of it that may be decoded; the rest is copied and set apart. */
  async *#let(batch: RecordBatch): AsyncGenerator<SourceEvent, void, void> {
    this.#desk.forgetOld();
    if (this.#held.length === 0) this.#book.trim();
    const apart = new Set(this.#held.flatMap(({ partitions }) => partitions.map(partitionName)));
    const ids = this.#missing(batch).map(({ id }) => id);
    if (ids.length === 0 && apart.size === 0) return yield { kind: 'records', batch };
    if (ids.length > 0) await this.#desk.ask(ids, apart.size > 0 ? 0 : PATIENCE_MS);
    yield* this.#warnings();
    const [ready, rest] = this.#split(batch, apart);
    if (rest !== null) this.#hold(copyOf(rest));
    if (ready !== null) yield { kind: 'records', batch: ready };
  }

  /** What was set apart and may be decoded now. */
  *#released(): Generator<SourceEvent, void, void> {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    const apart = new Set<string>();
    for (const batch of held) {
      // An id that was refused while its records waited for another may be forgotten by now.
      this.#desk.begin(this.#missing(batch).map(({ id }) => id));
      const [ready, rest] = this.#split(batch, apart);
      if (rest !== null) this.#hold(ready === null ? batch : copyOf(rest));
      if (ready !== null) yield { kind: 'records', batch: ready };
    }
  }

  #hold(batch: RecordBatch): void {
    this.#held.push(batch);
    this.#heldBytes += bytesHeld(batch);
  }

  /** The part whose schemas are known, and the part that must wait: for a schema, or behind what waits in its partition (`apart`, to which it is added). */
  #split(batch: RecordBatch, apart: Set<string>): readonly [ready: RecordBatch | null, rest: RecordBatch | null] {
    for (const { partitions } of this.#missing(batch)) for (const partition of partitions) apart.add(partitionName(batch.partitions[partition]));
    const waits = batch.partitions.map((partition) => apart.has(partitionName(partition)));
    if (!waits.includes(true)) return [batch, null];
    if (!waits.includes(false)) return [null, batch];
    return [partOf(batch, (partition) => !waits[partition]), partOf(batch, (partition) => waits[partition])];
  }

  #missing(batch: RecordBatch): ReturnType<SchemaBook['missing']> {
    return this.#book.missing(batch).filter(({ id }) => this.#desk.covers(id));
  }
}
