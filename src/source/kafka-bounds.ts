import type { KafkaCluster, TopicMetadata } from './kafka-cluster.ts';
import { KAFKA_ERROR, kafkaErrorText } from './kafka-errors.ts';
import { partitionName, type PartitionBounds, type TopicPartition } from './positions.ts';

/** A partition and the broker that leads it; -1: none. */
export interface LedPartition extends TopicPartition {
  readonly leader: number;
}

/** A partition that can be read: who leads it, and its bounds. */
export interface LedBounds extends PartitionBounds {
  readonly leader: number;
}

/** What could be learnt of partitions, and why not of the others: leaders move, and are being chosen. */
export interface AskedBounds {
  readonly bounds: LedBounds[];
  readonly unknown: { readonly place: TopicPartition; readonly reason: string }[];
}

/** Bounds of partitions, asked of the broker that leads each, all brokers at once: one that cannot be reached leaves its own partitions unknown, and no others. */
export async function askBounds(cluster: KafkaCluster, partitions: readonly LedPartition[]): Promise<AskedBounds> {
  const answers = await Promise.all([...Map.groupBy(partitions, ({ leader }) => leader)].map(async ([leader, led]): Promise<AskedBounds> => {
    if (leader < 0) return allUnknown(led, kafkaErrorText(KAFKA_ERROR.leaderNotAvailable));
    try {
      return await askLeader(cluster, leader, led);
    } catch (error) {
      return allUnknown(led, `broker ${leader}: ${cluster.failure(leader, error).text}`);
    }
  }));
  return { bounds: answers.flatMap(({ bounds }) => bounds), unknown: answers.flatMap(({ unknown }) => unknown) };
}

function allUnknown(places: readonly TopicPartition[], reason: string): AskedBounds {
  return { bounds: [], unknown: places.map((place) => ({ place, reason })) };
}

async function askLeader(cluster: KafkaCluster, leader: number, led: readonly TopicPartition[]): Promise<AskedBounds> {
  const asked: AskedBounds = { bounds: [], unknown: [] };
  const [starts, ends] = [await cluster.offsets(leader, led, 'earliest'), await cluster.offsets(leader, led, 'latest')];
  const endOf = new Map(ends.map((end) => [partitionName(end), end]));
  for (const start of starts) {
    const end = endOf.get(partitionName(start));
    const error = start.error !== 0 ? start.error : (end?.error ?? -1);
    if (error === 0) asked.bounds.push({ topic: start.topic, partition: start.partition, leader, start: start.offset, end: Math.max(start.offset, end!.offset) });
    else asked.unknown.push({ place: start, reason: kafkaErrorText(error) });
  }
  return asked;
}

/** Every partition of topics, with its leader; none of a topic with an error. */
export function partitionsOf(topics: readonly TopicMetadata[]): LedPartition[] {
  return topics.filter(({ error }) => error === KAFKA_ERROR.none).flatMap(({ topic, partitions }) => partitions.map(({ partition, leader }) => ({ topic, partition, leader })));
}
