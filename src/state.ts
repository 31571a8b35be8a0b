import { ENTRY_DEAD_LETTER, ENTRY_PASSED_OVER, ENTRY_TOMBSTONE, FLAG_CONTINUED, FLAG_PARTIAL, PASSED_OVER, WHOLE_EVENTS_MAX } from './change/change.ts';
import type { BatchPartition, ChangeBatch, DeadLetter, SeenTables } from './change/change.ts';
import { isPieceLetter } from './change/segments.ts';
import type { Books, FoldResult, FoldWarning, OpenDeadLetter, PartitionOutcome } from './ledger/ledger.ts';
import { addOutcome, emptyOutcome } from './ledger/outcome.ts';
import { StopRule } from './ledger/stop-rule.ts';
import { partitionName } from './source/positions.ts';
import type { PartitionPosition, TopicPartition } from './source/positions.ts';
import type { PartitionStop } from './source/source.ts';

/**
 * The state: books and positions, moved together in one synchronous step. Pure: time comes in as a number. `createState` makes it.
 */
export interface State {
  readonly books: Books;
  /** Position of every partition read so far, by rising topic and partition. */
  positions(): readonly PartitionPosition[];
  position(topic: string, partition: number): PartitionPosition | null;
  /** Counters per partition since offset zero of the lineage. read = applied + unchanged + superseded + passedOver + deadLetters. */
  counters(): readonly PartitionCounters[];
  readonly seenTables: SeenTables;
  /** Letters of pieces that a decoder must know to make their events whole, those that wait first. */
  pieces(): readonly DeadLetter[];
  /** Names of the latest events that became whole from pieces, at most WHOLE_EVENTS_MAX, the last one last. */
  readonly wholeEvents: readonly string[];
  /** Newest commit time folded, milliseconds, or null. */
  readonly newestChangeAt: number | null;
  /** Folds a batch and moves the positions: rows and positions change in the same step. */
  step(batch: ChangeBatch, context: StepContext): StepResult;
}

export interface StepContext {
  readonly now: number;
  readonly mayForgetDeletes: boolean;
}

export interface PartitionCounters extends Readonly<PartitionOutcome> {
  readonly topic: string;
  readonly partition: number;
  /** Why records were passed over: counts by reason, summed for the partition. */
  readonly passedOverReasons: Readonly<Record<string, number>>;
}

export interface StepResult {
  readonly opened: readonly OpenDeadLetter[];
  readonly warnings: readonly FoldWarning[];
  readonly updated: readonly string[];
  /**
   * Partitions that must stop: decoding stopped (TABLE_AMBIGUOUS), or what they carry cannot be understood (the first 100 row events, or
   * more than half of any 1 000: PARTITION_NOT_UNDERSTOOD, naming the commonest reason and the option to look at).
   */
  readonly stops: readonly PartitionStop[];
}

/** What a manifest keeps of a state besides rows, and what a restored state starts from. */
export interface StateSeed {
  readonly positions: readonly PartitionPosition[];
  readonly counters: readonly PartitionCounters[];
  readonly seenTables: SeenTables;
  readonly newestChangeAt: number | null;
  /** Absent: none. */
  readonly wholeEvents?: readonly string[] | undefined;
}

/** The state of empty or just loaded books; `seed` is what was saved with them. */
export function createState(books: Books, seed: StateSeed = { positions: [], counters: [], seenTables: {}, newestChangeAt: null }): State {
  return new FoldedState(books, seed);
}

interface PartitionState extends TopicPartition {
  position: PartitionPosition | null;
  readonly counters: PartitionOutcome;
  readonly passedOverReasons: Record<string, number>;
  readonly rule: StopRule;
  /** Stopped partitions are said once. */
  isStopped: boolean;
}

class FoldedState implements State {
  readonly books: Books;
  readonly #partitions = new Map<string, PartitionState>();
  #seenTables: SeenTables;
  #wholeEvents: readonly string[];
  #newestChangeAt: number;

  constructor(books: Books, seed: StateSeed) {
    this.books = books;
    this.#seenTables = seed.seenTables;
    this.#wholeEvents = seed.wholeEvents ?? [];
    this.#newestChangeAt = seed.newestChangeAt ?? Number.NEGATIVE_INFINITY;
    for (const counters of seed.counters) this.#add(counters, counters);
    for (const position of seed.positions) this.#of(position).position = position;
  }

  positions(): readonly PartitionPosition[] {
    return this.#sorted().map((each) => each.position).filter((position) => position !== null);
  }

  position(topic: string, partition: number): PartitionPosition | null {
    return this.#partitions.get(partitionName({ topic, partition }))?.position ?? null;
  }

