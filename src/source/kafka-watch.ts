import { Backoff } from '../runtime/backoff.ts';
import { Wake } from '../runtime/wake.ts';
import { askBounds, partitionsOf, type LedBounds, type LedPartition } from './kafka-bounds.ts';
import type { CleanupPolicy, ClusterMetadata } from './kafka-cluster.ts';
import { brokerFailure, KAFKA_ERROR } from './kafka-errors.ts';
import type { FollowParts } from './kafka-follow.ts';
import { KafkaPartition } from './kafka-partitions.ts';
import { beginsTooLate } from './kafka-stops.ts';
import type { KafkaTrouble } from './kafka-trouble.ts';
import { beginningMissing } from './stops.ts';
import { partitionName } from './positions.ts';

/** Least time between two looks, also when something asks for one. */
const PAUSE_MS = 100;

/** Looks at the cluster from time to time, and when something went wrong: leaders that moved, new topics and partitions, topics that are gone. */
export class TopicWatch {
  /** Topics that are waited for. */
  waiting: readonly string[];
  readonly #parts: FollowParts;
  readonly #trouble: KafkaTrouble;
  readonly #moved: () => void;
  readonly #wake = new Wake();
  readonly #addBackoff: Backoff;
  #adding: Promise<void> | null = null;

  constructor(parts: FollowParts, trouble: KafkaTrouble, moved: () => void) {
    this.#parts = parts;
    this.#trouble = trouble;
    this.#moved = moved;
    this.waiting = parts.waiting;
    this.#addBackoff = new Backoff(parts.timing.retryMs);
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
    await this.#lookLoop();
    await this.#adding;
  }

  async #lookLoop(): Promise<void> {
    const { signal, cluster, selection, clock, timing } = this.#parts;
    const backoff = new Backoff(timing.retryMs);
    while (!signal.aborted) {
      await this.#wake.wait(timing.metadataMs);
      if (signal.aborted) return;
      try {
        this.#apply(await cluster.metadata(selection.names));
        backoff.reset();
        this.#trouble.notices.over('cluster');
        await clock.sleep(PAUSE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#trouble.notices.warn('cluster', `The cluster cannot be asked about its topics: ${brokerFailure(error).text}. It is tried again until it answers.`);
        await clock.sleep(backoff.next(), signal);
        this.lookSoon();
      }
    }
  }

  #apply({ topics }: ClusterMetadata): void {
    const { partitions, selection } = this.#parts;
    const meant = topics.filter((topic) => selection.means(topic));
    const led = partitionsOf(meant);
    const there = new Set(led.map(partitionName));
    let hasMoved = this.#moveLeaders(led);
    const unsure = new Set(meant.filter(({ error }) => error !== KAFKA_ERROR.none && error !== KAFKA_ERROR.unknownTopicOrPartition).map(({ topic }) => topic));
    for (const state of [...partitions.all()]) if (!there.has(partitionName(state)) && !unsure.has(state.topic)) this.#trouble.notThere(state);
    const waiting = selection.waiting(topics);
    if (waiting.join() !== this.waiting.join()) hasMoved = true;
    this.waiting = waiting;
    if (hasMoved) this.#moved();
    const news = led.filter(({ topic, partition }) => partitions.get(topic, partition) === null);
    // Beside the looks: a broker that cannot be reached holds up no leader that moves.
    if (news.length > 0) this.#adding ??= this.#addAll(news).finally(() => { this.#adding = null; });
  }

  #moveLeaders(led: readonly LedPartition[]): boolean {
    let hasMoved = false;
    for (const { topic, partition, leader } of led) {
      const state = this.#parts.partitions.get(topic, partition);
      if (state === null || state.stopped) continue;
      if (leader < 0) this.#trouble.met(state, KAFKA_ERROR.leaderNotAvailable);
      if (state.leader === leader) continue;
      state.leader = leader;
      state.isDoubtful = true;
      hasMoved = true;
    }
    return hasMoved;
  }

  /** Partitions that appeared while running start at their beginning, which must be offset 0 unless gaps are accepted. */
  async #addAll(news: readonly LedPartition[]): Promise<void> {
    const { cluster, clock, signal } = this.#parts;
    const policies = await cluster.cleanupPolicies([...new Set(news.map(({ topic }) => topic))]);
    const { bounds, unknown } = await askBounds(cluster, news);
    if (signal.aborted) return;
    for (const found of bounds) this.#add(found, policies.get(found.topic)!);
    if (bounds.length > 0) this.#moved();
    if (unknown.length === 0) {
      this.#addBackoff.reset();
      return;
    }
    await clock.sleep(this.#addBackoff.next(), signal);
    this.lookSoon();
  }

  #add(found: LedBounds, policy: CleanupPolicy): void {
    const state = new KafkaPartition(found, found.leader, found, found.start, null);
    state.policy = policy;
    this.#parts.partitions.add(state);
    if (found.start === 0) return;
    const missing = beginsTooLate(found, found.start);
    this.#trouble.beginsLater(state, found.start, missing, beginningMissing(found, found.start, missing));
  }
}
