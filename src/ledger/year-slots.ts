import { FIELDS, FIELD_RENT } from './categories.ts';

const SLOT_DOUBLES = FIELDS + 1;
const SLOT_WORDS = SLOT_DOUBLES * 2;
/** Rent and total revenue stand before the year, expenses behind it: what one change needs is close together. */
const YEAR_WORD = (FIELDS - FIELD_RENT) * 2;
const NEXT_WORD = YEAR_WORD + 1;
const CHUNK_BITS = 12;
const CHUNK_SLOTS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SLOTS - 1;

/**
 * Totals of one account and fiscal year: ten sums, 88 bytes, packed in chunks. The years of an account form a list from its first
 * slot (plus one; 0 ends it), the newest year first, so that the year most rows fall in is found at once.
 */
export class YearSlots {
  count = 0;
  readonly #words: Int32Array[] = [];
  readonly #sums: Float64Array[] = [];

  /** A slot of zeros for `year`, followed by the list `next`. */
  create(year: number, next: number): number {
    const slot = this.count++;
    if ((slot & CHUNK_MASK) === 0) {
      const buffer = new ArrayBuffer(CHUNK_SLOTS * SLOT_WORDS * 4);
      this.#words.push(new Int32Array(buffer));
      this.#sums.push(new Float64Array(buffer));
    }
    const words = this.#words[slot >>> CHUNK_BITS];
    words[(slot & CHUNK_MASK) * SLOT_WORDS + YEAR_WORD] = year;
    words[(slot & CHUNK_MASK) * SLOT_WORDS + NEXT_WORD] = next;
    return slot;
  }

  year(slot: number): number {
    return this.#words[slot >>> CHUNK_BITS][(slot & CHUNK_MASK) * SLOT_WORDS + YEAR_WORD];
  }

  /** The slot after this one, plus one. */
  next(slot: number): number {
    return this.#words[slot >>> CHUNK_BITS][(slot & CHUNK_MASK) * SLOT_WORDS + NEXT_WORD];
  }

  setNext(slot: number, next: number): void {
    this.#words[slot >>> CHUNK_BITS][(slot & CHUNK_MASK) * SLOT_WORDS + NEXT_WORD] = next;
  }

  sum(slot: number, field: number): number {
    return this.#sums[slot >>> CHUNK_BITS][(slot & CHUNK_MASK) * SLOT_DOUBLES + placeOf(field)];
  }

  /** Adds to one sum and answers it. */
  add(slot: number, field: number, units: number): number {
    return (this.#sums[slot >>> CHUNK_BITS][(slot & CHUNK_MASK) * SLOT_DOUBLES + placeOf(field)] += units);
  }

  set(slot: number, field: number, units: number): void {
    this.#sums[slot >>> CHUNK_BITS][(slot & CHUNK_MASK) * SLOT_DOUBLES + placeOf(field)] = units;
  }

  get bytes(): number {
    return this.#words.length * CHUNK_SLOTS * SLOT_WORDS * 4;
  }
}

/** Which double of a slot holds a field's sum. */
function placeOf(field: number): number {
  return field < FIELD_RENT ? field + 1 + FIELDS - FIELD_RENT : field - FIELD_RENT;
}
