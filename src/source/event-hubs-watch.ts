import { Backoff } from '../runtime/backoff.ts';
import { hubFailure } from './event-hubs-errors.ts';
import type { HubClient } from './event-hubs-client.ts';
import type { FollowParts } from './event-hubs-follow.ts';
import type { Notices } from './notices.ts';
import { HubPartition } from './event-hubs-partition.ts';
import type { PartitionReader } from './event-hubs-reader.ts';
import { beginsTooLate, hubGone } from './event-hubs-stops.ts';
import { partitionName } from './positions.ts';
import type { SourceEvent } from './source.ts';
import { beginningMissing } from './stops.ts';

/** Partitions asked about at the same time. */
const TOGETHER_MAX = 8;

/** What looking at hubs needs. */
export interface WatchParts extends FollowParts {
  readonly notices: Notices;
  readonly readers: ReadonlyMap<string, PartitionReader>;
  say(event: SourceEvent): void;
  /** Bounds, or what is waited for, changed. */
  moved(): void;
  add(client: HubClient, state: HubPartition): void;
  remove(reader: PartitionReader): void;
}

/** Looks at each hub from time to time: hubs that come and go, new partitions, bounds, links that do not carry. */
export class HubWatch {
  /** Hubs that are waited for. */
  waiting: readonly string[];
  readonly #parts: WatchParts;
  /** When a hub that was read was first found missing. Monotonic milliseconds. */
  readonly #missingSince = new Map<string, number>();
  /** What the next event of a partition was at the last look, where events were there and none came. */
  readonly #stuckAt = new Map<PartitionReader, number>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.waiting = parts.waiting;
  }

  /** Looks until the signal aborts. */
  async run(): Promise<void> {
    await Promise.all(this.#parts.clients.map(async (client) => await this.#lookLoop(client)));
  }

  /** A reader found its hub or its consumer group missing. A partition of which nothing was read, nor is to be, is forgotten and waited for; whether another one is gone is found by looking at its hub. */
  missing(state: HubPartition): void {
    const reader = this.#parts.readers.get(partitionName(state));
    if (reader !== undefined && state.stop === null && isUntouched(state)) this.#parts.remove(reader);
  }

  /** The hub, or this partition of it, was not there. */
  #gone(reader: PartitionReader): void {
    const { state } = reader;
    if (state.stop !== null) return;
    const now = this.#parts.clock.monotonicMs();
    const since = this.#missingSince.get(partitionName(state)) ?? now;
    this.#missingSince.set(partitionName(state), since);
    if (isUntouched(state)) this.#parts.remove(reader);
    else if (now - since >= this.#parts.timing.patienceMs) {
      state.stop = hubGone(state);
      reader.end();
      this.#parts.moved();
    }
  }

  async #lookLoop(client: HubClient): Promise<void> {
    const { signal, clock, timing, notices } = this.#parts;
    const backoff = new Backoff(timing.retryMs);
    const about = `hub ${client.hub}`;
    while (!signal.aborted) {
      await clock.sleep(timing.lookMs, signal);
      if (signal.aborted) return;
      const before = this.#progress(client);
      try {
        await this.#look(client);
        backoff.reset();
        notices.over(about);
      } catch (error) {
        if (signal.aborted) return;
        const failure = hubFailure(error);
        if (failure.kind === 'missing') this.#hubMissing(client);
        else {
          notices.warn(about, `Hub ${client.hub} cannot be asked about its partitions: ${failure.message}. It is tried again until it answers.`);
          // Answers may stand behind events on a slow connection; where neither comes, it is dead.
          if (failure.kind === 'silent' && this.#progress(client) === before) client.break(failure.message);
          await clock.sleep(backoff.next(), signal);
        }
      }
    }
  }

  #readersOf({ hub }: HubClient): PartitionReader[] {
    return [...this.#parts.readers.values()].filter(({ state }) => state.topic === hub);
  }

  /** Grows with every event that arrives from a hub. */
  #progress(client: HubClient): number {
    return this.#readersOf(client).reduce((sum, { state }) => sum + state.arrivedNext, 0);
  }

  async #look(client: HubClient): Promise<void> {
    const numbers = await client.partitions();
    this.#setWaiting(client.hub, false);
    for (const reader of this.#readersOf(client)) if (!numbers.includes(reader.state.partition)) this.#gone(reader);
    for (let first = 0; first < numbers.length && !this.#parts.signal.aborted; first += TOGETHER_MAX) {
      await Promise.all(numbers.slice(first, first + TOGETHER_MAX).map(async (partition) => await this.#lookAt(client, partition)));
    }
  }

  async #lookAt(client: HubClient, partition: number): Promise<void> {
    const place = { topic: client.hub, partition };
    const reader = this.#parts.readers.get(partitionName(place));
    if (reader !== undefined && reader.state.stop !== null) return;
    const readBefore = reader?.state.arrivedNext ?? 0;
    const bounds = await client.bounds(partition);
    if (this.#parts.signal.aborted) return;
    if (reader === undefined) {
      this.#appeared(client, new HubPartition(place, bounds, bounds.start, null));
      return;
    }
    this.#missingSince.delete(partitionName(place));
    const { state } = reader;
    if (bounds.end < readBefore) {
      reader.drop(`it ends before sequence number ${bounds.end}, and was read up to ${readBefore}`);
      return;
    }
    // Events that arrived meanwhile told a newer end.
    if (bounds.end >= state.end ? state.see(bounds) : state.see({ start: bounds.start, end: state.end })) this.#parts.moved();
    this.#lookForStuck(reader);
  }

  /** Partitions that appeared while running start at their beginning, which must be the first event unless gaps are accepted. */
  #appeared(client: HubClient, state: HubPartition): void {
    if (state.start > 0) {
      const missing = beginsTooLate(state, state.start);
      if (this.#parts.acceptsHoles) {
        this.#parts.say({ kind: 'gap', gap: missing });
        state.movedTo = state.start;
      } else state.stop = beginningMissing(state, state.start, missing);
    }
    this.#parts.add(client, state);
    this.#parts.moved();
  }

  /** Events are there, were asked for, and none came from one look to the next: the link is dead without knowing it. */
  #lookForStuck(reader: PartitionReader): void {
    const { arrivedNext, end } = reader.state;
    const isWaiting = reader.isAsking && end > arrivedNext;
    if (isWaiting && this.#stuckAt.get(reader) === arrivedNext) {
      reader.drop('events are there, were asked for, and did not come');
      this.#stuckAt.delete(reader);
    } else if (isWaiting) this.#stuckAt.set(reader, arrivedNext);
    else this.#stuckAt.delete(reader);
  }

  #hubMissing(client: HubClient): void {
    for (const reader of this.#readersOf(client)) this.#gone(reader);
    if (this.#readersOf(client).length === 0) this.#setWaiting(client.hub, true);
  }

  #setWaiting(hub: string, isWaiting: boolean): void {
    if (this.waiting.includes(hub) === isWaiting) return;
    this.waiting = isWaiting ? [...this.waiting, hub] : this.waiting.filter((name) => name !== hub);
    this.#parts.moved();
  }
}

/** True when nothing was read of a partition, and nothing was there to be read at the start. */
function isUntouched({ arrivedNext, last, isAwaited }: HubPartition): boolean {
  return arrivedNext === 0 && last === null && !isAwaited;
}
