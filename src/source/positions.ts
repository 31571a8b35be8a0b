/**
 * Where a reader stands in a log. Positions are part of the state they describe: they move in the same step as the
 * rows, are saved in the same checkpoint, and are the only truth about where reading starts.
 */

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Position of a reader in one partition: the offset it reads next and enough about the record before it to recognise the log. */
export interface PartitionPosition extends TopicPartition {
  /** Offset of the next record to read. Offsets are below 2^53. */
  readonly next: number;
  /** Resume token, for sources that resume by token instead of by number (Event Hubs offset text). */
  readonly token: string | null;
  /** Offset of the last record applied; null when none was (a gap only). */
  readonly lastOffset: number | null;
  /** Timestamp of the last record applied, milliseconds since 1970; null when the log gave none. */
  readonly lastTime: number | null;
  /** `hashRecord` of the last record applied; null when none was. */
  readonly lastHash: string | null;
  /**
   * `hashRecord(key, null)` of the last record when it was a delete event, else null: a tombstone with that key right behind
   * it belongs to it (design: a tombstone directly after a delete event of the same key does nothing).
   */
  readonly deleteKeyHash: string | null;
}

/** Bounds of one partition of a log: `start` is the first offset still there, `end` the offset the next record will get. */
export interface PartitionBounds extends TopicPartition {
  readonly start: number;
  readonly end: number;
}

/** Text form of a partition, used as map key and in messages: `topic/3`. */
export function partitionName(p: TopicPartition): string {
  return `${p.topic}/${p.partition}`;
}

/** Hash of a record's key and value, 16 hexadecimal digits. Two FNV-1a runs of 32 bits; null and empty differ. Not cryptographic. */
export function hashRecord(key: Uint8Array | null, value: Uint8Array | null): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  const feed = (bytes: Uint8Array | null): void => {
    const tag = bytes === null ? 0xff : 0x01;
    a = Math.imul(a ^ tag, 0x01000193);
    b = Math.imul(b ^ tag, 0x85ebca6b);
    if (bytes === null) return;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x85ebca6b);
      b ^= b >>> 15;
    }
  };
  feed(key);
  feed(value);
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}
