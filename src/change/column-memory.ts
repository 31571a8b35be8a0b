/**
 * Columns that lie side by side in one piece of memory: it is allocated, handed to another thread and freed as one thing, where twenty small ones cost twenty times as much. Take
 * the wide columns first: each begins where the one before ended, and must begin at a multiple of its width.
 */
export class ColumnMemory {
  readonly #buffer: ArrayBuffer;
  readonly #rows: number;
  #used = 0;

  /** Room for so many rows of so many bytes. */
  constructor(rows: number, bytesPerRow: number) {
    this.#rows = rows;
    this.#buffer = new ArrayBuffer(rows * bytesPerRow);
  }

  /** A column of doubles. */
  doubles(): Float64Array {
    return new Float64Array(this.#buffer, this.#take(8), this.#rows);
  }

  /** A column of so many unsigned 32-bit words a row. */
  words(width: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(4 * width), this.#rows * width);
  }

  /** A column of signed 32-bit integers. */
  integers(): Int32Array {
    return new Int32Array(this.#buffer, this.#take(4), this.#rows);
  }

  /** A column of unsigned 16-bit integers. */
  shorts(): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(2), this.#rows);
  }

  /** A column of bytes. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(1), this.#rows);
  }

  #take(bytesPerRow: number): number {
    const start = this.#used;
    this.#used += bytesPerRow * this.#rows;
    return start;
  }
}
