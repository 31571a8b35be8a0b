/**
 * Goal: the Event Hubs source keeps the source contract over AMQP.
 * Method: the suite of all sources, on a double of a namespace; also with offsets that have no order, as geo-replicated namespaces give them.
 */
import { describe } from 'vitest';
import { HubLog } from '../support/hub-log.ts';
import { describeSource, type TestLog } from './source-suite.ts';

async function createLog(offsets: 'bytes' | 'opaque'): Promise<TestLog> {
  const log = await HubLog.create({ offsets });
  return {
    emptyIsNull: true,
    createSource: () => log.source({ hubs: ['expenses', 'rents', 't', 'u'] }),
    append: async (records) => await Promise.resolve(log.append(records)),
    truncateHead: async (topic, partition, before) => await Promise.resolve(log.double.truncateHead(topic, partition, before)),
    recreate: async (topic, records) => await Promise.resolve(log.recreate(topic, records)),
    dispose: async () => await log.dispose(),
  };
}

describe.each(['bytes', 'opaque'] as const)('with offsets that are %s', (offsets) => {
  describeSource('event-hubs', async () => await createLog(offsets));
});
