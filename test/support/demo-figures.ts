import type { DemoChange, DemoRow, DemoTable } from './demo-diary.ts';

/**
 * What the demo must answer: plain sums over the rows that are left at the diary's end, by the words of R1 to R8. Deliberately
 * slow and simple, and without a line of the product, so that the two can disagree. Money is a BigInt of 1/10 000.
 */

/** One answer, as the conformance cases write it: money with four places. */
export type DemoView = Readonly<Record<string, string | null>>;

export interface DemoExpected {
  readonly about: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  readonly dead_letters: number;
  readonly absent: readonly string[];
  readonly incomplete: readonly string[];
  readonly read_orders: 'any';
  readonly views: readonly DemoView[];
}

const CATEGORIES = ['piti', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'other'] as const;
const AS_OF = ['2024-12-31', '2025-12-31', '2026-11-23', '2026-12-31', '2027-06-30'] as const;

/** All views of the demo: every property and unit on some days, fiscal year from January. */
export function demoViews(changes: readonly DemoChange[]): { views: DemoView[]; absent: string[]; incomplete: string[] } {
  const tables = finalTables(changes);
  const properties = [...tables.properties.keys()].sort();
  const bad = [...tables.expenses.values()].filter((row) => row.amount === 'NaN');
  const rows = [...tables.expenses.values(), ...tables.rents.values()].filter((row) => !bad.includes(row));
  const views: DemoView[] = [];
  for (const asOf of AS_OF) {
    for (const property of properties) {
      const own = rows.filter((row) => row.property_id === property);
      const units = [...new Set(own.map((row) => row.unit_id).filter((unit) => typeof unit === 'string'))].sort();
      for (const unit of [null, ...units]) {
        const covered = unit === null ? own : own.filter((row) => row.unit_id === unit);
        views.push(view({ asOf, property, unit, rows: covered, investment: tables.properties.get(property)! }));
      }
    }
  }
  const everSeen = new Set(changes.filter((c) => c.table === 'properties').map((c) => c.id));
  return { views, absent: [...everSeen].filter((id) => !properties.includes(id)), incomplete: [...new Set(bad.map((row) => String(row.property_id)))] };
}

function finalTables(changes: readonly DemoChange[]): Record<DemoTable, Map<string, DemoRow>> {
  const tables = { properties: new Map<string, DemoRow>(), expenses: new Map<string, DemoRow>(), rents: new Map<string, DemoRow>() };
  for (const change of changes) {
    if (change.row === null) tables[change.table].delete(change.id);
    else tables[change.table].set(change.id, change.row);
  }
  return tables;
}

interface ViewInput {
  readonly asOf: string;
  readonly property: string;
  readonly unit: string | null;
  readonly rows: readonly DemoRow[];
  readonly investment: DemoRow;
}

function view({ asOf, property, unit, rows, investment }: ViewInput): DemoView {
  const covered = rows.filter((row) => dayOf(row) <= asOf);
  const thisYear = covered.filter((row) => dayOf(row) >= `${asOf.slice(0, 4)}-01-01`);
  const ytd = totals(thisYear);
  return {
    as_of: asOf, property_id: property, unit_id: unit,
    ...prefixed('ytd_', ytd), ...prefixed('cumulative_', totals(covered)),
    cash_on_cash: cashOnCash(ytd.profit_loss!, asOf, investment),
  };
}

const dayOf = (row: DemoRow): string => String(row.date ?? row.payment_date);

function totals(rows: readonly DemoRow[]): Record<string, bigint> {
  const result: Record<string, bigint> = { total_revenue: 0n, rent: 0n, expenses: 0n, profit_loss: 0n };
  for (const category of CATEGORIES) result[category] = 0n;
  for (const row of rows) {
    const amount = tenThousandths(String(row.amount));
    if ('payment_date' in row) {
      result.total_revenue! += amount;
      if (row.is_non_irs_revenue !== true) result.rent! += amount;
    } else if (row.expense_type !== 'rehab' && row.is_planned !== true) {
      result.expenses! += amount;
      result[categoryOf(row.expense_type)]! += amount;
    }
  }
  result.profit_loss = result.rent! - result.expenses!;
  return result;
}

function categoryOf(type: unknown): string {
  if (type === 'pandi') return 'piti';
  return CATEGORIES.find((category) => category === type) ?? 'other';
}

/** R7, as a fraction rounded once, half to even. */
function cashOnCash(profitLoss: bigint, asOf: string, row: DemoRow): string | null {
  const [invested] = [row.cash_invested, row.down_payment].map((text) => (typeof text === 'string' ? tenThousandths(text) : 0n)).filter((units) => units > 0n);
  if (invested === undefined) return null;
  const days = BigInt((Date.parse(asOf) - Date.parse(`${asOf.slice(0, 4)}-01-01`)) / 86_400_000);
  const [annualFactor, annualDays] = days === 0n ? [1n, 1n] : [365n, days];
  const over = profitLoss * annualFactor * 100n * 10_000n;
  const under = annualDays * invested;
  const size = over < 0n ? -over : over;
  const twice = 2n * (size % under);
  const up = twice > under || (twice === under && (size / under) % 2n === 1n) ? 1n : 0n;
  return fourPlaces((over < 0n ? -1n : 1n) * (size / under + up));
}

function tenThousandths(text: string): bigint {
  const [whole, fraction = ''] = text.replace('-', '').split('.');
  const units = BigInt(whole! + fraction.padEnd(4, '0'));
  return text.startsWith('-') ? -units : units;
}

function fourPlaces(units: bigint): string {
  const digits = String(units < 0n ? -units : units).padStart(5, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

function prefixed(prefix: string, sums: Record<string, bigint>): Record<string, string> {
  return Object.fromEntries(Object.entries(sums).map(([name, units]) => [prefix + name, fourPlaces(units)]));
}
