import { ID_NONE } from '../change/identifier.ts';
import { NO_DAY } from '../change/change.ts';
import { FIELD_NONE, FIELD_RENT, FIELD_TOTAL_REVENUE } from './categories.ts';
import { TOTAL_LIMIT_UNITS } from './exact.ts';
import type { FiscalCalendar } from './fiscal-calendar.ts';
import { IdentifierTable } from './identifier-table.ts';
import { YearSlots } from './year-slots.ts';

/** Account flags: its totals left the range, so its sums are not kept; and its rows changed since they were last summed. */
const OUT_OF_RANGE = 1;
const STALE = 2;

/**
 * Accounts: one per property (all its rows, unit or not) and one per unit of a property (R6). A unit's identifier is owned by its
 * property's account. Accounts are never removed; one without rows is unknown (R8).
 */
export class Accounts {
  readonly ids = new IdentifierTable();
  readonly slots = new YearSlots();
  /** Live rows; a property's account counts those of its units too. */
  rowCount = new Uint32Array(this.ids.kind.length);
  /** When the last change to the account was folded, milliseconds. */
  lastChangedAt = new Float64Array(this.ids.kind.length);
  /** No counting row is dated later (it may have been, so a walk tightens it). */
  newestDay = new Int32Array(this.ids.kind.length);
  /** First row of a property's chain, plus one. */
  heads = new Uint32Array(this.ids.kind.length);
  /** Properties: `down_payment` of its own row; NaN null. (`cash_invested` is that row's amount.) */
  downPayment = new Float64Array(this.ids.kind.length);
  /** Accounts whose sums cannot be trusted until summed again. */
  readonly outOfRange = new Set<number>();
  knownProperties = 0;
  knownUnits = 0;
  readonly #calendar: FiscalCalendar;
  /** First slot plus one. */
  #firstSlot = new Uint32Array(this.ids.kind.length);
  /** Of a property its first unit, of a unit the next one of the same property; plus one. */
  #units = new Uint32Array(this.ids.kind.length);
  #flags = new Uint8Array(this.ids.kind.length);
  /** Accounts whose columns are set up. */
  #known = 0;

  constructor(calendar: FiscalCalendar) {
    this.#calendar = calendar;
  }

  /** Number of a property's account, made if need be. */
  property(kind: number, a: number, b: number, c: number, d: number): number {
    return this.#intern(0, kind, a, b, c, d);
  }

  /** Number of a unit's account within a property; without a unit, the property's own. */
  unit(property: number, kind: number, a: number, b: number, c: number, d: number): number {
    return kind === ID_NONE ? property : this.#intern(property + 1, kind, a, b, c, d);
  }

  /** The account of the same unit (or of none) as `account` has, within a property. */
  sameUnitOf(property: number, account: number): number {
    if (this.ids.owner[account] === 0) return property;
    const { kind, words } = this.ids;
    return this.unit(property, kind[account], words[account * 4], words[account * 4 + 1], words[account * 4 + 2], words[account * 4 + 3]);
  }

  /** The property's account an account belongs to; its own for a property. */
  propertyOf(account: number): number {
    const owner = this.ids.owner[account];
    return owner === 0 ? account : owner - 1;
  }

  firstUnit(property: number): number {
    return this.#units[property] - 1;
  }

  nextUnit(unit: number): number {
    return this.#units[unit] - 1;
  }

  firstSlot(account: number): number {
    return this.#firstSlot[account] - 1;
  }

  /** Counts a row in or out of its account and of the property's. */
  countRow(account: number, property: number, by: 1 | -1): void {
    this.#countRow(property, by);
    if (account !== property) this.#countRow(account, by);
  }

  /**
   * Posts an amount (units, negative to take it out) of a day and field to an account and its property's. A row that never counts
   * changes nothing.
   */
  post(account: number, property: number, day: number, field: number, units: number): void {
    if (field === FIELD_NONE) return;
    const year = this.#calendar.yearOf(day);
    this.#post(property, year, day, field, units);
    if (account !== property) this.#post(account, year, day, field, units);
  }

