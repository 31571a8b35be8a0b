import { hashRecord, type PartitionBounds, type PartitionPosition, type TopicPartition } from './positions.ts';
import type { HubEvent } from './event-hubs-message.ts';
import type { PartitionStop } from './source.ts';

/** The last event that arrived, to know the log again by. `time`: milliseconds, null when the log gave none. */
export interface LastEvent {
  readonly sequence: number;
  /** Offset text; null when only its number is known. */
  readonly offset: string | null;
  readonly time: number | null;
  /** `hashRecord` of its key and value; null when it is not known. */
  hash(): string | null;
}

/** The event before a position, as far as the position knows it. */
export function lastOfPosition({ lastOffset, token, lastTime, lastHash }: PartitionPosition): LastEvent | null {
  return lastOffset === null ? null : { sequence: lastOffset, offset: token, time: lastTime, hash: () => lastHash };
}

/** An event as the last one. */
export function lastOfEvent({ sequence, offset, time, key, value }: HubEvent): LastEvent {
  return { sequence, offset, time: Number.isNaN(time) ? null : time, hash: () => hashRecord(key, value) };
}

/** What an event takes besides its key and value, about. */
const EVENT_BYTES = 512;
/** Size of events nobody has seen yet: few are asked for until it is known. */
const UNSEEN_BYTES = 256 * 1024;
/** Weight of one event in the mean size; a larger one counts more. */
const MEAN_WEIGHT = 1 / 16;
const LARGE_WEIGHT = 1 / 4;

/** What the source knows of one partition of a hub. Offsets here are sequence numbers. */
export class HubPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** First event still there, and the number that the next one will get. */
  start: number;
  end: number;
  /** The event that is to arrive next, and the last that did. */
  arrivedNext: number;
  last: LastEvent | null;
  /** Arrived and not handed over yet; changed by `push` and `take` alone. */
  readonly queue: HubEvent[] = [];
  queueBytes = 0;
  /** The position moved there over a gap without an event; told once the queue is empty. */
  movedTo: number | null = null;
  /** Why nothing more arrives; told once the queue is empty. */
  stop: PartitionStop | null = null;
  isStopTold = false;
  /** Mean size of its events. */
  meanBytes = UNSEEN_BYTES;
  /** True when events were there at start that are to be read. */
  isAwaited = false;

  constructor(place: TopicPartition, bounds: { readonly start: number; readonly end: number }, next: number, last: LastEvent | null) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.start = bounds.start;
    this.end = bounds.end;
    this.arrivedNext = next;
    this.last = last;
  }

  get bounds(): PartitionBounds {
    return { topic: this.topic, partition: this.partition, start: this.start, end: this.end };
  }

  /** Takes what the service says of its bounds; true when that is news. */
  see(bounds: { readonly start: number; readonly end: number }): boolean {
    const isNews = bounds.start !== this.start || bounds.end !== this.end;
    this.start = bounds.start;
    this.end = bounds.end;
    return isNews;
  }

  /** Puts the event that had to come into the queue. */
  push(event: HubEvent): void {
    this.arrivedNext = event.sequence + 1;
    this.movedTo = null;
    this.last = lastOfEvent(event);
    const bytes = sizeOf(event);
    this.meanBytes += (bytes > this.meanBytes ? LARGE_WEIGHT : MEAN_WEIGHT) * (bytes - this.meanBytes);
    this.queueBytes += bytes;
    this.queue.push(event);
  }

  /** Takes so many events out of the queue. */
  take(count: number): void {
    for (const event of this.queue.splice(0, count)) this.queueBytes -= sizeOf(event);
  }
}

function sizeOf({ key, value }: HubEvent): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + EVENT_BYTES;
}
