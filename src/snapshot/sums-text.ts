import type { ControlTotals } from '../ledger/ledger.ts';

/** The sums of control totals in words. */
export function sumsText(totals: ControlTotals): string {
  return `total revenue ${moneyText(totals.totalRevenue)}, rent ${moneyText(totals.rent)}, expenses ${moneyText(totals.expenses)}, cash invested ${moneyText(totals.cashInvested)}, down payment ${moneyText(totals.downPayment)}`;
}

/** Text of an amount of money given as the digits of its count of 1/10 000. */
function moneyText(units: string): string {
  const negative = units.startsWith('-');
  const digits = units.slice(negative ? 1 : 0).padStart(5, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}
