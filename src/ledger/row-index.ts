import { hashIdentifier } from '../change/identifier.ts';
import { enter, firstUnder } from './hashed-places.ts';
import { ROW_FREE } from './row-layout.ts';
import { keyBits } from './row-store.ts';
import type { RowStore } from './row-store.ts';

const CAPACITY_FIRST = 1024;
const LOAD_MAX = 0.7;
/** Rows moved to a grown index with each insertion: it is complete long before it is full itself. */
const ROWS_MOVED_PER_INSERT = 8;

/** Hash of a row's key. */
export function hashRow(table: number, kind: number, a: number, b: number, c: number, d: number): number {
  return hashIdentifier(kind + table * 8, a, b, c, d);
}

/**
 * Open-addressing index from key to row: a Uint32 a slot, as `hashed-places.ts` lays it out, at most 70 % full. By the bits of its hash nearly every other row met
 * while probing is told apart without a look at it, which would be a jump through memory. The index grows without a stall: the doubled one
 * fills row by row with the insertions that follow, and until it is complete a key is looked up in both.
 */
export class RowIndex {
  readonly #rows: RowStore;
  #slots: Uint32Array;
  #count = 0;
  /** The index before it grew, and the next row to move from it; null when all rows are moved. */
  #old: Uint32Array | null = null;
  #moveNext = 0;
  #moveEnd = 0;
  #touched = 0;

  constructor(rows: RowStore, rowsExpected: number) {
    this.#rows = rows;
    this.#slots = new Uint32Array(capacityFor(rowsExpected));
  }

  get bytes(): number {
    return this.#slots.byteLength + (this.#old?.byteLength ?? 0);
  }

  /** The row with this key, or -1. */
  find(table: number, kind: number, a: number, b: number, c: number, d: number, hash: number): number {
    const bits = keyBits(table, kind);
    const row = this.#findIn(this.#slots, bits, a, b, c, d, hash);
    return row >= 0 || this.#old === null ? row : this.#findIn(this.#old, bits, a, b, c, d, hash);
  }

  #findIn(slots: Uint32Array, bits: number, a: number, b: number, c: number, d: number, hash: number): number {
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (((entry ^ hash) & ~mask) !== 0) continue;
      const row = (entry & mask) - 1;
      if (this.#rows.matches(row, bits, a, b, c, d)) return row;
    }
    return -1;
  }

  /**
   * Touches the slots of many hashes, then the rows found there, so that the memory they lie in is fetched side by side instead of
   * one after the other when the keys are looked up next. Changes nothing.
   */
  prefetch(hashes: Uint32Array, count: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= slots[hashes[i] & mask];
    for (let i = 0; i < count; i++) {
      const row = firstUnder(slots, hashes[i]);
      if (row >= 0) touched ^= this.#rows.touch(row);
    }
    this.#touched = touched;
  }

  /** Keeps the reads of `prefetch` from being optimised away. */
  get touched(): number {
    return this.#touched;
  }

  /** Adds a row whose key is not in the index. */
  insert(row: number, hash: number): void {
    if (this.#count + 1 > this.#slots.length * LOAD_MAX) this.#grow(this.#slots.length * 2);
    enter(this.#slots, row, hash);
    this.#count++;
    if (this.#old !== null) this.#move(ROWS_MOVED_PER_INSERT);
  }

  /** Takes a row out. Its key must still be in the store. */
  remove(row: number, hash: number): void {
    const moved = this.#take(this.#slots, row, hash);
    const inOld = this.#old !== null && this.#take(this.#old, row, hash);
    if (moved || inOld) this.#count--;
  }

  /** Makes room for `rowsExpected` rows at once, for a load. */
  reserve(rowsExpected: number): void {
    const capacity = capacityFor(rowsExpected);
    if (capacity <= this.#slots.length) return;
    this.#grow(capacity);
    this.#move(Number.POSITIVE_INFINITY);
  }

  #grow(capacity: number): void {
    if (this.#old !== null) this.#move(Number.POSITIVE_INFINITY);
    this.#old = this.#slots;
    this.#slots = new Uint32Array(capacity);
    this.#moveNext = 0;
    this.#moveEnd = this.#rows.size;
  }

  /** Moves up to `limit` rows to the grown index; a row that is there already (its slot was used again) stays. */
  #move(limit: number): void {
    const end = Math.min(this.#moveEnd, this.#moveNext + limit);
    const rows = this.#rows;
    for (let row = this.#moveNext; row < end; row++) {
      if (rows.state(row) === ROW_FREE) continue;
      const hash = hashOf(rows, row);
      if (slotOf(this.#slots, row, hash) < 0) enter(this.#slots, row, hash);
    }
    this.#moveNext = end;
    if (end === this.#moveEnd) this.#old = null;
  }

  /** Empties the slot of `row` and shifts back what had been pushed past it, so that no search ends too early. */
  #take(slots: Uint32Array, row: number, hash: number): boolean {
    let hole = slotOf(slots, row, hash);
    if (hole < 0) return false;
    const mask = slots.length - 1;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = hashOf(this.#rows, (slots[slot] & mask) - 1) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot];
      hole = slot;
    }
    slots[hole] = 0;
    return true;
  }
}

function capacityFor(rowsExpected: number): number {
  let capacity = CAPACITY_FIRST;
  while (rowsExpected > capacity * LOAD_MAX) capacity *= 2;
  return capacity;
}

function slotOf(slots: Uint32Array, row: number, hash: number): number {
  const mask = slots.length - 1;
  for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) if ((slots[slot] & mask) === row + 1) return slot;
  return -1;
}

/** Hash of the key of a row in the store. */
export function hashOf(rows: RowStore, row: number): number {
  return hashRow(rows.table(row), rows.keyKind(row), rows.keyWord(row, 0), rows.keyWord(row, 1), rows.keyWord(row, 2), rows.keyWord(row, 3));
}

