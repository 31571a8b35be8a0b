import { RentfoldError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { KafkaBatchBuilder, lastRecordOf, type LastRecord } from './kafka-batch.ts';
import { askBounds, partitionsOf, type LedBounds } from './kafka-bounds.ts';
import { ClusterFailure, type CleanupPolicy, type KafkaCluster, type TopicMetadata } from './kafka-cluster.ts';
import { unpackRecords } from './kafka-compression.ts';
import { brokerFailure, KAFKA_ERROR, kafkaErrorText } from './kafka-errors.ts';
import type { FetchAnswer, FetchShare } from './kafka-fetch.ts';
import type { KafkaTiming } from './kafka-options.ts';
import { KafkaPartition } from './kafka-partitions.ts';
import { BatchHeader, RecordFault } from './kafka-record-batch.ts';
import { RecordReader } from './kafka-records.ts';
import type { TopicSelection } from './kafka-topics.ts';
import { checkPositions, type FoundPartition, type LogWords } from './position-check.ts';
import { partitionName, type PartitionPosition } from './positions.ts';
import type { OpenOptions } from './source.ts';

/** A log that was opened. */
export interface OpenedKafka {
  readonly partitions: readonly KafkaPartition[];
  /** Those whose position moved over a gap that was accepted. */
  readonly moved: readonly KafkaPartition[];
  readonly gaps: readonly string[];
  readonly notes: readonly string[];
  readonly waiting: readonly string[];
  readonly clusterId: string;
}

/** What is needed to open a log. */
export interface OpenParts {
  readonly cluster: KafkaCluster;
  readonly selection: TopicSelection;
  readonly timing: KafkaTiming;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Time between two looks at a cluster that is not as it should be. */
const LOOK_AGAIN_MS = 250;
/** For the records to be compared. A record batch that is larger comes whole all the same, one in each answer. */
const COMPARE_BYTES = 4 * 1024 * 1024;
const COMPARE_PARTITION_BYTES = 64 * 1024;

const WORDS: LogWords = {
  holder: () => 'the topic',
  absent: 'the cluster does not have it: the topic was deleted, or RENTFOLD_KAFKA_TOPICS does not name it any more',
  check: 'Check that RENTFOLD_KAFKA_BROKERS and RENTFOLD_KAFKA_TOPICS name the log this store was made from; otherwise replay into an empty store',
  wayBack: 'a log that reaches back',
};

/** What one look at the cluster showed; `flaw`: what time may mend, in words. */
interface Look {
  readonly clusterId: string;
  readonly bounds: readonly LedBounds[];
  readonly policies: ReadonlyMap<string, CleanupPolicy>;
  readonly absent: readonly PartitionPosition[];
  readonly waiting: readonly string[];
  readonly flaw: string | null;
  /** True when what is wrong is wrong with positions, which `checkPositions` then says. */
  readonly isAboutPositions: boolean;
}

/**
 * Looks at the cluster until positions and log fit together, for as long as a broker that just restarted may take; then compares the record before each position.
 * Throws SOURCE_UNAVAILABLE, and what `checkPositions` throws.
 */
export async function openKafka(parts: OpenParts, options: OpenOptions): Promise<OpenedKafka> {
  const look = await lookUntilSound(parts, options.positions);
  const positions = new Map(options.positions.filter(({ next }) => next > 0).map((position) => [partitionName(position), position]));
  const applied = await findApplied(parts, look.bounds, positions);
  const found = look.bounds.map((bounds): FoundPartition & LedBounds => {
    const name = partitionName(bounds);
    return { ...bounds, position: positions.get(name) ?? null, applied: applied.get(name) ?? null };
  });
  const { gaps, notes } = checkPositions(found, look.absent, WORDS, options.acceptIncompleteHistory);
  const partitions = found.map((f) => new KafkaPartition(f, f.leader, f, Math.max(f.start, f.position?.next ?? 0), f.position === null ? null : lastRecordOf(f.position)));
  for (const partition of partitions) {
    partition.policy = look.policies.get(partition.topic) ?? 'unknown';
    partition.isAwaited = partition.end > partition.next;
    partition.askedAt = parts.clock.monotonicMs();
  }
  const moved = partitions.filter((partition, index) => partition.next > (found[index].position?.next ?? 0));
  return { partitions, moved, gaps, notes, waiting: look.waiting, clusterId: look.clusterId };
}

async function lookUntilSound(parts: OpenParts, positions: readonly PartitionPosition[]): Promise<Look> {
  const { clock, timing, signal } = parts;
  const until = clock.monotonicMs() + timing.patienceMs;
  for (;;) {
    const look = await lookOnce(parts, positions);
    if (signal.aborted) throw new RentfoldError('SOURCE_FAILED', 'The Kafka source was closed while it was being opened.');
    if (!(look instanceof ClusterFailure) && look.flaw === null) return look;
    if (clock.monotonicMs() < until && !(look instanceof ClusterFailure && !look.mayPass)) {
      await clock.sleep(LOOK_AGAIN_MS, signal);
      continue;
    }
    if (look instanceof ClusterFailure) throw new RentfoldError('SOURCE_UNAVAILABLE', `RENTFOLD_KAFKA_BROKERS: no broker could be used: ${look.message}.`);
    if (look.isAboutPositions) return look;
    throw new RentfoldError('SOURCE_UNAVAILABLE', `RENTFOLD_KAFKA_TOPICS: ${look.flaw}. Start again when the cause is gone.`);
  }
}

async function lookOnce({ cluster, selection }: OpenParts, positions: readonly PartitionPosition[]): Promise<Look | ClusterFailure> {
  try {
    const { clusterId, topics } = await cluster.metadata(selection.names);
    const meant = topics.filter((topic) => selection.means(topic));
    const policies = await cluster.cleanupPolicies(meant.filter(({ error }) => error === KAFKA_ERROR.none).map(({ topic }) => topic));
    const { bounds, unknown } = await askBounds(cluster, partitionsOf(meant));
    const there = new Set(bounds.map(partitionName));
    const absent = positions.filter((position) => position.next > 0 && !there.has(partitionName(position)));
    const beyond = bounds.some((b) => positions.some((p) => p.topic === b.topic && p.partition === b.partition && p.next > b.end));
    const trouble = topicTrouble(meant) ?? (unknown.length === 0 ? null : `${partitionName(unknown[0].place)} cannot be read: ${unknown[0].reason}`);
    const flaw = trouble ?? (absent.length > 0 || beyond ? 'positions lie beyond the log' : null);
    return { clusterId: clusterId ?? 'unknown', bounds, policies, absent, waiting: selection.waiting(topics), flaw, isAboutPositions: trouble === null };
  } catch (error) {
    if (error instanceof ClusterFailure) return error;
    const { text, mayPass } = brokerFailure(error);
    return new ClusterFailure(text, mayPass);
  }
}

/** A topic that is there and cannot be read. One that is not there is waited for. */
function topicTrouble(topics: readonly TopicMetadata[]): string | null {
  const troubled = topics.find(({ error }) => error !== KAFKA_ERROR.none && error !== KAFKA_ERROR.unknownTopicOrPartition);
  return troubled === undefined ? null : `topic ${troubled.topic} cannot be read: ${kafkaErrorText(troubled.error)}`;
}

/** The record at each position's `lastOffset`, where it is still there. */
async function findApplied({ cluster, signal }: OpenParts, bounds: readonly LedBounds[], positions: ReadonlyMap<string, PartitionPosition>): Promise<Map<string, LastRecord>> {
  const applied = new Map<string, LastRecord>();
  const finder = new RecordFinder();
  const wanted = bounds.flatMap((b) => {
    const offset = positions.get(partitionName(b))?.lastOffset ?? null;
    return offset === null || offset < b.start || offset >= b.end ? [] : [{ ...b, offset }];
  });
  for (const [leader, led] of Map.groupBy(wanted, (b) => b.leader)) {
    let left = led;
    while (left.length > 0 && !signal.aborted) {
      const answer = await compareFetch(cluster, leader, left);
      const decided = new Set<string>();
      for (const share of answer.shares) {
        const name = partitionName(share);
        const ask = left.find((w) => partitionName(w) === name);
        if (ask === undefined) continue;
        if (share.error !== 0) throw new RentfoldError('SOURCE_UNAVAILABLE', `${name}: the record before our position could not be read from broker ${leader}: ${kafkaErrorText(share.error)}. Start again.`);
        const found = finder.find(answer, share, ask.offset);
        if (found !== undefined) decided.add(name);
        if (found !== undefined && found !== null) applied.set(name, found);
      }
      // An answer without one record for anybody: compaction took all from there on.
      if (decided.size === 0) break;
      left = left.filter((w) => !decided.has(partitionName(w)));
    }
  }
  return applied;
}

async function compareFetch(cluster: KafkaCluster, leader: number, partitions: readonly { topic: string; partition: number; offset: number }[]): Promise<FetchAnswer> {
  try {
    await cluster.connectToFetch(leader);
    return await cluster.fetch(leader, { waitMs: 0, bytesMax: COMPARE_BYTES, partitionBytesMax: COMPARE_PARTITION_BYTES, partitions });
  } catch (error) {
    throw new RentfoldError('SOURCE_UNAVAILABLE', `RENTFOLD_KAFKA_BROKERS: the records before our positions could not be read from broker ${leader}: ${brokerFailure(error).text}.`, { cause: error });
  }
}

/** Looks for one record in an answer. */
class RecordFinder {
  readonly #header = new BatchHeader();
  readonly #records = new RecordReader();
  readonly #builder = new KafkaBatchBuilder(1);

  /** The record at `offset`; null when it is not there and one behind it is; undefined when the answer does not reach so far. A damaged record is found out when it is read. */
  find(answer: FetchAnswer, share: FetchShare, offset: number): LastRecord | null | undefined {
    const header = this.#header;
    const stub = { topic: share.topic, partition: share.partition, next: offset, last: null, slot: 0, slotBatch: -1 };
    const anything: LastRecord = { offset, time: null, hash: '' };
    try {
      for (let at = share.start; header.read(answer.view, at, share.end); at = header.end) {
        if (header.lastOffset < offset) continue;
        if (header.baseOffset > offset || header.isControl) return null;
        if (header.codec === 0) this.#records.begin(header, answer.bytes, header.recordsStart, header.end);
        else {
          const unpacked = unpackRecords(header, answer.bytes);
          this.#records.begin(header, unpacked, 0, unpacked.length);
        }
        this.#records.take(this.#builder, stub, anything);
        this.#builder.clear(false);
        const { met } = this.#records;
        if (met !== null) return met.offset === offset ? met : null;
      }
      return undefined;
    } catch (error) {
      if (error instanceof RecordFault) return null;
      throw error;
    }
  }
}
