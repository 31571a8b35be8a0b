/**
 * Goal: the Event Hubs source keeps the source contract over AMQP.
 * Method: the suite of all sources, on a double of a namespace; also with offsets that have no order and keys of a Kafka producer, as geo-replicated namespaces and the Kafka endpoint give them.
 */
import { describe } from 'vitest';
import { HubsLog } from '../support/event-hubs/log.ts';
import type { KeyStyle } from '../support/event-hubs/record-events.ts';
import { hubsSource } from '../support/hubs-source.ts';
import { describeSource, type TestLog } from './source-suite.ts';

async function createLog(offsets: 'bytes' | 'opaque', keys: KeyStyle): Promise<TestLog> {
  const log = await HubsLog.create({ offsets }, keys);
  return {
    emptyIsNull: true,
    createSource: () => hubsSource(log.double, { hubs: ['expenses', 'rents', 't', 'u'] }),
    append: async (records) => await Promise.resolve(log.append(records)),
    truncateHead: async (topic, partition, before) => await Promise.resolve(log.truncateHead(topic, partition, before)),
    recreate: async (topic, records) => await Promise.resolve(log.recreate(topic, records)),
    dispose: async () => await log.dispose(),
  };
}

describe.each([['bytes', 'partition-key'], ['opaque', 'kafka-key']] as const)('with offsets that are %s and keys as %s', (offsets, keys) => {
  describeSource('event-hubs', async () => await createLog(offsets, keys));
});
