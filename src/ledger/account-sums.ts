import { NO_DAY, TABLE_PROPERTIES } from '../change/change.ts';
import { FIELDS, FIELD_NONE, FIELD_RENT, FIELD_TOTAL_REVENUE } from './categories.ts';
import type { Core } from './core.ts';
import { ExactSum, TOTAL_LIMIT_UNITS } from './exact.ts';
import { nextInChain } from './row-chain.ts';

/** Sums of one account up to a day, by field: of the fiscal year that holds the day, and of everything. Units of 1/10 000. */
export interface SpanSums {
  readonly ytd: readonly number[];
  readonly cumulative: readonly number[];
}

/**
 * Sums of accounts of one property up to `asOf`, in the order given; null for one that is out of range. An account whose newest
 * row is not later is answered from its totals per year; if there is another one, the property's chain is walked once.
 */
export function sumAccounts(core: Core, property: number, accounts: readonly number[], asOf: number): (SpanSums | null)[] {
  const isWhole = core.accounts.newestDay(property) <= asOf;
  const walked = new Map<number, Walk>();
  for (const account of accounts) {
    if (!isWhole && core.accounts.newestDay(account) > asOf) walked.set(account, new Walk());
  }
  if (walked.size > 0) walk(core, property, asOf, walked);
  return accounts.map((account) => {
    recountIfNeeded(core, account);
    if (core.accounts.isOutOfRange(account)) return null;
    return walked.get(account)?.sums() ?? sumYears(core, account, asOf);
  });
}

/** Sums an account that was out of range again from its rows, if they changed; it is back when every sum of a year is in range. */
export function recountIfNeeded(core: Core, account: number): void {
  if (!core.accounts.needsRecount(account)) return;
  const years = new Map<number, ExactSum[]>();
  forEachPosting(core, core.accounts.propertyOf(account), (row, rowAccount, day, field) => {
    if (rowAccount !== account && core.accounts.propertyOf(rowAccount) !== account) return;
    const year = core.calendar.yearOf(day);
    let sums = years.get(year);
    if (sums === undefined) years.set(year, (sums = zeros()));
    addPosting(sums, field, core.rows.amount(row));
  });
  const counted = new Map<number, number[]>();
  for (const [year, sums] of years) {
    const units = numbers(sums);
    if (units === null) return core.accounts.setOutOfRange(account, false);
    counted.set(year, units);
  }
  core.accounts.restoreSums(account, counted);
}

/** Every row of the account is dated up to `asOf`: the totals per year answer. */
function sumYears(core: Core, account: number, asOf: number): SpanSums | null {
  const ytd = new Array<number>(FIELDS).fill(0);
  const cumulative = new Array<number>(FIELDS).fill(0);
  return sumYearsInto(core, account, asOf, ytd, cumulative) ? { ytd, cumulative } : null;
}

/**
 * `sumAccounts` for one account of a property whose newest row is not later than `asOf`, into arrays of FIELDS numbers, and without making anything: for
 * whoever asks for all of them. False when it is out of range; what the arrays hold is then of no use.
 */
export function sumWholeInto(core: Core, account: number, asOf: number, ytd: number[], cumulative: number[]): boolean {
  recountIfNeeded(core, account);
  if (core.accounts.isOutOfRange(account)) return false;
  ytd.fill(0);
  cumulative.fill(0);
  return sumYearsInto(core, account, asOf, ytd, cumulative);
}

/** Adds the account's totals per year to arrays of zeros; false when a sum is out of range. */
function sumYearsInto(core: Core, account: number, asOf: number, ytd: number[], cumulative: number[]): boolean {
  const { slots } = core.accounts;
  const current = core.calendar.yearOf(asOf);
  let isSafe = true;
  for (let slot = core.accounts.firstSlot(account); slot >= 0; slot = slots.next(slot) - 1) {
    const isCurrent = slots.year(slot) === current;
    for (let field = 0; field < FIELDS; field++) {
      const units = slots.sum(slot, field);
      cumulative[field] += units;
      isSafe &&= Number.isSafeInteger(cumulative[field]);
      if (isCurrent) ytd[field] = units;
    }
  }
  return isSafe ? isInRange(cumulative) : sumYearsExactly(core, account, cumulative);
}

function isInRange(sums: readonly number[]): boolean {
  for (let field = 0; field < FIELDS; field++) if (Math.abs(sums[field]) > TOTAL_LIMIT_UNITS) return false;
  return true;
}

function sumYearsExactly(core: Core, account: number, into: number[]): boolean {
  const { slots } = core.accounts;
  const sums = zeros();
  for (let slot = core.accounts.firstSlot(account); slot >= 0; slot = slots.next(slot) - 1) {
    sums.forEach((sum, field) => sum.add(slots.sum(slot, field)));
  }
  const cumulative = numbers(sums);
  cumulative?.forEach((units, field) => { into[field] = units; });
  return cumulative !== null;
}

/** What a walk through the chain gathers for one account. */
class Walk {
  readonly ytd = zeros();
  readonly cumulative = zeros();
  newestDay = NO_DAY;

  sums(): SpanSums | null {
    const ytd = numbers(this.ytd);
    const cumulative = numbers(this.cumulative);
    return ytd === null || cumulative === null ? null : { ytd, cumulative };
  }
}

/** Sums the property's rows into the accounts asked for, and tightens their newest days. */
function walk(core: Core, property: number, asOf: number, walked: ReadonlyMap<number, Walk>): void {
  const current = core.calendar.yearOf(asOf);
  const whole = walked.get(property);
  forEachPosting(core, property, (row, account, day, field) => {
    const own = account === property ? undefined : walked.get(account);
    const units = core.rows.amount(row);
    for (const target of [whole, own]) {
      if (target === undefined) continue;
      if (day > target.newestDay) target.newestDay = day;
      if (day > asOf) continue;
      addPosting(target.cumulative, field, units);
      if (core.calendar.yearOf(day) === current) addPosting(target.ytd, field, units);
    }
  });
  for (const [account, { newestDay }] of walked) core.accounts.setNewestDay(account, newestDay);
}

/** Calls `post` for every row of a property that counts. */
function forEachPosting(core: Core, property: number, post: (row: number, account: number, day: number, field: number) => void): void {
  const { rows, types } = core;
  for (let link = core.accounts.chainHead(property); link !== 0; link = nextInChain(rows, link - 1)) {
    const row = link - 1;
    const table = rows.table(row);
    if (table === TABLE_PROPERTIES) continue;
    const field = types.fieldOf(table, rows.type(row), rows.flag(row));
    if (field !== FIELD_NONE) post(row, rows.account(row), rows.day(row), field);
  }
}

function addPosting(sums: readonly ExactSum[], field: number, units: number): void {
  sums[field].add(units);
  if (field === FIELD_RENT) sums[FIELD_TOTAL_REVENUE].add(units);
}

function zeros(): ExactSum[] {
  return Array.from({ length: FIELDS }, () => new ExactSum());
}

function numbers(sums: readonly ExactSum[]): number[] | null {
  const values = sums.map((sum) => sum.withinRange()).filter((value) => value !== null);
  return values.length === FIELDS ? values : null;
}
