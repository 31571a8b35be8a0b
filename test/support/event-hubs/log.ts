import type { TestRecord } from '../dump.ts';
import { EventHubsDouble, type DoubleOptions } from './event-hubs-double.ts';
import type { HubEvent } from './event.ts';

/** Which annotation carries a record's key: that of an AMQP producer, or that of a Kafka producer. */
export type KeyStyle = 'partition-key' | 'kafka-key';

/** A record's key and value, and Kafka headers where it has some. */
export type EventRecord = Pick<TestRecord, 'key' | 'value' | 'time'> & { readonly headers?: Readonly<Record<string, string>> };

/**
 * A record as an event: the value as one data section, null as an empty one (AMQP has no other tombstone); no key as no annotation; a time
 * that is not known as the time it is appended.
 */
export function eventOf({ key, value, time, headers }: EventRecord, keys: KeyStyle = 'partition-key'): HubEvent {
  return {
    body: Buffer.from(value ?? ''),
    ...(key === null ? {} : keys === 'kafka-key' ? { kafkaKey: Buffer.from(key) } : { partitionKey: key }),
    ...(headers === undefined ? {} : { properties: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])) }),
    ...(time === null ? {} : { enqueuedTime: time }),
  };
}

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
