import { ID_NONE } from '../change/identifier.ts';
import {
  ACCOUNT_DOUBLES, ACCOUNT_WORDS, AccountStore, CHAIN_HEAD, DOWN_PAYMENT, FIRST_SLOT, NEWEST_DAY, ROW_COUNT, UNIT_LINK,
} from './account-store.ts';
import { FIELD_NONE, FIELD_RENT, FIELD_TOTAL_REVENUE } from './categories.ts';
import { TOTAL_LIMIT_UNITS } from './exact.ts';
import type { FiscalCalendar } from './fiscal-calendar.ts';
import { YearSlots } from './year-slots.ts';

/** Account flags: its totals left the range, so its sums are not kept; and its rows changed since they were last summed. */
const OUT_OF_RANGE = 1;
const STALE = 2;

/**
 * Accounts: one per property (all its rows, unit or not) and one per unit of a property (R6). A unit's identifier is owned by its
 * property's account. Accounts are never removed; one without rows is unknown (R8).
 */
export class Accounts {
  readonly store = new AccountStore();
  readonly slots = new YearSlots();
  /** Accounts whose sums cannot be trusted until summed again. */
  readonly outOfRange = new Set<number>();
  knownProperties = 0;
  knownUnits = 0;
  readonly #calendar: FiscalCalendar;

  constructor(calendar: FiscalCalendar) {
    this.#calendar = calendar;
  }

  /** Accounts so far: they are 0 … count − 1. */
  get count(): number {
    return this.store.count;
  }

  /** Live rows; a property's account counts those of its units too. */
  rowCount(account: number): number {
    return this.store.words[account * ACCOUNT_WORDS + ROW_COUNT];
  }

  /** No counting row is dated later (it may have been, so a walk tightens it). */
  newestDay(account: number): number {
    return this.store.integers[account * ACCOUNT_WORDS + NEWEST_DAY];
  }

  setNewestDay(account: number, day: number): void {
    this.store.integers[account * ACCOUNT_WORDS + NEWEST_DAY] = day;
  }

  /** When the last change to the account was folded, milliseconds. */
  changedAt(account: number): number {
    return this.store.changedAt[account];
  }

  setChangedAt(account: number, at: number): void {
    this.store.changedAt[account] = at;
  }

  /** `changedAt` of every account. */
  changeTimes(): Float64Array {
    return this.store.changedAt.slice(0, this.store.count);
  }

  /** Properties: `down_payment` of its own row; NaN null. (`cash_invested` is that row's amount.) */
  downPayment(account: number): number {
    return this.store.doubles[account * ACCOUNT_DOUBLES + DOWN_PAYMENT];
  }

  setDownPayment(account: number, units: number): void {
    this.store.doubles[account * ACCOUNT_DOUBLES + DOWN_PAYMENT] = units;
  }

  /** First row of a property's chain, plus one. */
  chainHead(property: number): number {
    return this.store.words[property * ACCOUNT_WORDS + CHAIN_HEAD];
  }

  setChainHead(property: number, link: number): void {
    this.store.words[property * ACCOUNT_WORDS + CHAIN_HEAD] = link;
  }

