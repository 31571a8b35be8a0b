import { readFileSync } from 'node:fs';
import { RentfoldError } from '../errors.ts';
import { createSystemClock, type Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/message-of.ts';
import { loadKafkaClient, type ClientOptions } from './kafka-client.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { commitPositions } from './kafka-commit.ts';
import { KafkaFollower } from './kafka-follow.ts';
import { openKafka } from './kafka-open.ts';
import { KAFKA_TIMING, type KafkaConfig, type KafkaTiming } from './kafka-options.ts';
import { KafkaPartitions } from './kafka-partitions.ts';
import { clientSasl } from './kafka-sasl.ts';
import { TopicSelection } from './kafka-topics.ts';
import type { PartitionPosition } from './positions.ts';
import type { OpenedLog, OpenOptions, Source, SourceEvent } from './source.ts';

/**
 * Topics of a Kafka cluster, or of the Kafka endpoint of an Event Hubs namespace, as a log.
 *
 * kafkajs makes the connections, speaks TLS and SASL and encodes requests; its consumer is not used. That consumer goes to the log's beginning or end by itself when an offset is out
 * of range, joins its group anew without a word and then starts where the broker says, holds heartbeats up while a batch is folded, makes an object of every record and every header, and
 * waits for the slowest partition before it fetches again. Here the positions of the state are the only truth and every instance reads everything, so a group has nothing to decide: this
 * source asks each broker for all partitions it leads, at our own offsets, and reads the record batches of the answer in place. There is no rebalance, and a second instance disturbs
 * nobody. `RENTFOLD_KAFKA_GROUP` is the name under which `commit` tells durable positions to the broker; they are never read back.
 *
 * After every new connection and every change of leader, the record before our position is fetched again and compared before anything is handed on: a log that was made again, or lost its
 * tail, is noticed and stops its partition. Failures that pass are tried again for as long as it takes, and said once.
 *
 * Offsets that are missing in a topic without compaction (its `cleanup.policy` is asked for), and a log that retention shortened past our position, stop the partition, or are a gap where gaps are
 * accepted; with compaction, or when the broker does not tell, missing offsets are said once.
 *
 * Event Hubs' Kafka endpoint knows all that is needed: ApiVersions, Metadata up to 6, ListOffsets up to 3, Fetch 4 to 11, FindCoordinator, OffsetCommit, SASL PLAIN with the user
 * `$ConnectionString`. Its connections are never idle for long: fetches come twice a second, and the look for new topics every ten seconds. No topic is made, changed or asked to be.
 */
export function createKafkaSource(config: KafkaConfig, timing: Partial<KafkaTiming> = {}, clock: Clock = createSystemClock()): Source {
  return new KafkaSource(config, { ...KAFKA_TIMING, ...timing }, clock);
}

class KafkaSource implements Source {
  readonly #config: KafkaConfig;
  readonly #timing: KafkaTiming;
  readonly #clock: Clock;
  /** Ends opening and following. Commits come after it. */
  readonly #reading = new AbortController();
  /** Ends everything. */
  readonly #closing = new AbortController();
  #cluster: KafkaCluster | null = null;
  #follower: KafkaFollower | null = null;
  #batches: AsyncGenerator<SourceEvent, void, void> | null = null;

  constructor(config: KafkaConfig, timing: KafkaTiming, clock: Clock) {
    this.#config = config;
    this.#timing = timing;
    this.#clock = clock;
  }

  async open(options: OpenOptions): Promise<OpenedLog> {
    const client = loadKafkaClient();
    const cluster = new KafkaCluster(client, this.#config.brokers, this.#clientOptions(), this.#clock);
    this.#cluster = cluster;
    const selection = new TopicSelection(this.#config.topics);
    const parts = { cluster, selection, timing: this.#timing, clock: this.#clock, signal: this.#reading.signal };
    try {
      const opened = await openKafka(parts, options);
      const partitions = new KafkaPartitions();
      for (const partition of opened.partitions) partitions.add(partition);
      partitions.moved.push(...opened.moved);
      this.#follower = new KafkaFollower({ ...parts, partitions, waiting: opened.waiting, recordsMax: options.recordsMax, acceptsHoles: options.acceptIncompleteHistory });
      const { gaps, notes, waiting, clusterId } = opened;
      return { bounds: opened.partitions.map(({ bounds }) => bounds), gaps, notes, waiting, identity: `kafka:${clusterId}` };
    } catch (error) {
      cluster.close();
      throw error;
    }
  }

  batches(signal: AbortSignal): AsyncGenerator<SourceEvent, void, void> {
    if (this.#follower === null || this.#batches !== null) throw new Error('A Kafka source is opened once and read once.');
    const end = (): void => this.#reading.abort();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#batches = this.#follower.events();
    return this.#batches;
  }

  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    if (this.#cluster === null) throw new Error('A Kafka source is opened before positions are committed.');
    await commitPositions(this.#cluster, this.#config.group, positions, this.#clock, this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#reading.abort();
    this.#closing.abort();
    this.#cluster?.close();
    await this.#batches?.return();
    await this.#follower?.ended();
  }

  #clientOptions(): ClientOptions {
    const { tls, sasl } = this.#config;
    const { connectMs, requestMs, sessionLeftMs } = this.#timing;
    return { tls: tls === null ? null : { ca: tls.ca === null ? null : readAuthorities(tls.ca) }, sasl: clientSasl(sasl, connectMs, this.#clock), connectMs, requestMs, sessionLeftMs };
  }
}

function readAuthorities(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_KAFKA_TLS_CA: ${path} cannot be read (${messageOf(error)}); name a PEM file that exists and may be read`, { cause: error });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_KAFKA_TLS_CA: ${path} holds no certificate; name a PEM file of the authorities that sign the brokers' certificates`);
  return text;
}
