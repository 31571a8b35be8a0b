import type { Clock } from '../runtime/clock.ts';
import { Wake } from '../runtime/wake.ts';
import { HubBatchBuilder } from './event-hubs-batch.ts';
import type { HubClient } from './event-hubs-client.ts';
import { Notices } from './notices.ts';
import type { EventHubsTiming } from './event-hubs-options.ts';
import type { HubPartition } from './event-hubs-partition.ts';
import { PartitionReader, type ReaderParts } from './event-hubs-reader.ts';
import { HubWatch } from './event-hubs-watch.ts';
import { partitionName } from './positions.ts';
import type { SourceEvent } from './source.ts';

/** Events of all partitions that may have arrived or be on their way, and their bytes by the mean size. Each partition has an equal share, and no more than is useful for one. */
export const WAITING_EVENTS_MAX = 8_192;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const PARTITION_EVENTS_MIN = 16;
const PARTITION_EVENTS_MAX = 2_048;
/** Bounds are told at most this often. */
const BOUNDS_MS = 250;

/** What following hubs needs. */
export interface FollowParts {
  /** One for each hub. */
  readonly clients: readonly HubClient[];
  readonly partitions: readonly HubPartition[];
  readonly waiting: readonly string[];
  readonly recordsMax: number;
  readonly acceptsHoles: boolean;
  readonly consumerGroup: string;
  readonly timing: EventHubsTiming;
  readonly clock: Clock;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** Follows hubs: a reader for each partition, one loop for each hub that looks at it, and `events`, which takes what the readers have in turn. */
export class HubFollower {
  readonly #parts: FollowParts;
  readonly #builder: HubBatchBuilder;
  readonly #readers = new Map<string, PartitionReader>();
  readonly #running = new Set<Promise<void>>();
  readonly #watch: HubWatch;
  readonly #readerParts: ReaderParts;
  readonly #news: SourceEvent[] = [];
  readonly #wake = new Wake();
  #watching: Promise<void> = Promise.resolve();
  #boundsMoved = false;
  #boundsToldAt = -Infinity;
  /** Partitions in the order in which they are taken from. */
  #turns: PartitionReader[] = [];

  constructor(parts: FollowParts) {
    this.#parts = parts;
    this.#builder = new HubBatchBuilder(parts.recordsMax);
    const say = (event: SourceEvent): void => {
      this.#news.push(event);
      this.#wake.ring();
    };
    const notices = new Notices(say);
    this.#readerParts = {
      timing: parts.timing, clock: parts.clock, consumerGroup: parts.consumerGroup, acceptsHoles: parts.acceptsHoles, notices, say, signal: parts.signal,
      share: () => this.#share(),
      arrived: (hasBounds) => this.#arrived(hasBounds),
      missing: (partition) => this.#watch.missing(partition),
    };
    this.#watch = new HubWatch({ ...parts, notices, readers: this.#readers, say, moved: () => this.#arrived(true), add: (client, state) => this.#add(client, state), remove: (reader) => this.#remove(reader) });
  }

  /** Batches, bounds, stops and warnings until the signal aborts. */
  async *events(): AsyncGenerator<SourceEvent, void, void> {
    const { signal, partitions, clients } = this.#parts;
    signal.addEventListener('abort', () => this.#wake.ring(), { once: true });
    for (const state of partitions) this.#add(clients.find(({ hub }) => hub === state.topic)!, state);
    this.#watching = this.#watch.run();
    while (!signal.aborted) {
      yield* this.#tell();
      // What came while that was told, a gap before records perhaps, is told before them.
      if (this.#news.length > 0) continue;
      const taken = this.#gather();
      if (this.#builder.isBegun) {
        yield { kind: 'records', batch: this.#builder.batch() };
        this.#builder.clear();
        for (const reader of taken) reader.ask();
      } else await this.#wake.wait(this.#boundsMoved ? BOUNDS_MS : undefined);
    }
  }

  /** Returns when no loop runs any more; the signal has aborted. */
  async ended(): Promise<void> {
    await Promise.all([this.#watching, ...this.#running]);
  }

  /** Takes from each partition in turn, beginning with those that wait longest. */
  #gather(): PartitionReader[] {
    const taken: PartitionReader[] = [];
    for (const reader of this.#turns) {
      const { state } = reader;
      if (!this.#builder.hasRoom()) break;
      if (state.queue.length > 0) {
        const count = this.#builder.add(state, state.queue);
        if (count === 0) break;
        state.take(count);
        taken.push(reader);
      } else if (state.movedTo !== null) {
        this.#builder.move(state, state.movedTo);
        state.movedTo = null;
      }
    }
    if (taken.length > 0) {
      const had = new Set(taken);
      this.#turns = [...this.#turns.filter((reader) => !had.has(reader)), ...taken];
    }
    return taken;
  }

  *#tell(): Generator<SourceEvent, void, void> {
    while (this.#news.length > 0) yield this.#news.shift()!;
    for (const { state } of this.#readers.values()) {
      if (state.stop === null || state.isStopTold || state.queue.length > 0) continue;
      state.isStopTold = true;
      yield { kind: 'stopped', stop: state.stop };
    }
    const now = this.#parts.clock.monotonicMs();
    if (!this.#boundsMoved || now - this.#boundsToldAt < BOUNDS_MS) return;
    this.#boundsMoved = false;
    this.#boundsToldAt = now;
    yield { kind: 'bounds', bounds: [...this.#readers.values()].map(({ state }) => state.bounds), waiting: this.#watch.waiting };
  }

  #arrived(hasBounds: boolean): void {
    this.#boundsMoved ||= hasBounds;
    this.#wake.ring();
  }

  #add(client: HubClient, state: HubPartition): void {
    const reader = new PartitionReader(state, client, this.#readerParts);
    this.#readers.set(partitionName(state), reader);
    this.#turns.push(reader);
    const running: Promise<void> = reader.run().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Forgets a partition of which nothing was read; it may come again. */
  #remove(reader: PartitionReader): void {
    reader.end();
    this.#readers.delete(partitionName(reader.state));
    this.#turns = this.#turns.filter((other) => other !== reader);
  }

  #share(): { events: number; bytes: number } {
    const count = Math.max(1, this.#readers.size);
    return { events: Math.min(PARTITION_EVENTS_MAX, Math.max(PARTITION_EVENTS_MIN, Math.floor(WAITING_EVENTS_MAX / count))), bytes: Math.floor(WAITING_BYTES_MAX / count) };
  }
}
