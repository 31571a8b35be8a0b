import { TABLE_EXPENSES, TABLE_NAMES, TABLE_PROPERTIES, TABLE_RENTS } from '../change/change.ts';
import { dateText } from '../change/dates.ts';
import { formatUnits } from '../change/money.ts';
import { accountText, keyText } from './core.ts';
import type { Core } from './core.ts';
import { ROW_LIVE } from './ledger.ts';

/** Live rows as lines of JSON, by table and key text: table, key, then what figures are made of. Equal lines mean equal books. */
export function* canonicalRows(core: Core): Generator<string, void, undefined> {
  for (const table of [TABLE_EXPENSES, TABLE_RENTS, TABLE_PROPERTIES]) {
    const keyed: (readonly [string, number])[] = [];
    for (let row = 0; row < core.rows.size; row++) {
      if (core.rows.state(row) === ROW_LIVE && core.rows.table(row) === table) keyed.push([keyText(core, row), row]);
    }
    keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    for (const [key, row] of keyed) yield JSON.stringify([TABLE_NAMES[table], key, ...columnsOf(core, row)]);
  }
}

function columnsOf(core: Core, row: number): (string | boolean | null)[] {
  const { rows, accounts, types } = core;
  const account = rows.account(row);
  const property = accounts.propertyOf(account);
  if (rows.table(row) === TABLE_PROPERTIES) return [moneyText(rows.amount(row)), moneyText(accounts.downPayment(account))];
  const shared = [
    accountText(core, property), account === property ? null : accountText(core, account), dateText(rows.day(row)), moneyText(rows.amount(row)),
  ];
  return rows.table(row) === TABLE_EXPENSES ? [...shared, types.text(rows.type(row)), rows.flag(row)] : [...shared, rows.flag(row)];
}

function moneyText(units: number): string | null {
  return Number.isNaN(units) ? null : formatUnits(units);
}
