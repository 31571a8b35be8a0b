import type { SchemaId } from '../change/framing.ts';
import { partitionName, type TopicPartition } from '../source/positions.ts';
import type { RecordBatch } from '../source/source.ts';
import { bytesHeld } from './batch-parts.ts';

/** Records of one partition that wait. */
interface HeldPartition {
  readonly name: string;
  /** Batches of this partition alone, with memory of their own, in its order. */
  readonly batches: RecordBatch[];
  /** Ids that the first of them lacks. */
  readonly lacks: Set<SchemaId>;
}

/**
 * Records that wait for schemas, and what stands behind them in their partitions. Each partition waits for what its first batch lacks, and is looked at when that is there: a record is looked at a few times, however
 * long it waits and however much comes meanwhile.
 */
export class HeldRecords {
  readonly #partitions = new Map<string, HeldPartition>();
  readonly #waiting = new Map<SchemaId, Set<HeldPartition>>();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#partitions.size === 0;
  }

  /** About how much memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  has(place: TopicPartition): boolean {
    return this.#partitions.has(partitionName(place));
  }

  /** Sets a batch of one partition apart, behind those that are. `lacks`: the ids that it waits for when it is the first; at least one then. */
  add(batch: RecordBatch, lacks: readonly SchemaId[]): void {
    const name = partitionName(batch.partitions[0]);
    this.#bytes += bytesHeld(batch);
    const held = this.#partitions.get(name);
    if (held !== undefined) {
      held.batches.push(batch);
      return;
    }
    const first: HeldPartition = { name, batches: [batch], lacks: new Set() };
    this.#partitions.set(name, first);
    this.#waitFor(first, lacks);
  }

  /** Something is known about an id: the batches that need not wait any more, in the order of their partitions. `lackedBy` says what a batch still lacks; it may be an id that was known before. */
  *release(id: SchemaId, lackedBy: (batch: RecordBatch) => readonly SchemaId[]): Generator<RecordBatch, void, void> {
    const partitions = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    for (const held of partitions) {
      held.lacks.delete(id);
      if (held.lacks.size === 0) yield* this.#releaseFrom(held, lackedBy);
    }
  }

  *#releaseFrom(held: HeldPartition, lackedBy: (batch: RecordBatch) => readonly SchemaId[]): Generator<RecordBatch, void, void> {
    let released = 0;
    for (const batch of held.batches) {
      const lacks = lackedBy(batch);
      if (lacks.length > 0) {
        this.#waitFor(held, lacks);
        break;
      }
      released++;
      this.#bytes -= bytesHeld(batch);
      yield batch;
    }
    held.batches.splice(0, released);
    if (held.batches.length === 0) this.#partitions.delete(held.name);
  }

  #waitFor(held: HeldPartition, lacks: readonly SchemaId[]): void {
    for (const id of lacks) {
      held.lacks.add(id);
      const partitions = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, partitions.add(held));
    }
  }
}
