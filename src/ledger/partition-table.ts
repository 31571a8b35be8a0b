import { partitionName } from '../source/positions.ts';
import type { TopicPartition } from '../source/positions.ts';

const PARTITIONS_MAX = 0x10000;

/** Numbers for the partitions rows came from; a row holds sixteen bits of it. */
export class PartitionTable {
  readonly #partitions: TopicPartition[] = [];
  readonly #numbers = new Map<string, number>();

  intern(partition: TopicPartition): number {
    const name = partitionName(partition);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#partitions.length === PARTITIONS_MAX) throw new RangeError(`more than ${PARTITIONS_MAX} partitions: ${name}`);
    this.#numbers.set(name, this.#partitions.length);
    return this.#partitions.push({ topic: partition.topic, partition: partition.partition }) - 1;
  }

  get(number: number): TopicPartition {
    return this.#partitions[number];
  }
}
