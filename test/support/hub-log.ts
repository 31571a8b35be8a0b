import { createEventHubsSource } from '../../src/source/event-hubs.ts';
import type { EventHubsConfig, EventHubsTiming } from '../../src/source/event-hubs-options.ts';
import type { Source } from '../../src/source/source.ts';
import { EventHubsDouble, type DoubleOptions } from './event-hubs/event-hubs-double.ts';
import type { TestRecord } from './dump.ts';

/** Times for tests: a service that is well needs no patience. */
export const QUICK_HUBS: Partial<EventHubsTiming> = { patienceMs: 600, lookMs: 100, requestMs: 5_000, retryMs: [20, 200], stolenRetryMs: [20, 200] };

/** Hubs of a double for one test. Records keep their offsets as sequence numbers when they are appended in order from 0 on. */
export class HubLog {
  readonly double: EventHubsDouble;

  private constructor(double: EventHubsDouble) {
    this.double = double;
  }

  static async create(options: Partial<DoubleOptions> = {}): Promise<HubLog> {
    return new HubLog(await EventHubsDouble.start({ hubs: [], ...options }));
  }

  config(over: Partial<EventHubsConfig> = {}): EventHubsConfig {
    return { credential: { kind: 'connection-string', connectionString: this.double.connectionString() }, namespace: this.double.host, hubs: ['t'], consumerGroup: '$Default', ...over };
  }

  source(over: Partial<EventHubsConfig> = {}, timing: Partial<EventHubsTiming> = {}): Source {
    return createEventHubsSource(this.config(over), { ...QUICK_HUBS, ...timing });
  }

  /** Adds records to the ends of their partitions, which are made when they are needed. */
  append(records: readonly TestRecord[]): void {
    for (const [topic, all] of Map.groupBy(records, (r) => r.topic)) {
      const count = Math.max(...all.map((r) => r.partition)) + 1;
      const there = this.double.partitionCount(topic);
      if (there === null) this.double.addHub({ name: topic, partitions: count });
      else if (there < count) this.double.addPartitions(topic, count - there);
      for (const [partition, some] of Map.groupBy(all, (r) => r.partition)) {
        this.double.append(topic, partition, some.map(({ key, value, time }) => ({
          ...(value === null ? {} : { body: Buffer.from(value) }), ...(key === null ? {} : { partitionKey: key }), ...(time === null ? {} : { enqueuedTime: time }),
        })));
      }
    }
  }

  recreate(topic: string, records: readonly TestRecord[]): void {
    if (this.double.partitionCount(topic) !== null) this.double.deleteHub(topic);
    this.append(records);
  }

  async dispose(): Promise<void> {
    await this.double[Symbol.asyncDispose]();
  }
}
