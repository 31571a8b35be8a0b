/** Longer frames are not gathered here: what begins like one is most often no broker at all, and memory is not taken on its word. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** Shorter frames are made anew each time. Memory for longer ones comes in steps, so that nearly every answer fits into that of another. */
const KEPT_BYTES_MIN = 256 * 1024;
const KEPT_BYTES_STEP = 1024 * 1024;
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** As many as one broker's answers are under way at once. */
const KEPT_MAX = 3;
const LENGTH_BYTES = 4;
/** Read at once while no frame is begun, and what must be missing of a frame so that it is read into where it belongs: such a read may not go on into the next frame. */
const READ_BYTES = 256 * 1024;
const PLACED_BYTES_MIN = 64 * 1024;

/**
 * Memory for a broker's answers, used again and again. An answer of some megabytes that is made anew each time costs more than reading it: such memory is outside of the heap, and for every
 * few answers of it the whole heap is collected.
 */
export class FrameMemory {
  readonly #free: ArrayBuffer[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** Memory of so many bytes; what is in it is undefined. */
  take(length: number): Buffer {
    if (length < KEPT_BYTES_MIN || length > KEPT_BYTES_MAX) return Buffer.allocUnsafeSlow(length);
    const fits = this.#free.findIndex(({ byteLength }) => byteLength >= length);
    const [memory = new ArrayBuffer(Math.ceil(length / KEPT_BYTES_STEP) * KEPT_BYTES_STEP)] = fits < 0 ? [] : this.#free.splice(fits, 1);
    this.#lent.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Takes memory back that `take` gave and nobody looks at any more. Any other is left to the collector, as is all that never comes back. */
  giveBack({ buffer }: Uint8Array): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return;
    if (this.#free.length === KEPT_MAX) this.#free.shift();
    this.#free.push(buffer);
  }
}

/** Puts a broker's answers together from what arrives: each a length of four bytes and as many bytes. Most of a long answer is read into its place. */
export class FrameGatherer {
  readonly #memory: FrameMemory;
  readonly #deliver: (bytes: Buffer) => void;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthRead = 0;
  #frame: Buffer | null = null;
  #filled = 0;
  #isPassing = false;
  readonly #loose = new Uint8Array(READ_BYTES);
  #isPlaced = false;

  /** `deliver` is called with every whole frame, its length included; from a frame on that is too long, with the bytes as they arrive. */
  constructor(memory: FrameMemory, deliver: (bytes: Buffer) => void) {
    this.#memory = memory;
    this.#deliver = deliver;
  }

  /** Memory to read the next bytes into: the frame that most of them belong to, where it is begun. */
  room(): Uint8Array {
    const frame = this.#frame;
    this.#isPlaced = frame !== null && frame.length - this.#filled >= PLACED_BYTES_MIN;
    return this.#isPlaced ? frame!.subarray(this.#filled) : this.#loose;
  }

  /** Takes so many bytes that were read into the memory that `room` gave last. */
  arrived(length: number): void {
    if (this.#isPlaced) this.#advance(this.#frame!, length);
    else this.#push(this.#loose.subarray(0, length));
  }

  /** Takes the next bytes; they are copied. */
  #push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isPassing) at = this.#frame === null ? this.#readLength(bytes, at) : this.#fill(this.#frame, bytes, at);
    if (at < bytes.length) this.#deliver(Buffer.from(bytes.subarray(at)));
  }

  #readLength(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#lengthRead < LENGTH_BYTES) this.#length[this.#lengthRead++] = bytes[at++];
    if (this.#lengthRead < LENGTH_BYTES) return at;
    this.#lengthRead = 0;
    const length = this.#length.readInt32BE();
    if (length <= 0 || length > FRAME_BYTES_MAX) {
      this.#isPassing = length !== 0;
      this.#deliver(Buffer.from(this.#length));
      return at;
    }
    this.#frame = this.#memory.take(LENGTH_BYTES + length);
    this.#frame.set(this.#length);
    this.#filled = LENGTH_BYTES;
    return at;
  }

  #fill(frame: Buffer, bytes: Uint8Array, from: number): number {
    const end = Math.min(bytes.length, from + frame.length - this.#filled);
    frame.set(bytes.subarray(from, end), this.#filled);
    this.#advance(frame, end - from);
    return end;
  }

  #advance(frame: Buffer, length: number): void {
    this.#filled += length;
    if (this.#filled < frame.length) return;
    this.#frame = null;
    this.#deliver(frame);
  }
}
