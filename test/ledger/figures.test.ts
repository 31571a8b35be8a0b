/**
 * Goal: the numbers mean what the rules R1–R8 say, exactly.
 * Method: a few rows by hand, asked for through the books' own question.
 */
import { describe, expect, it } from 'vitest';
import { BooksUnderTest, expense, property, remove, rent } from '../support/books-under-test.ts';

const LIMIT = 5e15;
const BIG = 1e15 - 1;

describe('R1 and R2: days and years', () => {
  it('a row counts from its own day on', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 100, { date: '2025-03-10' }), expense('1', 30, { date: '2025-03-11' }));
    expect(test.figures('p', '2025-03-09').cumulative).toMatchObject({ rent: 0, expenses: 0 });
    expect(test.figures('p', '2025-03-10').cumulative).toMatchObject({ rent: 100, expenses: 0 });
    expect(test.figures('p', '2025-03-11').cumulative).toMatchObject({ rent: 100, expenses: 30, profitLoss: 70 });
  });

  it('the year begins at zero with no event', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 100, { date: '2024-12-31' }), rent('2', 10, { date: '2025-01-01' }));
    expect(test.figures('p', '2024-12-31')).toMatchObject({ ytd: { rent: 100 }, cumulative: { rent: 100 } });
    expect(test.figures('p', '2025-01-01')).toMatchObject({ ytd: { rent: 10 }, cumulative: { rent: 110 } });
    expect(test.figures('p', '2026-01-01')).toMatchObject({ ytd: { rent: 0 }, cumulative: { rent: 110 } });
  });

  it('a fiscal year begins with its month, and changed definitions recompute accounts from rows', () => {
    const test = new BooksUnderTest({ fiscalYearStartMonth: 7 });
    test.fold(rent('1', 100, { date: '2024-06-30' }), rent('2', 10, { date: '2024-07-01' }), rent('3', 1, { date: '2025-06-30' }));
    expect(test.figures('p', '2024-06-30').ytd.rent).toBe(100);
    expect(test.figures('p', '2025-06-30')).toMatchObject({ ytd: { rent: 11 }, cumulative: { rent: 111 } });
    expect(test.figures('p', '2025-07-01').ytd.rent).toBe(0);
    test.restart(test.export('full'), { fiscalYearStartMonth: 1, deletedKeysDays: 7 });
    expect(test.figures('p', '2024-12-31').ytd.rent).toBe(110);
  });

  it('holds for days far away', () => {
    const test = new BooksUnderTest({ fiscalYearStartMonth: 2 });
    test.fold(rent('1', 5, { date: '0001-01-01' }), rent('2', 7, { date: '9999-12-31' }));
    expect(test.figures('p', '0001-01-31')).toMatchObject({ ytd: { rent: 5 }, cumulative: { rent: 5 } });
    expect(test.figures('p', '9999-12-31')).toMatchObject({ ytd: { rent: 7 }, cumulative: { rent: 12 } });
  });

  it('a later row that moved away no longer bends the answer', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 100, { date: '2025-01-01' }), rent('2', 10, { date: '2030-01-01' }));
    expect(test.figures('p', '2025-06-01').cumulative.rent).toBe(100);
    test.fold(rent('2', 10, { date: '2025-02-01' }));
    expect(test.figures('p', '2025-06-01').cumulative.rent).toBe(110);
    expect(test.figures('p', '2025-01-15').cumulative.rent).toBe(100);
  });
});

describe('R3 to R5: what counts as what', () => {
  it('rehab and planned expenses never count, and keep the property known', () => {
    const test = new BooksUnderTest();
    test.fold(expense('1', 100, { type: 'rehab' }), expense('2', 100, { flag: true }));
    expect(test.figures('p', '2025-12-31').cumulative).toMatchObject({ expenses: 0, tax: 0, other: 0 });
  });

  it.each([
    ['pandi', 'piti'], ['tax', 'tax'], ['utilities', 'utilities'], ['maintenance', 'maintenance'], ['capex', 'capex'], ['insurance', 'insurance'],
    ['property_management', 'propertyManagement'], ['Tax', 'other'], ['', 'other'], [null, 'other'], ['constructor', 'other'],
  ])('expense type %s counts as %s', (type, category) => {
    const test = new BooksUnderTest();
    test.fold(expense('1', 25, { type }));
    expect(test.figures('p', '2025-12-31').ytd).toMatchObject({ [category]: 25, expenses: 25, profitLoss: -25, rent: 0 });
  });

  it('total revenue takes all rents, rent leaves deposits out', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 100), rent('2', -40, { flag: true }), rent('3', 7, { flag: true }), expense('1', 30));
    expect(test.figures('p', '2025-12-31').ytd).toMatchObject({ totalRevenue: 67, rent: 100, expenses: 30, profitLoss: 70 });
  });
});

