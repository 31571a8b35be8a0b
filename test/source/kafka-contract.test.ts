/**
 * Goal: the Kafka source keeps the source contract on a real broker.
 * Method: the suite of all sources; each test has topics of its own on the run's broker, changed with an admin client.
 */
import { describe } from 'vitest';
import { KafkaTopics } from '../support/kafka-log.ts';
import { kafkaService } from '../support/services/services.ts';
import { describeSource } from './source-suite.ts';

const kafka = await kafkaService();

describe.skipIf(kafka === null)('on a broker', () => {
  describeSource('kafka', async () => {
    const topics = await KafkaTopics.create(kafka!.brokers);
    return {
      createSource: () => topics.source(),
      append: async (records) => await topics.append(records),
      truncateHead: async (topic, partition, before) => await topics.truncateHead(topic, partition, before),
      recreate: async (topic, records) => await topics.recreate(topic, records),
      dispose: async () => await topics.dispose(),
    };
  });
});
