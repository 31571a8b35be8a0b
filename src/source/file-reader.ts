import type { FileHandle } from 'node:fs/promises';

/** A line longer than this is refused: memory is bounded, whatever a file holds. */
const LINE_BYTES_MAX = 32 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** Room before a chunk for the unfinished line of the chunk before it. Grows with the longest line seen. */
const CARRY_BYTES = 64 * 1024;

const LINE_FEED = 10;

/**
 * Lines of one stretch of a file, as places in a buffer: no line is copied unless it lies across two chunks. While one chunk is worked through, the
 * next is being read into the other buffer. What follows the last line feed of the stretch is not a line yet and is left alone.
 */
export class LineReader {
  /** The current line is `bytes[start .. end)`; its line feed stands at `end`. Both are 0 while there is none. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  #handle: FileHandle | null = null;
  /** Next byte of the file to ask for, and where the stretch ends. */
  #readAt = 0;
  #readEnd = 0;
  #pending: Promise<number> | null = null;
  /** Place in the file of `bytes[0]`. */
  #origin = 0;
  #next = 0;
  #dataEnd = 0;
  readonly #chunkBytes: number;
  readonly #carryBytesUsual: number;
  #carryBytes: number;
  /** The two buffers: lines are taken from the front while the back is being filled. */
  #front: Buffer = Buffer.alloc(0);
  #back: Buffer = Buffer.alloc(0);

  /** Other sizes are for tests, which want lines to lie across chunks. */
  constructor(chunkBytes: number = CHUNK_BYTES, carryBytes: number = CARRY_BYTES) {
    this.#chunkBytes = chunkBytes;
    this.#carryBytesUsual = carryBytes;
    this.#carryBytes = carryBytes;
  }

  /** Begins at byte `from` of the file, which is the first of a line. Nothing at or after byte `to` is read. */
  begin(handle: FileHandle, from: number, to: number): void {
    this.#handle = handle;
    this.#readAt = from;
    this.#readEnd = to;
    this.#origin = from;
    this.#next = 0;
    this.#dataEnd = 0;
    this.start = 0;
    this.end = 0;
    this.#readAhead();
  }

  /** Where the current line begins in the file. */
  get lineStart(): number {
    return this.#origin + this.start;
  }

  /** Where the line after the current one begins in the file; before the first line, where reading began. */
  get nextStart(): number {
    return this.#origin + this.#next;
  }

  /** Goes to the next line; false when the chunk holds no further whole line: then `fill`. */
  next(): boolean {
    const feed = this.#next < this.#dataEnd ? this.bytes.indexOf(LINE_FEED, this.#next) : -1;
    if (feed < 0) return false;
    this.start = this.#next;
    this.end = feed;
    this.#next = feed + 1;
    return true;
  }

  /**
   * Brings the next chunk; false when the stretch is at its end. Bytes of earlier lines are gone then. Throws `RangeError` at a line above
   * LINE_BYTES_MAX.
   */
  async fill(): Promise<boolean> {
    if (this.#pending === null) return false;
    const read = await this.#pending;
    this.#pending = null;
    if (read === 0) return false;
    const carry = this.#dataEnd - this.#next;
    if (carry > LINE_BYTES_MAX) throw new RangeError(`it is longer than ${LINE_BYTES_MAX} bytes`);
    if (carry > this.#carryBytes) this.#growCarry(carry, read);
    this.bytes.copy(this.#back, this.#carryBytes - carry, this.#next, this.#dataEnd);
    this.#origin += this.#next - (this.#carryBytes - carry);
    this.#next = this.#carryBytes - carry;
    this.#dataEnd = this.#carryBytes + read;
    this.start = 0;
    this.end = 0;
    [this.#front, this.#back] = [this.#back, this.#front];
    this.bytes = this.#front.subarray(0, this.#dataEnd);
    this.#readAhead();
    return true;
  }

  /** Lets go of the handle once nothing reads from it any more. The buffers stay for the next stretch, unless a long line had made them large. */
  async release(): Promise<void> {
    await this.#pending?.catch(() => 0);
    this.#pending = null;
    this.#handle = null;
    if (this.#carryBytes === this.#carryBytesUsual) return;
    this.#carryBytes = this.#carryBytesUsual;
    this.bytes = this.#front = this.#back = Buffer.alloc(0);
  }

  #readAhead(): void {
    const length = Math.min(this.#chunkBytes, this.#readEnd - this.#readAt);
    if (length <= 0 || this.#handle === null) return;
    if (this.#back.length < this.#carryBytes + this.#chunkBytes) this.#back = Buffer.allocUnsafeSlow(this.#carryBytes + this.#chunkBytes);
    const position = this.#readAt;
    this.#readAt += length;
    this.#pending = this.#handle.read(this.#back, this.#carryBytes, length, position).then(({ bytesRead }) => {
      this.#readAt = bytesRead === 0 ? this.#readEnd : position + bytesRead;
      return bytesRead;
    });
    this.#pending.catch(() => undefined);
  }

  #growCarry(carry: number, read: number): void {
    const grown = carry * 2;
    const back = Buffer.allocUnsafeSlow(grown + this.#chunkBytes);
    this.#back.copy(back, grown, this.#carryBytes, this.#carryBytes + read);
    this.#back = back;
    this.#carryBytes = grown;
  }
}
