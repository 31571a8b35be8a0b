/**
 * Goal: a cut holds what it must and nothing more: a delta what changed, with the accounts touched; an aborted cut was never taken.
 * Method: books by hand, blocks looked at and loaded again. (Cuts while folding goes on: random.test.ts.)
 */
import { describe, expect, it } from 'vitest';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from '../../src/ledger/ledger.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { binlog, postgres } from '../support/batches.ts';
import { BooksUnderTest, countStates, expense, property, rent, remove } from '../support/books-under-test.ts';

const at = (partition: number, own: number, time: number): { partition: number; position: ReturnType<typeof postgres>; time: number } =>
  ({ partition, position: postgres(own - 1, own), time });

describe('a delta', () => {
  it('holds the rows changed since the last cut, once each', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1), rent('2', 1), rent('3', 1));
    expect(test.books.changedSinceCut).toBe(3);
    test.export('delta');
    expect(test.books.changedSinceCut).toBe(0);
    test.fold(rent('1', 2), rent('1', 3), remove('2'), remove('9'));
    expect(test.books.changedSinceCut).toBe(3);
    const delta = test.export('delta');
    expect([ROW_LIVE, ROW_DELETED, ROW_FORGOTTEN].map((state) => countStates(delta, state))).toEqual([1, 2, 0]);
    expect(test.export('delta')).toEqual([]);
  });

  it('a repeated log makes none', () => {
    const test = new BooksUnderTest();
    const records = [rent('1', 1, at(0, 10, 1)), remove('2', at(0, 11, 1)), property('p', 5, 6, at(0, 12, 1)), expense('1', 2, at(0, 13, 1))];
    test.fold(...records);
    test.export('full');
    test.fold(...records);
    expect(test.books.changedSinceCut).toBe(0);
  });

  it('counts a truncate', () => {
    const test = new BooksUnderTest();
    test.fold({ kind: 'truncate', table: 'rents', ...at(0, 10, 1) });
    expect(test.books.changedSinceCut).toBe(1);
    const cut = test.books.beginCut('delta');
    expect(cut.marks).toMatchObject([{ table: 'rents', topic: 'topic', partition: 0, offset: 0, commitTime: 1 }]);
    expect(cut.next(10)).toBeNull();
    cut.abort();
    expect(test.books.changedSinceCut).toBe(1);
  });

  it('tells when the account a row moved away from was last changed', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, { unit: 'u' }), rent('2', 1, { unit: 'u' }));
    const base = test.export('full');
    test.now += 5000;
    test.fold(rent('1', 1, { unit: 'v', property: 'q' }));
    test.restart([...base, ...test.export('delta')]);
    expect(test.figures('p', '2025-12-31').lastCalculatedAt).toBe(test.now);
    expect(test.figures('p', '2025-12-31', 'u').lastCalculatedAt).toBe(test.now);
    expect(test.figures('q', '2025-12-31', 'v').lastCalculatedAt).toBe(test.now);
  });

  it('shows the time an account had when the cut began', () => {
    const test = new BooksUnderTest();
    const began = test.now;
    test.fold(rent('1', 1), rent('2', 1));
    const cut = test.books.beginCut('delta');
    test.now += 5000;
    test.fold(rent('2', 2));
    expect(cut.next(10)?.accounts.lastChangedAt[0]).toBe(began);
    cut.commit();
  });
});

describe('a cut', () => {
  it('aborted counts as never taken', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1), rent('2', 1));
    const cut = test.books.beginCut('full');
    expect(cut.remaining).toBe(2);
    cut.next(1);
    expect(cut.remaining).toBe(1);
    test.fold(rent('2', 7), rent('3', 1));
    cut.abort();
    expect(test.books.changedSinceCut).toBe(3);
    expect(countStates(test.export('delta'), ROW_LIVE)).toBe(3);
  });

  it('is one at a time, and ended once', () => {
    const test = new BooksUnderTest();
    const cut = test.books.beginCut('full');
    expect(() => test.books.beginCut('delta')).toThrow(/open already/);
    cut.commit();
    expect(() => cut.commit()).toThrow();
    expect(() => cut.next(1)).toThrow();
    expect(() => cut.abort()).toThrow();
  });

  it('full has every live row and remembered delete, and no forgotten key', () => {
    const test = new BooksUnderTest({ deletedKeysDays: 1 });
    test.fold(rent('1', 1), remove('2'), rent('3', 1), property('p', 1));
    test.export('full');
    test.now += 2 * 86_400_000;
    test.fold(remove('3'));
    const blocks = test.export('full');
    expect([ROW_LIVE, ROW_DELETED, ROW_FORGOTTEN].map((state) => countStates(blocks, state))).toEqual([2, 1, 0]);
  });
});

describe('loading', () => {
  it('gives back every kind of row, identifier and position', () => {
    const test = new BooksUnderTest();
    const long = 'y'.repeat(100);
    test.fold(
      property(long, 123_456, null, at(0, 5, 1)), property('q', null, 7), expense(long, -1, { property: long, unit: long, type: 'z'.repeat(50), flag: true }),
      rent('3e5f4790-2ff7-4e0d-bb91-ed4cda705501', 1e15 - 1, { property: '3E5F4790-2FF7-4E0D-BB91-ED4CDA705501', position: binlog(3, 9, 2, 77), time: 9 }), remove('gone', at(3, 8, 4)),
      expense('null', 5, { type: null }), expense('empty', 5, { type: '' }),
    );
    const rows = [...test.books.canonicalRows()];
    const full = test.export('full');
    test.restart(structuredClone(full));
    expect([...test.books.canonicalRows()]).toEqual(rows);
    expect(test.books.changedSinceCut).toBe(0);
    expect(test.export('full')).toEqual(full);
    expect(test.outcomes(rent('3e5f4790-2ff7-4e0d-bb91-ed4cda705501', 5, { partition: 1, position: binlog(3, 9, 2, 76), time: 8 }))).toEqual(['superseded']);
  });

  it('is for empty books, and nothing is asked of them meanwhile', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1));
    expect(() => test.books.load()).toThrow(/empty/);
    const books = createBooks(test.definitions);
    const loader = books.load();
    expect(() => books.figures({ propertyId: 'p', unitId: null, asOf: 0 })).toThrow(/loaded/);
    loader.finish();
    expect(books.figures({ propertyId: 'p', unitId: null, asOf: 0 }).kind).toBe('unknown');
  });

  it('keeps any number of expense types apart', () => {
    const test = new BooksUnderTest();
    const types = 66_000;
    for (let first = 0; first < types; first += 1000) {
      test.fold(...Array.from({ length: 1000 }, (_, index) => expense(`${first + index}`, 1, { type: `type ${first + index}` })));
    }
    const rows = [...test.books.canonicalRows()];
    expect(new Set(rows.map((line) => JSON.parse(line)[6])).size).toBe(types);
    test.restart(test.export('full'));
    expect([...test.books.canonicalRows()]).toEqual(rows);
    test.fold(expense('65999', 1, { type: 'tax' }), remove('65998', {}, 'expenses'));
    expect(test.figures('p', '2025-12-31').ytd).toMatchObject({ tax: 1, other: types - 2 });
  });
});
