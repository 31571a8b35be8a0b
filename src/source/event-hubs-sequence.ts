import type { HubBounds } from './event-hubs-client.ts';
import type { LinkStart } from './event-hubs-link.ts';
import type { HubEvent } from './event-hubs-message.ts';
import { lastOfEvent, type HubPartition, type LastEvent } from './event-hubs-partition.ts';
import { eventChanged, eventsMissing, holeText } from './event-hubs-stops.ts';
import { recordDifference } from './position-check.ts';
import type { PartitionStop } from './source.ts';

/** What becomes of an event that came. `again`: the link is given up, and what follows is asked for again, because something did not come. */
export type Verdict =
  | { readonly kind: 'take'; readonly gap?: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'again'; readonly why: string }
  | { readonly kind: 'stop'; readonly stop: PartitionStop };

const DROP: Verdict = { kind: 'drop' };
const TAKE: Verdict = { kind: 'take' };

/** Says where a link has to start, and of each event that comes whether it is the one that has to come. */
export class SequenceCheck {
  readonly #state: HubPartition;
  /** Events that are missing are told, and do not stop the partition. */
  readonly #acceptsHoles: boolean;
  /** The event that is to come first, which was applied already. */
  #expected: LastEvent | null = null;
  /** Which event did not come when the last link was given up: asked for again once, before it is believed. */
  #askedAgain: number | null = null;

  constructor(state: HubPartition, acceptsHoles: boolean) {
    this.#state = state;
    this.#acceptsHoles = acceptsHoles;
  }

  /** Starts at the event that was read last, where it is still there: it is compared when it comes. */
  start({ start }: HubBounds): LinkStart {
    const { last, arrivedNext } = this.#state;
    this.#expected = last !== null && last.sequence >= start ? last : null;
    if (this.#expected !== null) return { kind: 'at', sequence: this.#expected.sequence, offset: this.#expected.offset };
    return start >= arrivedNext ? { kind: 'earliest' } : { kind: 'behind', sequence: arrivedNext - 1, offset: last?.offset ?? null };
  }

  judge(event: HubEvent): Verdict {
    const state = this.#state;
    const expected = this.#expected;
    if (expected !== null && event.sequence >= expected.sequence) {
      this.#expected = null;
      return event.sequence === expected.sequence ? this.#compare(event, expected) : this.#skipped(event, expected);
    }
    // Sent again: it was applied, or waits to be.
    if (event.sequence < state.arrivedNext) return DROP;
    return event.sequence === state.arrivedNext ? TAKE : this.#hole(event);
  }

  #compare(event: HubEvent, expected: LastEvent): Verdict {
    const hash = expected.hash();
    const difference = hash === null ? null : recordDifference({ time: expected.time, hash }, { time: event.time, hash: lastOfEvent(event).hash()! });
    return difference === null ? DROP : { kind: 'stop', stop: eventChanged(this.#state, expected, difference) };
  }

  /** The event before our position did not come, although it is said to be there: either retention just took it, or its offset leads elsewhere. */
  #skipped(event: HubEvent, expected: LastEvent): Verdict {
    if (this.#askedAgain === expected.sequence) return { kind: 'stop', stop: eventChanged(this.#state, expected, `is not where it was (its offset leads to sequence number ${event.sequence})`) };
    this.#askedAgain = expected.sequence;
    return { kind: 'again', why: `event ${expected.sequence}, the one before our position, was asked for, and ${event.sequence} came` };
  }

  /** Events are missing before one that came. */
  #hole(event: HubEvent): Verdict {
    const state = this.#state;
    if (this.#askedAgain !== state.arrivedNext) {
      this.#askedAgain = state.arrivedNext;
      return { kind: 'again', why: `events ${state.arrivedNext} to ${event.sequence - 1} did not come` };
    }
    return this.#acceptsHoles ? { kind: 'take', gap: holeText(state, event.sequence) } : { kind: 'stop', stop: eventsMissing(state, event.sequence) };
  }
}