  counters(): readonly PartitionCounters[] {
    return this.#sorted().map(({ topic, partition, counters, passedOverReasons }) =>
      ({ topic, partition, ...counters, passedOverReasons: { ...passedOverReasons } }));
  }

  get seenTables(): SeenTables {
    return this.#seenTables;
  }

  pieces(): readonly DeadLetter[] {
    const letters = this.books.openDeadLetters().map(({ letter }) => letter).filter(isPieceLetter);
    return [...letters.filter(({ code }) => code === 'SEGMENT_PENDING'), ...letters.filter(({ code }) => code !== 'SEGMENT_PENDING')];
  }

  get wholeEvents(): readonly string[] {
    return this.#wholeEvents;
  }

  get newestChangeAt(): number | null {
    return Number.isFinite(this.#newestChangeAt) ? this.#newestChangeAt : null;
  }

  step(batch: ChangeBatch, context: StepContext): StepResult {
    const result = this.books.fold(batch, context);
    const partitions = batch.partitions.map((partition) => this.#of(partition));
    const stops: PartitionStop[] = [];
    partitions.forEach((partition, index) => {
      addOutcome(partition.counters, result.partitions[index]);
      partition.position = advance(partition.position, batch.partitions[index]);
    });
    this.#noteEntries(batch, result, partitions, stops);
    this.#noteIncomplete(batch, result, stops);
    if (batch.joined !== undefined) this.#wholeEvents = [...this.#wholeEvents, ...batch.joined.map(({ event }) => event)].slice(-WHOLE_EVENTS_MAX);
    if (batch.seenTables !== null) this.#seenTables = { ...this.#seenTables, ...batch.seenTables };
    if (batch.stop !== null) stops.push(batch.stop);
    return { opened: result.opened, warnings: result.warnings, updated: result.updated, stops };
  }

  /** Newest commit time, reasons for passing over, and the rule that stops a partition, entry by entry. */
  #noteEntries(batch: ChangeBatch, result: FoldResult, partitions: readonly PartitionState[], stops: PartitionStop[]): void {
    const codes = new Map(result.opened.map(({ letter }) => [`${partitionName(letter)}/${letter.offset}`, letter.code]));
    for (let index = 0; index < batch.count; index++) {
      const partition = partitions[batch.partitionOf[index]];
      const kind = batch.kind[index];
      if (kind === ENTRY_PASSED_OVER) {
        const reason = PASSED_OVER[batch.detail[index]] ?? 'other';
        partition.passedOverReasons[reason] = (partition.passedOverReasons[reason] ?? 0) + 1;
        continue;
      }
      if (kind !== ENTRY_DEAD_LETTER && batch.commitTime[index] > this.#newestChangeAt) this.#newestChangeAt = batch.commitTime[index];
      if (kind === ENTRY_TOMBSTONE || (batch.flags[index] & FLAG_CONTINUED) !== 0) continue;
      const mayBeLetter = kind === ENTRY_DEAD_LETTER || (batch.flags[index] & FLAG_PARTIAL) !== 0;
      const code = mayBeLetter ? codes.get(`${partitionName(partition)}/${batch.offset[index]}`) : undefined;
      if (code === undefined) partition.rule.understood();
      else this.#noteLetter(partition, code, batch.offset[index], stops);
    }
  }

  /** Pieces were counted as passed over when they were read. What has no room to wait for the others counts for the rule that stops a partition. */
  #noteIncomplete(batch: ChangeBatch, { opened }: FoldResult, stops: PartitionStop[]): void {
    if (batch.incomplete === undefined) return;
    for (const { letter } of opened) {
      if (letter.code === 'SEGMENTS_INCOMPLETE' && letter.property === null && (letter.table === null || letter.key === null)) this.#of(letter).counters.unattributed++;
    }
    for (const { pieces, code, isLetGo } of batch.incomplete) if (isLetGo) for (const piece of pieces) this.#noteLetter(this.#of(piece), code, piece.offset, stops);
  }

  #noteLetter(partition: PartitionState, code: string, offset: number, stops: PartitionStop[]): void {
    const why = partition.rule.notUnderstood(code);
    if (why === null || partition.isStopped) return;
    partition.isStopped = true;
    stops.push({
      topic: partition.topic, partition: partition.partition, offset, code: 'PARTITION_NOT_UNDERSTOOD',
      message: `${partitionName(partition)} stops at offset ${offset}: ${why}. ${partition.rule.advice()}`,
    });
  }

  #of(partition: TopicPartition): PartitionState {
    return this.#partitions.get(partitionName(partition)) ?? this.#add(partition, null);
  }

  #add(partition: TopicPartition, saved: PartitionCounters | null): PartitionState {
    const counters = emptyOutcome();
    if (saved !== null) addOutcome(counters, saved);
    const added: PartitionState = {
      topic: partition.topic, partition: partition.partition, position: null, counters,
      passedOverReasons: { ...saved?.passedOverReasons },
      rule: new StopRule(counters.applied + counters.unchanged + counters.superseded, counters.deadLetters),
      isStopped: false,
    };
    this.#partitions.set(partitionName(partition), added);
    return added;
  }

  #sorted(): PartitionState[] {
    return [...this.#partitions.values()].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  }
}

/** The position after a batch. A batch without a record of the partition moves it over a gap and keeps what is known of the last record. */
function advance(before: PartitionPosition | null, after: BatchPartition): PartitionPosition {
  const { topic, partition, next, token } = after;
  if (after.lastOffset === null && before !== null) return { ...before, next: Math.max(before.next, next), token: token ?? before.token };
  const { lastOffset, lastTime, lastHash, deleteKeyHash } = after;
  return { topic, partition, next, token, lastOffset, lastTime, lastHash, deleteKeyHash };
}
