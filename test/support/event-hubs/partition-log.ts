import { decodeEvent, encodeEvent, type EventPlace, type HubEvent } from './event.ts';
import type { StartPosition } from './start-position.ts';

/** Bytes that the service adds to each event, so that offsets are no sequence numbers. */
const EVENT_OVERHEAD_BYTES = 56;
/** The first of January of the year 1, which the service says for a partition that never had an event. */
const BEFORE_ALL_TIME_MS = -62_135_596_800_000;

/** What offsets look like: byte positions in decimal digits, or text that has no order (as geo-replicated namespaces give it). */
export type OffsetStyle = 'bytes' | 'opaque';

/** An event in the log, and the bytes that are transferred for it. */
export interface StoredEvent extends EventPlace {
  readonly encoded: Buffer;
}

/** Where to begin: a sequence number, or why there is no such place. */
export type Start = { readonly next: number } | { readonly invalid: string };

/** One partition: events with dense sequence numbers from 0 on, the oldest of which may be gone. */
export class PartitionLog {
  readonly #style: OffsetStyle;
  readonly #incarnation: number;
  readonly #listeners = new Set<() => void>();
  #events: StoredEvent[] = [];
  #first = 0;
  #bytes = 0;
  #last: EventPlace = { sequenceNumber: -1, offset: '-1', enqueuedTime: BEFORE_ALL_TIME_MS };

  /** `incarnation` tells opaque offsets of a hub from those of one that had its name before. */
  constructor(style: OffsetStyle, incarnation: number) {
    this.#style = style;
    this.#incarnation = incarnation;
  }

  /** Sequence number of the first event still there; that of the next one when there is none. */
  get first(): number {
    return this.#first;
  }

  /** Sequence number of the next event that comes. */
  get next(): number {
    return this.#first + this.#events.length;
  }

  /** Place of the last event that came, also when it is gone; sequence number -1 and offset `-1` before the first. */
  get last(): EventPlace {
    return this.#last;
  }

  append(events: readonly HubEvent[], now: number): EventPlace[] {
    const places = events.map((event) => {
      const place = { sequenceNumber: this.next, offset: this.#offsetText(this.#bytes), enqueuedTime: event.enqueuedTime ?? now };
      const encoded = encodeEvent(event, place);
      this.#events.push({ ...place, encoded });
      this.#bytes += encoded.length + EVENT_OVERHEAD_BYTES;
      this.#last = place;
      return place;
    });
    for (const tell of this.#listeners) tell();
    return places;
  }

  at(sequenceNumber: number): StoredEvent | undefined {
    return this.#events[sequenceNumber - this.#first];
  }

  /** What lies in the log, as it was given, with its place. */
  list(): (HubEvent & EventPlace)[] {
    return this.#events.map(({ encoded, ...place }) => ({ ...decodeEvent(encoded), ...place }));
  }

  /** Retention: takes the events before this sequence number away. */
  truncateHead(before: number): void {
    const gone = Math.min(Math.max(before - this.#first, 0), this.#events.length);
    this.#events = this.#events.slice(gone);
    this.#first += gone;
  }

  /** The service's answer to a start position. One that retention has taken begins at the first event there is, without a word. */
  startAt(position: StartPosition): Start {
    const step = position.inclusive ? 0 : 1;
    switch (position.by) {
      case 'latest': return { next: this.next };
      case 'sequence-number':
        if (position.value > this.#last.sequenceNumber) return { invalid: `The supplied sequence number '${position.value}' is invalid. The last sequence number in the system is '${this.#last.sequenceNumber}'` };
        return { next: Math.max(position.value + step, this.#first) };
      case 'enqueued-time': return { next: this.#firstWhere((e) => (position.inclusive ? e.enqueuedTime >= position.value : e.enqueuedTime > position.value)) };
      case 'offset': {
        if (position.value === '-1') return { next: this.#first };
        const bytes = this.#offsetBytes(position.value);
        if (bytes === null || bytes > this.#lastBytes()) return { invalid: `The supplied offset '${position.value}' is invalid. The last offset in the system is '${this.#last.offset}'` };
        return { next: this.#firstWhere((e) => this.#offsetBytes(e.offset)! >= bytes + step) };
      }
    }
  }

  /** Calls back after every append, until the returned function is called. */
  watch(tell: () => void): () => void {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  }

  #firstWhere(holds: (event: StoredEvent) => boolean): number {
    const at = this.#events.findIndex(holds);
    return at < 0 ? this.next : this.#first + at;
  }

  #lastBytes(): number {
    return this.#last.sequenceNumber < 0 ? -1 : this.#offsetBytes(this.#last.offset)!;
  }

  #offsetText(bytes: number): string {
    return this.#style === 'bytes' ? String(bytes) : `g${this.#incarnation}:${[...bytes.toString(36)].reverse().join('')}`;
  }

  #offsetBytes(offset: string): number | null {
    if (this.#style === 'bytes') return /^\d+$/.test(offset) ? Number(offset) : null;
    const [, incarnation, reversed] = /^g(\d+):([0-9a-z]+)$/.exec(offset) ?? [];
    return reversed === undefined || Number(incarnation) !== this.#incarnation ? null : parseInt([...reversed].reverse().join(''), 36);
  }
}
