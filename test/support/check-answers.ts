import { expect } from 'vitest';
import { unitViews } from './conformance.ts';
import type { ConformanceCase, View } from './conformance.ts';
import { moneyUnits } from './oracle.ts';
import type { Answer, RecordCounts, StatusBody } from './process.ts';

/** Something that answers paths as the read endpoint does. */
export interface Asked {
  get(path: string): Promise<Answer>;
}

/** What may differ in the last of four decimals: the rounding of `cash_on_cash`. */
const CASH_ON_CASH_TOLERANCE = 1n;

type FiguresBody = Readonly<Record<string, string | null>> & {
  readonly complete: boolean;
  readonly units: readonly Readonly<Record<'unit_id' | 'ytd_profit_loss' | 'cumulative_profit_loss', string>>[] | null;
};

/** Every view exact, every absent property 404, every incomplete one said to be, and all counts right. */
export async function checkCase(one: ConformanceCase, asked: Asked): Promise<void> {
  for (const view of one.views) await checkView(one, view, asked);
  for (const property of one.absent) {
    const { status } = await asked.get(`/financial-performance/${encodeURIComponent(property)}`);
    expect(status, `${one.name}: ${property} must be unknown`).toBe(404);
  }
  checkCounts(one, (await asked.get('/health/status')).body as StatusBody);
}

async function checkView(one: ConformanceCase, view: View, asked: Asked): Promise<void> {
  const unit = view.unit_id === null ? '' : `&unit_id=${encodeURIComponent(view.unit_id)}`;
  const path = `/financial-performance/${encodeURIComponent(view.property_id)}?as_of=${view.as_of}${unit}`;
  const { status, body, text } = await asked.get(path);
  expect(status, `${one.name}: ${path}\n${text}`).toBe(200);
  const figures = body as FiguresBody;
  for (const [name, expected] of Object.entries(view)) {
    const message = `${one.name}: ${name} of ${path}`;
    if (name === 'cash_on_cash') expectClose(figures[name], expected, message);
    else if (name === 'as_of' || name === 'property_id' || name === 'unit_id') expect(figures[name], message).toBe(expected);
    else expect(money(figures[name]), message).toBe(money(expected));
  }
  checkCompleteness(one, view, figures);
  if (view.unit_id === null) checkUnits(one, view, figures);
  else expect(figures.units).toBeNull();
}

function checkCompleteness(one: ConformanceCase, view: View, figures: FiguresBody): void {
  const message = `${one.name}: complete of ${view.property_id}`;
  if (one.incomplete.includes(view.property_id)) expect(figures.complete, message).toBe(false);
  // Dead letters of a case without such a list may name any property.
  else if (one.deadLetters === 0 || one.incomplete.length > 0) expect(figures.complete, message).toBe(true);
}

function checkUnits(one: ConformanceCase, view: View, figures: FiguresBody): void {
  for (const expected of unitViews(one, view)) {
    const unit = figures.units?.find((candidate) => candidate.unit_id === expected.unit_id);
    const message = `${one.name}: unit ${expected.unit_id} of ${view.property_id} at ${view.as_of}`;
    expect(unit && money(unit.ytd_profit_loss), message).toBe(money(expected.ytd_profit_loss));
    expect(unit && money(unit.cumulative_profit_loss), message).toBe(money(expected.cumulative_profit_loss));
  }
}

function checkCounts(one: ConformanceCase, status: StatusBody): void {
  expect(Number(status.records.read), `${one.name}: records read`).toBe(one.records);
  expect(Number(status.records.dead_letters), `${one.name}: dead letters`).toBe(one.deadLetters);
  for (const { topic, partition, records } of status.partitions) {
    expect(outcomes(records), `${one.name}: outcomes of ${topic}/${partition}`).toBe(Number(records.read));
  }
  expect(outcomes(status.records), `${one.name}: outcomes`).toBe(one.records);
}

function outcomes(records: RecordCounts): number {
  const { applied, unchanged, superseded, passed_over: passedOver, dead_letters: deadLetters } = records;
  return [applied, unchanged, superseded, passedOver, deadLetters].reduce((sum, text) => sum + Number(text), 0);
}

/** Money in 1/10 000, from plain decimal text: an exponent or a fifth decimal is a failure. */
function money(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : String(moneyUnits(text));
}

function expectClose(actual: string | null | undefined, expected: string | null, message: string): void {
  if (expected === null || actual === null || actual === undefined) {
    expect(actual, message).toBe(expected);
    return;
  }
  const difference = moneyUnits(actual) - moneyUnits(expected);
  expect(difference <= CASH_ON_CASH_TOLERANCE && difference >= -CASH_ON_CASH_TOLERANCE, `${message}: ${actual} for ${expected}`).toBe(true);
}
