import type { SchemaBook } from '../change/decoder.ts';
import type { SchemaId } from '../change/framing.ts';
import { RegistryTrouble, type SchemaRegistry } from '../registry/registry.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Wake } from '../runtime/wake.ts';
import type { SourceWarning } from '../source/source.ts';

/** Requests to registries under way at once. */
const REQUESTS_MAX = 8;
/** First and longest pause before a registry is asked again. */
const PAUSES_MS = [250, 15_000] as const;
/** An id that was refused, but not for good, is asked for again after this time: a registry's copy may lag behind the one that the connector writes to. */
const REFUSED_MS = 30_000;

/**
 * Asks registries for the schemas a decoder lacks, and teaches it what they say. One that does not answer is asked again for as long as it takes; that is said once, until it answers. `changed` rings
 * whenever something was learnt or is to be said.
 */
export class SchemaDesk {
  readonly #registries: readonly SchemaRegistry[];
  readonly #book: SchemaBook;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #changed: Wake;
  readonly #asking = new Map<SchemaId, Promise<void>>();
  /** Ids that were refused, but not for good, in the order of the moments when that is over. */
  readonly #refusedUntil = new Map<SchemaId, number>();
  /** Ids that registries do not answer for. The first of a registry is said; it is over when none is left. */
  readonly #troubled = new Map<SchemaRegistry, Set<SchemaId>>();
  readonly #warnings: SourceWarning[] = [];
  readonly #learnt: SchemaId[] = [];
  #requests = 0;
  readonly #queue: (() => void)[] = [];

  constructor(registries: readonly SchemaRegistry[], book: SchemaBook, clock: Clock, signal: AbortSignal, changed: Wake) {
    this.#registries = registries;
    this.#book = book;
    this.#clock = clock;
    this.#signal = signal;
    this.#changed = changed;
  }

  /** Whether a registry is configured for ids of that kind. */
  covers(id: SchemaId): boolean {
    return this.#registries.some((registry) => registry.covers(id));
  }

  /** Begins to ask for ids that are not asked for yet. */
  begin(ids: readonly SchemaId[]): void {
    for (const id of ids) if (!this.#asking.has(id)) this.#asking.set(id, this.#learn(id).finally(() => this.#asking.delete(id)));
  }

  /** The same, and returns when all are known, or after `patienceMs`. */
  async ask(ids: readonly SchemaId[], patienceMs: number): Promise<void> {
    this.begin(ids);
    const enough = new AbortController();
    await Promise.race([Promise.all(ids.map((id) => this.#asking.get(id) ?? Promise.resolve())), this.#clock.sleep(patienceMs, AbortSignal.any([enough.signal, this.#signal]))]);
    enough.abort();
  }

  /** Forgets refusals whose time is over. */
  forgetOld(): void {
    const now = this.#clock.monotonicMs();
    for (const [id, until] of this.#refusedUntil) {
      if (until > now) return;
      this.#refusedUntil.delete(id);
      this.#book.forget(id);
    }
  }

  /** The next warning to be said, or null. */
  nextWarning(): SourceWarning | null {
    return this.#warnings.shift() ?? null;
  }

  /** The next id about which something was learnt, or null. */
  nextLearnt(): SchemaId | null {
    return this.#learnt.shift() ?? null;
  }

  async #learn(id: SchemaId): Promise<void> {
    const registry = this.#registries.find((one) => one.covers(id))!;
    const backoff = new Backoff(PAUSES_MS);
    while (!this.#signal.aborted) {
      const restMs = await this.#tryOnce(registry, id);
      if (restMs === null) return;
      await this.#clock.sleep(Math.max(restMs, backoff.next()), this.#signal);
    }
  }

  /** Null when the id is known now, else how long the registry wants to be left alone. */
  async #tryOnce(registry: SchemaRegistry, id: SchemaId): Promise<number | null> {
    await this.#enter();
    try {
      const answer = await registry.ask(id, this.#signal);
      this.#book.learn(id, answer);
      this.#learnt.push(id);
      if (answer.kind === 'refused' && answer.mayChange) {
        this.#refusedUntil.delete(id);
        this.#refusedUntil.set(id, this.#clock.monotonicMs() + REFUSED_MS);
      }
      this.#troubled.get(registry)?.delete(id);
      this.#changed.ring();
      return null;
    } catch (error) {
      if (!this.#signal.aborted) this.#sayTrouble(registry, id, error as Error);
      return error instanceof RegistryTrouble ? error.restMs : 0;
    } finally {
      this.#leave();
    }
  }

  #sayTrouble(registry: SchemaRegistry, id: SchemaId, error: Error): void {
    const ids = this.#troubled.get(registry) ?? new Set();
    const isSaid = ids.size > 0;
    this.#troubled.set(registry, ids.add(id));
    if (isSaid) return;
    const message = `Schema ${typeof id === 'number' ? id : JSON.stringify(id)} cannot be had from ${registry.name}: ${error.message}. It is asked again until it answers; records that need a schema wait, and all behind them in their partitions.`;
    this.#warnings.push({ code: 'REGISTRY_RETRYING', message });
    this.#changed.ring();
  }

  async #enter(): Promise<void> {
    if (this.#requests < REQUESTS_MAX) this.#requests++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  /** The place of one that is done goes to the next in the queue. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#requests--;
    else next();
  }
}
