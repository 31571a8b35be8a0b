import type { Clock } from '../runtime/clock.ts';
import type { BrokerAddress, ClientBroker, ClientOptions, Exchange, KafkaClient } from './kafka-client.ts';
import { addressText, KafkaConnections } from './kafka-connections.ts';
import { brokerFailure, type BrokerFailure } from './kafka-errors.ts';
import { readFetchAnswer, type FetchAnswer } from './kafka-fetch.ts';
import type { PartitionPosition } from './positions.ts';

/** The cluster as its brokers describe it. */
export interface ClusterMetadata {
  readonly clusterId: string | null;
  readonly topics: readonly TopicMetadata[];
}

/** A topic that was asked for. `error`: Kafka's code; 0: none. */
export interface TopicMetadata {
  readonly topic: string;
  readonly error: number;
  readonly isInternal: boolean;
  /** `leader`: -1 while there is none. */
  readonly partitions: readonly { readonly partition: number; readonly leader: number }[];
}

/** Answer to a question for an offset; -1 with an error. */
export interface OffsetAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly offset: number;
}

/** What is asked for in one fetch. */
export interface FetchAsk {
  readonly waitMs: number;
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
  /** In this order the broker fills its answer. */
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
}

/** What a topic's `cleanup.policy` says of holes between its offsets: with compaction there are some. `unknown`: the broker does not tell, or not this user. */
export type CleanupPolicy = 'delete' | 'compact' | 'unknown';

/** No broker answered: why, of each. */
export class ClusterFailure extends Error {
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.mayPass = mayPass;
  }
}

const API = { fetch: 1, listOffsets: 2, metadata: 3, offsetCommit: 8, findCoordinator: 10, describeConfigs: 32 };
const TOPIC_RESOURCE = 2;
const EARLIEST = -2;
const LATEST = -1;
/** From these forms on a request can say what is needed: that no topic is to be made; that undecided transactions are not wanted. */
const METADATA_VERSION_MIN = 4;
const FETCH_VERSION_MIN = 4;
const READ_COMMITTED = 1;

interface DecodedMetadata {
  readonly clusterId?: string;
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly { readonly topicErrorCode: number; readonly topic: string; readonly isInternal?: boolean; readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[] }[];
}

interface DecodedOffsets {
  readonly responses: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[] }[];
}

interface DecodedCoordinator {
  readonly errorCode: number;
  readonly coordinator: BrokerAddress;
}

interface DecodedConfigs {
  readonly resources: readonly { readonly errorCode: number; readonly resourceName: string; readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[] }[];
}

interface DecodedCommit {
  readonly responses: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
}

/**
 * Connections to the brokers of a cluster and the few questions this source asks. Brokers are connected to when needed; one that failed is forgotten and connected to anew at
 * the next question. Nothing is tried again here: who asks knows whether to wait.
 */
export class KafkaCluster {
  readonly #client: KafkaClient;
  readonly #seeds: readonly BrokerAddress[];
  readonly #connections: KafkaConnections;
  #nodes = new Map<number, BrokerAddress>();

  constructor(client: KafkaClient, seeds: readonly string[], options: ClientOptions, clock: Clock) {
    this.#client = client;
    this.#seeds = seeds.map(addressOf);
    this.#connections = new KafkaConnections(client, options, clock);
  }

  /** Leaders of the named topics, or of all with null. No topic is made by asking. Throws ClusterFailure when no broker answers. */
  async metadata(names: readonly string[] | null): Promise<ClusterMetadata> {
    return await this.#askAny(async (address) => await this.#askMetadata(address, names));
  }

