/**
 * Goal: the rules of order themselves are right and all needed, and the generated histories are such as a real connector can produce: read in
 * any order, the plainly written rules arrive at the tables' final contents; with any one rule left out they do not.
 * Method: random histories (test/support/history.ts), folded record by record by the reference (no production code), compared with the rows of
 * the tiny database that made them. The second part is a canary: it shows that the histories would see a broken rule.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeHistory, movesSentAgain, plans } from '../support/history.ts';
import type { Plan } from '../support/history.ts';
import { renderImage } from '../support/history-render.ts';
import { TABLES } from '../support/history-rows.ts';
import { propertyParameters } from '../support/property-runs.ts';
import { interleave, readings } from '../support/reading-order.ts';
import type { Reading } from '../support/reading-order.ts';
import { RULES, ReferenceFold, imageText } from '../support/reference-fold.ts';
import type { Rule } from '../support/reference-fold.ts';

/** Rows as the tables hold them and as the reference arrived at them, as sorted texts. */
function outcome(plan: Plan, reading: Reading, without: Rule | null): { expected: readonly string[]; folded: readonly string[] } {
  const history = makeHistory(plan);
  const fold = new ReferenceFold(history.epochs, without);
  for (const record of interleave(history.partitions, reading)) fold.fold(record);
  const expected = TABLES.flatMap((table) => history.rows[table].map((row) => `${table} ${imageText(JSON.parse(renderImage(table, row, plan.style)))}`));
  const folded = TABLES.flatMap((table) => [...fold.liveRows(table).values()].map((image) => `${table} ${image}`));
  return { expected: expected.sort(), folded: folded.sort() };
}

test('the rules of order, read in any interleaving, arrive at the final rows', () => {
  fc.assert(fc.property(plans(), readings(), (plan, reading) => {
    const { expected, folded } = outcome(plan, reading, null);
    expect(folded).toEqual(expected);
  }), propertyParameters(2_000));
});

test('single partitions are read right across failovers that nobody noted', () => {
  fc.assert(fc.property(plans(120, false), readings(), (plan, reading) => {
    const { expected, folded } = outcome(plan, reading, null);
    expect(folded).toEqual(expected);
  }), propertyParameters(1_000));
});

/** Where to look for a rule's need when it is rare among all histories: whether failovers are noted, and what the plan is narrowed to. */
const SEARCHES: Partial<Record<Rule, { readonly declaresEpochs?: boolean; readonly focus?: (plan: Plan) => Plan }>> = {
  'the log decides inside a partition': { declaresEpochs: false },
  'a fall is followed': { declaresEpochs: false },
  'a later commit passes a truncate': { declaresEpochs: false },
  'an equal delete is a re-send': { focus: movesSentAgain },
};

test.each(RULES)('without the rule that %s, some history goes wrong', (rule) => {
  const { declaresEpochs = true, focus = (plan: Plan): Plan => plan } = SEARCHES[rule] ?? {};
  const found = fc.check(fc.property(plans(120, declaresEpochs), readings(), (plan, reading) => {
    const { expected, folded } = outcome(focus(plan), reading, rule);
    return folded.join() === expected.join();
  }), { numRuns: 20_000, seed: 1, endOnFailure: true });
  expect(found.failed).toBe(true);
});
