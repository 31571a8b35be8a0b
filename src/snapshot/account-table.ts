import { hashIdentifier, ID_LONG } from '../change/identifier.ts';
import type { AccountColumns } from '../ledger/ledger.ts';
import { SegmentNumbers } from '../ledger/segment-numbers.ts';
import { assertWritten } from './file-entry.ts';

/**
 * The accounts of one segment, each once: every (property, unit) has one number for the whole segment. Blocks of a cut number them so
 * themselves; blocks of other segments are looked up. Open addressing over packed words; long identifiers are numbered in a string table of its own.
 */
export class AccountTable {
  /** Texts of long identifiers. */
  readonly strings: string[] = [];
  /** Accounts so far. */
  count = 0;
  #columns = createColumns(1024);
  /** Looked up only: empty while blocks of a cut are added. */
  #slots = new Int32Array(4096).fill(-1);
  readonly #stringNumbers = new Map<string, number>();
  readonly #ids = new Uint32Array(8);
  readonly #read = new SegmentNumbers();

  /** The accounts so far. The arrays are views that the next `add` may replace. */
  get accounts(): AccountColumns {
    const { propertyKind, property, unitKind, unit, lastChangedAt, propertyLastChangedAt } = this.#columns;
    const n = this.count;
    return {
      count: n, propertyKind: propertyKind.subarray(0, n), property: property.subarray(0, n * 4), unitKind: unitKind.subarray(0, n), unit: unit.subarray(0, n * 4),
      lastChangedAt: lastChangedAt.subarray(0, n), propertyLastChangedAt: propertyLastChangedAt.subarray(0, n),
    };
  }

  /**
   * Adds the accounts of a block, whose long identifiers are in `strings`. Answers the segment's numbers by the block's, or null when they are the
   * same. All blocks of a segment come from one cut, or none does.
   */
  add(block: AccountColumns, strings: readonly string[]): Uint32Array | null {
    if (block.earlier !== undefined) {
      assertWritten(block.earlier === this.count, `a block goes on from ${block.earlier} accounts of its cut where ${this.count} were written`);
      this.#appendAll(block, strings);
      return null;
    }
    const numbers = new Uint32Array(block.count);
    this.#read.forEach(block, (i) => this.#merge(block, i, strings), (number, i) => { numbers[i] = number; });
    return numbers;
  }

  #appendAll(block: AccountColumns, strings: readonly string[]): void {
    while (this.count + block.count > this.#columns.propertyKind.length) this.#columns = grown(this.#columns);
    const columns = this.#columns;
    const from = this.count;
    columns.propertyKind.set(block.propertyKind, from);
    columns.unitKind.set(block.unitKind, from);
    columns.property.set(block.property, from * 4);
    columns.unit.set(block.unit, from * 4);
    columns.lastChangedAt.set(block.lastChangedAt, from);
    columns.propertyLastChangedAt.set(block.propertyLastChangedAt, from);
    this.count += block.count;
    for (let i = from; i < this.count; i++) {
      if (columns.propertyKind[i] === ID_LONG) columns.property[i * 4] = this.#stringNumber(strings[columns.property[i * 4]]);
      if (columns.unitKind[i] === ID_LONG) columns.unit[i * 4] = this.#stringNumber(strings[columns.unit[i * 4]]);
    }
  }

