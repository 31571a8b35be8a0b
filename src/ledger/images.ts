import { NO_DAY, TABLE_PROPERTIES } from '../change/change.ts';
import type { Core } from './core.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';
import { linkRow, unlinkRow } from './row-chain.ts';
import { hashOf } from './row-index.ts';
import { NO_ACCOUNT, NO_TYPE } from './row-layout.ts';

/** What figures are made of, in the books' own numbers. Amounts NaN are null (properties only). */
export interface RowImage {
  account: number;
  day: number;
  amount: number;
  /** `down_payment` of a property. */
  amount2: number;
  type: number;
  flag: boolean;
}

/** Whether a live row's image is this one. */
export function isSameImage(core: Core, row: number, image: RowImage): boolean {
  const rows = core.rows;
  return rows.account(row) === image.account && rows.day(row) === image.day && Object.is(rows.amount(row), image.amount)
    && rows.type(row) === image.type && rows.flag(row) === image.flag
    && (rows.table(row) !== TABLE_PROPERTIES || Object.is(core.accounts.downPayment(image.account), image.amount2));
}

/** Gives a row without image its first one. The change was announced. */
export function putImage(core: Core, row: number, image: RowImage): void {
  figuresChange(core, image.account);
  if (core.rows.state(row) === ROW_DELETED) core.deletes.count--;
  core.rows.setState(row, ROW_LIVE);
  writeImage(core, row, image);
  attach(core, row);
  postRow(core, row, 1);
}

/** Takes the old contribution of a live row out and puts the new one in. The change was announced. */
export function replaceImage(core: Core, row: number, image: RowImage): void {
  figuresChange(core, core.rows.account(row));
  figuresChange(core, image.account);
  if (isOtherAmount(core, row, image)) {
    changeAmount(core, row, image);
    return;
  }
  postRow(core, row, -1);
  const moves = core.rows.account(row) !== image.account;
  if (moves) detach(core, row);
  writeImage(core, row, image);
  if (moves) attach(core, row);
  postRow(core, row, 1);
}

/** Whether totals per year see another amount and nothing else in the new image. */
function isOtherAmount(core: Core, row: number, image: RowImage): boolean {
  const { rows, types, calendar } = core;
  const table = rows.table(row);
  return rows.account(row) === image.account && table !== TABLE_PROPERTIES
    && types.fieldOf(table, rows.type(row), rows.flag(row)) === types.fieldOf(table, image.type, image.flag) && calendar.yearOf(rows.day(row)) === calendar.yearOf(image.day);
}

/** Posts the difference at once, instead of taking one contribution out and putting another in. Amounts are below 10¹⁵ units, so it is exact. */
function changeAmount(core: Core, row: number, image: RowImage): void {
  const units = image.amount - core.rows.amount(row);
  writeImage(core, row, image);
  postUnits(core, row, units);
}

/** Makes a live row a remembered delete. The change was announced. Answers the account it was in. */
export function removeImage(core: Core, row: number, foldedAt: number): number {
  const account = core.rows.account(row);
  figuresChange(core, account);
  postRow(core, row, -1);
  detach(core, row);
  if (core.rows.table(row) === TABLE_PROPERTIES) core.accounts.setDownPayment(account, Number.NaN);
  rememberDelete(core, row, foldedAt);
  return account;
}

/** Makes a row without image a remembered delete. The change was announced. */
export function rememberDelete(core: Core, row: number, foldedAt: number): void {
  if (core.rows.state(row) !== ROW_DELETED) core.deletes.count++;
  core.rows.setState(row, ROW_DELETED);
  core.rows.setImage(row, NO_ACCOUNT, NO_DAY, foldedAt, NO_TYPE, false);
  core.deletes.push(row, foldedAt);
}

/** Drops the key of a remembered delete: at once, or, when a segment names it, with the next delta. */
export function forgetRow(core: Core, row: number): void {
  core.changes.row(row);
  core.deletes.count--;
  if (!core.rows.exported(row)) return releaseRow(core, row);
  core.rows.setState(row, ROW_FORGOTTEN);
  core.deletes.forgotten++;
}

/** Frees the slot of a row that nothing refers to any more. */
export function releaseRow(core: Core, row: number): void {
  core.index.remove(row, hashOf(core.rows, row));
  core.rows.release(row);
}

/** Notes that an account, and with a unit its property, changed. */
export function touch(core: Core, account: number, now: number): void {
  const property = core.accounts.propertyOf(account);
  core.changes.account(property);
  core.accounts.setChangedAt(property, now);
  if (property === account) return;
  core.changes.account(account);
  core.accounts.setChangedAt(account, now);
}

/** Counts a live row in or out of its accounts and its table. */
export function countRow(core: Core, row: number, by: 1 | -1): void {
  const account = core.rows.account(row);
  core.accounts.countRow(account, core.accounts.propertyOf(account), by);
  core.liveRows[core.rows.table(row)] += by;
}

/** To be called before a live row's contribution to an account changes. */
function figuresChange(core: Core, account: number): void {
  core.changes.figureWatcher?.beforeFigures(core.accounts.propertyOf(account));
}

function attach(core: Core, row: number): void {
  linkRow(core.rows, core.accounts, core.accounts.propertyOf(core.rows.account(row)), row);
  countRow(core, row, 1);
}

function detach(core: Core, row: number): void {
  unlinkRow(core.rows, core.accounts, core.accounts.propertyOf(core.rows.account(row)), row);
  countRow(core, row, -1);
}

/** Posts a live row's contribution to its accounts and the control sums, or takes it out. */
export function postRow(core: Core, row: number, sign: 1 | -1): void {
  const { rows } = core;
  if (rows.table(row) === TABLE_PROPERTIES) {
    core.sums.invest(rows.amount(row), core.accounts.downPayment(rows.account(row)), sign);
    return;
  }
  postUnits(core, row, sign * rows.amount(row));
}

/** Posts units to where a live rent or expense counts. */
function postUnits(core: Core, row: number, units: number): void {
  const { rows, accounts } = core;
  const account = rows.account(row);
  const field = core.types.fieldOf(rows.table(row), rows.type(row), rows.flag(row));
  accounts.post(account, accounts.propertyOf(account), rows.day(row), field, units);
  core.sums.post(field, units);
}

function writeImage(core: Core, row: number, image: RowImage): void {
  core.rows.setImage(row, image.account, image.day, image.amount, image.type, image.flag);
  if (core.rows.table(row) === TABLE_PROPERTIES) core.accounts.setDownPayment(image.account, image.amount2);
}
