import { expect } from 'vitest';
import type { Asked } from '../check-answers.ts';
import { moneyUnits } from '../oracle.ts';
import type { SqlDatabase } from '../services/service.ts';
import { sqlFigures, TOTALS } from './sql-figures.ts';
import type { SqlAccount } from './sql-figures.ts';
import { WORKLOAD_PROPERTIES } from './workload.ts';

/** Days before, in, at the end of and after the years of the workload. */
const DAYS = ['2024-02-29', '2025-01-01', '2026-07-15', '2028-01-31'];
const COLUMNS = ['ytd_', 'cumulative_'].flatMap((prefix) => TOTALS.map((name) => `${prefix}${name}`));

type Body = Readonly<Record<string, string | null>> & { readonly complete: boolean; readonly units: readonly Readonly<Record<string, string>>[] | null };

/** Every figure of every property and unit, asked over HTTP, equals SQL over the tables; what the tables do not name is unknown. Answers how many accounts there were. */
export async function compareWithSql(asked: Asked, database: SqlDatabase, fiscalMonth: number): Promise<number> {
  const wrong: string[] = [];
  let accounts = 0;
  for (const day of DAYS) {
    const all = await sqlFigures(database, day, fiscalMonth);
    accounts = all.length;
    for (const account of all) wrong.push(...await compareAccount(asked, account, all, day));
    for (const property of WORKLOAD_PROPERTIES.filter((name) => !all.some((account) => account.property_id === name))) {
      const { status } = await asked.get(path(property, null, day));
      if (status !== 404) wrong.push(`${property} is in no table, and answers ${status}`);
    }
  }
  expect(wrong).toEqual([]);
  return accounts;
}

async function compareAccount(asked: Asked, account: SqlAccount, all: readonly SqlAccount[], day: string): Promise<string[]> {
  const at = path(account.property_id, account.unit_id, day);
  const { status, body, text } = await asked.get(at);
  if (status !== 200) return [`${at} answers ${status}: ${text}`];
  const answer = body as Body;
  const wrong = COLUMNS.filter((name) => units(answer[name]) !== units(account[name])).map((name) => `${at}: ${name} is ${answer[name]}, SQL says ${account[name]}`);
  if (units(answer['cash_invested']) !== units(account['cash_invested'])) wrong.push(`${at}: cash_invested is ${answer['cash_invested']}, SQL says ${account['cash_invested']}`);
  if (!isClose(answer['cash_on_cash'], account['cash_on_cash'])) wrong.push(`${at}: cash_on_cash is ${answer['cash_on_cash']}, SQL says ${account['cash_on_cash']}`);
  if (!answer.complete) wrong.push(`${at}: is not complete`);
  return account.unit_id === null ? [...wrong, ...compareUnits(at, answer, all.filter((other) => other.property_id === account.property_id && other.unit_id !== null))] : wrong;
}

function compareUnits(at: string, answer: Body, expected: readonly SqlAccount[]): string[] {
  const text = (all: readonly Readonly<Record<string, string | null>>[]): string[] =>
    all.map((unit) => `${unit['unit_id']}: ${units(unit['ytd_profit_loss'])}, ${units(unit['cumulative_profit_loss'])}`).toSorted();
  const [told, said] = [text(answer.units ?? []).join('; '), text(expected).join('; ')];
  return told === said ? [] : [`${at}: units are ${told}, SQL says ${said}`];
}

function path(property: string, unit: string | null, day: string): string {
  return `/financial-performance/${encodeURIComponent(property)}?as_of=${day}${unit === null ? '' : `&unit_id=${encodeURIComponent(unit)}`}`;
}

/** Money by value, as a count of 1/10 000. */
function units(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : String(moneyUnits(text));
}

/** SQL rounds halves away from zero, the rules half to even. */
function isClose(a: string | null | undefined, b: string | null | undefined): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  const difference = moneyUnits(a) - moneyUnits(b);
  return difference <= 1n && difference >= -1n;
}
