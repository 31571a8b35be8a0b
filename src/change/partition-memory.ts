import { hashRecord } from '../source/positions.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { RecordBatch } from '../source/source.ts';
import type { BatchPartition } from './change.ts';

/** Bytes of a record's key or value, null for null; a view. */
export function bytesOf(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  return start < 0 ? null : bytes.subarray(start, end);
}

/** What the decoder remembers of one partition: the last record, and whether a tombstone behind it belongs to it. */
export class PartitionMemory {
  readonly topic: string;
  readonly partition: number;
  #lastOffset: number | null = null;
  #lastTime: number | null = null;
  #lastHash: string | null = null;
  #deleteKeyHash: string | null = null;
  /** The last record in the batch at hand, -1 when none was read yet. */
  #last = -1;
  #lastIsDelete = false;

  constructor(topic: string, partition: number, position: PartitionPosition | null) {
    this.topic = topic;
    this.partition = partition;
    if (position === null) return;
    this.#lastOffset = position.lastOffset;
    this.#lastTime = position.lastTime;
    this.#lastHash = position.lastHash;
    this.#deleteKeyHash = position.deleteKeyHash;
  }

  /** Begins a batch. */
  begin(): void {
    this.#last = -1;
    this.#lastIsDelete = false;
  }

  /** Notes that record `index` of the batch was read. */
  passed(index: number, isDelete: boolean): void {
    this.#last = index;
    this.#lastIsDelete = isDelete;
  }

  /** True when the record before `index` is a delete event of the same message key. */
  followsDelete(batch: RecordBatch, index: number): boolean {
    if (this.#last < 0) {
      return this.#deleteKeyHash !== null && this.#deleteKeyHash === hashRecord(bytesOf(batch.bytes, batch.keyStart[index], batch.keyEnd[index]), null);
    }
    return this.#lastIsDelete && sameKey(batch, this.#last, index);
  }

  /** When the last record of the batch was written, milliseconds; NaN when it does not say or none was read. */
  lastTimeIn(batch: RecordBatch): number {
    return this.#last < 0 ? Number.NaN : batch.time[this.#last];
  }

  /** Position after the batch. `next` and `token` are the source's; the batch's bytes are still there. */
  end(batch: RecordBatch, next: number, token: string | null): BatchPartition {
    const last = this.#last;
    if (last >= 0) {
      const key = bytesOf(batch.bytes, batch.keyStart[last], batch.keyEnd[last]);
      this.#lastOffset = batch.offset[last];
      this.#lastTime = Number.isNaN(batch.time[last]) ? null : batch.time[last];
      this.#lastHash = hashRecord(key, bytesOf(batch.bytes, batch.valueStart[last], batch.valueEnd[last]));
      this.#deleteKeyHash = this.#lastIsDelete ? hashRecord(key, null) : null;
    }
    return {
      topic: this.topic, partition: this.partition, next, token,
      lastOffset: this.#lastOffset, lastTime: this.#lastTime, lastHash: this.#lastHash, deleteKeyHash: this.#deleteKeyHash,
    };
  }
}

function sameKey(batch: RecordBatch, a: number, b: number): boolean {
  const { bytes, keyStart, keyEnd } = batch;
  if (keyStart[a] < 0 || keyStart[b] < 0) return keyStart[a] < 0 && keyStart[b] < 0;
  const length = keyEnd[a] - keyStart[a];
  if (keyEnd[b] - keyStart[b] !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[keyStart[a] + i] !== bytes[keyStart[b] + i]) return false;
  return true;
}
