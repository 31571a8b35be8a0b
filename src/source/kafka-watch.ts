import { Backoff } from '../runtime/backoff.ts';
import { Wake } from '../runtime/wake.ts';
import { askBounds, partitionsOf, type LedBounds } from './kafka-bounds.ts';
import type { CleanupPolicy, ClusterMetadata } from './kafka-cluster.ts';
import { brokerFailure, KAFKA_ERROR } from './kafka-errors.ts';
import type { FollowParts } from './kafka-follow.ts';
import { KafkaPartition } from './kafka-partitions.ts';
import { beginsTooLate } from './kafka-stops.ts';
import type { KafkaTrouble } from './kafka-trouble.ts';
import type { SourceEvent } from './source.ts';
import { partitionName } from './positions.ts';

/** Least time between two looks, also when something asks for one. */
const PAUSE_MS = 100;

/** Looks at the cluster from time to time, and when something went wrong: leaders that moved, new topics and partitions, topics that are gone. */
export class TopicWatch {
  /** Topics that are waited for. */
  waiting: readonly string[];
  readonly #parts: FollowParts;
  readonly #trouble: KafkaTrouble;
  readonly #say: (event: SourceEvent) => void;
  readonly #moved: () => void;
  readonly #wake = new Wake();

  constructor(parts: FollowParts, trouble: KafkaTrouble, say: (event: SourceEvent) => void, moved: () => void) {
    this.#parts = parts;
    this.#trouble = trouble;
    this.#say = say;
    this.#moved = moved;
    this.waiting = parts.waiting;
  }

  /** Asks for a look without waiting for its time. */
  lookSoon(): void {
    this.#wake.ring();
  }

  /** Lets `run` see that it is to end. */
  wake(): void {
    this.#wake.ring();
  }

  /** Looks until the signal aborts. */
  async run(): Promise<void> {
    const { signal, cluster, selection, clock, timing } = this.#parts;
    const backoff = new Backoff(timing.retryMs);
    while (!signal.aborted) {
      await this.#wake.wait(timing.metadataMs);
      if (signal.aborted) return;
      try {
        await this.#apply(await cluster.metadata(selection.names));
        backoff.reset();
        this.#trouble.over('cluster');
        await clock.sleep(PAUSE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#trouble.say('cluster', `The cluster cannot be asked about its topics: ${brokerFailure(error).text}. It is tried again until it answers.`);
        await clock.sleep(backoff.next(), signal);
        this.lookSoon();
      }
    }
  }

  async #apply({ topics }: ClusterMetadata): Promise<void> {
    const { partitions, selection } = this.#parts;
    const meant = topics.filter((topic) => selection.means(topic));
    const led = partitionsOf(meant);
    const there = new Set(led.map(partitionName));
    const news = led.filter(({ topic, partition }) => partitions.get(topic, partition) === null);
    let hasMoved = await this.#addAll(news);
    for (const { topic, partition, leader } of led) {
      const state = partitions.get(topic, partition);
      if (state === null) continue;
      if (leader < 0) this.#trouble.met(state, KAFKA_ERROR.leaderNotAvailable);
      if (state.leader === leader) continue;
      state.leader = leader;
      state.isDoubtful = true;
      hasMoved = true;
    }
    const unsure = new Set(meant.filter(({ error }) => error !== KAFKA_ERROR.none && error !== KAFKA_ERROR.unknownTopicOrPartition).map(({ topic }) => topic));
    for (const state of [...partitions.all()]) if (!there.has(partitionName(state)) && !unsure.has(state.topic)) this.#trouble.notThere(state);
    const waiting = selection.waiting(topics);
    if (waiting.join() !== this.waiting.join()) hasMoved = true;
    this.waiting = waiting;
    if (hasMoved) this.#moved();
  }

  /** Partitions that appeared while running start at their beginning, which must be offset 0. */
  async #addAll(news: readonly { topic: string; partition: number; leader: number }[]): Promise<boolean> {
    if (news.length === 0) return false;
    const { cluster } = this.#parts;
    const policies = await cluster.cleanupPolicies([...new Set(news.map(({ topic }) => topic))]);
    const { bounds, unknown } = await askBounds(cluster, news);
    for (const found of bounds) this.#add(found, policies.get(found.topic)!);
    if (unknown.length > 0) this.lookSoon();
    return bounds.length > 0;
  }

  #add(found: LedBounds, policy: CleanupPolicy): void {
    const state = new KafkaPartition(found, found.leader, found, found.start, null);
    state.policy = policy;
    this.#parts.partitions.add(state);
    if (found.start === 0) return;
    state.stopped = true;
    this.#say({ kind: 'stopped', stop: beginsTooLate(found, found.start) });
  }
}
