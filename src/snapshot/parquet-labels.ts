import { dateText, parseDate } from '../change/dates.ts';
import { formatUnits } from '../change/money.ts';
import type { ControlTotals } from '../ledger/ledger.ts';
import type { PartitionPosition } from '../source/positions.ts';
import { RULES_VERSION } from './manifest.ts';
import type { Footer } from './parquet-footer.ts';
import type { ParquetMoney } from './parquet-schema.ts';

/** What the figures of one generation follow from besides its rows, and how they are written: a file of another form is not the same file. */
export interface ParquetForm {
  /** Epoch day. */
  readonly asOf: number;
  readonly fiscalYearStartMonth: number;
  /** IANA name. */
  readonly timeZone: string;
  readonly money: ParquetMoney;
}

/** What a parquet file says about itself in its metadata: which generation's figures, as of when, and what they add up to. */
export interface ParquetLabels {
  readonly lineage: string;
  readonly generation: number;
  readonly writer: string;
  /** Up to where the log is in the figures. */
  readonly positions: readonly PartitionPosition[];
  /** Epoch day. */
  readonly asOf: number;
  readonly fiscalYearStartMonth: number;
  /** IANA name. */
  readonly timeZone: string;
  /** When the figures were taken, milliseconds. */
  readonly cutAt: number;
  readonly accounts: number;
  readonly properties: number;
  /** Properties that an open dead letter marks. */
  readonly incompleteProperties: number;
  /** Of the generation: over all rows, those dated after `asOf` too. */
  readonly controlTotals: ControlTotals;
  readonly completeHistory: boolean;
}

/** What was counted while the file was written. */
export interface ParquetSums {
  accounts: number;
  outOfRange: number;
  cashOnCashOutOfRange: number;
  /** Sums over the properties' own rows of the `cumulative_` columns, units. */
  totalRevenue: bigint;
  rent: bigint;
  expenses: bigint;
}

/** The part of a present file's labels that a writer decides by. */
export interface PresentLabels {
  readonly lineage: string;
  readonly generation: number;
  readonly asOf: number;
  /** As `formText` says it. */
  readonly form: string;
  readonly cutAt: number;
  readonly accounts: number;
}

/** Raised when a column or the meaning of one changes. */
const FORMAT = 'financial-performance/1';
const PREFIX = 'rentfold.';
/** What the footer of our files says wrote them. Other programs keep the pairs of a file they write anew, but put their own name there. */
const CREATED_BY = '@dsnp/parquetjs';

/** Key and value pairs of the file's metadata. Amounts are decimal text. */
export function labelsToMetadata(labels: ParquetLabels, sums: ParquetSums, money: ParquetMoney): Record<string, string> {
  const { controlTotals: control } = labels;
  const pairs: Record<string, string> = {
    format: FORMAT,
    lineage: labels.lineage,
    generation: String(labels.generation),
    writer: labels.writer,
    positions: JSON.stringify(labels.positions.map(({ topic, partition, next }) => ({ topic, partition, next }))),
    as_of: dateText(labels.asOf),
    rules_version: String(RULES_VERSION),
    fiscal_year_start_month: String(labels.fiscalYearStartMonth),
    time_zone: labels.timeZone,
    created_at: new Date(labels.cutAt).toISOString(),
    money,
    accounts: String(sums.accounts),
    properties: String(labels.properties),
    incomplete_properties: String(labels.incompleteProperties),
    out_of_range_accounts: String(sums.outOfRange),
    out_of_range_cash_on_cash: String(sums.cashOnCashOutOfRange),
    complete_history: String(labels.completeHistory),
    rows: JSON.stringify(control.rows),
    control_totals: totalsText({ total_revenue: BigInt(control.totalRevenue), rent: BigInt(control.rent), expenses: BigInt(control.expenses) }),
    file_totals: totalsText({ total_revenue: sums.totalRevenue, rent: sums.rent, expenses: sums.expenses }),
  };
  return Object.fromEntries(Object.entries(pairs).map(([name, value]) => [PREFIX + name, value]));
}

/** The form as one text, with the versions of this program's format and rules. */
export function formText({ asOf, fiscalYearStartMonth, timeZone, money }: ParquetForm): string {
  return [FORMAT, RULES_VERSION, dateText(asOf), fiscalYearStartMonth, timeZone, money].join(' ');
}

/** Labels of a file of ours; null when it is not ours, or not as we write it. */
export function presentLabels({ pairs, createdBy, rows }: Footer): PresentLabels | null {
  const read = (name: string): string => pairs.get(PREFIX + name) ?? '';
  if (createdBy !== CREATED_BY || !read('format').startsWith('financial-performance/')) return null;
  const [generation, accounts] = [Number(read('generation')), Number(read('accounts'))];
  const asOf = parseDate(read('as_of'));
  const cutAt = Date.parse(read('created_at'));
  if (!Number.isSafeInteger(generation) || generation < 1 || asOf === null || Number.isNaN(cutAt) || accounts !== rows) return null;
  const form = ['format', 'rules_version', 'as_of', 'fiscal_year_start_month', 'time_zone', 'money'].map(read).join(' ');
  return { lineage: read('lineage'), generation, asOf, form, cutAt, accounts };
}

function totalsText(totals: Readonly<Record<string, bigint>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(totals).map(([name, units]) => [name, exactText(units)])));
}

/** `formatUnits` for sums of any size. */
function exactText(units: bigint): string {
  if (Number.isSafeInteger(Number(units))) return formatUnits(Number(units));
  const digits = (units < 0n ? -units : units).toString();
  return `${units < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}
