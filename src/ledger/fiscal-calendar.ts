import { dateOf, dayOf } from '../change/dates.ts';

const DAYS_PER_400_YEARS = 146_097;
const TABLE_YEAR_FIRST = 1970;
const TABLE_YEARS = 130;

/** Fiscal years (R2): a year is named by the calendar year its first day falls in. */
export class FiscalCalendar {
  readonly #startMonth: number;
  readonly #tableFirst: number;
  readonly #table: Int16Array;

  /** `startMonth` is 1–12. */
  constructor(startMonth: number) {
    if (!Number.isInteger(startMonth) || startMonth < 1 || startMonth > 12) throw new RangeError(`${startMonth} is no month`);
    this.#startMonth = startMonth;
    this.#tableFirst = this.firstDay(TABLE_YEAR_FIRST);
    this.#table = new Int16Array(this.firstDay(TABLE_YEAR_FIRST + TABLE_YEARS) - this.#tableFirst);
    for (let year = TABLE_YEAR_FIRST; year < TABLE_YEAR_FIRST + TABLE_YEARS; year++) {
      this.#table.fill(year, this.firstDay(year) - this.#tableFirst, this.firstDay(year + 1) - this.#tableFirst);
    }
  }

  /** The fiscal year that holds an epoch day. */
  yearOf(day: number): number {
    const known = day - this.#tableFirst;
    if (known >= 0 && known < this.#table.length) return this.#table[known];
    const { year, month } = dateOf(day);
    return month >= this.#startMonth ? year : year - 1;
  }

  /** Epoch day on which a fiscal year begins. */
  firstDay(year: number): number {
    return year < 1 ? dayOf(year + 400, this.#startMonth, 1) - DAYS_PER_400_YEARS : dayOf(year, this.#startMonth, 1);
  }
}
