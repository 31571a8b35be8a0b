import { TABLE_PROPERTIES } from '../change/change.ts';
import { ID_NONE, encodeIdentifierText } from '../change/identifier.ts';
import { ACCOUNT_WORDS } from './account-store.ts';
import { sumAccounts } from './account-sums.ts';
import type { SpanSums } from './account-sums.ts';
import {
  FIELDS, FIELD_CAPEX, FIELD_INSURANCE, FIELD_MAINTENANCE, FIELD_OTHER, FIELD_PITI, FIELD_PROPERTY_MANAGEMENT, FIELD_RENT, FIELD_TAX,
  FIELD_TOTAL_REVENUE, FIELD_UTILITIES,
} from './categories.ts';
import { accountText } from './core.ts';
import type { Core } from './core.ts';
import { TOTAL_LIMIT_UNITS, divideHalfEven, sumWithinRange } from './exact.ts';
import type { FiscalCalendar } from './fiscal-calendar.ts';
import { ROW_LIVE } from './ledger.ts';
import type { FigureAnswer, FigureQuery, Totals, UnitFigures } from './figure.ts';
import { hashRow } from './row-index.ts';

/** What one holder of rows knows of a query. Today there is one; `sumPartials` puts several together. */
export interface FigurePartial {
  /** Live rows of the account. */
  readonly rows: number;
  /** Null: out of range. */
  readonly sums: SpanSums | null;
  /** By unit id; null where a unit is out of range. Empty when a unit was asked for. */
  readonly units: ReadonlyMap<string, SpanSums | null>;
  readonly cashInvested: number | null;
  readonly downPayment: number | null;
  readonly lastChangedAt: number;
  /** Whether an open dead letter marks the property. */
  readonly isMarked: boolean;
}

const NOTHING: SpanSums = { ytd: new Array<number>(FIELDS).fill(0), cumulative: new Array<number>(FIELDS).fill(0) };
const PERCENT_UNITS = 1_000_000n;
const DAYS_PER_YEAR = 365n;

/** Figures of a property or unit (R1–R8). */
export function answerFigures(core: Core, query: FigureQuery): FigureAnswer {
  return finish(query, sumPartials([partialFigures(core, query)]), core.calendar);
}

/** Whether any row of the property exists (R8). */
export function isKnownProperty(core: Core, propertyId: string): boolean {
  const property = findAccount(core, 0, propertyId);
  return property >= 0 && core.accounts.rowCount(property) > 0;
}

/** This ledger's share of the figures. It may have no row of the account and still know what is invested, or that a letter is open. */
export function partialFigures(core: Core, query: FigureQuery): FigurePartial {
  const { accounts } = core;
  const property = findAccount(core, 0, query.propertyId);
  const account = property < 0 || query.unitId === null ? property : findAccount(core, property + 1, query.unitId);
  const rows = account < 0 ? 0 : accounts.rowCount(account);
  const units = rows > 0 && account === property ? knownUnits(core, property) : [];
  const [sums, ...unitSums] = rows === 0 ? [NOTHING] : sumAccounts(core, property, [account, ...units], query.asOf);
  return {
    rows,
    sums,
    units: new Map(units.map((unit, index) => [accountText(core, unit), unitSums[index]])),
    ...investment(core, property),
    lastChangedAt: rows === 0 ? Number.NEGATIVE_INFINITY : accounts.changedAt(account),
    isMarked: core.letters.marks(query.propertyId),
  };
}

/** Adds up shares of one query; at least one. */
export function sumPartials(partials: readonly FigurePartial[]): FigurePartial {
  return partials.reduce((sum, each) => ({
    rows: sum.rows + each.rows,
    sums: addSpans(sum.sums, each.sums),
    units: mergeUnits(sum.units, each.units),
    cashInvested: sum.cashInvested ?? each.cashInvested,
    downPayment: sum.downPayment ?? each.downPayment,
    lastChangedAt: Math.max(sum.lastChangedAt, each.lastChangedAt),
    isMarked: sum.isMarked || each.isMarked,
  }));
}

/** The one place that divides, rounds, and decides what is known (R8) and `complete`. */
export function finish(query: FigureQuery, partial: FigurePartial, calendar: FiscalCalendar): FigureAnswer {
  if (partial.rows === 0) return { kind: 'unknown' };
  const ytd = partial.sums === null ? null : totalsOf(partial.sums.ytd);
  const cumulative = partial.sums === null ? null : totalsOf(partial.sums.cumulative);
  const units = finishUnits(partial.units);
  if (ytd === null || cumulative === null || units === null) return { kind: 'out-of-range' };
  const days = query.asOf - calendar.firstDay(calendar.yearOf(query.asOf));
  const cashOnCash = cashOnCashOf(ytd.profitLoss, days, partial.cashInvested, partial.downPayment);
  if (cashOnCash !== null && !Number.isSafeInteger(cashOnCash)) return { kind: 'out-of-range' };
  return {
    kind: 'figures',
    figures: {
      propertyId: query.propertyId, unitId: query.unitId, asOf: query.asOf, ytd, cumulative,
      cashInvested: partial.cashInvested, cashOnCash,
      units: query.unitId !== null || units.length === 0 ? null : units,
      lastCalculatedAt: partial.lastChangedAt,
      complete: !partial.isMarked,
    },
  };
}

