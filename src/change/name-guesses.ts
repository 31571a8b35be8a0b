import type { Names } from './names.ts';

const GUESSES_MAX = 2048;
const PATTERN_BYTES = 64;
const BUCKETS = 4096;

/**
 * Learns which member name follows which. Change events of a table have the same names in the same order, so the next name is
 * usually told by comparing its bytes (`"name":`) with the guess, eight at a time, instead of scanning and looking it up.
 * A place is a name at a depth (`ts_ms` stands in the envelope and in its source); place 0 is a text's beginning and every name not learnt.
 */
export class NameGuesses {
  /** Id of a place's name. */
  readonly nameOf = new Int16Array(GUESSES_MAX);
  readonly #names: Names;
  readonly #next = new Int16Array(GUESSES_MAX);
  readonly #length = new Uint8Array(GUESSES_MAX);
  readonly #depth = new Uint8Array(GUESSES_MAX);
  readonly #patterns = new Uint8Array(GUESSES_MAX * PATTERN_BYTES);
  readonly #view = new DataView(this.#patterns.buffer);
  readonly #buckets = new Int16Array(BUCKETS);
  #used = 1;

  constructor(names: Names) {
    this.#names = names;
  }

  /** The place that followed `place` last time. */
  after(place: number): number {
    return this.#next[place];
  }

  /** Length of the guess at `place` (`"name":`) when `view` has it at `at`, else 0. */
  match(place: number, view: DataView, at: number, end: number): number {
    const length = this.#length[place];
    if (length === 0 || at + length > end) return 0;
    const pattern = place * PATTERN_BYTES;
    const patterns = this.#view;
    if (length < 8) {
      const last = length - 4;
      return view.getInt32(at, true) === patterns.getInt32(pattern, true) && view.getInt32(at + last, true) === patterns.getInt32(pattern + last, true) ? length : 0;
    }
    // Eight bytes as a double: a JSON name is neither ±0 nor, while it is ASCII, NaN; so equal doubles are equal bytes.
    const last = length - 8;
    for (let i = 0; i < last; i += 8) if (view.getFloat64(at + i, true) !== patterns.getFloat64(pattern + i, true)) return 0;
    return view.getFloat64(at + last, true) === patterns.getFloat64(pattern + last, true) ? length : 0;
  }

  /** Learns that the name `bytes[start..end)` (quoted, no escapes, a colon right behind) at `depth` follows `place`; returns its own place. */
  learn(place: number, depth: number, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start + 3;
    if (length < 4 || length > PATTERN_BYTES) return 0;
    let hash = length + 64 * depth;
    for (let at = start; at < end; at++) {
      if (bytes[at] >= 0x80) return 0;
      hash = Math.imul(hash ^ bytes[at], 0x01000193);
    }
    let bucket = (hash ^ (hash >>> 15)) & (BUCKETS - 1);
    for (;;) {
      const known = this.#buckets[bucket];
      if (known === 0) break;
      if (this.#depth[known] === depth && this.#is(known, bytes, start, end)) {
        this.#next[place] = known;
        return known;
      }
      bucket = (bucket + 1) & (BUCKETS - 1);
    }
    if (this.#used === GUESSES_MAX) return 0;
    const made = this.#used++;
    this.#buckets[bucket] = made;
    this.#patterns.set(bytes.subarray(start - 1, end + 2), made * PATTERN_BYTES);
    this.#length[made] = length;
    this.#depth[made] = depth;
    this.nameOf[made] = this.#names.find(bytes, start, end);
    this.#next[place] = made;
    return made;
  }

  #is(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#length[place] !== end - start + 3) return false;
    const pattern = place * PATTERN_BYTES + 1;
    for (let i = 0; i < end - start; i++) if (this.#patterns[pattern + i] !== bytes[start + i]) return false;
    return true;
  }
}