  /** The first answer of any broker, those known best first. */
  async #askAny<Answer>(ask: (address: BrokerAddress) => Promise<Answer>): Promise<Answer> {
    const candidates = new Map([...this.#nodes.values(), ...this.#seeds].map((address) => [addressText(address), address]));
    const failures: string[] = [];
    let mayPass = false;
    for (const address of candidates.values()) {
      try {
        return await ask(address);
      } catch (error) {
        const failure = brokerFailure(error, this.#connections.hasAnswered(address));
        failures.push(`${addressText(address)}: ${failure.text}`);
        mayPass ||= failure.mayPass;
      }
    }
    throw new ClusterFailure(failures.join('; '), mayPass);
  }

  async #askMetadata(address: BrokerAddress, names: readonly string[] | null): Promise<ClusterMetadata> {
    const decoded = await this.#connections.ask<DecodedMetadata>(address, (broker) => {
      const build = broker.lookupRequest(API.metadata, this.#client.requests.Metadata);
      const all = build({ topics: [], allowAutoTopicCreation: false });
      // kafkajs takes no names for all topics. A form that cannot say "do not make it" is only ever asked for all.
      return names === null || all.request.apiVersion < METADATA_VERSION_MIN ? all : build({ topics: [...names], allowAutoTopicCreation: false });
    });
    this.#nodes = new Map(decoded.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    // Seeds are often known by other names than the brokers they lead to; such connections are not kept.
    this.#connections.keepOnly([...this.#nodes.values()]);
    return {
      clusterId: decoded.clusterId ?? null,
      topics: decoded.topicMetadata.filter(({ topic }) => names === null || names.includes(topic)).map(({ topicErrorCode, topic, isInternal, partitionMetadata }) => ({
        topic, error: topicErrorCode, isInternal: isInternal ?? false, partitions: partitionMetadata.map(({ partitionId, leader }) => ({ partition: partitionId, leader })),
      })),
    };
  }

  /** First offset, or the end up to which transactions are decided, of partitions that a broker leads. */
  async offsets(node: number, partitions: readonly { topic: string; partition: number }[], which: 'earliest' | 'latest'): Promise<OffsetAnswer[]> {
    const timestamp = which === 'earliest' ? EARLIEST : LATEST;
    const topics = grouped(partitions, ({ partition }) => ({ partition, timestamp }));
    const decoded = await this.#connections.ask<DecodedOffsets>(this.#address(node), (broker) => broker.lookupRequest(API.listOffsets, this.#client.requests.ListOffsets)({ isolationLevel: READ_COMMITTED, topics }));
    return decoded.responses.flatMap(({ topic, partitions: found }) => found.map(({ partition, errorCode, offset }) => ({ topic, partition, error: errorCode, offset: Number(offset) })));
  }

