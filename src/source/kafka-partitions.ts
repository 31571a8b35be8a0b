import type { CleanupPolicy } from './kafka-cluster.ts';
import type { LastRecord, ReadPartition } from './kafka-batch.ts';
import { partitionName, type PartitionBounds, type TopicPartition } from './positions.ts';

/** What the source knows of one partition while it reads. */
export class KafkaPartition implements ReadPartition {
  readonly topic: string;
  readonly partition: number;
  next: number;
  last: LastRecord | null;
  slot = 0;
  slotBatch = -1;
  /** Broker that leads it; -1: none known. */
  leader: number;
  /** First offset still there, and the end of what may be read. */
  start: number;
  end: number;
  /** Offset the next fetch begins at: behind what has arrived, which may not be read yet. */
  fetchNext: number;
  /** Answers that hold records of it and are not read to their end yet. */
  waiting = 0;
  /** The log may be another since the last answer: the record before the position is fetched again and compared. */
  isDoubtful = false;
  /** Counts the comparisons begun: an answer to a question asked before the last one is not taken, since it may be of another leader. */
  epoch = 0;
  /** The record that is being looked for. */
  expected: LastRecord | null = null;
  /** When what cannot be right for long began: an end before our position, a topic that is not there. Monotonic milliseconds. */
  troubleSince: number | null = null;
  /** When the broker began to refuse the partition with what somebody must mend. Monotonic milliseconds, as all moments here. */
  refusedSince: number | null = null;
  /** Up to where transactions are decided, while some behind that are not, and since when. */
  undecided: { readonly offset: number; readonly since: number } | null = null;
  /** When the answer that came last was asked for; null before the first. */
  askedAt: number | null = null;
  /** True when records were there at start that are to be read. */
  isAwaited = false;
  /** Not asked for before this moment. */
  restUntil = 0;
  stopped = false;
  /** Whether compaction may have taken offsets. */
  policy: CleanupPolicy = 'unknown';
  /** True once a hole between its offsets was said; one is said for each partition. */
  hasHole = false;

  constructor(place: TopicPartition, leader: number, bounds: { readonly start: number; readonly end: number }, next: number, last: LastRecord | null) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.leader = leader;
    this.start = bounds.start;
    this.end = bounds.end;
    this.next = next;
    this.fetchNext = next;
    this.last = last;
  }

  get bounds(): PartitionBounds {
    return { topic: this.topic, partition: this.partition, start: this.start, end: this.end };
  }

  /** Where a fetch begins: at the record to be compared, else behind what has arrived. */
  get fetchFrom(): number {
    return this.expected?.offset ?? this.fetchNext;
  }
}

/** All partitions, in the order in which the next fetch asks for them: those that wait longest come first, because an answer may be full before all had their turn. */
export class KafkaPartitions {
  /** Those whose position moved over an accepted gap, and that is not told yet. */
  readonly moved: KafkaPartition[] = [];
  #turns: KafkaPartition[] = [];
  readonly #byName = new Map<string, KafkaPartition>();

  add(partition: KafkaPartition): void {
    this.#byName.set(partitionName(partition), partition);
    this.#turns.push(partition);
  }

  get(topic: string, partition: number): KafkaPartition | null {
    return this.#byName.get(partitionName({ topic, partition })) ?? null;
  }

  all(): Iterable<KafkaPartition> {
    return this.#byName.values();
  }

  /** Forgets a partition of which nothing was read; it may come again. */
  remove(partition: KafkaPartition): void {
    this.#byName.delete(partitionName(partition));
    this.#turns = this.#turns.filter((p) => p !== partition);
  }

  /**
   * What a broker can be asked for now. A doubtful partition is asked for once all that has arrived of it is read. One whose last answer is older than `staleMs` is doubtful: its topic may
   * have been made again without any error while nobody asked.
   */
  askable(leader: number, now: number, staleMs: number): KafkaPartition[] {
    const found: KafkaPartition[] = [];
    for (const partition of this.#turns) {
      if (partition.leader !== leader || partition.stopped || partition.restUntil > now) continue;
      if (partition.askedAt !== null && now - partition.askedAt > staleMs) partition.isDoubtful = true;
      if (partition.isDoubtful) {
        if (partition.waiting > 0) continue;
        partition.isDoubtful = false;
        partition.epoch++;
        partition.expected = partition.last;
        partition.fetchNext = partition.next;
      }
      if (partition.expected !== null && partition.waiting > 0) continue;
      found.push(partition);
    }
    return found;
  }

  /** Those that had their turn go to the end. */
  served(partitions: ReadonlySet<KafkaPartition>): void {
    if (partitions.size === 0) return;
    this.#turns = [...this.#turns.filter((p) => !partitions.has(p)), ...partitions];
  }

  /** A broker was lost and found again: what it says may be another log. */
  doubt(leader: number): void {
    for (const partition of this.#byName.values()) if (partition.leader === leader) partition.isDoubtful = true;
  }
}
