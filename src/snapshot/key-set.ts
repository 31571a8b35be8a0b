import { hashIdentifier, ID_LONG } from '../change/identifier.ts';
import type { RowColumns } from '../ledger/ledger.ts';

/** A set of row keys (table, primary key), packed: 21 bytes a key and its slot. Open addressing. */
export class KeySet {
  #count = 0;
  #kinds = new Uint8Array(1024);
  #words = new Uint32Array(4096);
  #slots = new Int32Array(4096).fill(-1);
  readonly #strings = new Map<string, number>();

  /** Adds the key of row `i`; false when it was there already. */
  add(block: RowColumns, i: number): boolean {
    const first = this.#firstWord(block, i, true);
    const slot = this.#slotOf(block, i, first);
    if (this.#slots[slot] >= 0) return false;
    if (this.#count === this.#kinds.length) this.#grow();
    const number = this.#count++;
    this.#kinds[number] = kindOf(block, i);
    this.#words[number * 4] = first;
    for (let k = 1; k < 4; k++) this.#words[number * 4 + k] = block.key[i * 4 + k];
    this.#slots[slot] = number;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return true;
  }

  has(block: RowColumns, i: number): boolean {
    const first = this.#firstWord(block, i, false);
    return first >= 0 && this.#slots[this.#slotOf(block, i, first)] >= 0;
  }

  /** The key's first word; a long key's is its number here, or -1 when it has none and gets none. */
  #firstWord(block: RowColumns, i: number, intern: boolean): number {
    if (block.keyKind[i] !== ID_LONG) return block.key[i * 4];
    const text = block.strings[block.key[i * 4]];
    const known = this.#strings.get(text);
    if (known !== undefined || !intern) return known ?? -1;
    this.#strings.set(text, this.#strings.size);
    return this.#strings.size - 1;
  }

  #slotOf(block: RowColumns, i: number, first: number): number {
    const kind = kindOf(block, i);
    const mask = this.#slots.length - 1;
    let slot = hashIdentifier(kind, first, block.key[i * 4 + 1], block.key[i * 4 + 2], block.key[i * 4 + 3]) & mask;
    for (; this.#slots[slot] >= 0; slot = (slot + 1) & mask) {
      const at = this.#slots[slot];
      if (this.#kinds[at] === kind && this.#words[at * 4] === first && this.#words[at * 4 + 1] === block.key[i * 4 + 1]
        && this.#words[at * 4 + 2] === block.key[i * 4 + 2] && this.#words[at * 4 + 3] === block.key[i * 4 + 3]) return slot;
    }
    return slot;
  }

  #grow(): void {
    const kinds = new Uint8Array(this.#kinds.length * 2);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    const words = this.#words;
    for (let number = 0; number < this.#count; number++) {
      const at = number * 4;
      let slot = hashIdentifier(this.#kinds[number], words[at], words[at + 1], words[at + 2], words[at + 3]) & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

function kindOf(block: RowColumns, i: number): number {
  return block.table[i] * 8 + block.keyKind[i];
}