  /** Copies the account's own identifier to `into[at]` and the three words behind; answers its kind. */
  identifier(account: number, into: Uint32Array, at: number): number {
    const { words } = this.store;
    for (let word = 0; word < 4; word++) into[at + word] = words[account * ACCOUNT_WORDS + word];
    return this.store.kind(account);
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
    if (this.store.owner(account) === 0) return property;
    const { words } = this.store;
    const at = account * ACCOUNT_WORDS;
    return this.unit(property, this.store.kind(account), words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  /** The property's account an account belongs to; its own for a property. */
  propertyOf(account: number): number {
    const owner = this.store.owner(account);
    return owner === 0 ? account : owner - 1;
  }

  firstUnit(property: number): number {
    return this.store.words[property * ACCOUNT_WORDS + UNIT_LINK] - 1;
  }

  nextUnit(unit: number): number {
    return this.store.words[unit * ACCOUNT_WORDS + UNIT_LINK] - 1;
  }

  firstSlot(account: number): number {
    return this.store.words[account * ACCOUNT_WORDS + FIRST_SLOT] - 1;
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

  /** Reads the newest year of the account's totals, and the first row of its chain, to have their memory fetched. */
  touchTotals(account: number): number {
    const slot = this.firstSlot(account);
    return slot < 0 ? 0 : this.slots.year(slot);
  }

  /** Whether the account must be summed again from its rows before it can be read. */
  needsRecount(account: number): boolean {
    return (this.store.flags(account) & STALE) !== 0;
  }

  isOutOfRange(account: number): boolean {
    return (this.store.flags(account) & OUT_OF_RANGE) !== 0;
  }

  /** Notes that the account's totals are out of range: from now on they come from its rows. */
  setOutOfRange(account: number, stale: boolean): void {
    this.store.setFlags(account, stale ? OUT_OF_RANGE | STALE : OUT_OF_RANGE);
    this.outOfRange.add(account);
  }

  /** Writes sums that are in range again, per year, for an account that was not. */
  restoreSums(account: number, years: ReadonlyMap<number, readonly number[]>): void {
    for (let slot = this.firstSlot(account); slot >= 0; slot = this.slots.next(slot) - 1) {
      for (let field = 0; field <= FIELD_TOTAL_REVENUE; field++) this.slots.set(slot, field, 0);
    }
    for (const [year, sums] of years) sums.forEach((units, field) => this.slots.set(this.#slot(account, year), field, units));
    this.store.setFlags(account, 0);
    this.outOfRange.delete(account);
  }

  get bytes(): number {
    return this.store.bytes + this.slots.bytes;
  }

  #intern(owner: number, kind: number, a: number, b: number, c: number, d: number): number {
    const known = this.store.count;
    const account = this.store.intern(owner, kind, a, b, c, d);
    if (account === known && owner !== 0) {
      const { words } = this.store;
      words[account * ACCOUNT_WORDS + UNIT_LINK] = words[(owner - 1) * ACCOUNT_WORDS + UNIT_LINK];
      words[(owner - 1) * ACCOUNT_WORDS + UNIT_LINK] = account + 1;
    }
    return account;
  }

  #countRow(account: number, by: 1 | -1): void {
    const before = this.rowCount(account);
    this.store.words[account * ACCOUNT_WORDS + ROW_COUNT] = before + by;
    const known = (before === 0 ? 1 : 0) - (before + by === 0 ? 1 : 0);
    if (this.store.owner(account) === 0) this.knownProperties += known;
    else this.knownUnits += known;
  }

  #post(account: number, year: number, day: number, field: number, units: number): void {
    if (day > this.newestDay(account)) this.setNewestDay(account, day);
    const flags = this.store.flags(account);
    if (flags !== 0) return this.store.setFlags(account, flags | STALE);
    const slot = this.#slot(account, year);
    let size = Math.abs(this.slots.add(slot, field, units));
    if (field === FIELD_RENT) size = Math.max(size, Math.abs(this.slots.add(slot, FIELD_TOTAL_REVENUE, units)));
    if (size > TOTAL_LIMIT_UNITS) this.setOutOfRange(account, true);
  }

  #slot(account: number, year: number): number {
    const slots = this.slots;
    let before = -1;
    for (let slot = this.firstSlot(account); slot >= 0; slot = slots.next(slot) - 1) {
      const known = slots.year(slot);
      if (known === year) return slot;
      if (known < year) break;
      before = slot;
    }
    const created = slots.create(year, before < 0 ? this.firstSlot(account) + 1 : slots.next(before));
    if (before < 0) this.store.words[account * ACCOUNT_WORDS + FIRST_SLOT] = created + 1;
    else slots.setNext(before, created + 1);
    return created;
  }
}
