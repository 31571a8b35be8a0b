import { unescape } from './json-scan.ts';

/** Most names a vocabulary can hold; slot maps have this length. */
export const NAMES_MAX = 512;
/** Id of every name that nobody asked for. */
export const NAME_UNKNOWN = 0;

const BUCKETS = 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The member names decoding cares about (envelope fields, columns), as small numbers. The tokenizer looks every name up while
 * reading; a name is compared only if length and three of its bytes agree with a known one, so unknown names cost next to nothing.
 */
export class Names {
  readonly #texts: Uint8Array[] = [new Uint8Array(0)];
  readonly #heads = new Int16Array(BUCKETS);
  readonly #next = new Int16Array(NAMES_MAX);

  /** Id of a name, new or known. */
  add(text: string): number {
    const bytes = encoder.encode(text);
    const known = this.find(bytes, 0, bytes.length);
    if (known !== NAME_UNKNOWN) return known;
    const id = this.#texts.push(bytes) - 1;
    if (id >= NAMES_MAX) throw new RangeError(`more than ${NAMES_MAX} names`);
    const bucket = bucketOf(bytes, 0, bytes.length);
    this.#next[id] = this.#heads[bucket];
    this.#heads[bucket] = id;
    return id;
  }

  /** Id of the name `bytes[start..end)`, or NAME_UNKNOWN. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let id = this.#heads[bucketOf(bytes, start, end)];
    while (id !== NAME_UNKNOWN) {
      const text = this.#texts[id];
      if (text.length === end - start) {
        let i = 0;
        while (i < text.length && text[i] === bytes[start + i]) i++;
        if (i === text.length) return id;
      }
      id = this.#next[id];
    }
    return NAME_UNKNOWN;
  }

  /** Id of a name that may have been made legal for Avro: what is neither letter, digit nor underline became an underline. */
  findAdjusted(text: string): number {
    const bytes = encoder.encode(text);
    const known = this.find(bytes, 0, bytes.length);
    if (known !== NAME_UNKNOWN) return known;
    return Math.max(NAME_UNKNOWN, this.#texts.findIndex((name, id) => id !== NAME_UNKNOWN && adjusted(decoder.decode(name)) === text));
  }

  /** The same for a name with escapes, as it stands between its quotes. */
  findEscaped(bytes: Uint8Array, start: number, end: number): number {
    const text = new Uint8Array(end - start);
    const length = unescape(bytes, start, end, text, true);
    return length < 0 ? NAME_UNKNOWN : this.find(text, 0, length);
  }
}

function adjusted(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/gu, '_').replace(/^[0-9]/, '_');
}

function bucketOf(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return 0;
  return ((end - start) * 37 + bytes[start] * 5 + bytes[end - 1] * 11 + bytes[(start + end) >> 1] * 3) & (BUCKETS - 1);
}

/** Slot per name id, -1 for names a reader does not want: the second argument of `collect`. */
export type SlotMap = Int8Array;

/** Makes a slot map from names to slots. */
export function slotMap(names: Names, slots: Iterable<readonly [name: string, slot: number]>): SlotMap {
  const map = new Int8Array(NAMES_MAX).fill(-1);
  for (const [name, slot] of slots) map[names.add(name)] = slot;
  return map;
}
