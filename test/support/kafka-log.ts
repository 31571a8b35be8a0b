import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners, type Admin, type Producer } from 'kafkajs';
import { createKafkaSource } from '../../src/source/kafka.ts';
import type { KafkaConfig, KafkaTiming } from '../../src/source/kafka-options.ts';
import type { PartitionPosition } from '../../src/source/positions.ts';
import type { OpenedLog, OpenOptions, RecordBatch, Source, SourceEvent } from '../../src/source/source.ts';
import type { ConformanceCase } from './conformance.ts';
import type { TestRecord } from './dump.ts';
import { until } from './until.ts';

/** Times for tests: a broker that is well needs no patience. */
export const QUICK: Partial<KafkaTiming> = { patienceMs: 600, metadataMs: 100, fetchWaitMs: 100 };

/** Topics of one test on a broker that others use too: names begin with a prefix that no other test has, and that sources and records of the test do not see. */
export class KafkaTopics {
  readonly prefix = `t${randomUUID().slice(0, 8)}.`;
  readonly brokers: readonly string[];
  readonly admin: Admin;
  readonly kafka: Kafka;
  #producer: Producer | null = null;
  readonly #partitions = new Map<string, number>();

  private constructor(brokers: readonly string[]) {
    this.brokers = brokers;
    this.kafka = new Kafka({ brokers: [...brokers], clientId: 'test', logLevel: logLevel.NOTHING });
    this.admin = this.kafka.admin();
  }

  static async create(brokers: readonly string[]): Promise<KafkaTopics> {
    const topics = new KafkaTopics(brokers);
    await topics.admin.connect();
    return topics;
  }

  /** Name of a topic on the broker. */
  named(topic: string): string {
    return `${this.prefix}${topic}`;
  }

  config(over: Partial<KafkaConfig> = {}): KafkaConfig {
    return { brokers: this.brokers, topics: [`${this.prefix}*`], group: `${this.prefix}group`, tls: null, sasl: null, ...over };
  }

  /** A source that knows the test's topics by their short names. `topics` and positions are given and answered in short. */
  source(over: Partial<KafkaConfig> = {}, timing: Partial<KafkaTiming> = QUICK): Source {
    return new ShortNames(createKafkaSource(this.config({ ...over, topics: (over.topics ?? ['*']).map((topic) => this.named(topic)) }), timing), this.prefix);
  }

  async createTopic(topic: string, partitions: number, settings: Record<string, string> = {}, replicationFactor = 1): Promise<void> {
    const configEntries = Object.entries({ 'retention.ms': '-1', ...settings }).map(([name, value]) => ({ name, value }));
    await this.admin.createTopics({ topics: [{ topic: this.named(topic), numPartitions: partitions, replicationFactor, configEntries }], waitForLeaders: false });
    await this.#untilLed(topic, partitions);
    this.#partitions.set(topic, partitions);
  }