describe('R6 and R8: units, known and unknown', () => {
  it('a property has all rows, a unit its own, sorted by id', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1), rent('2', 10, { unit: 'b' }), rent('3', 100, { unit: 'a' }), expense('4', 40, { unit: 'a', date: '2024-01-01' }));
    expect(test.figures('p', '2025-12-31')).toMatchObject({
      ytd: { profitLoss: 111 },
      units: [{ unitId: 'a', ytdProfitLoss: 100, cumulativeProfitLoss: 60 }, { unitId: 'b', ytdProfitLoss: 10, cumulativeProfitLoss: 10 }],
    });
    expect(test.figures('p', '2025-12-31', 'a')).toMatchObject({ unitId: 'a', cumulative: { profitLoss: 60 }, units: null });
    expect(test.figures('p', '2024-12-31').units).toEqual([
      { unitId: 'a', ytdProfitLoss: -40, cumulativeProfitLoss: -40 }, { unitId: 'b', ytdProfitLoss: 0, cumulativeProfitLoss: 0 },
    ]);
  });

  it('the same unit id under two properties is two units', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, { unit: 'u' }), rent('2', 10, { unit: 'u', property: 'q' }));
    expect(test.figures('p', '2025-12-31', 'u').ytd.rent).toBe(1);
    expect(test.figures('q', '2025-12-31', 'u').ytd.rent).toBe(10);
  });

  it('ids are text: case, zeros and length tell them apart', () => {
    const test = new BooksUnderTest();
    const long = 'x'.repeat(40);
    const ids = ['7', '07', 'abc', 'ABC', long, `${long}y`, '3e5f4790-2ff7-4e0d-bb91-ed4cda705501', '3E5F4790-2FF7-4E0D-BB91-ED4CDA705501'];
    test.fold(...ids.map((id, index) => rent(`${index}`, 10 ** index, { property: id, unit: id })));
    ids.forEach((id, index) => expect(test.figures(id, '2025-12-31', id).ytd.rent).toBe(10 ** index));
    expect(test.kind(`${long}z`)).toBe('unknown');
    expect(test.kind('')).toBe('unknown');
  });

  it('is known while any row is, and unknown when the last one is gone', () => {
    const test = new BooksUnderTest();
    expect(test.kind('p')).toBe('unknown');
    test.fold(property('p', 5), rent('1', 1, { unit: 'u' }));
    test.fold(remove('1'));
    expect(test.kind('p')).toBe('figures');
    expect(test.kind('p', '2025-12-31', 'u')).toBe('unknown');
    expect(test.figures('p', '2025-12-31').units).toBeNull();
    test.fold(remove('p', {}, 'properties'));
    expect(test.kind('p')).toBe('unknown');
    test.fold(expense('1', 1, { type: 'rehab' }));
    expect(test.kind('p')).toBe('figures');
  });
});

describe('R7: cash on cash', () => {
  const cases: [string, number | null, number | null, number, string, number | null][] = [
    ['invested cash', 1_000_0000, 500_0000, 100_0000, '2025-01-02', 365_0000 * 10],
    ['down payment when no cash is invested', 0, 500_0000, 100_0000, '2025-01-02', 7300_0000],
    ['down payment when cash is null', null, 500_0000, 100_0000, '2025-01-02', 7300_0000],
    ['down payment when cash is negative', -1, 500_0000, 100_0000, '2025-01-02', 7300_0000],
    ['null when neither', null, 0, 100_0000, '2025-01-02', null],
    ['as it is on the first day', 1_000_0000, null, 100_0000, '2025-01-01', 10_0000],
    ['half to even, down', 80_000_000, null, 1, '2025-01-01', 0],
    ['half to even: 0.5 units', 2_000_000, null, 1, '2025-01-01', 0],
    ['half to even: 1.5 units', 2_000_000, null, 3, '2025-01-01', 2],
    ['half to even: −2.5 units', 2_000_000, null, -5, '2025-01-01', -2],
    ['half to even: −3.5 units', 2_000_000, null, -7, '2025-01-01', -4],
  ];
  it.each(cases)('%s', (_, cash, down, profit, asOf, expected) => {
    const test = new BooksUnderTest();
    test.fold(property('p', cash, down), rent('1', profit, { date: '2025-01-01', unit: 'u' }));
    expect(test.figures('p', asOf)).toMatchObject({ cashInvested: cash, cashOnCash: expected });
    expect(test.figures('p', asOf, 'u')).toMatchObject({ cashInvested: cash, cashOnCash: expected });
  });

  it('is null without the property\'s own row, and follows its changes', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 100));
    expect(test.figures('p', '2025-12-31')).toMatchObject({ cashInvested: null, cashOnCash: null });
    test.fold(property('p', 100));
    expect(test.figures('p', '2025-01-01').cashOnCash).toBe(0);
    expect(test.figures('p', '2025-12-31').cashOnCash).toBe(Math.round(1_000_000 * 365 / 364));
    test.fold(remove('p', {}, 'properties'));
    expect(test.figures('p', '2025-12-31').cashOnCash).toBeNull();
  });

  it('is never rounded to what a number cannot hold', () => {
    const test = new BooksUnderTest();
    test.fold(property('p', 1), rent('1', BIG, { date: '2025-01-01' }));
    expect(test.kind('p', '2025-06-01')).toBe('out-of-range');
    expect(test.kind('p', '2026-01-01')).toBe('figures');
  });
});

