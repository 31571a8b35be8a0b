import { askBounds } from './kafka-bounds.ts';
import { KAFKA_ERROR, kafkaErrorText } from './kafka-errors.ts';
import type { FollowParts } from './kafka-follow.ts';
import type { KafkaPartition } from './kafka-partitions.ts';
import { beyondEnd, overtaken, overtakenText, refused, topicGone } from './kafka-stops.ts';
import { Notices } from './notices.ts';
import { partitionName } from './positions.ts';
import type { PartitionStop, SourceEvent } from './source.ts';

/** A partition in trouble is asked for again after this time. */
const REST_MS = 250;
/** Trouble that is over sooner is not worth a word: a leader is chosen in less. */
const QUIET_MS = 2_000;
/** What only somebody can mend when it does not pass soon: the user lost the right to read, or the broker's disk holds damaged records. */
const LASTING: ReadonlySet<number> = new Set([KAFKA_ERROR.corruptMessage, KAFKA_ERROR.topicAuthorizationFailed]);

/**
 * Decides what errors of single partitions mean. What time may mend is waited for; what says that the log is not the one that was read stops the partition. Nothing here
 * moves a position, but over a gap that is accepted.
 */
export class KafkaTrouble {
  readonly notices: Notices;
  readonly #parts: FollowParts;
  readonly #say: (event: SourceEvent) => void;
  readonly #lookSoon: () => void;
  readonly #checks = new Set<Promise<void>>();

  constructor(parts: FollowParts, say: (event: SourceEvent) => void, lookSoon: () => void) {
    this.#parts = parts;
    this.#say = say;
    this.#lookSoon = lookSoon;
    this.notices = new Notices(say);
  }

  stop(state: KafkaPartition, stop: PartitionStop): void {
    if (state.stopped) return;
    state.stopped = true;
    this.#say({ kind: 'stopped', stop });
  }

  /** The log begins at `start`, and what is before it was not read: a gap that is told where gaps are accepted, and reading goes on there; else a stop. */
  beginsLater(state: KafkaPartition, start: number, gap: string, otherwise: PartitionStop): void {
    if (!this.#parts.acceptsHoles) {
      this.stop(state, otherwise);
      return;
    }
    this.#say({ kind: 'gap', gap });
    state.next = start;
    state.last = null;
    this.#parts.partitions.moved.push(state);
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
    const now = this.#parts.clock.monotonicMs();
    state.refusedSince = LASTING.has(error) ? state.refusedSince ?? now : null;
    if (state.refusedSince !== null && now - state.refusedSince >= this.#parts.timing.patienceMs) {
      this.stop(state, refused(state, kafkaErrorText(error)));
      return;
    }
    this.#lookSoon();
    if (this.#lasts(state) > QUIET_MS) this.notices.warn(partitionName(state), `${partitionName(state)} cannot be read at the moment: ${kafkaErrorText(error)}. It is tried again until it can.`);
  }

  /** A fetch was answered: the log ends there. An end before our position is believed after a while. */
  endSeen(state: KafkaPartition, end: number): void {
    state.refusedSince = null;
    if (end >= state.next) {
      state.troubleSince = null;
      this.notices.over(partitionName(state));
    } else this.#below(state, end);
  }

  /** A fetch was answered: transactions are decided up to `stable`. One that stays open holds back what is behind it, which the lag does not show. */
  stableSeen(state: KafkaPartition, stable: number, end: number): void {
    const now = this.#parts.clock.monotonicMs();
    const about = `transaction ${partitionName(state)}`;
    if (stable < 0 || end <= stable || state.undecided?.offset !== stable) {
      state.undecided = stable >= 0 && end > stable ? { offset: stable, since: now } : null;
      this.notices.over(about);
    } else if (now - state.undecided.since >= this.#parts.timing.patienceMs) {
      this.notices.warn(about, `${partitionName(state)} cannot be read beyond offset ${stable}, although it ends at ${end}: a transaction that begins there is still open. Look for the producer (\`kafka-transactions\` lists and ends hanging ones); reading goes on when it is decided.`, 'TRANSACTION_OPEN');
    }
  }

  /** The cluster was looked at, and the partition is not there. One of which nothing was read, nor is to be, is forgotten and waited for. */
  notThere(state: KafkaPartition): void {
    if (state.stopped) return;
    const isUnread = state.next === 0 && state.last === null && !state.isAwaited && state.waiting === 0;
    if (isUnread) this.#parts.partitions.remove(state);
    else if (this.#lasts(state) >= this.#parts.timing.patienceMs) this.stop(state, topicGone(state));
    else this.#doubt(state);
  }

  /** Returns when nothing is under way. */
  async ended(): Promise<void> {
    await Promise.all(this.#checks);
  }

  async #checkRange(state: KafkaPartition): Promise<void> {
    const { bounds, unknown } = await askBounds(this.#parts.cluster, [state]);
    state.restUntil = this.#parts.clock.monotonicMs() + REST_MS;
    if (this.#parts.signal.aborted || this.#isOver(state)) return;
    if (unknown.length > 0) this.notices.warn(partitionName(state), `${partitionName(state)}: its bounds could not be asked for: ${unknown[0].reason}. It is tried again until they can.`);
    if (bounds.length > 0 && state.waiting === 0) this.#compare(state, bounds[0]);
    else this.#lookSoon();
  }

  /** Stopped, or forgotten, while its bounds were asked for. */
  #isOver(state: KafkaPartition): boolean {
    return state.stopped || this.#parts.partitions.get(state.topic, state.partition) !== state;
  }

  #compare(state: KafkaPartition, { start, end }: { readonly start: number; readonly end: number }): void {
    if (start > state.next) this.beginsLater(state, start, overtakenText(state, start), overtaken(state, start));
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
