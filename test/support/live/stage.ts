import { Kafka, logLevel } from 'kafkajs';
import type { ConnectService, OwnInstance, OwnKafka } from '../services/service.ts';
import { startConnect, startKafka } from '../services/start.ts';

/** A broker and a Connect worker of the test's own, to be killed. */
export class Stage implements AsyncDisposable {
  readonly kafka: OwnKafka;
  readonly connect: ConnectService & OwnInstance;
  readonly #client: Kafka;

  private constructor(kafka: OwnKafka, connect: ConnectService & OwnInstance) {
    this.kafka = kafka;
    this.connect = connect;
    this.#client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  }

  static async start(): Promise<Stage> {
    const kafka = await startKafka();
    try {
      return new Stage(kafka, await startConnect({ bootstrap: kafka.seenFromConnect }));
    } catch (error) {
      await kafka[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** End of every partition of the topics that begin with a prefix, by `topic/partition`. */
  async ends(prefix: string): Promise<Map<string, number>> {
    const admin = this.#client.admin();
    await admin.connect();
    try {
      const ends = new Map<string, number>();
      for (const topic of (await admin.listTopics()).filter((name) => name.startsWith(`${prefix}.`))) {
        for (const { partition, high } of await admin.fetchTopicOffsets(topic)) if (Number(high) > 0) ends.set(`${topic}/${partition}`, Number(high));
      }
      return ends;
    } finally {
      await admin.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connect[Symbol.asyncDispose]();
    await this.kafka[Symbol.asyncDispose]();
  }
}
