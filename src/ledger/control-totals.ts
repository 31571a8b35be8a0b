import { TABLE_EXPENSES, TABLE_PROPERTIES, TABLE_RENTS } from '../change/change.ts';
import type { Core } from './core.ts';
import type { ControlTotals } from './ledger.ts';

/** Control totals as they stand. Sums are decimal digits of units of 1/10 000. */
export function controlTotalsOf(core: Core): ControlTotals {
  const { sums, liveRows } = core;
  return {
    rows: { expenses: liveRows[TABLE_EXPENSES], rents: liveRows[TABLE_RENTS], properties: liveRows[TABLE_PROPERTIES] },
    rememberedDeletes: core.deletes.count,
    truncateMarks: core.marks.count,
    totalRevenue: sums.totalRevenue.value.toString(),
    rent: sums.rent.value.toString(),
    expenses: sums.expenses.value.toString(),
    cashInvested: sums.cashInvested.value.toString(),
    downPayment: sums.downPayment.value.toString(),
  };
}
