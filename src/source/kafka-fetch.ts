import { BatchHeader, readInt64 } from './kafka-record-batch.ts';

/** One partition's share of a broker's answer to a fetch. */
export interface FetchShare {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's error code; 0: none. */
  readonly error: number;
  /** Offset after the last record that is replicated; -1 with an error. */
  readonly highWatermark: number;
  /** Offset up to which every transaction is decided: the end of what may be read. */
  readonly lastStable: number;
  /** First offset still there; -1 when the broker does not say. */
  readonly logStart: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches: `bytes[start .. end)` of the answer. The last may be cut off. */
  readonly start: number;
  readonly end: number;
}

/** Records of a producer from an offset on, up to its abort marker, that must not be delivered. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** A broker's answer to a fetch: its bytes, and where in them the shares are. */
export interface FetchAnswer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Error of the whole answer; 0: none. */
  readonly error: number;
  readonly shares: readonly FetchShare[];
}

const text = new TextDecoder();

/** Reads the frame of an answer in form 4 to 11. Records are left as they lie. Throws RangeError when the bytes are no such answer. */
export function readFetchAnswer(raw: Uint8Array, version: number): FetchAnswer {
  const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  const reader = new FrameReader(bytes);
  reader.skip(4);
  const error = version >= 7 ? reader.int16() : 0;
  if (version >= 7) reader.skip(4);
  const shares: FetchShare[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions--) shares.push(readShare(reader, version, topic));
  }
  return { bytes, view: reader.view, error, shares };
}

function readShare(reader: FrameReader, version: number, topic: string): FetchShare {
  const partition = reader.int32();
  const error = reader.int16();
  const highWatermark = reader.int64();
  const lastStable = reader.int64();
  const logStart = version >= 5 ? reader.int64() : -1;
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.int32(); count > 0; count--) aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
  if (version >= 11) reader.skip(4);
  const length = Math.max(0, reader.int32());
  const start = reader.at;
  reader.skip(length);
  return { topic, partition, error, highWatermark, lastStable, logStart, aborted, start, end: start + length };
}

class FrameReader {
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError('the answer ends too early');
  }

  int16(): number {
    this.skip(2);
    return this.view.getInt16(this.at - 2);
  }

  int32(): number {
    this.skip(4);
    return this.view.getInt32(this.at - 4);
  }

  int64(): number {
    this.skip(8);
    return readInt64(this.view, this.at - 8);
  }

  string(): string {
    const length = Math.max(0, this.int16());
    this.skip(length);
    return text.decode(this.#bytes.subarray(this.at - length, this.at));
  }
}

const header = new BatchHeader();

/** Offset after the last whole record batch of a share; null when it has none. Throws RecordFault. */
export function offsetAfter({ view }: FetchAnswer, share: FetchShare): number | null {
  let next: number | null = null;
  for (let at = share.start; header.read(view, at, share.end); at = header.end) next = header.lastOffset + 1;
  return next;
}