  /** Whether the account must be summed again from its rows before it can be read. */
  needsRecount(account: number): boolean {
    return (this.#flags[account] & STALE) !== 0;
  }

  isOutOfRange(account: number): boolean {
    return (this.#flags[account] & OUT_OF_RANGE) !== 0;
  }

  /** Notes that the account's totals are out of range: from now on they come from its rows. */
  setOutOfRange(account: number, stale: boolean): void {
    this.#flags[account] = stale ? OUT_OF_RANGE | STALE : OUT_OF_RANGE;
    this.outOfRange.add(account);
  }

  /** Writes sums that are in range again, per year, for an account that was not. */
  restoreSums(account: number, years: ReadonlyMap<number, readonly number[]>): void {
    for (let slot = this.firstSlot(account); slot >= 0; slot = this.slots.next(slot) - 1) {
      for (let field = 0; field <= FIELD_TOTAL_REVENUE; field++) this.slots.set(slot, field, 0);
    }
    for (const [year, sums] of years) sums.forEach((units, field) => this.slots.set(this.#slot(account, year), field, units));
    this.#flags[account] = 0;
    this.outOfRange.delete(account);
  }

  get bytes(): number {
    return this.ids.bytes + this.slots.bytes + this.rowCount.byteLength + this.lastChangedAt.byteLength + this.newestDay.byteLength
      + this.heads.byteLength + this.downPayment.byteLength + this.#firstSlot.byteLength + this.#units.byteLength + this.#flags.byteLength;
  }

  #intern(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    const account = this.ids.intern(owner, kind, a, b, c, d);
    if (account < this.#known) return account;
    this.#known = this.ids.count;
    if (account >= this.rowCount.length) this.#grow();
    this.newestDay[account] = NO_DAY;
    this.downPayment[account] = Number.NaN;
    this.lastChangedAt[account] = Number.NEGATIVE_INFINITY;
    if (owner !== 0) {
      this.#units[account] = this.#units[owner - 1];
      this.#units[owner - 1] = account + 1;
    }
    return account;
  }

  #countRow(account: number, by: 1 | -1): void {
    const before = this.rowCount[account];
    this.rowCount[account] = before + by;
    const known = (before === 0 ? 1 : 0) - (before + by === 0 ? 1 : 0);
    if (this.ids.owner[account] === 0) this.knownProperties += known;
    else this.knownUnits += known;
  }

  #post(account: number, year: number, day: number, field: number, units: number): void {
    if (day > this.newestDay[account]) this.newestDay[account] = day;
    if (this.#flags[account] !== 0) {
      this.#flags[account] |= STALE;
      return;
    }
    const slot = this.#slot(account, year);
    let size = Math.abs(this.slots.add(slot, field, units));
    if (field === FIELD_RENT) size = Math.max(size, Math.abs(this.slots.add(slot, FIELD_TOTAL_REVENUE, units)));
    if (size > TOTAL_LIMIT_UNITS) this.setOutOfRange(account, true);
  }

  #slot(account: number, year: number): number {
    const slots = this.slots;
    let before = -1;
    for (let slot = this.#firstSlot[account] - 1; slot >= 0; slot = slots.next(slot) - 1) {
      const known = slots.year(slot);
      if (known === year) return slot;
      if (known < year) break;
      before = slot;
    }
    const created = slots.create(year, before < 0 ? this.#firstSlot[account] : slots.next(before));
    if (before < 0) this.#firstSlot[account] = created + 1;
    else slots.setNext(before, created + 1);
    return created;
  }

  #grow(): void {
    const capacity = this.ids.kind.length;
    this.rowCount = grown(Uint32Array, this.rowCount, capacity);
    this.lastChangedAt = grown(Float64Array, this.lastChangedAt, capacity);
    this.newestDay = grown(Int32Array, this.newestDay, capacity);
    this.heads = grown(Uint32Array, this.heads, capacity);
    this.downPayment = grown(Float64Array, this.downPayment, capacity);
    this.#firstSlot = grown(Uint32Array, this.#firstSlot, capacity);
    this.#units = grown(Uint32Array, this.#units, capacity);
    this.#flags = grown(Uint8Array, this.#flags, capacity);
  }
}

function grown<T extends { set(from: T): void }>(Kind: new (length: number) => T, from: T, capacity: number): T {
  const column = new Kind(capacity);
  column.set(from);
  return column;
}