describe('totals out of range', () => {
  it('are never answered, and come back exactly', () => {
    const test = new BooksUnderTest();
    for (let i = 0; i < 12; i++) test.fold(rent(`${i}`, BIG - i, { unit: 'u' }));
    test.fold(rent('small', 3, { unit: 'v' }));
    expect(test.kind('p')).toBe('out-of-range');
    expect(test.kind('p', '2025-12-31', 'u')).toBe('out-of-range');
    expect(test.kind('p', '2025-12-31', 'v')).toBe('figures');
    expect(test.books.counts().outOfRangeAccounts).toBe(2);
    for (let i = 11; i >= 5; i--) {
      expect(test.kind('p')).toBe('out-of-range');
      test.fold(remove(`${i}`));
    }
    expect(test.figures('p', '2025-12-31').ytd.rent).toBe(5 * BIG - 10 + 3);
    expect(test.figures('p', '2025-12-31', 'u').ytd.rent).toBe(5 * BIG - 10);
    expect(test.books.counts().outOfRangeAccounts).toBe(0);
    test.fold(rent('5', 7, { unit: 'u' }));
    expect(test.figures('p', '2025-12-31').ytd.rent).toBe(5 * BIG - 10 + 3 + 7);
  });

  it('are counted as soon as a sum leaves it', () => {
    const test = new BooksUnderTest();
    for (let i = 0; i < 6; i++) {
      test.fold(rent(`${i}`, BIG));
      expect(test.books.counts().outOfRangeAccounts).toBe((i + 1) * BIG > LIMIT ? 1 : 0);
    }
  });

  it('a sum of years may leave the range where no year does', () => {
    const test = new BooksUnderTest();
    for (let i = 0; i < 8; i++) test.fold(rent(`${i}`, BIG, { date: `${2018 + i}-01-01` }));
    expect(test.kind('p')).toBe('out-of-range');
    for (let i = 0; i < 3; i++) test.fold(rent(`${i}`, -BIG, { date: `${2018 + i}-01-01` }));
    expect(test.figures('p', '2025-12-31').cumulative.rent).toBe(2 * BIG);
    expect(test.figures('p', '2022-12-31').cumulative.rent).toBe(-BIG);
  });

  it('a profit may leave the range where neither side does', () => {
    const test = new BooksUnderTest();
    for (let i = 0; i < 4; i++) test.fold(rent(`${i}`, BIG), expense(`${i}`, -BIG, { date: '2024-01-01' }));
    expect(test.kind('p')).toBe('out-of-range');
    test.fold(remove('0', {}, 'expenses'), remove('1', {}, 'expenses'), remove('2', {}, 'expenses'));
    expect(test.figures('p', '2025-12-31').cumulative.profitLoss).toBe(LIMIT - 5);
  });

  it('control totals stay exact beyond any number', () => {
    const test = new BooksUnderTest();
    for (let i = 0; i < 30; i++) test.fold(rent(`${i}`, BIG));
    expect(test.books.controlTotals().rent).toBe((30n * BigInt(BIG)).toString());
  });
});

describe('what an answer says of itself', () => {
  it('the last change is the account\'s own', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, { unit: 'u' }), rent('2', 1, { unit: 'v' }));
    test.now += 1000;
    test.fold(rent('2', 2, { unit: 'v' }));
    test.now += 1000;
    test.fold(rent('2', 2, { unit: 'v' }));
    expect(test.figures('p', '2025-12-31').lastCalculatedAt).toBe(test.now - 1000);
    expect(test.figures('p', '2025-12-31', 'u').lastCalculatedAt).toBe(test.now - 2000);
  });

  it('a batch tells which properties changed', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1), rent('2', 1, { property: 'q' }));
    expect(test.fold(rent('1', 1), rent('2', 1, { property: 'r' })).updated.toSorted()).toEqual(['q', 'r']);
  });
});
