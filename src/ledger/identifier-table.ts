import { hashIdentifier } from '../change/identifier.ts';

const CAPACITY_FIRST = 256;
const LOAD_MAX = 0.7;

/**
 * Numbers for identifiers: (owner, kind, four words) → 0, 1, 2, … in order of arrival, in typed arrays. The owner tells equal unit
 * ids of two properties apart. Long identifiers come with the number of their text in the books' own table.
 */
export class IdentifierTable {
  count = 0;
  owner = new Uint32Array(CAPACITY_FIRST);
  kind = new Uint8Array(CAPACITY_FIRST);
  words = new Uint32Array(CAPACITY_FIRST * 4);
  #slots = new Uint32Array(CAPACITY_FIRST * 2);

  /** The number, or -1. */
  find(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash(owner, kind, a, b, c, d) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = slots[slot] - 1;
      if (this.matches(index, owner, kind, a, b, c, d)) return index;
    }
    return -1;
  }

  /** The number, a new one if need be (then `count` rises by one). */
  intern(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    const known = this.find(owner, kind, a, b, c, d);
    if (known >= 0) return known;
    if (this.count + 1 > this.#slots.length * LOAD_MAX) this.#growSlots();
    if (this.count === this.kind.length) this.#growColumns();
    const index = this.count++;
    this.owner[index] = owner;
    this.kind[index] = kind;
    this.words[index * 4] = a;
    this.words[index * 4 + 1] = b;
    this.words[index * 4 + 2] = c;
    this.words[index * 4 + 3] = d;
    this.#place(index);
    return index;
  }

  matches(index: number, owner: number, kind: number, a: number, b: number, c: number, d: number): boolean {
    const words = this.words;
    const at = index * 4;
    return words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d
      && this.owner[index] === owner && this.kind[index] === kind;
  }

  get bytes(): number {
    return this.owner.byteLength + this.kind.byteLength + this.words.byteLength + this.#slots.byteLength;
  }

  #place(index: number): void {
    const at = index * 4;
    const words = this.words;
    const mask = this.#slots.length - 1;
    let slot = hash(this.owner[index], this.kind[index], words[at], words[at + 1], words[at + 2], words[at + 3]) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let index = 0; index < this.count; index++) this.#place(index);
  }

  #growColumns(): void {
    const { owner, kind, words } = this;
    this.owner = new Uint32Array(kind.length * 2);
    this.owner.set(owner);
    this.kind = new Uint8Array(kind.length * 2);
    this.kind.set(kind);
    this.words = new Uint32Array(words.length * 2);
    this.words.set(words);
  }
}

function hash(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
  const identifier = hashIdentifier(kind, a, b, c, d);
  return owner === 0 ? identifier : (Math.imul(identifier ^ Math.imul(owner, 0x9e3779b1), 0x85ebca6b) >>> 0) ^ (identifier >>> 15);
}
