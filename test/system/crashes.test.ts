/**
 * Goal: a process that is killed at any moment while its log grows loses nothing and counts nothing twice; asked to end, it ends cleanly and
 * goes on from where it was.
 * Method: random histories are appended to a dump piece by piece under a running program that checkpoints every few records and is killed
 * and started again between and during the pieces. At the end its answers are compared with plain sums over the final rows.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dumpLine } from '../support/dump.ts';
import { makeHistory, plans } from '../support/history.ts';
import type { History, Plan } from '../support/history.ts';
import { createRandom } from '../support/history-random.ts';
import { fiscalYearStart, knownUnits, moneyUnits, sumRows } from '../support/oracle.ts';
import type { RentfoldProcess } from '../support/process.ts';
import { propertyParameters } from '../support/property-runs.ts';
import { interleave } from '../support/reading-order.ts';
import { Slots } from '../support/slots.ts';
import { Workplace } from '../support/workplace.ts';

const PIECES = 6;
const AS_OF = '2025-06-30';
const AS_OF_DAY = Date.parse(AS_OF) / 86_400_000;
const slots = new Slots(2);
const { seed, numRuns } = propertyParameters(6);
/** Long histories only: short ones are the library's. */
const drawn = fc.sample(plans(400).filter((plan) => plan.steps.length > 150), { seed, numRuns });

async function survives(plan: Plan, number: number): Promise<void> {
  const history = makeHistory(plan);
  const random = createRandom(seed + number);
  const lines = interleave(history.partitions, { order: 'random-runs', seed: seed + number }).map((record) => dumpLine(record).trimEnd());
  const settings = {
    RENTFOLD_CHECKPOINT_CHANGES: String(1 + random.below(30)), RENTFOLD_BATCH_RECORDS: String(1 + random.below(20)),
    RENTFOLD_SOURCE_EPOCHS: history.epochs.map((instant) => new Date(instant).toISOString()).join(','),
  };
  await using place = await Workplace.create();
  await place.write('log.jsonl', []);
  let program = place.start(settings);
  try {
    for (let piece = 0; piece < PIECES; piece++) {
      await place.append('log.jsonl', lines.slice(Math.floor((piece * lines.length) / PIECES), Math.floor(((piece + 1) * lines.length) / PIECES)));
      if (random.chance(0.3)) await hasRead(program, Math.floor(((piece + 1) * lines.length) / PIECES));
      if (random.chance(0.3)) continue;
      await program.url();
      await program.kill(random.chance(0.8) ? 'SIGKILL' : 'SIGTERM');
      program = place.start(settings);
    }
    await hasRead(program, lines.length);
    await program.ready();
    await program.showingLog(() => checkFigures(history, program));
  } finally {
    await program[Symbol.asyncDispose]();
  }
}

async function hasRead(program: RentfoldProcess, records: number): Promise<void> {
  await program.url();
  await program.until(`has read ${records} records`, async () => Number((await program.status()).records.read) === records);
}

async function checkFigures(history: History, program: RentfoldProcess): Promise<void> {
  for (const [property, units] of knownUnits(history.rows)) {
    for (const unit of [null, ...units]) {
      const query = unit === null ? '' : `&unit_id=${encodeURIComponent(unit)}`;
      const { status, body } = await program.get(`/financial-performance/${encodeURIComponent(property)}?as_of=${AS_OF}${query}`);
      expect(status, `${property} ${unit}`).toBe(200);
      const figures = body as Readonly<Record<string, string>>;
      const spans = { ytd: fiscalYearStart(AS_OF_DAY, 1), cumulative: -Infinity };
      for (const [span, from] of Object.entries(spans)) {
        const expected = sumRows(history.rows, property, unit, from, AS_OF_DAY);
        expect(moneyUnits(figures[`${span}_total_revenue`])).toBe(expected.totalRevenue);
        expect(moneyUnits(figures[`${span}_profit_loss`])).toBe(expected.rent - expected.expenses);
      }
    }
  }
  const { rows, records } = (await program.get('/health/status')).body as { rows: Record<string, string>; records: Record<string, string> };
  expect(Object.values(rows).map(Number)).toEqual(Object.values(history.rows).map((table) => table.length));
  expect(Number(records['applied']) + Number(records['unchanged']) + Number(records['superseded']) + Number(records['passed_over'])).toBe(Number(records['read']));
}

describe('killed while the log grows', () => {
  test.concurrent.each(drawn.map((plan, number) => ({ plan, number })))('history $number', async ({ plan, number }) => {
    await slots.use(() => survives(plan, number));
  }, 240_000);
});

test('asked to end, it ends with code 0 after a last checkpoint, and the next start goes on from there', async () => {
  const [plan] = drawn;
  const history = makeHistory(plan);
  const lines = history.partitions.flat().map((record) => dumpLine(record).trimEnd());
  const settings = { RENTFOLD_SOURCE_EPOCHS: history.epochs.map((instant) => new Date(instant).toISOString()).join(',') };
  await using place = await Workplace.create();
  await place.write('log.jsonl', lines);
  await using first = place.start(settings);
  await first.ready();
  await first.kill('SIGTERM');
  expect(await first.exitCode(), first.log).toBe(0);
  await using second = place.start(settings);
  await second.ready();
  await hasRead(second, lines.length);
  expect(Number((await second.status()).checkpoints.succeeded), 'nothing was read again').toBe(0);
  await checkFigures(history, second);
});
