/**
 * LZ4 frames, unpacked: what Kafka's Java client, librdkafka and kafkajs plug-ins write into record batches. Checksums inside the frame are not compared: a record batch
 * has one of its own.
 */

const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MATCH_BYTES_MIN = 4;

/** Unpacks every frame in `input`. Throws RangeError when it is damaged, or `tooLarge` when more than `bytesMax` would come out. */
export function unpackLz4(input: Uint8Array, bytesMax: number, tooLarge: () => Error): Uint8Array {
  const unpacker = new Unpacker(input, bytesMax, tooLarge);
  while (unpacker.at < input.length) unpacker.frame();
  return unpacker.output.subarray(0, unpacker.length);
}

class Unpacker {
  at = 0;
  output: Uint8Array;
  length = 0;
  readonly #input: Uint8Array;
  readonly #view: DataView;
  readonly #bytesMax: number;
  readonly #tooLarge: () => Error;

  constructor(input: Uint8Array, bytesMax: number, tooLarge: () => Error) {
    this.#input = input;
    this.#view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    this.#bytesMax = bytesMax;
    this.#tooLarge = tooLarge;
    this.output = new Uint8Array(Math.min(bytesMax, 4 * input.length + 64));
  }

  frame(): void {
    const magic = this.#uint32();
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      this.#skip(this.#uint32());
      return;
    }
    if (magic !== FRAME_MAGIC) throw new RangeError('an LZ4 frame does not begin with its magic number');
    const flags = this.#input[this.at];
    if (flags >>> 6 !== 1) throw new RangeError(`an LZ4 frame is of version ${flags >>> 6}`);
    if ((flags & 1) !== 0) throw new RangeError('an LZ4 frame needs a dictionary');
    const hasBlockChecksum = (flags & 16) !== 0;
    this.#skip(3 + ((flags & 8) === 0 ? 0 : 8));
    const frameStart = this.length;
    for (let size = this.#uint32(); size !== 0; size = this.#uint32()) {
      const bytes = size & 0x7fffffff;
      const start = this.at;
      this.#skip(bytes);
      if (size >>> 31 === 1) this.#copy(start, bytes);
      else this.#block(start, this.at, frameStart);
      if (hasBlockChecksum) this.#skip(4);
    }
    if ((flags & 4) !== 0) this.#skip(4);
  }

  #copy(start: number, bytes: number): void {
    this.#makeRoom(bytes);
    this.output.set(this.#input.subarray(start, start + bytes), this.length);
    this.length += bytes;
  }

  /** Sequences of literals and of matches; a match may lie in an earlier block of the frame. */
  #block(start: number, end: number, frameStart: number): void {
    const input = this.#input;
    let at = start;
    while (at < end) {
      const token = input[at++];
      let literals = token >>> 4;
      if (literals === 15) {
        let byte = 255;
        while (byte === 255 && at < end) literals += byte = input[at++];
      }
      if (at + literals > end) throw new RangeError('an LZ4 block ends inside its literals');
      this.#makeRoom(literals);
      this.#literals(at, literals);
      at += literals;
      if (at >= end) return;
      if (at + 2 > end) throw new RangeError('an LZ4 block ends inside a match');
      const distance = input[at] | (input[at + 1] << 8);
      at += 2;
      let length = (token & 15) + MATCH_BYTES_MIN;
      if (length === 15 + MATCH_BYTES_MIN) {
        let byte = 255;
        while (byte === 255 && at < end) length += byte = input[at++];
      }
      if (distance === 0 || distance > this.length - frameStart) throw new RangeError('an LZ4 match lies before the frame');
      this.#makeRoom(length);
      this.#match(distance, length);
    }
  }

  #literals(at: number, length: number): void {
    const { output } = this;
    if (length > 32) output.set(this.#input.subarray(at, at + length), this.length);
    else for (let i = 0; i < length; i++) output[this.length + i] = this.#input[at + i];
    this.length += length;
  }

  #match(distance: number, length: number): void {
    const { output } = this;
    const to = this.length;
    const from = to - distance;
    if (length > 32 && distance >= length) output.copyWithin(to, from, from + length);
    else for (let i = 0; i < length; i++) output[to + i] = output[from + i];
    this.length = to + length;
  }

  #makeRoom(bytes: number): void {
    const needed = this.length + bytes;
    if (needed > this.#bytesMax) throw this.#tooLarge();
    if (needed <= this.output.length) return;
    const wider = new Uint8Array(Math.max(needed, 2 * this.output.length));
    wider.set(this.output.subarray(0, this.length));
    this.output = wider;
  }

  #uint32(): number {
    this.#skip(4);
    return this.#view.getUint32(this.at - 4, true);
  }

  #skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.#input.length) throw new RangeError('an LZ4 frame ends too early');
  }
}
