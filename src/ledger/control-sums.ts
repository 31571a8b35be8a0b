import { FIELD_NONE, FIELD_RENT, FIELD_TOTAL_REVENUE } from './categories.ts';
import { ExactSum } from './exact.ts';

/** Sums over all rows that count, kept exact with every change: what a restore must arrive at again. */
export class ControlSums {
  readonly totalRevenue = new ExactSum();
  readonly rent = new ExactSum();
  readonly expenses = new ExactSum();
  readonly cashInvested = new ExactSum();
  readonly downPayment = new ExactSum();

  /** Adds the amount of a rent or expense that counts in `field`. */
  post(field: number, units: number): void {
    if (field === FIELD_NONE) return;
    if (field === FIELD_RENT) this.rent.add(units);
    if (field === FIELD_RENT || field === FIELD_TOTAL_REVENUE) this.totalRevenue.add(units);
    else this.expenses.add(units);
  }

  /** Adds (`sign` 1) or takes out (-1) what is invested in a property; NaN is null. */
  invest(cashInvested: number, downPayment: number, sign: 1 | -1): void {
    if (!Number.isNaN(cashInvested)) this.cashInvested.add(sign * cashInvested);
    if (!Number.isNaN(downPayment)) this.downPayment.add(sign * downPayment);
  }
}
