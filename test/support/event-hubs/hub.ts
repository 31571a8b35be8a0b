import { PartitionLog, type OffsetStyle } from './partition-log.ts';

/** What hubs are made of: name, number of partitions, and the consumer groups besides `$Default`. */
export interface HubSpecification {
  readonly name: string;
  readonly partitions: number;
  readonly consumerGroups?: readonly string[];
}

/** An event hub. Names of hubs and groups are the same in upper and lower case, as they are to the service. */
export class Hub {
  readonly name: string;
  readonly createdAt: number;
  readonly partitions: PartitionLog[] = [];
  readonly #groups: Set<string>;
  readonly #makeLog: () => PartitionLog;
  #turn = 0;

  constructor({ name, partitions, consumerGroups = [] }: HubSpecification, style: OffsetStyle, incarnation: number, createdAt: number) {
    this.name = name;
    this.createdAt = createdAt;
    this.#groups = new Set(['$default', ...consumerGroups.map((group) => group.toLowerCase())]);
    this.#makeLog = () => new PartitionLog(style, incarnation);
    this.addPartitions(partitions);
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group.toLowerCase());
  }

  addPartitions(count: number): void {
    for (let i = 0; i < count; i++) this.partitions.push(this.#makeLog());
  }

  partition(partition: number): PartitionLog {
    const log = this.partitions[partition];
    if (log === undefined) throw new Error(`hub ${this.name} has ${this.partitions.length} partitions, and none with number ${partition}`);
    return log;
  }

  /** The partition of what comes with this key, or the next one in turn. */
  choose(partitionKey: string | undefined): PartitionLog {
    const number = partitionKey === undefined ? this.#turn++ : [...partitionKey].reduce((hash, character) => (hash * 31 + character.codePointAt(0)!) >>> 0, 7);
    return this.partition(number % this.partitions.length);
  }
}
