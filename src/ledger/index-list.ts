const CAPACITY_FIRST = 64;

/** A growing list of row or account numbers without objects. */
export class IndexList {
  length = 0;
  #items = new Uint32Array(CAPACITY_FIRST);

  push(index: number): void {
    if (this.length === this.#items.length) {
      const items = new Uint32Array(this.length * 2);
      items.set(this.#items);
      this.#items = items;
    }
    this.#items[this.length++] = index;
  }

  at(position: number): number {
    return this.#items[position];
  }

  get bytes(): number {
    return this.#items.byteLength;
  }
}

/** A growing set of row or account numbers, one bit each. */
export class BitSet {
  #words = new Uint32Array(CAPACITY_FIRST);

  has(index: number): boolean {
    const word = index >>> 5;
    return word < this.#words.length && (this.#words[word] & (1 << (index & 31))) !== 0;
  }

  /** Adds `index`; false when it was there already. */
  add(index: number): boolean {
    const word = index >>> 5;
    if (word >= this.#words.length) this.#grow(word + 1);
    const bit = 1 << (index & 31);
    if ((this.#words[word] & bit) !== 0) return false;
    this.#words[word] |= bit;
    return true;
  }

  /** Takes `index` out; false when it was not there. */
  remove(index: number): boolean {
    if (!this.has(index)) return false;
    this.#words[index >>> 5] &= ~(1 << (index & 31));
    return true;
  }

  /** Adds all of 0 … `end` − 1. */
  addUpTo(end: number): void {
    const whole = end >>> 5;
    this.#grow(whole + 1);
    this.#words.fill(0xffffffff, 0, whole);
    for (let index = whole << 5; index < end; index++) this.add(index);
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  #grow(words: number): void {
    if (words <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(words, this.#words.length * 2));
    grown.set(this.#words);
    this.#words = grown;
  }
}

/** A growing queue of numbers below 2³², first in, first out. */
export class IndexQueue {
  #items = new Uint32Array(CAPACITY_FIRST);
  #first = 0;
  length = 0;

  push(index: number): void {
    if (this.length === this.#items.length) {
      const items = new Uint32Array(this.length * 2);
      for (let i = 0; i < this.length; i++) items[i] = this.#items[(this.#first + i) & (this.length - 1)];
      this.#items = items;
      this.#first = 0;
    }
    this.#items[(this.#first + this.length++) & (this.#items.length - 1)] = index;
  }

  /** The one `position` places behind the first. It must be in the queue. */
  at(position: number): number {
    return this.#items[(this.#first + position) & (this.#items.length - 1)];
  }

  shift(): void {
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.length--;
  }

  get bytes(): number {
    return this.#items.byteLength;
  }
}
