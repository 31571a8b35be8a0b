import { hashRecord, type PartitionPosition, type TopicPartition } from './positions.ts';
import type { RecordBatch, RecordPartition } from './source.ts';

/** What a reader must know of a partition to go on in it. */
export interface ReadPartition extends TopicPartition {
  /** Offset of the next record to deliver. */
  next: number;
  /** The last record delivered; null when none was. */
  last: LastRecord | null;
  /** Its place among the partitions of batch number `slotBatch`. */
  slot: number;
  slotBatch: number;
}

/** A record to know the log again by. `time`: milliseconds, null when the log gave none. */
export interface LastRecord {
  readonly offset: number;
  readonly time: number | null;
  readonly hash: string;
}

/** The record before a position, as far as the position knows it. */
export function lastRecordOf(position: PartitionPosition): LastRecord | null {
  return position.lastOffset === null || position.lastHash === null ? null : { offset: position.lastOffset, time: position.lastTime, hash: position.lastHash };
}

/** Where decompressed records are gathered; a batch ends when it is full, or is one record batch that is larger. */
const POOL_BYTES = 1024 * 1024;
/** `partitionOf` has 16 bits. */
const PARTITIONS_MAX = 65_535;
const NO_BYTES = new Uint8Array(0);

/**
 * Gathers records into a `RecordBatch`. Records lie where they are: in the broker's answer, or in the pool that compressed ones are unpacked into. One set of arrays
 * serves all batches, so a batch is valid until `clear`.
 */
export class KafkaBatchBuilder {
  count = 0;
  readonly recordsMax: number;
  readonly offset: Float64Array;
  readonly time: Float64Array;
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly partitionOf: Uint16Array;
  #bytes: Uint8Array = NO_BYTES;
  #pool = new Uint8Array(POOL_BYTES);
  #poolUsed = 0;
  #number = 0;
  #partitions: ReadPartition[] = [];

  constructor(recordsMax: number) {
    this.recordsMax = recordsMax;
    this.offset = new Float64Array(recordsMax);
    this.time = new Float64Array(recordsMax);
    this.keyStart = new Int32Array(recordsMax);
    this.keyEnd = new Int32Array(recordsMax);
    this.valueStart = new Int32Array(recordsMax);
    this.valueEnd = new Int32Array(recordsMax);
    this.partitionOf = new Uint16Array(recordsMax);
  }

  /** True when something stands in the batch: records, or a position that moved without any. */
  get isBegun(): boolean {
    return this.#partitions.length > 0;
  }

  /** True when records of other bytes would not fit into the batch as it stands. */
  mustHandOver(bytes: Uint8Array | null, length: number): boolean {
    if (this.#partitions.length === PARTITIONS_MAX) return true;
    if (this.count === 0) return false;
    return bytes === null ? this.#bytes !== this.#pool || this.#poolUsed + length > this.#pool.length : this.#bytes !== bytes;
  }

  /** Takes records from `bytes` from now on. */
  readFrom(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** Copies unpacked records into the pool, to be taken from there; answers where they begin. */
  unpack(bytes: Uint8Array): number {
    if (this.count === 0) this.#poolUsed = 0;
    if (bytes.length > this.#pool.length) this.#pool = new Uint8Array(bytes.length);
    const start = this.#poolUsed;
    this.#pool.set(bytes, start);
    this.#poolUsed += bytes.length;
    this.#bytes = this.#pool;
    return start;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The partition's number in this batch; its position is part of what is handed over. */
  touch(partition: ReadPartition): number {
    if (partition.slotBatch !== this.#number) {
      partition.slotBatch = this.#number;
      partition.slot = this.#partitions.push(partition) - 1;
    }
    return partition.slot;
  }

  /** What was gathered, as a view of the builder's memory. Notes the last record of each partition but of the one that is still being read. */
  batch(inside: ReadPartition | null): RecordBatch {
    const partitions: RecordPartition[] = this.#partitions.map(({ topic, partition, next }) => ({ topic, partition, next, token: null }));
    this.#noteLast(inside);
    const { count, partitionOf, offset, time, keyStart, keyEnd, valueStart, valueEnd } = this;
    return { count, partitions, partitionOf, offset, time, bytes: this.#bytes, keyStart, keyEnd, valueStart, valueEnd };
  }

  /** Begins the next batch. `isInside`: records of the same bytes follow. Else what was unpacked is done with, and memory that one large record batch asked for is given back. */
  clear(isInside: boolean): void {
    this.#number++;
    this.#partitions = [];
    this.count = 0;
    if (isInside) return;
    this.#poolUsed = 0;
    this.#bytes = NO_BYTES;
    if (this.#pool.length > POOL_BYTES) this.#pool = new Uint8Array(POOL_BYTES);
  }

  #noteLast(inside: ReadPartition | null): void {
    let left = this.#partitions.length - (inside === null ? 0 : 1);
    for (let i = this.count - 1; i >= 0 && left > 0; i--) {
      const partition = this.#partitions[this.partitionOf[i]];
      const offset = this.offset[i];
      if (partition === inside || (partition.last !== null && partition.last.offset >= offset)) continue;
      partition.last = { offset, time: Number.isNaN(this.time[i]) ? null : this.time[i], hash: this.hashAt(i) };
      left--;
    }
  }

  /** Hash of record `i`. */
  hashAt(i: number): string {
    return hashRecord(this.#view(this.keyStart[i], this.keyEnd[i]), this.#view(this.valueStart[i], this.valueEnd[i]));
  }

  #view(start: number, end: number): Uint8Array | null {
    return start < 0 ? null : this.#bytes.subarray(start, end);
  }
}
