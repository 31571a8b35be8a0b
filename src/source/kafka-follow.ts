import { Backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { Wake } from '../runtime/wake.ts';
import { AnswerReader, type ReadShare } from './kafka-answer.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaErrorText } from './kafka-errors.ts';
import { offsetAfter, type FetchAnswer, type FetchShare } from './kafka-fetch.ts';
import type { KafkaTiming } from './kafka-options.ts';
import type { KafkaPartition, KafkaPartitions } from './kafka-partitions.ts';
import { RecordFault } from './kafka-record-batch.ts';
import { unreadable } from './kafka-stops.ts';
import { TopicWatch } from './kafka-watch.ts';
import { KafkaTrouble } from './kafka-trouble.ts';
import type { TopicSelection } from './kafka-topics.ts';
import type { SourceEvent } from './source.ts';

/**
 * Most bytes in one answer, and of one partition in it; a record batch that is larger comes whole. For each broker one answer is being read, one may wait and one be on its
 * way: 12 MiB, and what decoding makes of one batch.
 */
const ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_PARTITION_BYTES = 1024 * 1024;
/** Bounds are told at most this often. */
const BOUNDS_MS = 250;
/** What was asked for longer ago than a fetch may wait, and this, may be of a topic that was made again since. */
const STALE_MS = 2_000;
/** A fetcher without work looks again after this time, for partitions that rest. */
const IDLE_MS = 100;

/** What following a log needs. */
export interface FollowParts {
  readonly cluster: KafkaCluster;
  readonly selection: TopicSelection;
  readonly partitions: KafkaPartitions;
  readonly waiting: readonly string[];
  readonly recordsMax: number;
  /** Offsets that are missing from a log that is not compacted, and a beginning that is gone, are told and do not stop a partition. */
  readonly acceptsHoles: boolean;
  readonly timing: KafkaTiming;
  readonly clock: Clock;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** A question under way: when it was asked, and the epochs that its partitions had. */
interface Ask {
  readonly at: number;
  readonly epochs: ReadonlyMap<KafkaPartition, number>;
}

/** An answer that waits to be read. */
interface Waiting {
  readonly node: number;
  readonly answer: FetchAnswer;
  readonly shares: readonly ReadShare[];
}

/**
 * Follows a log: for each broker one loop that fetches, one loop that looks at the cluster, and `events`, which reads the answers in the order they came. A broker is asked for its next
 * answer while its last one is read, so that network and decoding go on together.
 */
export class KafkaFollower {
  readonly #parts: FollowParts;
  readonly #reader: AnswerReader;
  readonly #trouble: KafkaTrouble;
  readonly #watch: TopicWatch;
  readonly #answers: Waiting[] = [];
  readonly #news: SourceEvent[] = [];
  readonly #wake = new Wake();
  readonly #fetchers = new Map<number, { readonly wake: Wake; readonly done: Promise<void> }>();
  #watching: Promise<void> = Promise.resolve();
  #boundsMoved = false;
  #boundsToldAt = -Infinity;

  constructor(parts: FollowParts) {
    this.#parts = parts;
    this.#reader = new AnswerReader(parts.recordsMax, parts.acceptsHoles);
    const say = (event: SourceEvent): void => {
      this.#news.push(event);
      this.#wake.ring();
    };
    this.#trouble = new KafkaTrouble(parts, say, () => this.#watch.lookSoon());
    this.#watch = new TopicWatch(parts, this.#trouble, () => this.#partitionsMoved());
  }

  /** Batches, bounds, stops and warnings until the signal aborts. */
  async *events(): AsyncGenerator<SourceEvent, void, void> {
    const { signal } = this.#parts;
    signal.addEventListener('abort', () => this.#wakeAll(), { once: true });
    this.#watching = this.#watch.run();
    this.#startFetchers();
    while (!signal.aborted) {
      yield* this.#tell();
      // What came while that was told, a gap before records perhaps, is told before them.
      if (this.#news.length > 0) continue;
      const next = this.#answers.shift();
      if (next === undefined) await this.#wake.wait(this.#boundsMoved ? BOUNDS_MS : undefined);
      else yield* this.#read(next);
    }
  }

  /** Returns when no loop runs any more; the signal has aborted and the cluster is closed. */
  async ended(): Promise<void> {
    await Promise.all([this.#watching, this.#trouble.ended(), ...[...this.#fetchers.values()].map(({ done }) => done)]);
  }

  *#read({ node, answer, shares }: Waiting): Generator<SourceEvent, void, void> {
    const { signal } = this.#parts;
    this.#fetchers.get(node)?.wake.ring();
    for (const event of this.#reader.read(answer, shares)) {
      yield event;
      if (signal.aborted) return;
    }
    this.#parts.cluster.done(answer);
    // Doubtful partitions wait for this.
    for (const { wake } of this.#fetchers.values()) wake.ring();
  }

  *#tell(): Generator<SourceEvent, void, void> {
    const { moved } = this.#parts.partitions;
    while (this.#news.length > 0) yield this.#news.shift()!;
    if (moved.length > 0) yield* this.#reader.moved(moved.splice(0));
    const now = this.#parts.clock.monotonicMs();
    if (!this.#boundsMoved || now - this.#boundsToldAt < BOUNDS_MS) return;
    this.#boundsMoved = false;
    this.#boundsToldAt = now;
    yield { kind: 'bounds', bounds: [...this.#parts.partitions.all()].map(({ bounds }) => bounds), waiting: this.#watch.waiting };
  }

  #partitionsMoved(): void {
    this.#boundsMoved = true;
    this.#startFetchers();
    this.#wakeAll();
  }

  #wakeAll(): void {
    this.#wake.ring();
    this.#watch.wake();
    for (const { wake } of this.#fetchers.values()) wake.ring();
  }

  #startFetchers(): void {
    for (const { leader } of this.#parts.partitions.all()) {
      if (leader < 0 || this.#fetchers.has(leader)) continue;
      const wake = new Wake();
      this.#fetchers.set(leader, { wake, done: this.#fetchLoop(leader, wake) });
    }
  }

  /** Asks one broker for what follows, as long as no answer of it waits. */
  async #fetchLoop(node: number, wake: Wake): Promise<void> {
    const { signal, partitions, clock, cluster, timing } = this.#parts;
    const backoff = new Backoff(timing.retryMs);
    while (!signal.aborted) {
      const asked = this.#answers.some((a) => a.node === node) ? [] : partitions.askable(node, clock.monotonicMs(), timing.fetchWaitMs + STALE_MS);
      if (asked.length === 0) {
        await wake.wait(IDLE_MS);
        continue;
      }
      try {
        if (await cluster.connectToFetch(node)) {
          partitions.doubt(node);
          continue;
        }
        const ask: Ask = { at: clock.monotonicMs(), epochs: new Map(asked.map((state) => [state, state.epoch])) };
        this.#take(node, await this.#fetch(node, asked), ask);
        backoff.reset();
        this.#trouble.notices.over(`broker ${node}`);
      } catch (error) {
        if (signal.aborted) return;
        cluster.drop(node);
        partitions.doubt(node);
        this.#trouble.notices.warn(`broker ${node}`, `Broker ${node} cannot be read: ${cluster.failure(node, error).text}. It is tried again until it answers.`);
        this.#watch.lookSoon();
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  async #fetch(node: number, asked: readonly KafkaPartition[]): Promise<FetchAnswer> {
    const { cluster, timing } = this.#parts;
    const answer = await cluster.fetch(node, {
      waitMs: timing.fetchWaitMs, bytesMax: ANSWER_BYTES, partitionBytesMax: ANSWER_PARTITION_BYTES,
      partitions: asked.map((state) => ({ topic: state.topic, partition: state.partition, offset: state.fetchFrom })),
    });
    if (answer.error !== 0) throw new Error(kafkaErrorText(answer.error));
    return answer;
  }

  /** What was asked for before doubt came up may be of another log, and is asked for again. */
  #take(node: number, answer: FetchAnswer, { at, epochs }: Ask): void {
    const shares: ReadShare[] = [];
    for (const share of answer.shares) {
      const state = this.#parts.partitions.get(share.topic, share.partition);
      if (state === null || state.stopped || state.isDoubtful || state.epoch !== epochs.get(state)) continue;
      state.askedAt = at;
      if (share.error !== 0) {
        this.#trouble.met(state, share.error);
        continue;
      }
      this.#noteBounds(state, share);
      if (this.#hasRecords(state, answer, share)) shares.push({ share, state });
    }
    if (shares.length === 0) return;
    this.#parts.partitions.served(new Set(shares.map(({ state }) => state)));
    this.#answers.push({ node, answer, shares });
    this.#wake.ring();
  }

  #noteBounds(state: KafkaPartition, share: FetchShare): void {
    const start = Math.max(state.start, share.logStart);
    const end = share.lastStable >= 0 ? share.lastStable : share.highWatermark;
    if (start !== state.start || end !== state.end) {
      state.start = start;
      state.end = end;
      this.#boundsMoved = true;
      this.#wake.ring();
    }
    this.#trouble.endSeen(state, share.highWatermark);
    this.#trouble.stableSeen(state, share.lastStable, share.highWatermark);
  }

  /** True when there is something to read; the next fetch then begins behind it. */
  #hasRecords(state: KafkaPartition, answer: FetchAnswer, share: FetchShare): boolean {
    try {
      const next = offsetAfter(answer, share);
      if (next === null) return false;
      if (next <= state.fetchFrom) throw new RecordFault('OFFSET_FELL', next, `the broker was asked for offset ${state.fetchFrom} and answered with records up to ${next - 1}`);
      state.fetchNext = next;
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      // What stands before the damage is still read; the reader then meets it too and stops the partition.
      if (error.code === 'OFFSET_FELL') {
        this.#trouble.stop(state, unreadable(state, error));
        return false;
      }
    }
    state.waiting++;
    return true;
  }
}
