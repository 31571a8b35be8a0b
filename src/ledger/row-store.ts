import { POSITION_WORDS } from '../change/change.ts';
import {
  ACCOUNT, AMOUNT, CHUNK_BITS, CHUNK_MASK, CHUNK_ROWS, DAY, EPOCH_MASK, EXPORTED_BIT, FLAG_BIT, HEAD_MASK, KEY_MASK, KIND_MASK, KIND_SHIFT,
  META, NEXT, NO_ACCOUNT, NO_TYPE, OFFSET, PARTITION_SHIFT, POSITION, ROW_DOUBLES, ROW_FREE, ROW_WORDS, STATE_MASK, STATE_SHIFT, TABLE_MASK,
  TABLE_SHIFT, TIME, TYPE, TYPE_NONE, TYPE_RARE,
} from './row-layout.ts';
import type { RowState } from './row-layout.ts';

/** Bits of a key's table and kind, as `matches` compares them. */
export function keyBits(table: number, kind: number): number {
  return (table << TABLE_SHIFT) | (kind << KIND_SHIFT);
}

/** The packed store. Callers announce a write to the change set first; the store itself knows no rules. */
export class RowStore {
  /** Slots ever used; rows are 0 … size − 1. */
  size = 0;
  freeCount = 0;
  /** Chunks, for the code of this folder that works on many rows. */
  readonly words: Uint32Array[] = [];
  readonly doubles: Float64Array[] = [];
  readonly wide: (Uint32Array | undefined)[] = [];
  #rareTypes = new Map<number, number>();
  #freeHead = 0;

  /** A slot, cleared but for its state, which stays ROW_FREE until `setKey`. */
  allocate(): number {
    if (this.#freeHead !== 0) {
      const row = this.#freeHead - 1;
      const words = this.words[row >>> CHUNK_BITS];
      const at = (row & CHUNK_MASK) * ROW_WORDS;
      this.#freeHead = words[at + NEXT];
      words[at + NEXT] = 0;
      this.freeCount--;
      return row;
    }
    const row = this.size++;
    if ((row & CHUNK_MASK) === 0) {
      const buffer = new ArrayBuffer(CHUNK_ROWS * ROW_WORDS * 4);
      this.words.push(new Uint32Array(buffer));
      this.doubles.push(new Float64Array(buffer));
      this.wide.push(undefined);
    }
    return row;
  }

  release(row: number): void {
    this.setType(row, NO_TYPE);
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS;
    words.fill(0, at, at + ROW_WORDS);
    words[at + META] = ROW_FREE << STATE_SHIFT;
    words[at + NEXT] = this.#freeHead;
    this.#freeHead = row + 1;
    this.freeCount++;
  }