  /** The `cleanup.policy` of topics, as far as brokers tell. */
  async cleanupPolicies(topics: readonly string[]): Promise<Map<string, CleanupPolicy>> {
    const resources = topics.map((name) => ({ type: TOPIC_RESOURCE, name, configNames: ['cleanup.policy'] }));
    const answer = await this.#askAny(async (address): Promise<DecodedConfigs | null> => {
      const broker = await this.#connections.connected(address);
      if (topics.length === 0 || broker.versions?.[API.describeConfigs] === undefined) return null;
      return await this.#connections.ask<DecodedConfigs>(address, () => broker.lookupRequest(API.describeConfigs, this.#client.requests.DescribeConfigs)({ resources, includeSynonyms: false }));
    }).catch(() => null);
    const told = new Map(answer?.resources.map(({ errorCode, resourceName, configEntries }) => [resourceName, errorCode === 0 ? configEntries[0]?.configValue ?? null : null]));
    return new Map(topics.map((topic) => {
      const policy = told.get(topic) ?? null;
      return [topic, policy === null ? 'unknown' : policy.includes('compact') ? 'compact' : 'delete'];
    }));
  }

  /** Makes the connection that fetches go by; true when it was not there. */
  async connectToFetch(node: number): Promise<boolean> {
    const { connectionPool } = await this.#connections.connected(this.#address(node));
    if (connectionPool.pool[1].isConnected()) return false;
    const connection = await connectionPool.getConnection(1);
    await connection.authenticate();
    return true;
  }

  /** Records from the offsets asked for on. One fetch at a time for each broker. `done` takes the answer's memory back. */
  async fetch(node: number, ask: FetchAsk): Promise<FetchAnswer> {
    let version = 0;
    const { raw } = await this.#connections.ask<{ readonly raw: Buffer }>(this.#address(node), (broker) => {
      const exchange = broker.lookupRequest(API.fetch, this.#client.requests.Fetch)({
        isolationLevel: READ_COMMITTED, maxWaitTime: ask.waitMs, minBytes: ask.waitMs === 0 ? 0 : 1, maxBytes: ask.bytesMax,
        topics: grouped(ask.partitions, ({ partition, offset }) => ({ partition, fetchOffset: String(offset), maxBytes: ask.partitionBytesMax })),
      });
      version = exchange.request.apiVersion;
      if (version < FETCH_VERSION_MIN) throw new Error('the broker is older than Kafka 0.11 and cannot be read');
      return { ...exchange, response: { decode: asItIs } };
    });
    return readFetchAnswer(raw, version);
  }

  /** Nobody looks at an answer's bytes any more. */
  done(answer: FetchAnswer): void {
    this.#client.memory.giveBack(answer.bytes);
  }

  /** Tells the group's coordinator positions, as a group without members does. Answers the first error code in the reply; 0: none. */
  async commit(group: string, positions: readonly PartitionPosition[]): Promise<number> {
    const { GroupCoordinator, OffsetCommit } = this.#client.requests;
    const find: (broker: ClientBroker) => Exchange = (broker) => broker.lookupRequest(API.findCoordinator, GroupCoordinator)({ groupId: group });
    const found = await this.#askAny(async (address) => await this.#connections.ask<DecodedCoordinator>(address, find));
    if (found.errorCode !== 0) return found.errorCode;
    const topics = grouped(positions, ({ partition, next }) => ({ partition, offset: String(next) }));
    const answer = await this.#connections.ask<DecodedCommit>(found.coordinator, (broker) => broker.lookupRequest(API.offsetCommit, OffsetCommit)({ groupId: group, groupGenerationId: -1, memberId: '', topics }));
    return answer.responses.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== 0)?.errorCode ?? 0;
  }

  /** What a failure of this broker means. */
  failure(node: number, error: unknown): BrokerFailure {
    const address = this.#nodes.get(node);
    return brokerFailure(error, address !== undefined && this.#connections.hasAnswered(address));
  }

  /** Ends the connections to a broker; the next question makes new ones. */
  drop(node: number): void {
    const address = this.#nodes.get(node);
    if (address !== undefined) this.#connections.end(address);
  }

  /** Ends every connection at once; questions under way are rejected. */
  close(): void {
    this.#connections.close();
  }

  #address(node: number): BrokerAddress {
    const address = this.#nodes.get(node);
    if (address === undefined) throw new Error(`broker ${node} is not part of the cluster any more`);
    return address;
  }
}

/** The answer's bytes; the first four say for how long the broker wants to be left alone. */
async function asItIs(raw: Buffer): Promise<{ raw: Buffer; clientSideThrottleTime: number }> {
  return { raw, clientSideThrottleTime: raw.length < 4 ? 0 : raw.readInt32BE(0) };
}

/** Neighbours of the same topic together, in the order given. */
function grouped<P extends { readonly topic: string }, Q>(partitions: readonly P[], form: (partition: P) => Q): { topic: string; partitions: Q[] }[] {
  const topics: { topic: string; partitions: Q[] }[] = [];
  for (const partition of partitions) {
    const last = topics.at(-1);
    if (last?.topic === partition.topic) last.partitions.push(form(partition));
    else topics.push({ topic: partition.topic, partitions: [form(partition)] });
  }
  return topics;
}

function addressOf(text: string): BrokerAddress {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) };
}
