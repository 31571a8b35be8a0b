import { NO_STRING } from './change.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const TYPES_KEPT_MAX = 1024;

/** An expense type met before: its bytes, and its index in the batch that last used it. */
interface KnownType {
  readonly bytes: Uint8Array;
  readonly text: string;
  batch: number;
  index: number;
}

/** Expense types as strings made once, shared by the batches of one decoder. */
export class ExpenseTypes {
  #known: KnownType[] = [];
  #batch = 0;
  #used: string[] = [];

  /** Begins a batch. */
  begin(): void {
    this.#batch++;
    this.#used = [];
    if (this.#known.length > TYPES_KEPT_MAX) this.#known = [];
  }

  /** The types of the batch, by index. */
  get texts(): readonly string[] {
    return this.#used;
  }

  /** Index of the type `bytes[start..end)` in the batch, or NO_STRING when the batch has no room for another. */
  index(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    let type: KnownType | undefined;
    for (const known of this.#known) {
      if (known.bytes.length !== length) continue;
      let i = 0;
      while (i < length && known.bytes[i] === bytes[start + i]) i++;
      if (i === length) {
        type = known;
        break;
      }
    }
    if (type === undefined) {
      const text = decoder.decode(bytes.subarray(start, end));
      type = { bytes: encoder.encode(text), text, batch: -1, index: NO_STRING };
      this.#known.push(type);
    }
    if (type.batch !== this.#batch) {
      if (this.#used.length >= NO_STRING) return NO_STRING;
      type.batch = this.#batch;
      type.index = this.#used.push(type.text) - 1;
    }
    return type.index;
  }
}