  /** Sets identity and state of a fresh slot; it has no account, position or time yet. */
  setKey(row: number, bits: number, a: number, b: number, c: number, d: number, state: RowState): void {
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    words[at + META] = bits | (state << STATE_SHIFT);
    words[at + TYPE] = TYPE_NONE;
    words[at + ACCOUNT] = NO_ACCOUNT;
    this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + TIME] = Number.NaN;
  }

  matches(row: number, bits: number, a: number, b: number, c: number, d: number): boolean {
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS;
    return ((words[at] ^ a) | (words[at + 1] ^ b) | (words[at + 2] ^ c) | (words[at + 3] ^ d) | ((words[at + META] & KEY_MASK) ^ bits)) === 0;
  }

  keyWord(row: number, word: number): number {
    return this.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + word];
  }

  /** Reads both ends of a row, to have its memory fetched. */
  touch(row: number): number {
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS;
    return words[at] ^ words[at + ROW_WORDS - 1];
  }

  table(row: number): number {
    return (this.#meta(row) >>> TABLE_SHIFT) & TABLE_MASK;
  }

  keyKind(row: number): number {
    return (this.#meta(row) >>> KIND_SHIFT) & KIND_MASK;
  }

  state(row: number): RowState {
    return ((this.#meta(row) >>> STATE_SHIFT) & STATE_MASK) as RowState;
  }

  setState(row: number, state: RowState): void {
    this.#setMeta(row, STATE_MASK << STATE_SHIFT, state << STATE_SHIFT);
  }

  flag(row: number): boolean {
    return (this.#meta(row) & FLAG_BIT) !== 0;
  }

  /** Whether a cut or a loaded segment names the row, so that dropping it must be told to the next one. */
  exported(row: number): boolean {
    return (this.#meta(row) & EXPORTED_BIT) !== 0;
  }

  setExported(row: number): void {
    this.#setMeta(row, EXPORTED_BIT, EXPORTED_BIT);
  }

  partition(row: number): number {
    return this.#meta(row) >>> PARTITION_SHIFT;
  }

  offset(row: number): number {
    return this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + OFFSET];
  }

  setPlace(row: number, partition: number, offset: number): void {
    this.#setMeta(row, 0xffff0000, partition << PARTITION_SHIFT);
    this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + OFFSET] = offset;
  }

  /** Own number of the expense type, or NO_TYPE. */
  type(row: number): number {
    const type = this.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + TYPE] & 0xffff;
    if (type < TYPE_RARE) return type;
    return type === TYPE_RARE ? this.#rareTypes.get(row)! : NO_TYPE;
  }

  setType(row: number, type: number): void {
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS + TYPE;
    if ((words[at] & 0xffff) === TYPE_RARE) this.#rareTypes.delete(row);
    const rare = type >= TYPE_RARE && type !== NO_TYPE;
    if (rare) this.#rareTypes.set(row, type);
    words[at] = (words[at] & EPOCH_MASK) | (rare ? TYPE_RARE : type === NO_TYPE ? TYPE_NONE : type);
  }

  account(row: number): number {
    return this.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + ACCOUNT];
  }

  day(row: number): number {
    return this.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + DAY] | 0;
  }

  amount(row: number): number {
    return this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + AMOUNT];
  }

  /** Of a deleted row only: it shares the place of the amount. */
  foldedAt(row: number): number {
    return this.amount(row);
  }

  /** Writes what figures are made of. For a deleted row: no account, no day, `amount` is when it was folded. */
  setImage(row: number, account: number, day: number, amount: number, type: number, flag: boolean): void {
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS;
    words[at + ACCOUNT] = account;
    words[at + DAY] = day;
    this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + AMOUNT] = amount;
    this.setType(row, type);
    words[at + META] = (words[at + META] & ~FLAG_BIT) | (flag ? FLAG_BIT : 0);
  }

  commitTime(row: number): number {
    return this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + TIME];
  }

  setCommitTime(row: number, time: number): void {
    this.doubles[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_DOUBLES + TIME] = time;
  }

  /** Unpacks the row's position into `out[at … at + POSITION_WORDS)`. */
  loadPosition(row: number, out: Uint32Array, at: number): void {
    const words = this.words[row >>> CHUNK_BITS];
    const base = (row & CHUNK_MASK) * ROW_WORDS;
    out[at] = (words[base + META] & HEAD_MASK) | (words[base + TYPE] & EPOCH_MASK);
    for (let word = 0; word < 4; word++) out[at + 1 + word] = words[base + POSITION + word];
    const wide = this.wide[row >>> CHUNK_BITS];
    const wideAt = (row & CHUNK_MASK) * 2;
    out[at + 5] = wide === undefined ? 0 : wide[wideAt];
    out[at + 6] = wide === undefined ? 0 : wide[wideAt + 1];
  }

  storePosition(row: number, from: Uint32Array, at: number): void {
    const chunk = row >>> CHUNK_BITS;
    const words = this.words[chunk];
    const base = (row & CHUNK_MASK) * ROW_WORDS;
    words[base + META] = (words[base + META] & ~HEAD_MASK) | (from[at] & HEAD_MASK);
    words[base + TYPE] = (words[base + TYPE] & 0xffff) | (from[at] & EPOCH_MASK);
    for (let word = 0; word < 4; word++) words[base + POSITION + word] = from[at + 1 + word];
    if (this.wide[chunk] === undefined && (from[at + 5] | from[at + 6]) === 0) return;
    const wide = this.wide[chunk] ??= new Uint32Array(CHUNK_ROWS * 2);
    wide[(row & CHUNK_MASK) * 2] = from[at + 5];
    wide[(row & CHUNK_MASK) * 2 + 1] = from[at + POSITION_WORDS - 1];
  }

  /** Bytes of typed arrays held. */
  get bytes(): number {
    let bytes = 0;
    for (let chunk = 0; chunk < this.words.length; chunk++) bytes += this.words[chunk].byteLength + (this.wide[chunk]?.byteLength ?? 0);
    return bytes;
  }

  /** Copies a row of another store into the slot `row`, links left out. */
  copyFrom(other: RowStore, source: number, row: number): void {
    const words = other.words[source >>> CHUNK_BITS];
    const at = (source & CHUNK_MASK) * ROW_WORDS;
    const target = (row & CHUNK_MASK) * ROW_WORDS;
    this.words[row >>> CHUNK_BITS].set(words.subarray(at, at + NEXT), target);
    this.setType(row, other.type(source));
    const scratch = new Uint32Array(POSITION_WORDS);
    other.loadPosition(source, scratch, 0);
    this.storePosition(row, scratch, 0);
  }

  #meta(row: number): number {
    return this.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + META];
  }

  #setMeta(row: number, mask: number, value: number): void {
    const words = this.words[row >>> CHUNK_BITS];
    const at = (row & CHUNK_MASK) * ROW_WORDS + META;
    words[at] = (words[at] & ~mask) | value;
  }
}
