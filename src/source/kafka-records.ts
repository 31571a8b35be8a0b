import type { KafkaBatchBuilder, LastRecord, ReadPartition } from './kafka-batch.ts';
import { RecordFault, type BatchHeader } from './kafka-record-batch.ts';
import { recordDifference } from './position-check.ts';
import { hashRecord } from './positions.ts';

/** After this many bits a variable-length integer of 32 or 64 bits is over. */
const BITS_32 = 28;
const BITS_64 = 63;

/**
 * Reads the records of one record batch into a `KafkaBatchBuilder`. Headers are stepped over by the record's length, however many there are. Nothing is made for a record but
 * its numbers; every length is checked against the record it stands in and the record against the batch, so that damaged bytes end in a `RecordFault`.
 */
export class RecordReader {
  /** Bytes of the batch's records, unpacked. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The first record at or behind the one expected, once it was met. */
  met: LastRecord | null = null;
  #at = 0;
  #end = 0;
  #left = 0;
  #baseOffset = 0;
  #lastOffset = 0;
  #offset = -1;
  #firstTime = 0;
  /** NaN: each record has its own time. */
  #oneTime = Number.NaN;

  /** Begins a record batch whose records are `bytes[start .. end)`. */
  begin(header: BatchHeader, bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#left = header.records;
    this.#baseOffset = header.baseOffset;
    this.#lastOffset = header.lastOffset;
    this.#offset = header.baseOffset - 1;
    this.#firstTime = header.firstTime;
    this.#oneTime = header.isLogAppendTime ? timeOf(header.lastTime) : Number.NaN;
    this.met = null;
  }

  /**
   * Takes records from the partition's position on. True when the batch is read to its end, false when the builder is full. `expected`: the record before the position; the first
   * record at its offset or behind is kept in `met`, and when it is not the one expected, nothing is taken and the answer is false.
   */
  take(builder: KafkaBatchBuilder, partition: ReadPartition, expected: LastRecord | null): boolean {
    const { bytes } = this;
    while (this.#left > 0) {
      const isFull = builder.count === builder.recordsMax;
      if (isFull) return false;
      const start = this.#at;
      const length = this.#varint(start);
      const body = this.#at;
      const end = body + length;
      if (length < 0 || end > this.#end) this.#fault(`its record ${length < 0 ? 'has a negative length' : 'goes beyond the batch'}`);
      const timeDelta = this.#varlong(body + 1);
      const offsetDelta = this.#varint(this.#at);
      const offset = this.#baseOffset + offsetDelta;
      if (offset <= this.#offset || offset > this.#lastOffset) this.#fault(`its record has offset ${offset} after ${this.#offset}, and the batch ends at ${this.#lastOffset}`);
      const keyLength = this.#varint(this.#at);
      const keyStart = this.#at;
      const keyEnd = keyLength < 0 ? keyStart : keyStart + keyLength;
      if (keyLength < -1 || keyEnd > end) this.#fault('its record has a key beyond its end');
      const valueLength = this.#varint(keyEnd);
      const valueStart = this.#at;
      const valueEnd = valueLength < 0 ? valueStart : valueStart + valueLength;
      if (valueLength < -1 || valueEnd > end) this.#fault('its record has a value beyond its end');
      const time = Number.isNaN(this.#oneTime) ? timeOf(this.#firstTime + timeDelta) : this.#oneTime;
      if (expected !== null && this.met === null && offset >= expected.offset) {
        const hash = hashRecord(keyLength < 0 ? null : bytes.subarray(keyStart, keyEnd), valueLength < 0 ? null : bytes.subarray(valueStart, valueEnd));
        this.met = { offset, time: Number.isNaN(time) ? null : time, hash };
        if (!isSame(expected, this.met)) {
          this.#at = start;
          return false;
        }
      }
      this.#at = end;
      this.#offset = offset;
      this.#left--;
      if (offset < partition.next) continue;
      const i = builder.count++;
      builder.partitionOf[i] = builder.touch(partition);
      builder.offset[i] = offset;
      builder.time[i] = time;
      builder.keyStart[i] = keyLength < 0 ? -1 : keyStart;
      builder.keyEnd[i] = keyEnd;
      builder.valueStart[i] = valueLength < 0 ? -1 : valueStart;
      builder.valueEnd[i] = valueEnd;
      partition.next = offset + 1;
    }
    if (this.#at !== this.#end) this.#fault(`bytes follow its last record`);
    return true;
  }

  #fault(what: string): never {
    throw new RecordFault('RECORDS_CORRUPT', this.#offset + 1, `the record batch at offset ${this.#baseOffset} is damaged: ${what}`);
  }

  /** A zigzag integer of at most 5 bytes; `#at` is then behind it. */
  #varint(at: number): number {
    const { bytes } = this;
    let byte = bytes[at++];
    let value = byte & 0x7f;
    for (let bits = 7; byte >= 0x80; bits += 7) {
      if (bits > BITS_32) this.#fault('a length in its record does not end');
      byte = bytes[at++];
      value |= (byte & 0x7f) << bits;
    }
    this.#at = at;
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zigzag integer of at most 10 bytes, exact below 2^53. */
  #varlong(at: number): number {
    const { bytes } = this;
    let byte = bytes[at++];
    if (byte < 0x80) {
      this.#at = at;
      return (byte >>> 1) ^ -(byte & 1);
    }
    let value = byte & 0x7f;
    let weight = 0x80;
    for (let bits = 7; byte >= 0x80; bits += 7) {
      if (bits > BITS_64) this.#fault('a time in its record does not end');
      byte = bytes[at++];
      value += (byte & 0x7f) * weight;
      weight *= 0x80;
    }
    this.#at = at;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function timeOf(milliseconds: number): number {
  return milliseconds < 0 ? Number.NaN : milliseconds;
}

/** Whether a record that was met is the one expected. */
export function isSame(expected: LastRecord, met: LastRecord): boolean {
  return met.offset === expected.offset && recordDifference(expected, met) === null;
}
