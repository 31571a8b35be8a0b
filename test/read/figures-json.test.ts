/**
 * Goal: the text of an answer is exact to the last digit, valid JSON, and has every field of the service it replaces.
 * Method: random figures are written, and every number's source text is read back with BigInt arithmetic of its own.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createControl } from '../../src/control.ts';
import type { ControlState } from '../../src/control-state.ts';
import type { Figures, Totals } from '../../src/ledger/figure.ts';
import { createFiguresWriter } from '../../src/read/figures-json.ts';
import { FAKE_NOW, fakeFigures, makeReady } from '../support/fake-read-model.ts';

const LIMIT = 5_000_000_000_000_000;
const NAMES = {
  totalRevenue: 'total_revenue', rent: 'rent', expenses: 'expenses', profitLoss: 'profit_loss', piti: 'piti', tax: 'tax', utilities: 'utilities',
  maintenance: 'maintenance', capex: 'capex', insurance: 'insurance', propertyManagement: 'property_management', other: 'other',
} as const satisfies Record<keyof Totals, string>;

const units = fc.oneof(
  fc.integer({ min: -LIMIT, max: LIMIT }),
  fc.integer({ min: -20_000, max: 20_000 }),
  fc.integer({ min: -LIMIT / 10_000, max: LIMIT / 10_000 }).map((whole) => whole * 10_000),
  fc.constantFrom(LIMIT, -LIMIT, 0, -0, 1, -1, 4_999_999_999_999_999),
);
const totals = fc.record(Object.fromEntries(Object.keys(NAMES).map((name) => [name, units]))) as unknown as fc.Arbitrary<Totals>;
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const figures: fc.Arbitrary<Figures> = fc.record({
  propertyId: text,
  unitId: fc.option(text),
  asOf: fc.integer({ min: -719_162, max: 2_932_896 }),
  ytd: totals,
  cumulative: totals,
  cashInvested: fc.option(units),
  cashOnCash: fc.option(units),
  units: fc.option(fc.array(fc.record({ unitId: text, ytdProfitLoss: units, cumulativeProfitLoss: units }), { minLength: 1, maxLength: 4 })),
  lastCalculatedAt: fc.integer({ min: 0, max: 8_000_000_000_000 }),
  complete: fc.boolean(),
});

function readyState(): ControlState {
  const control = createControl(FAKE_NOW);
  makeReady(control);
  return control.state();
}

/** Parses JSON with every number as a count of 1/10 000, taken from its digits. Throws on any form but a plain decimal. */
function parseExact(json: string): Record<string, unknown> {
  const reviver = (_name: string, value: unknown, context?: { source: string }): unknown => {
    if (typeof value !== 'number') return value;
    const source = context!.source;
    const match = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(source);
    if (match === null) throw new Error(`${source} is no plain decimal of at most four places`);
    expect(String(value === 0 ? 0 : value), 'the shortest text of the number is the text sent').toBe(source);
    const size = BigInt(match[2]) * 10_000n + BigInt((match[3] ?? '').padEnd(4, '0'));
    return match[1] === '-' ? -size : size;
  };
  return JSON.parse(json, reviver as never) as Record<string, unknown>;
}

describe('the text of an answer', () => {
  it('has every amount exactly, under the right name', () => {
    const control = readyState();
    fc.assert(fc.property(figures, (given) => {
      const answer = parseExact(createFiguresWriter().write(given, { control, newestChangeAt: null }));
      for (const [key, name] of Object.entries(NAMES)) {
        expect(answer[`ytd_${name}`]).toBe(BigInt(given.ytd[key as keyof Totals]));
        expect(answer[`cumulative_${name}`]).toBe(BigInt(given.cumulative[key as keyof Totals]));
      }
      expect(answer['cash_invested']).toBe(given.cashInvested === null ? null : BigInt(given.cashInvested));
      expect(answer['cash_on_cash']).toBe(given.cashOnCash === null ? null : BigInt(given.cashOnCash));
      expect(answer['units']).toEqual(given.units?.map((unit) => ({
        unit_id: unit.unitId, ytd_profit_loss: BigInt(unit.ytdProfitLoss), cumulative_profit_loss: BigInt(unit.cumulativeProfitLoss),
      })) ?? null);
      expect([answer['property_id'], answer['unit_id'], answer['complete']]).toEqual([given.propertyId, given.unitId, given.complete]);
      expect(answer['as_of']).toBe(isoDay(given.asOf));
      expect(answer['last_calculated_at']).toBe(new Date(given.lastCalculatedAt).toISOString());
    }));
  });

  it('writes 12005000 units as 1200.5', () => {
    const json = createFiguresWriter().write(fakeFigures({ propertyId: 'p', unitId: null, asOf: 0 }), { control: readyState(), newestChangeAt: null });
    expect(json).toContain('"ytd_total_revenue":1200.5,');
  });

  it('follows the state from one answer to the next', () => {
    const control = createControl(FAKE_NOW);
    const writer = createFiguresWriter();
    const freshness = (newestChangeAt: number | null): unknown => {
      const context = { control: control.state(), newestChangeAt };
      return (JSON.parse(writer.write(fakeFigures({ propertyId: 'p', unitId: null, asOf: 1 }), context)) as { freshness: unknown }).freshness;
    };
    expect(freshness(null)).toEqual({ caught_up: null, newest_change_at: null, lag_records: null });
    makeReady(control);
    expect(freshness(null)).toEqual({ caught_up: true, newest_change_at: null, lag_records: 0 });
    control.boundsSeen([{ topic: 'rents', partition: 0, start: 0, end: 12 }]);
    expect(freshness(FAKE_NOW)).toEqual({ caught_up: false, newest_change_at: '2026-06-30T12:00:00.000Z', lag_records: 12 });
    expect(freshness(FAKE_NOW + 1)).toMatchObject({ newest_change_at: '2026-06-30T12:00:00.001Z' });
    control.folded([{ topic: 'rents', partition: 0, next: 12 }], FAKE_NOW);
    expect(freshness(9e18), 'no instant').toEqual({ caught_up: true, newest_change_at: null, lag_records: 0 });
  });

  it('says that it is not complete when history is known to be missing', () => {
    const control = createControl(FAKE_NOW);
    control.opened({ bounds: [], gaps: ['rents/0 before offset 5'] }, FAKE_NOW);
    const json = createFiguresWriter().write(fakeFigures({ propertyId: 'p', unitId: null, asOf: 1 }), { control: control.state(), newestChangeAt: null });
    expect(JSON.parse(json)).toMatchObject({ complete: false });
  });
});

function isoDay(epochDay: number): string {
  return new Date(epochDay * 86_400_000).toISOString().slice(0, 10);
}
