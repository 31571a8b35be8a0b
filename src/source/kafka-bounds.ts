import type { KafkaCluster, TopicMetadata } from './kafka-cluster.ts';
import { KAFKA_ERROR } from './kafka-errors.ts';
import { partitionName, type PartitionBounds, type TopicPartition } from './positions.ts';

/** A partition that can be read: who leads it, and its bounds. */
export interface LedBounds extends PartitionBounds {
  readonly leader: number;
}

/** What could be learnt of partitions, and why not of the others: leaders move, and are being chosen. */
export interface AskedBounds {
  readonly bounds: LedBounds[];
  readonly unknown: { readonly place: TopicPartition; readonly error: number }[];
}

/** Bounds of partitions, asked of the broker that leads each. Throws what sending throws. */
export async function askBounds(cluster: KafkaCluster, partitions: readonly (TopicPartition & { readonly leader: number })[]): Promise<AskedBounds> {
  const asked: AskedBounds = { bounds: [], unknown: [] };
  const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
  for (const [leader, led] of byLeader) {
    if (leader < 0) {
      asked.unknown.push(...led.map((place) => ({ place, error: KAFKA_ERROR.leaderNotAvailable })));
      continue;
    }
    const [starts, ends] = [await cluster.offsets(leader, led, 'earliest'), await cluster.offsets(leader, led, 'latest')];
    const endOf = new Map(ends.map((end) => [partitionName(end), end]));
    for (const start of starts) {
      const end = endOf.get(partitionName(start));
      const error = start.error !== 0 ? start.error : (end?.error ?? -1);
      if (error === 0) asked.bounds.push({ topic: start.topic, partition: start.partition, leader, start: start.offset, end: Math.max(start.offset, end!.offset) });
      else asked.unknown.push({ place: start, error });
    }
  }
  return asked;
}

/** Every partition of topics, with its leader; none of a topic with an error. */
export function partitionsOf(topics: readonly TopicMetadata[]): (TopicPartition & { readonly leader: number })[] {
  return topics.filter(({ error }) => error === KAFKA_ERROR.none).flatMap(({ topic, partitions }) => partitions.map(({ partition, leader }) => ({ topic, partition, leader })));
}
