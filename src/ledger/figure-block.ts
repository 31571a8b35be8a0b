import { ID_LONG } from '../change/identifier.ts';
import type { Core } from './core.ts';
import { TOTAL_NAMES, type FigureColumns } from './figure-columns.ts';
import type { Totals } from './figure.ts';

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

  /** Adds an account; `ytd` and `cumulative` null when a total is out of range, `cashOnCash` null when there is none. */
  add(property: number, account: number, ytd: Totals | null, cumulative: Totals | null, cashOnCash: number | null): void {
    if (this.count === this.#capacity) this.#grow();
    const isExact = cashOnCash === null || Number.isSafeInteger(cashOnCash);
    if (ytd === null || cumulative === null) this.outOfRange++;
    else if (!isExact) this.cashOnCashOutOfRange++;
    const at = this.count++;
    const columns = this.#columns;
    columns.propertyKind[at] = this.#identifier(property, columns.property, at);
    if (account !== property) columns.unitKind[at] = this.#identifier(account, columns.unit, at);
    for (let total = 0; total < TOTAL_NAMES.length; total++) {
      columns.ytd[total][at] = ytd === null ? Number.NaN : ytd[TOTAL_NAMES[total]];
      columns.cumulative[total][at] = cumulative === null ? Number.NaN : cumulative[TOTAL_NAMES[total]];
    }
    columns.cashOnCash[at] = cashOnCash === null || !isExact ? Number.NaN : cashOnCash;
    columns.lastChangedAt[at] = this.#core.accounts.lastChangedAt[account];
  }

  finish(): FigureColumns {
    return { count: this.count, outOfRange: this.outOfRange, cashOnCashOutOfRange: this.cashOnCashOutOfRange, ...this.#columns, strings: this.#strings };
  }

  /** Writes the identifier of an account, answers its kind. */
  #identifier(account: number, words: Uint32Array, at: number): number {
    const { ids } = this.#core.accounts;
    for (let word = 0; word < 4; word++) words[at * 4 + word] = ids.words[account * 4 + word];
    if (ids.kind[account] === ID_LONG) words[at * 4] = this.#strings.push(this.#core.longIds.text(ids.words[account * 4])) - 1;
    return ids.kind[account];
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

function createColumns(capacity: number): Omit<FigureColumns, 'count' | 'outOfRange' | 'cashOnCashOutOfRange' | 'strings'> {
  const totals = (): Float64Array[] => TOTAL_NAMES.map(() => new Float64Array(capacity));
  return {
    propertyKind: new Uint8Array(capacity), property: new Uint32Array(capacity * 4), unitKind: new Uint8Array(capacity), unit: new Uint32Array(capacity * 4),
    ytd: totals(), cumulative: totals(), cashOnCash: new Float64Array(capacity), lastChangedAt: new Float64Array(capacity),
  };
}
