/** Why bytes are no value of their schema, in words that end a sentence. */
export class AvroFault extends Error {}

/** The bytes of one Avro value, read from front to back. Nothing is read beyond the end: that is an AvroFault. */
export class AvroInput {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** The integer last read by `readLong`: its sign, and its size as two unsigned halves. */
  isNegative = false;
  high = 0;
  low = 0;
  #view = new DataView(this.bytes.buffer);

  /** Begins the value `bytes[start..end)`. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.at = start;
    this.end = end;
  }

  readByte(): number {
    if (this.at >= this.end) throw new AvroFault('it ends too early');
    return this.bytes[this.at++];
  }

  /** Steps over bytes and answers where they began. */
  take(length: number): number {
    const start = this.at;
    if (length > this.end - start) throw new AvroFault('it ends too early');
    this.at = start + length;
    return start;
  }

  /** Reads a zigzag integer of at most 64 bits into `isNegative`, `high` and `low`. */
  readLong(): void {
    let low = 0;
    let high = 0;
    let shift = 0;
    let byte = 0x80;
    while (byte >= 0x80) {
      byte = this.readByte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (byte > 1) throw new AvroFault('an integer in it has more than 64 bits');
      else high |= bits << 31;
      shift += 7;
    }
    this.isNegative = (low & 1) !== 0;
    const half = ((low >>> 1) | (high << 31)) >>> 0;
    const top = high >>> 1;
    this.low = this.isNegative ? (half + 1) >>> 0 : half;
    this.high = this.isNegative && half === 0xffffffff ? top + 1 : top;
  }

  /** Steps over an integer of at most 64 bits. */
  skipLong(): void {
    for (let read = 1; this.readByte() >= 0x80; read++) if (read === 10) throw new AvroFault('an integer in it has more than 64 bits');
  }

  /** A length, or the number of a branch or symbol: neither negative nor beyond 2^31. */
  readCount(): number {
    const first = this.readByte();
    if (first < 0x80) {
      if ((first & 1) !== 0) throw new AvroFault('a length in it is negative');
      return first >>> 1;
    }
    this.at--;
    this.readLong();
    if (this.isNegative || this.high !== 0 || this.low > 0x7fffffff) throw new AvroFault('a length in it is negative or beyond its end');
    return this.low;
  }

  readFloat(): number {
    return this.#view.getFloat32(this.take(4), true);
  }

  readDouble(): number {
    return this.#view.getFloat64(this.take(8), true);
  }
}