  /** Adds records to the ends of their partitions, which are made when they are needed. */
  async append(records: readonly TestRecord[], compression = 0): Promise<void> {
    for (const [topic, all] of Map.groupBy(records, (r) => r.topic)) {
      await this.#makePartitions(topic, Math.max(...all.map((r) => r.partition)) + 1);
      const messages = all.map(({ partition, time, key, value }) => ({ partition, key, value, ...(time === null ? {} : { timestamp: String(time) }) }));
      await (await this.#connectedProducer()).send({ topic: this.named(topic), messages, compression });
    }
  }

  async truncateHead(topic: string, partition: number, before: number): Promise<void> {
    await this.admin.deleteTopicRecords({ topic: this.named(topic), partitions: [{ partition, offset: String(before) }] });
  }

  async remove(topic: string): Promise<void> {
    if (!this.#partitions.delete(topic)) return;
    await this.admin.deleteTopics({ topics: [this.named(topic)] });
    await until(async () => !(await this.admin.listTopics()).includes(this.named(topic)));
  }

  async recreate(topic: string, records: readonly TestRecord[]): Promise<void> {
    await this.remove(topic);
    await this.append(records);
  }

  async dispose(): Promise<void> {
    const left = [...this.#partitions.keys()].map((topic) => this.named(topic));
    if (left.length > 0) await this.admin.deleteTopics({ topics: left }).catch(() => undefined);
    await Promise.all([this.admin.disconnect(), this.#producer?.disconnect()]);
  }

  async #makePartitions(topic: string, count: number): Promise<void> {
    const there = this.#partitions.get(topic) ?? 0;
    if (there === 0) await this.createTopic(topic, count);
    else if (there < count) {
      await this.admin.createPartitions({ topicPartitions: [{ topic: this.named(topic), count }] });
      await this.#untilLed(topic, count);
      this.#partitions.set(topic, count);
    }
  }

  /** Waits until every partition has a leader that answers. A producer learns of new partitions only when it is made anew. */
  async #untilLed(topic: string, count: number): Promise<void> {
    await until(async () => (await this.admin.fetchTopicOffsets(this.named(topic)).catch(() => [])).length === count);
    await this.refresh();
  }

  /** Lets the producer learn anew who leads what. */
  async refresh(): Promise<void> {
    await this.#producer?.disconnect();
    this.#producer = null;
  }

  async #connectedProducer(): Promise<Producer> {
    if (this.#producer === null) {
      this.#producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false });
      await this.#producer.connect();
    }
    return this.#producer;
  }
}

/** A source under short names of topics: with the prefix towards the broker, without it towards the test. Messages stay as they are. */
class ShortNames implements Source {
  readonly #source: Source;
  readonly #prefix: string;

  constructor(source: Source, prefix: string) {
    this.#source = source;
    this.#prefix = prefix;
  }

  async open(options: OpenOptions): Promise<OpenedLog> {
    const opened = await this.#source.open({ ...options, positions: options.positions.map((p) => this.#long(p)) });
    return { ...opened, bounds: opened.bounds.map((b) => this.#short(b)), ...(opened.waiting === undefined ? {} : { waiting: opened.waiting.map((name) => this.#cut(name)) }) };
  }

  async *batches(signal: AbortSignal): AsyncGenerator<SourceEvent, void, void> {
    for await (const event of this.#source.batches(signal)) {
      switch (event.kind) {
        case 'records': yield { kind: 'records', batch: this.#shortBatch(event.batch) }; break;
        case 'bounds': yield { ...event, bounds: event.bounds.map((b) => this.#short(b)), ...(event.waiting === undefined ? {} : { waiting: event.waiting.map((name) => this.#cut(name)) }) }; break;
        case 'stopped': yield { kind: 'stopped', stop: this.#short(event.stop) }; break;
        case 'gap': case 'warned': yield event;
      }
    }
  }

  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    await this.#source.commit(positions.map((p) => this.#long(p)));
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  #shortBatch(batch: RecordBatch): RecordBatch {
    return { ...batch, partitions: batch.partitions.map((p) => this.#short(p)) };
  }

  #cut(topic: string): string {
    return topic.slice(this.#prefix.length);
  }

  #short<P extends { readonly topic: string }>(place: P): P {
    return { ...place, topic: this.#cut(place.topic) };
  }

  #long<P extends { readonly topic: string }>(place: P): P {
    return { ...place, topic: `${this.#prefix}${place.topic}` };
  }
}

/** Records of a case in the order of each partition; the broker numbers them anew. */
export function recordsOfCase({ files }: ConformanceCase): TestRecord[] {
  return [...files.values()].flat().map((line) => {
    const { topic, partition, offset, ts, key, payload } = JSON.parse(line) as { topic: string; partition: number; offset: number; ts: number; key: string | null; payload: string | null };
    return { topic, partition, offset, time: ts > 0 ? ts : null, key: key ?? null, value: payload ?? null };
  });
}
