import { ColumnMemory } from '../change/column-memory.ts';
import { ID_LONG } from '../change/identifier.ts';
import {
  FIELD_CAPEX, FIELD_INSURANCE, FIELD_MAINTENANCE, FIELD_OTHER, FIELD_PITI, FIELD_PROPERTY_MANAGEMENT, FIELD_RENT, FIELD_TAX, FIELD_TOTAL_REVENUE, FIELD_UTILITIES,
} from './categories.ts';
import type { Core } from './core.ts';
import { TOTAL_NAMES, type FigureColumns } from './figure-columns.ts';
import { expensesOf, profitLossOf } from './figures.ts';

/** Gathers the figures of accounts into one self-contained block of columns. */
export class FigureBlock {
  count = 0;
  outOfRange = 0;
  cashOnCashOutOfRange = 0;
  readonly #core: Core;
  #capacity: number;
  #columns: ReturnType<typeof createColumns>;
  readonly #strings: string[] = [];

  constructor(core: Core, capacity: number) {
    this.#core = core;
    this.#capacity = capacity;
    this.#columns = createColumns(capacity);
  }

  /** Adds an account; its sums by field, or null when one is out of range. `cashOnCash` is asked for the year's profit or loss. */
  add(property: number, account: number, ytd: readonly number[] | null, cumulative: readonly number[] | null, cashOnCash: (profitLoss: number) => number | null): void {
    if (this.count === this.#capacity) this.#grow();
    const at = this.count++;
    const columns = this.#columns;
    columns.propertyKind[at] = this.#identifier(property, columns.property, at);
    if (account !== property) columns.unitKind[at] = this.#identifier(account, columns.unit, at);
    columns.lastChangedAt[at] = this.#core.accounts.changedAt(account);
    const expenses = ytd === null ? Number.NaN : expensesOf(ytd);
    const profitLoss = ytd === null ? Number.NaN : profitLossOf(ytd, expenses);
    const allExpenses = cumulative === null ? Number.NaN : expensesOf(cumulative);
    const allProfitLoss = cumulative === null ? Number.NaN : profitLossOf(cumulative, allExpenses);
    if (ytd === null || cumulative === null || Number.isNaN(profitLoss) || Number.isNaN(allProfitLoss)) {
      this.outOfRange++;
      for (let column = 0; column < TOTAL_NAMES.length; column++) columns.ytd[column][at] = columns.cumulative[column][at] = Number.NaN;
      columns.cashOnCash[at] = Number.NaN;
      return;
    }
    write(columns.ytd, at, ytd, expenses, profitLoss);
    write(columns.cumulative, at, cumulative, allExpenses, allProfitLoss);
    const percent = cashOnCash(profitLoss);
    if (percent !== null && !Number.isSafeInteger(percent)) this.cashOnCashOutOfRange++;
    columns.cashOnCash[at] = percent !== null && Number.isSafeInteger(percent) ? percent : Number.NaN;
  }

  finish(): FigureColumns {
    return { count: this.count, outOfRange: this.outOfRange, cashOnCashOutOfRange: this.cashOnCashOutOfRange, ...this.#columns, strings: this.#strings };
  }

  /** Writes the identifier of an account, answers its kind. */
  #identifier(account: number, words: Uint32Array, at: number): number {
    const kind = this.#core.accounts.identifier(account, words, at * 4);
    if (kind === ID_LONG) words[at * 4] = this.#strings.push(this.#core.longIds.text(words[at * 4])) - 1;
    return kind;
  }

  #grow(): void {
    const from = this.#columns;
    this.#capacity *= 2;
    const to = createColumns(this.#capacity);
    for (const name of ['propertyKind', 'property', 'unitKind', 'unit', 'cashOnCash', 'lastChangedAt'] as const) to[name].set(from[name]);
    for (const span of ['ytd', 'cumulative'] as const) from[span].forEach((column, total) => to[span][total].set(column));
    this.#columns = to;
  }
}

/** Fields of the totals that are sums of one field, by place in TOTAL_NAMES; `expenses` and `profitLoss` stand between them. */
const FIRST_FIELDS = [FIELD_TOTAL_REVENUE, FIELD_RENT];
const LAST_FIELDS = [FIELD_PITI, FIELD_TAX, FIELD_UTILITIES, FIELD_MAINTENANCE, FIELD_CAPEX, FIELD_INSURANCE, FIELD_PROPERTY_MANAGEMENT, FIELD_OTHER];

function write(columns: readonly Float64Array[], at: number, sums: readonly number[], expenses: number, profitLoss: number): void {
  columns[0][at] = sums[FIRST_FIELDS[0]];
  columns[1][at] = sums[FIRST_FIELDS[1]];
  columns[2][at] = expenses;
  columns[3][at] = profitLoss;
  for (let i = 0; i < LAST_FIELDS.length; i++) columns[4 + i][at] = sums[LAST_FIELDS[i]];
}

/** The totals twice and two more doubles, two identifiers with their kinds. */
const BYTES_PER_ACCOUNT = (2 * TOTAL_NAMES.length + 2) * 8 + 2 * (4 * 4 + 1);

function createColumns(capacity: number): Omit<FigureColumns, 'count' | 'outOfRange' | 'cashOnCashOutOfRange' | 'strings'> {
  const memory = new ColumnMemory(capacity, BYTES_PER_ACCOUNT);
  const totals = (): Float64Array[] => TOTAL_NAMES.map(() => memory.doubles());
  return {
    ytd: totals(), cumulative: totals(), cashOnCash: memory.doubles(), lastChangedAt: memory.doubles(), property: memory.words(4), unit: memory.words(4),
    propertyKind: memory.bytes(), unitKind: memory.bytes(),
  };
}
