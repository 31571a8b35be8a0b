import type { History } from './history.ts';
import type { Row, Table } from './history-rows.ts';

/**
 * What the tables say, by plain sums over their final rows: no order, no events, no production code. Money is a BigInt count of
 * 1/10 000, days are counted from 1970-01-01. The rules are R1–R8.
 */

export interface OracleTotals {
  readonly totalRevenue: bigint;
  readonly rent: bigint;
  readonly expenses: bigint;
  readonly categories: Readonly<Record<Category, bigint>>;
}

export const CATEGORIES = ['piti', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'propertyManagement', 'other'] as const;
export type Category = (typeof CATEGORIES)[number];

const CATEGORY_OF: Readonly<Record<string, Category>> = {
  pandi: 'piti', tax: 'tax', utilities: 'utilities', maintenance: 'maintenance', capex: 'capex', insurance: 'insurance',
  property_management: 'propertyManagement',
};

/** Decimal text of at most four decimals as a count of 1/10 000. */
export function moneyUnits(text: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`not a decimal of at most four places: ${text}`);
  const units = BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, '0'));
  return sign === '-' ? -units : units;
}

/** Rule R6: an empty text and the text None mean null. */
export function unitOf(row: Row): string | null {
  return row.unit === '' || row.unit === 'None' ? null : row.unit;
}

/** First day of the fiscal year that holds `day`. */
export function fiscalYearStart(day: number, startMonth: number): number {
  const date = new Date(day * 86_400_000);
  const year = date.getUTCMonth() + 1 >= startMonth ? date.getUTCFullYear() : date.getUTCFullYear() - 1;
  return Date.UTC(year, startMonth - 1, 1) / 86_400_000;
}

/** Sums of the rents and expenses of a property (of one unit, when given) dated from `from` to `to`, both included. */
export function sumRows(rows: History['rows'], property: string, unit: string | null, from: number, to: number): OracleTotals {
  const mine = (row: Row): boolean =>
    row.property === property && (unit === null || unitOf(row) === unit) && row.day >= from && row.day <= to;
  const categories = Object.fromEntries(CATEGORIES.map((name) => [name, 0n])) as Record<Category, bigint>;
  for (const row of rows.expenses.filter(mine)) {
    if (row.type === 'rehab' || row.flag === true) continue;
    categories[CATEGORY_OF[row.type ?? ''] ?? 'other'] += moneyUnits(row.amount);
  }
  const rents = rows.rents.filter(mine);
  return {
    totalRevenue: sum(rents),
    rent: sum(rents.filter((row) => row.flag !== true)),
    expenses: Object.values(categories).reduce((a, b) => a + b, 0n),
    categories,
  };
}

function sum(rows: readonly Row[]): bigint {
  return rows.reduce((total, row) => total + moneyUnits(row.amount), 0n);
}

/** Rule R7 in 1/10 000 percent, rounded half to even; null when nothing is invested. */
export function cashOnCash(rows: History['rows'], property: string, ytd: OracleTotals, asOf: number, startMonth: number): bigint | null {
  const row = rows.properties.find((candidate) => String(candidate.id) === property);
  const invested = [row?.cashInvested, row?.downPayment].map((text) => (text === null || text === undefined ? 0n : moneyUnits(text))).find((units) => units > 0n);
  if (invested === undefined) return null;
  const days = BigInt(asOf - fiscalYearStart(asOf, startMonth));
  const [factor, divisor] = days === 0n ? [1n, 1n] : [365n, days];
  return divideHalfEven((ytd.rent - ytd.expenses) * factor * 1_000_000n, divisor * invested);
}

function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const [n, d] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  let quotient = n / d;
  const twice = (n % d) * 2n;
  if (twice > d || (twice === d && quotient % 2n === 1n)) quotient += 1n;
  return negative ? -quotient : quotient;
}

/** Every property that any row names (R8), and for each the units that rows name. */
export function knownUnits(rows: History['rows']): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>(rows.properties.map((row) => [String(row.id), new Set()]));
  for (const row of [...rows.rents, ...rows.expenses]) {
    const units = known.get(row.property) ?? new Set<string>();
    known.set(row.property, units);
    const unit = unitOf(row);
    if (unit !== null) units.add(unit);
  }
  return known;
}

/** A row's normalised columns, as one comparable text. */
export function rowText(table: Table, row: Row): string {
  if (table === 'properties') {
    const [cash, down] = [row.cashInvested, row.downPayment].map((text) => (text === null ? null : String(moneyUnits(text))));
    return JSON.stringify([table, String(row.id), cash, down]);
  }
  const shared = [table, String(row.id), row.property, unitOf(row), row.day, String(moneyUnits(row.amount))];
  return JSON.stringify(table === 'rents' ? [...shared, row.flag === true] : [...shared, row.type, row.flag === true]);
}

/** A line of `canonicalRows()`, written as `rowText` writes it: money and dates by value, whatever their text. */
export function canonicalText(line: string): string {
  const [table, id, ...columns] = JSON.parse(line) as [Table, string, ...(string | boolean | null)[]];
  if (table === 'properties') return JSON.stringify([table, id, ...columns.map((text) => (text === null ? null : String(moneyUnits(String(text)))))]);
  const [property, unit, date, amount, ...rest] = columns;
  return JSON.stringify([table, id, property, unit, Date.parse(`${String(date)}T00:00:00Z`) / 86_400_000, String(moneyUnits(String(amount))), ...rest]);
}
