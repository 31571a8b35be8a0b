import { Kafka, logLevel } from 'kafkajs';
import { FaultProxy } from '../fault-proxy.ts';
import type { ConnectService, OwnInstance, OwnKafka, RegistryService } from '../services/service.ts';
import { startConnect, startKafka, startRegistry } from '../services/start.ts';

/** A broker and a Connect worker of the test's own, to be killed; and a schema registry, which rentfold reaches by a proxy that can do harm, and Connect without it. */
export class Stage implements AsyncDisposable {
  readonly kafka: OwnKafka;
  readonly connect: ConnectService & OwnInstance;
  readonly registry: RegistryService & OwnInstance;
  readonly registryProxy: FaultProxy;
  readonly #client: Kafka;

  private constructor(kafka: OwnKafka, connect: ConnectService & OwnInstance, registry: RegistryService & OwnInstance, registryProxy: FaultProxy) {
    this.kafka = kafka;
    this.connect = connect;
    this.registry = registry;
    this.registryProxy = registryProxy;
    this.#client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  }

  static async start(): Promise<Stage> {
    await using parts = new AsyncDisposableStack();
    const kafka = parts.use(await startKafka());
    const registry = parts.use(await startRegistry());
    const connect = parts.use(await startConnect({ bootstrap: kafka.seenFromConnect }));
    const stage = new Stage(kafka, connect, registry, parts.use(await FaultProxy.start(registry.confluentUrl)));
    parts.move();
    return stage;
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
    await this.registryProxy[Symbol.asyncDispose]();
    await this.connect[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
    await this.kafka[Symbol.asyncDispose]();
  }
}
