import { askBounds } from './kafka-bounds.ts';
import { brokerFailure, KAFKA_ERROR, kafkaErrorText } from './kafka-errors.ts';
import type { FollowParts } from './kafka-follow.ts';
import type { KafkaPartition } from './kafka-partitions.ts';
import { beyondEnd, overtaken, topicGone } from './kafka-stops.ts';
import { partitionName } from './positions.ts';
import type { PartitionStop, SourceEvent } from './source.ts';

/** A partition in trouble is asked for again after this time. */
const REST_MS = 250;
/** Trouble that is over sooner is not worth a word: a leader is chosen in less. */
const QUIET_MS = 2_000;

/**
 * Decides what errors of single partitions mean. What time may mend is waited for; what says that the log is not the one that was read stops the partition. Nothing here ever
 * moves a position.
 */
export class KafkaTrouble {
  readonly #parts: FollowParts;
  readonly #say: (event: SourceEvent) => void;
  readonly #lookSoon: () => void;
  /** What was said and is not over. */
  readonly #said = new Set<string>();
  readonly #checks = new Set<Promise<void>>();

  constructor(parts: FollowParts, say: (event: SourceEvent) => void, lookSoon: () => void) {
    this.#parts = parts;
    this.#say = say;
    this.#lookSoon = lookSoon;
  }

  /** Says SOURCE_RETRYING about something, once until it is over. */
  say(about: string, message: string): void {
    if (this.#said.has(about)) return;
    this.#said.add(about);
    this.#say({ kind: 'warned', warning: { code: 'SOURCE_RETRYING', message } });
  }

  over(about: string): void {
    this.#said.delete(about);
  }

  stop(state: KafkaPartition, stop: PartitionStop): void {
    if (state.stopped) return;
    state.stopped = true;
    this.#say({ kind: 'stopped', stop });
  }

  /** A fetch was answered with an error for this partition. */
  met(state: KafkaPartition, error: number): void {
    this.#doubt(state);
    if (error === KAFKA_ERROR.offsetOutOfRange) {
      state.restUntil = Infinity;
      const check: Promise<void> = this.#checkRange(state).finally(() => this.#checks.delete(check));
      this.#checks.add(check);
      return;
    }
    this.#lookSoon();
    if (this.#lasts(state) > QUIET_MS) this.say(partitionName(state), `${partitionName(state)} cannot be read at the moment: ${kafkaErrorText(error)}. It is tried again until it can.`);
  }

  /** A fetch was answered: the log ends there. An end before our position is believed after a while. */
  endSeen(state: KafkaPartition, end: number): void {
    if (end >= state.next) {
      state.troubleSince = null;
      this.over(partitionName(state));
    } else this.#below(state, end);
  }

  /** The cluster was looked at, and the partition is not there. One of which nothing was read is forgotten and waited for. */
  notThere(state: KafkaPartition): void {
    if (state.stopped) return;
    if (state.next === 0 && state.last === null) this.#parts.partitions.remove(state);
    else if (this.#lasts(state) >= this.#parts.timing.patienceMs) this.stop(state, topicGone(state));
    else this.#doubt(state);
  }

  /** Returns when nothing is under way. */
  async ended(): Promise<void> {
    await Promise.all(this.#checks);
  }

  async #checkRange(state: KafkaPartition): Promise<void> {
    try {
      const { bounds } = await askBounds(this.#parts.cluster, [state]);
      if (bounds.length > 0 && state.waiting === 0) this.#compare(state, bounds[0]);
      else this.#lookSoon();
    } catch (error) {
      if (!this.#parts.signal.aborted) this.say(partitionName(state), `${partitionName(state)}: its bounds could not be asked for: ${brokerFailure(error).text}. It is tried again until they can.`);
    } finally {
      state.restUntil = this.#parts.clock.monotonicMs() + REST_MS;
    }
  }

  #compare(state: KafkaPartition, { start, end }: { readonly start: number; readonly end: number }): void {
    if (start > state.next) this.stop(state, overtaken(state, start));
    else if (end < state.next) this.#below(state, end);
    else if (state.last !== null && state.last.offset < start) {
      this.#say({ kind: 'warned', warning: { code: 'RECORD_UNVERIFIED', message: `The record of ${partitionName(state)} that was read last, at offset ${state.last.offset}, could not be compared after the connection was lost: the log now begins at offset ${start}.` } });
      state.last = null;
    }
  }

  #below(state: KafkaPartition, end: number): void {
    if (this.#lasts(state) >= this.#parts.timing.patienceMs) this.stop(state, beyondEnd(state, end));
    else this.#doubt(state);
  }

  #doubt(state: KafkaPartition): void {
    state.isDoubtful = true;
    state.restUntil = this.#parts.clock.monotonicMs() + REST_MS;
    this.#lasts(state);
  }

  /** Milliseconds since trouble began; begins it. */
  #lasts(state: KafkaPartition): number {
    const now = this.#parts.clock.monotonicMs();
    state.troubleSince ??= now;
    return now - state.troubleSince;
  }
}
