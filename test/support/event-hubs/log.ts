import type { TestRecord } from '../dump.ts';
import { EventHubsDouble, type DoubleOptions } from './event-hubs-double.ts';
import { eventOf, type KeyStyle } from './record-events.ts';

/** A log of hubs that a test can change, for the suite of all sources. A topic is a hub. */
export class HubsLog {
  readonly double: EventHubsDouble;
  readonly #keys: KeyStyle;

  private constructor(double: EventHubsDouble, keys: KeyStyle) {
    this.double = double;
    this.#keys = keys;
  }

  static async create(options: Partial<DoubleOptions> = {}, keys: KeyStyle = 'partition-key'): Promise<HubsLog> {
    return new HubsLog(await EventHubsDouble.start({ hubs: [], ...options }), keys);
  }

  /** Adds records to the ends of their partitions, which are made when they are needed. Their offsets must be the next sequence numbers. */
  append(records: readonly TestRecord[]): void {
    for (const [topic, all] of Map.groupBy(records, (r) => r.topic)) {
      this.#makePartitions(topic, Math.max(...all.map((r) => r.partition)) + 1);
      for (const [partition, ours] of Map.groupBy(all, (r) => r.partition)) {
        const places = this.double.append(topic, partition, ours.map((record) => eventOf(record, this.#keys)));
        const wrong = places.findIndex(({ sequenceNumber }, i) => sequenceNumber !== ours[i].offset);
        if (wrong >= 0) throw new Error(`record ${ours[wrong].offset} of ${topic}/${partition} has sequence number ${places[wrong].sequenceNumber}`);
      }
    }
  }

  truncateHead(topic: string, partition: number, before: number): void {
    this.double.truncateHead(topic, partition, before);
  }

  /** Deletes the hub and makes it again with these records. */
  recreate(topic: string, records: readonly TestRecord[]): void {
    if (this.double.partitionCount(topic) !== null) this.double.deleteHub(topic);
    this.append(records);
  }

  async dispose(): Promise<void> {
    await this.double[Symbol.asyncDispose]();
  }

  #makePartitions(topic: string, count: number): void {
    const there = this.double.partitionCount(topic);
    if (there === null) this.double.addHub({ name: topic, partitions: count });
    else if (there < count) this.double.addPartitions(topic, count - there);
  }
}
