/**
 * Goal: whatever a connector sends and however its partitions are interleaved and cut into batches, decoding and folding arrive at exactly the
 * tables' final contents, and at figures equal to plain sums over them.
 * Method: random histories of a tiny Postgres, rendered as Debezium records (test/support/history.ts), run through the real decoder, books
 * and state. The oracle is the database's own final rows, compared as canonical lines, and sums over them in BigInt. A failing history is
 * shrunk and printed; RENTFOLD_TEST_RUNS raises the number, RENTFOLD_TEST_SEED repeats a run.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeHistory, movesSentAgain, plans } from '../support/history.ts';
import type { History, Plan } from '../support/history.ts';
import { createRandom } from '../support/history-random.ts';
import type { LogRecord } from '../support/history-log.ts';
import { renderValue } from '../support/history-render.ts';
import type { RenderStyle } from '../support/history-render.ts';
import { TABLES } from '../support/history-rows.ts';
import type { Row } from '../support/history-rows.ts';
import { DECODE_OPTIONS, batchSizes, runLibrary } from '../support/library-run.ts';
import { canonicalText, cashOnCash, fiscalYearStart, knownUnits, moneyUnits, rowText, sumRows } from '../support/oracle.ts';
import type { OracleTotals } from '../support/oracle.ts';
import { propertyParameters } from '../support/property-runs.ts';
import { interleave, readings } from '../support/reading-order.ts';
import type { Reading } from '../support/reading-order.ts';
import type { Books, Totals } from '../../src/ledger/ledger.ts';
import type { State } from '../../src/state.ts';

const STYLE: RenderStyle = { ids: 'integer', dates: 'days', decimals: 'text', withSchema: false };
const ROW: Row = { id: 7, property: '3', unit: null, day: 20_000, amount: '1', type: null, flag: false, cashInvested: null, downPayment: null };
const MONTHS = [1, 4, 7, 12] as const;

function run(history: History, reading: Reading, fiscalYearStartMonth: number, withCrashes: boolean): State {
  return runLibrary(interleave(history.partitions, reading), {
    decode: { ...DECODE_OPTIONS, epochs: history.epochs },
    fiscalYearStartMonth,
    batchSize: batchSizes(createRandom(reading.seed + 1)),
    ...(withCrashes ? { crashes: createRandom(reading.seed + 2) } : {}),
  });
}

/** Canonical rows, counts and figures against the oracle. */
function check(plan: Plan, reading: Reading, month: number, withCrashes = false): void {
  const history = makeHistory(plan);
  const state = run(history, reading, month, withCrashes);
  const expected = TABLES.flatMap((table) => history.rows[table].map((row) => rowText(table, row)));
  expect([...state.books.canonicalRows()].map(canonicalText).sort()).toEqual(expected.sort());
  checkCounts(history, state);
  checkFigures(history, state.books, reading.seed, month);
}

/** Every record read is counted once; nothing is a dead letter. */
function checkCounts(history: History, state: State): void {
  for (const records of history.partitions) {
    const [{ topic, partition }] = records;
    const counters = state.counters().find((one) => one.topic === topic && one.partition === partition)!;
    expect(counters.read).toBe(records.length);
    expect(counters.applied + counters.unchanged + counters.superseded + counters.passedOver).toBe(records.length);
    expect(counters.orderAmbiguous).toBe(0);
    expect(state.position(topic, partition)?.next).toBe(records.length);
  }
}

function checkFigures(history: History, books: Books, seed: number, month: number): void {
  const random = createRandom(seed);
  for (const [property, units] of knownUnits(history.rows)) {
    const asOf = 19_500 + random.below(1_800);
    for (const unit of [null, ...units]) {
      const answer = books.figures({ propertyId: property, unitId: unit, asOf });
      if (answer.kind !== 'figures') throw new Error(`${property} ${unit}: ${answer.kind}`);
      const ytd = sumRows(history.rows, property, unit, fiscalYearStart(asOf, month), asOf);
      expectTotals(answer.figures.ytd, ytd);
      expectTotals(answer.figures.cumulative, sumRows(history.rows, property, unit, -Infinity, asOf));
      expect(asBigInt(answer.figures.cashOnCash)).toBe(cashOnCash(history.rows, property, ytd, asOf, month));
      expect(answer.figures.complete).toBe(true);
      if (unit === null) expect((answer.figures.units ?? []).map(({ unitId }) => unitId).sort()).toEqual([...units].sort());
    }
  }
  expect(books.figures({ propertyId: 'no such property', unitId: null, asOf: 20_000 }).kind).toBe('unknown');
  expect(books.counts().properties).toBe(knownUnits(history.rows).size);
}

function expectTotals(actual: Totals, expected: OracleTotals): void {
  const { totalRevenue, rent, expenses, profitLoss, ...categories } = actual;
  expect(BigInt(totalRevenue)).toBe(expected.totalRevenue);
  expect(BigInt(rent)).toBe(expected.rent);
  expect(BigInt(expenses)).toBe(expected.expenses);
  expect(BigInt(profitLoss)).toBe(expected.rent - expected.expenses);
  expect(Object.fromEntries(Object.entries(categories).map(([name, units]) => [name, BigInt(units)]))).toEqual(expected.categories);
}

function asBigInt(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}

test('any history, any interleaving, any batch sizes: the rows and figures of the tables', () => {
  fc.assert(fc.property(plans(), readings(), fc.constantFrom(...MONTHS), (plan, reading, month) => check(plan, reading, month)), propertyParameters(3_000));
}, 300_000);

test('single partitions are read right across failovers that nobody noted', () => {
  fc.assert(fc.property(plans(120, false), readings(), fc.constantFrom(...MONTHS), (plan, reading, month) => check(plan, reading, month)), propertyParameters(600));
}, 300_000);

test('moved rows, keyed by property, sent again to a topic that grew', () => {
  fc.assert(fc.property(plans(), readings(), (plan, reading) => check(movesSentAgain(plan), reading, 1)), propertyParameters(400));
}, 300_000);

test('what a checkpoint keeps is enough to go on from, wherever a crash came', () => {
  fc.assert(fc.property(plans(), readings(), fc.constantFrom(...MONTHS), (plan, reading, month) => check(plan, reading, month, true)), propertyParameters(800));
}, 300_000);

test('a tombstone without a delete speaks only for the row that its own partition showed last', () => {
  const [created, recreated] = [1, 2].map((own) => renderValue({
    operation: 'c', table: 'rents', before: null, after: { ...ROW, amount: `${own}` }, first: own * 100, own: own * 100 + 8, time: own, transaction: own, snapshot: 'false',
  }, 99, STYLE));
  const record = (partition: number, offset: number, value: string | null): LogRecord =>
    ({ topic: 'pg.public.rents', partition, offset, time: 0, key: '{"id":7}', value });
  const old = [record(0, 0, created), record(0, 1, null)];
  const renewed = [record(1, 0, recreated)];
  const amounts = (records: readonly LogRecord[]): readonly unknown[] => {
    const state = runLibrary(records, { decode: DECODE_OPTIONS, fiscalYearStartMonth: 1, batchSize: () => 1 });
    return [...state.books.canonicalRows()].map((line) => moneyUnits((JSON.parse(line) as string[])[5]));
  };
  expect(amounts(old)).toEqual([]);
  expect(amounts([...old, ...renewed])).toEqual([20_000n]);
  expect(amounts([...renewed, ...old])).toEqual([20_000n]);
});