/** R7: percent in 1/10 000, rounded half-even; null when nothing is invested. */
export function cashOnCashOf(ytdProfitLoss: number, days: number, cashInvested: number | null, downPayment: number | null): number | null {
  const invested = cashInvested !== null && cashInvested > 0 ? cashInvested : downPayment !== null && downPayment > 0 ? downPayment : null;
  if (invested === null) return null;
  const percent = BigInt(ytdProfitLoss) * PERCENT_UNITS;
  if (days === 0) return Number(divideHalfEven(percent, BigInt(invested)));
  return Number(divideHalfEven(percent * DAYS_PER_YEAR, BigInt(invested) * BigInt(days)));
}

/** Totals of one span, or null when one of them is out of range. `expenses` is the sum of the eight (R4), `profitLoss` R5. */
function totalsOf(sums: readonly number[]): Totals | null {
  const expenses = expensesOf(sums);
  const profitLoss = profitLossOf(sums, expenses);
  if (Number.isNaN(expenses) || Number.isNaN(profitLoss)) return null;
  return {
    totalRevenue: sums[FIELD_TOTAL_REVENUE], rent: sums[FIELD_RENT], expenses, profitLoss,
    piti: sums[FIELD_PITI], tax: sums[FIELD_TAX], utilities: sums[FIELD_UTILITIES], maintenance: sums[FIELD_MAINTENANCE],
    capex: sums[FIELD_CAPEX], insurance: sums[FIELD_INSURANCE], propertyManagement: sums[FIELD_PROPERTY_MANAGEMENT], other: sums[FIELD_OTHER],
  };
}

/** Sum of the eight categories (R4); NaN when it is out of range. No sum that is in range is beyond 5·10¹⁵, so eight of them need care. */
export function expensesOf(sums: readonly number[]): number {
  let expenses = 0;
  for (let field = FIELD_PITI; field <= FIELD_OTHER; field++) {
    expenses += sums[field];
    if (!Number.isSafeInteger(expenses)) return sumWithinRange(sums.slice(FIELD_PITI, FIELD_OTHER + 1)) ?? Number.NaN;
  }
  return Math.abs(expenses) <= TOTAL_LIMIT_UNITS ? expenses : Number.NaN;
}

/** Rent less expenses (R5); NaN when it, or they, are out of range. */
export function profitLossOf(sums: readonly number[], expenses: number): number {
  const profitLoss = sums[FIELD_RENT] - expenses;
  return Math.abs(profitLoss) <= TOTAL_LIMIT_UNITS ? profitLoss : Number.NaN;
}

/** Units by id, or null when one of them is out of range. */
function finishUnits(units: FigurePartial['units']): UnitFigures[] | null {
  const finished: UnitFigures[] = [];
  for (const [unitId, sums] of units) {
    const ytd = sums === null ? null : totalsOf(sums.ytd);
    const cumulative = sums === null ? null : totalsOf(sums.cumulative);
    if (ytd === null || cumulative === null) return null;
    finished.push({ unitId, ytdProfitLoss: ytd.profitLoss, cumulativeProfitLoss: cumulative.profitLoss });
  }
  return finished.sort((a, b) => (a.unitId < b.unitId ? -1 : 1));
}

/** Accounts of the property's units that have a row. */
export function knownUnits(core: Core, property: number): number[] {
  const units: number[] = [];
  for (let unit = core.accounts.firstUnit(property); unit >= 0; unit = core.accounts.nextUnit(unit)) {
    if (core.accounts.rowCount(unit) > 0) units.push(unit);
  }
  return units;
}

/** What is invested, from the property's own row (R7). */
export function investment(core: Core, property: number): Pick<FigurePartial, 'cashInvested' | 'downPayment'> {
  if (property < 0) return { cashInvested: null, downPayment: null };
  const { store } = core.accounts;
  const kind = store.kind(property);
  const at = property * ACCOUNT_WORDS;
  const [a, b, c, d] = [store.words[at], store.words[at + 1], store.words[at + 2], store.words[at + 3]];
  const row = core.index.find(TABLE_PROPERTIES, kind, a, b, c, d, hashRow(TABLE_PROPERTIES, kind, a, b, c, d));
  if (row < 0 || core.rows.state(row) !== ROW_LIVE) return { cashInvested: null, downPayment: null };
  return { cashInvested: orNull(core.rows.amount(row)), downPayment: orNull(core.accounts.downPayment(property)) };
}

/** Number of the account of an identifier with this owner (0: a property, else the property's account plus one), or -1. */
function findAccount(core: Core, owner: number, text: string): number {
  const words = new Uint32Array(4);
  const kind = encodeIdentifierText(text, words, 0, (long) => core.longIds.find(long));
  return kind === ID_NONE ? -1 : core.accounts.store.find(owner, kind, words[0], words[1], words[2], words[3]);
}

function addSpans(a: SpanSums | null, b: SpanSums | null): SpanSums | null {
  if (a === null || b === null) return null;
  const add = (left: readonly number[], right: readonly number[]): number[] =>
    left.map((units, field) => sumWithinRange([units, right[field]])).filter((units) => units !== null);
  const ytd = add(a.ytd, b.ytd);
  const cumulative = add(a.cumulative, b.cumulative);
  return ytd.length === FIELDS && cumulative.length === FIELDS ? { ytd, cumulative } : null;
}

function mergeUnits(a: FigurePartial['units'], b: FigurePartial['units']): Map<string, SpanSums | null> {
  const merged = new Map(a);
  for (const [unitId, sums] of b) {
    const known = merged.get(unitId);
    merged.set(unitId, known === undefined ? sums : addSpans(known, sums));
  }
  return merged;
}

function orNull(units: number): number | null {
  return Number.isNaN(units) ? null : units;
}
