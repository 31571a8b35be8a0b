/**
 * Record batches as Kafka stores them (magic 2), read without copying and without an object for each record. A batch is a header of 61 bytes and records, compressed
 * together or not; its offsets need not be dense: compaction takes records out.
 */

/** Bytes that are no record batches, or ones that cannot be read. `offset`: where in the partition, when known. */
export class RecordFault extends Error {
  readonly code: 'RECORDS_CORRUPT' | 'RECORDS_TOO_LARGE' | 'RECORDS_UNSUPPORTED' | 'OFFSET_FELL';
  readonly offset: number | null;

  constructor(code: RecordFault['code'], offset: number | null, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** Bytes before the length of a batch is known, and bytes before its records. */
const LENGTH_END = 12;
const HEADER_BYTES = 61;
const CRC_FROM = 21;
const MAGIC = 2;

/** Header of one record batch; `read` fills it. */
export class BatchHeader {
  baseOffset = 0;
  /** Offset of the last record the batch had when it was written; it may be gone. */
  lastOffset = 0;
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  codec = 0;
  isLogAppendTime = false;
  isTransactional = false;
  isControl = false;
  /** Milliseconds. */
  firstTime = 0;
  lastTime = 0;
  /** -1: not of an idempotent producer. */
  producerId = -1;
  records = 0;
  crc = 0;
  /** Where the part that the checksum covers begins, where the records do, and where the batch ends. */
  crcStart = 0;
  recordsStart = 0;
  end = 0;

  /** Reads the header at `at`. False when the batch is not whole: an answer may end in the middle of one. Throws RECORDS_CORRUPT or RECORDS_UNSUPPORTED. */
  read(view: DataView, at: number, limit: number): boolean {
    if (limit - at < LENGTH_END) return false;
    const base = view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
    if (base < 0 || base > Number.MAX_SAFE_INTEGER) throw new RecordFault('RECORDS_CORRUPT', null, `a record batch says it begins at offset ${base}`);
    this.baseOffset = base;
    const length = view.getInt32(at + 8);
    if (limit - at > 16) checkMagic(view.getInt8(at + 16), base);
    if (length < HEADER_BYTES - LENGTH_END) throw new RecordFault('RECORDS_CORRUPT', base, `a record batch says it is ${length} bytes long`);
    if (length > limit - at - LENGTH_END) return false;
    this.#readRest(view, at);
    this.end = at + LENGTH_END + length;
    return true;
  }

  #readRest(view: DataView, at: number): void {
    this.crc = view.getUint32(at + 17);
    this.crcStart = at + CRC_FROM;
    const attributes = view.getInt16(at + 21);
    this.codec = attributes & 7;
    this.isLogAppendTime = (attributes & 8) !== 0;
    this.isTransactional = (attributes & 16) !== 0;
    this.isControl = (attributes & 32) !== 0;
    const lastOffsetDelta = view.getInt32(at + 23);
    if (lastOffsetDelta < 0) throw new RecordFault('RECORDS_CORRUPT', this.baseOffset, `a record batch says its last offset lies ${-lastOffsetDelta} before its first`);
    this.lastOffset = this.baseOffset + lastOffsetDelta;
    this.firstTime = readInt64(view, at + 27);
    this.lastTime = readInt64(view, at + 35);
    this.producerId = readInt64(view, at + 43);
    this.records = view.getInt32(at + 57);
    this.recordsStart = at + HEADER_BYTES;
    if (this.records < 0) throw new RecordFault('RECORDS_CORRUPT', this.baseOffset, `a record batch says it has ${this.records} records`);
  }
}

function checkMagic(magic: number, offset: number): void {
  if (magic === MAGIC) return;
  if (magic === 0 || magic === 1) throw new RecordFault('RECORDS_UNSUPPORTED', offset, `messages of format ${magic} are read by brokers before version 4 only, and not by rentfold; copy the topic into one of format 2`);
  throw new RecordFault('RECORDS_CORRUPT', offset, `a record batch is of the unknown format ${magic}`);
}

/** A signed 64-bit integer as a number; exact below 2^53. */
export function readInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}
