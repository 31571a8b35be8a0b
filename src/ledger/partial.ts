import {
  HAS_AMOUNT, HAS_CASH_INVESTED, HAS_DATE, HAS_DOWN_PAYMENT, HAS_FLAG, HAS_PROPERTY, HAS_TYPE, HAS_UNIT, TABLE_PROPERTIES,
} from '../change/change.ts';
import type { Core } from './core.ts';
import type { Entry } from './entry.ts';

/** Completes the image of a partial update from the live row it changes: a column that is not present keeps its known value. */
export function mergeImage(core: Core, row: number, entry: Entry): void {
  const { rows, accounts } = core;
  const present = entry.batch.present[entry.index];
  const known = rows.account(row);
  const has = (bit: number): boolean => (present & bit) !== 0;
  if (entry.table === TABLE_PROPERTIES) {
    entry.readImage();
    if (!has(HAS_CASH_INVESTED)) entry.amount = rows.amount(row);
    if (!has(HAS_DOWN_PAYMENT)) entry.amount2 = accounts.downPayment(known);
    return;
  }
  entry.readColumns();
  const property = has(HAS_PROPERTY) ? entry.readProperty() : accounts.propertyOf(known);
  if (has(HAS_UNIT)) entry.account = entry.readUnit(property);
  else entry.account = accounts.sameUnitOf(property, known);
  if (!has(HAS_DATE)) entry.day = rows.day(row);
  if (!has(HAS_AMOUNT)) entry.amount = rows.amount(row);
  if (!has(HAS_TYPE)) entry.type = rows.type(row);
  if (!has(HAS_FLAG)) entry.flag = rows.flag(row);
}
