import { TABLE_EXPENSES, TABLE_RENTS } from '../change/change.ts';
import { NO_TYPE } from './row-layout.ts';
import { StringTable } from './strings.ts';

/** Fields that totals are kept in: the eight categories of expenses (R4), rent, and total revenue (R5). */
export const FIELD_PITI = 0;
export const FIELD_TAX = 1;
export const FIELD_UTILITIES = 2;
export const FIELD_MAINTENANCE = 3;
export const FIELD_CAPEX = 4;
export const FIELD_INSURANCE = 5;
export const FIELD_PROPERTY_MANAGEMENT = 6;
export const FIELD_OTHER = 7;
export const FIELD_RENT = 8;
export const FIELD_TOTAL_REVENUE = 9;
export const FIELDS = 10;
/** Field of a row that never counts (R3, and a property's own row). */
export const FIELD_NONE = -1;

const FIELD_OF_TYPE = new Map<string, number>([
  ['pandi', FIELD_PITI], ['tax', FIELD_TAX], ['utilities', FIELD_UTILITIES], ['maintenance', FIELD_MAINTENANCE], ['capex', FIELD_CAPEX],
  ['insurance', FIELD_INSURANCE], ['property_management', FIELD_PROPERTY_MANAGEMENT], ['rehab', FIELD_NONE],
]);

/** Expense types as they came, each with the field it counts in. */
export class ExpenseTypes {
  readonly #texts = new StringTable();
  readonly #fields: number[] = [];

  intern(text: string): number {
    const type = this.#texts.intern(text);
    if (type === this.#fields.length) this.#fields.push(FIELD_OF_TYPE.get(text) ?? FIELD_OTHER);
    return type;
  }

  text(type: number): string | null {
    return type === NO_TYPE ? null : this.#texts.text(type);
  }

  /**
   * The field a row counts in, or FIELD_NONE. Rents answer FIELD_RENT, which counts in total revenue too, or, when the flag says
   * that they are no income (deposits), FIELD_TOTAL_REVENUE alone.
   */
  fieldOf(table: number, type: number, flag: boolean): number {
    if (table === TABLE_RENTS) return flag ? FIELD_TOTAL_REVENUE : FIELD_RENT;
    if (table !== TABLE_EXPENSES || flag) return FIELD_NONE;
    return type === NO_TYPE ? FIELD_OTHER : this.#fields[type];
  }
}