  /** Number of account `i` of a block; the later of two times of change is kept. */
  #merge(block: AccountColumns, i: number, strings: readonly string[]): number {
    const number = this.#find(block, i, strings);
    const columns = this.#columns;
    columns.lastChangedAt[number] = Math.max(columns.lastChangedAt[number], block.lastChangedAt[i]);
    columns.propertyLastChangedAt[number] = Math.max(columns.propertyLastChangedAt[number], block.propertyLastChangedAt[i]);
    return number;
  }

  #find(block: AccountColumns, i: number, strings: readonly string[]): number {
    const ids = this.#ids;
    this.#copyId(block.propertyKind[i], block.property, i * 4, strings, 0);
    this.#copyId(block.unitKind[i], block.unit, i * 4, strings, 4);
    const hash = hashOf(block.propertyKind[i], block.unitKind[i], ids);
    let slot = hash & (this.#slots.length - 1);
    for (; this.#slots[slot] >= 0; slot = (slot + 1) & (this.#slots.length - 1)) {
      if (this.#isAt(this.#slots[slot], block.propertyKind[i], block.unitKind[i])) return this.#slots[slot];
    }
    const number = this.#append(block.propertyKind[i], block.unitKind[i]);
    this.#slots[slot] = number;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return number;
  }

  #copyId(kind: number, words: Uint32Array, at: number, strings: readonly string[], to: number): void {
    for (let k = 0; k < 4; k++) this.#ids[to + k] = words[at + k];
    if (kind === ID_LONG) this.#ids[to] = this.#stringNumber(strings[words[at]]);
  }

  #stringNumber(text: string): number {
    const known = this.#stringNumbers.get(text);
    if (known !== undefined) return known;
    const number = this.strings.push(text) - 1;
    this.#stringNumbers.set(text, number);
    return number;
  }

  #isAt(number: number, propertyKind: number, unitKind: number): boolean {
    const { propertyKind: propertyKinds, unitKind: unitKinds, property, unit } = this.#columns;
    if (propertyKinds[number] !== propertyKind || unitKinds[number] !== unitKind) return false;
    for (let k = 0; k < 4; k++) if (property[number * 4 + k] !== this.#ids[k] || unit[number * 4 + k] !== this.#ids[4 + k]) return false;
    return true;
  }

  #append(propertyKind: number, unitKind: number): number {
    if (this.count === this.#columns.propertyKind.length) this.#columns = grown(this.#columns);
    const number = this.count++;
    const columns = this.#columns;
    columns.propertyKind[number] = propertyKind;
    columns.unitKind[number] = unitKind;
    columns.property.set(this.#ids.subarray(0, 4), number * 4);
    columns.unit.set(this.#ids.subarray(4, 8), number * 4);
    columns.lastChangedAt[number] = -Infinity;
    columns.propertyLastChangedAt[number] = -Infinity;
    return number;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const { propertyKind, unitKind, property, unit } = this.#columns;
    const ids = new Uint32Array(8);
    for (let number = 0; number < this.count; number++) {
      ids.set(property.subarray(number * 4, number * 4 + 4), 0);
      ids.set(unit.subarray(number * 4, number * 4 + 4), 4);
      let slot = hashOf(propertyKind[number], unitKind[number], ids) & (slots.length - 1);
      while (slots[slot] >= 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

type Columns = Omit<{ -readonly [K in keyof AccountColumns]: AccountColumns[K] }, 'count'>;

/** Empty account columns for so many accounts. */
export function createColumns(accounts: number): Columns {
  return {
    propertyKind: new Uint8Array(accounts), property: new Uint32Array(accounts * 4), unitKind: new Uint8Array(accounts), unit: new Uint32Array(accounts * 4),
    lastChangedAt: new Float64Array(accounts), propertyLastChangedAt: new Float64Array(accounts),
  };
}

function grown(columns: Columns): Columns {
  const larger = createColumns(columns.propertyKind.length * 2);
  larger.propertyKind.set(columns.propertyKind);
  larger.property.set(columns.property);
  larger.unitKind.set(columns.unitKind);
  larger.unit.set(columns.unit);
  larger.lastChangedAt.set(columns.lastChangedAt);
  larger.propertyLastChangedAt.set(columns.propertyLastChangedAt);
  return larger;
}

function hashOf(propertyKind: number, unitKind: number, ids: Uint32Array): number {
  const unit = hashIdentifier(unitKind, ids[4], ids[5], ids[6], ids[7]);
  return hashIdentifier(propertyKind, ids[0] ^ unit, ids[1], ids[2], ids[3]);
}
