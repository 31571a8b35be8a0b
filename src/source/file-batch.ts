import type { RecordBatch, RecordPartition } from './source.ts';
import type { FileLine } from './file-line.ts';
import type { PartitionState } from './file-partitions.ts';

/** A batch ends at about this many bytes of keys and values. */
const BATCH_BYTES = 1024 * 1024;
/** `partitionOf` has 16 bits. */
const BATCH_PARTITIONS_MAX = 65_535;

/**
 * Gathers lines into a `RecordBatch`. One set of arrays serves all batches of a source: a batch is valid until `clear`.
 * A line is parsed straight into `pool` from `used` on, then kept by `add` or simply written over by the next.
 */
export class RecordBatchBuilder {
  pool = new Uint8Array(BATCH_BYTES + BATCH_BYTES / 4);
  used = 0;
  count = 0;
  readonly #recordsMax: number;
  #number = 0;
  #partitions: PartitionState[] = [];
  readonly #partitionOf: Uint16Array;
  readonly #offset: Float64Array;
  readonly #time: Float64Array;
  readonly #places: readonly [keyStart: Int32Array, keyEnd: Int32Array, valueStart: Int32Array, valueEnd: Int32Array];

  constructor(recordsMax: number) {
    this.#recordsMax = recordsMax;
    this.#partitionOf = new Uint16Array(recordsMax);
    this.#offset = new Float64Array(recordsMax);
    this.#time = new Float64Array(recordsMax);
    this.#places = [new Int32Array(recordsMax), new Int32Array(recordsMax), new Int32Array(recordsMax), new Int32Array(recordsMax)];
  }

  /** Makes room for a line of so many bytes; false when the batch should be handed over first. */
  makeRoom(lineBytes: number): boolean {
    if (this.count === 0) {
      if (this.pool.length < lineBytes) this.pool = new Uint8Array(lineBytes);
      return true;
    }
    return this.count < this.#recordsMax && this.used < BATCH_BYTES && this.pool.length - this.used >= lineBytes && this.#partitions.length < BATCH_PARTITIONS_MAX;
  }

  /** Keeps the line just parsed into the pool. */
  add(line: FileLine, partition: PartitionState): void {
    if (partition.slotBatch !== this.#number) {
      partition.slotBatch = this.#number;
      partition.slot = this.#partitions.push(partition) - 1;
    }
    const i = this.count++;
    this.#partitionOf[i] = partition.slot;
    this.#offset[i] = line.offset;
    this.#time[i] = line.time;
    this.#places[0][i] = line.keyStart;
    this.#places[1][i] = line.keyEnd;
    this.#places[2][i] = line.valueStart;
    this.#places[3][i] = line.valueEnd;
    this.used = line.poolEnd;
  }

  /** What was gathered, as a view of the builder's memory. */
  batch(): RecordBatch {
    const [keyStart, keyEnd, valueStart, valueEnd] = this.#places;
    const partitions: RecordPartition[] = this.#partitions.map(({ topic, partition, next }) => ({ topic, partition, next, token: null }));
    return { count: this.count, partitions, partitionOf: this.#partitionOf, offset: this.#offset, time: this.#time, bytes: this.pool, keyStart, keyEnd, valueStart, valueEnd };
  }

  /** Begins the next batch. Memory a single long line asked for is given back. */
  clear(): void {
    this.#number++;
    this.#partitions = [];
    this.count = 0;
    this.used = 0;
    if (this.pool.length > 4 * BATCH_BYTES) this.pool = new Uint8Array(BATCH_BYTES + BATCH_BYTES / 4);
  }
}
