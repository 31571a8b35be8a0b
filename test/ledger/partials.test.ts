/**
 * Goal: a read is finish(sum(partials)), so that rows may later be shared out over several holders without another answer.
 * Method: fast-check shares rows out over three cores by key; their summed partials are finished and compared with the answer of one.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDate } from '../../src/change/dates.ts';
import { createCore } from '../../src/ledger/core.ts';
import { answerFigures, finish, partialFigures, sumPartials } from '../../src/ledger/figures.ts';
import { foldBatch } from '../../src/ledger/fold.ts';
import { TestLog } from '../support/batches.ts';
import type { TestRecord } from '../support/batches.ts';
import { expense, property, rent } from '../support/books-under-test.ts';

const DEFINITIONS = { fiscalYearStartMonth: 1, deletedKeysDays: 7 };
const CONTEXT = { now: 1_700_000_000_000, mayForgetDeletes: true };

const row = fc.record({
  amount: fc.integer({ min: -1e14, max: 1e14 }), unit: fc.constantFrom(null, 'a', 'b'), date: fc.constantFrom('2024-06-01', '2025-02-03', '2026-01-01'), isRent: fc.boolean(),
});

it('rows shared out over several holders give the same figures', () => {
  fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), fc.option(fc.nat(1e9)), (rows, cash) => {
    const records: TestRecord[] = rows.map(({ isRent, amount, ...more }, key) => (isRent ? rent : expense)(`${key}`, amount, more));
    if (cash !== null) records.push(property('p', cash));
    records.push({ kind: 'letter', property: 'p' });
    const whole = createCore(DEFINITIONS, 0);
    foldBatch(whole, new TestLog().batch(...records), CONTEXT, false);
    const shares = [0, 1, 2].map((share) => {
      const core = createCore(DEFINITIONS, 0);
      foldBatch(core, new TestLog().batch(...records.filter((_, index) => index % 3 === share)), CONTEXT, false);
      return core;
    });
    for (const unitId of [null, 'a']) {
      for (const asOf of ['2025-01-01', '2025-12-31', '2026-12-31']) {
        const query = { propertyId: 'p', unitId, asOf: parseDate(asOf)! };
        expect(finish(query, sumPartials(shares.map((core) => partialFigures(core, query))), whole.calendar)).toEqual(answerFigures(whole, query));
      }
    }
  }), { numRuns: 100 });
});
