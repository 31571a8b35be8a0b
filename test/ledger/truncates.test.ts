/**
 * Goal: truncates, tombstones and remembered deletes do what they say and no more, wherever they are read.
 * Method: a few rows by hand; the order of reading turned round where it must not matter.
 */
import { describe, expect, it } from 'vitest';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from '../../src/ledger/ledger.ts';
import { postgres, timePosition } from '../support/batches.ts';
import type { TestRecord } from '../support/batches.ts';
import { BooksUnderTest, countStates, expense, rent, remove } from '../support/books-under-test.ts';

const DAY = 86_400_000;
const at = (partition: number, own: number, time: number): { partition: number; position: ReturnType<typeof postgres>; time: number } =>
  ({ partition, position: postgres(own - 1, own), time });
const truncate = (partition: number, own: number, time: number): TestRecord => ({ kind: 'truncate', table: 'rents', ...at(partition, own, time) });

describe('a truncate', () => {
  it('removes the rows of its table at or below its position, in any reading order', () => {
    const records = [rent('1', 1, at(0, 10, 1)), rent('2', 10, at(1, 20, 2)), truncate(2, 25, 3), rent('3', 100, at(1, 30, 4)), expense('1', 7, at(0, 5, 1))];
    for (const order of [[0, 1, 2, 3, 4], [2, 0, 1, 3, 4], [3, 2, 1, 0, 4], [1, 3, 0, 4, 2]]) {
      const test = new BooksUnderTest();
      test.outcomes(...order.map((index) => records[index]));
      expect(test.revenue()).toBe(100);
      expect(test.figures('p', '2025-12-31').ytd.tax).toBe(7);
    }
  });

  it('drops what stands at or below it when it is read later, unless its commit time is later', () => {
    const test = new BooksUnderTest();
    test.fold(truncate(0, 25, 100));
    expect(test.outcomes(rent('1', 1, at(1, 25, 100)), rent('1', 1, at(0, 20, 99)), remove('2', at(1, 20, 99)), rent('3', 5, at(1, 20, 101))))
      .toEqual(['superseded', 'superseded', 'superseded', 'applied']);
    expect(test.revenue()).toBe(5);
    expect(test.books.counts()).toMatchObject({ rememberedDeletes: 0, truncateMarks: 1 });
  });

  it('removes its own partition\'s earlier rows though positions fell', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, at(0, 90, 1)), rent('2', 10, at(1, 90, 1)), truncate(0, 25, 2));
    expect(test.revenue()).toBe(10);
  });

  it('read again changes nothing, though rows have come at lower positions since', () => {
    const test = new BooksUnderTest();
    test.fold(truncate(0, 25, 2), rent('1', 1, at(0, 20, 3)));
    expect(test.outcomes(truncate(0, 25, 2), truncate(1, 25, 2))).toEqual(['unchanged', 'unchanged']);
    expect(test.revenue()).toBe(1);
  });

  it('read again in its own partition leaves what stands above it, though its clock was behind', () => {
    const test = new BooksUnderTest();
    expect(test.outcomes(truncate(0, 25, 5), rent('1', 1, at(0, 30, 4)), truncate(0, 25, 5))).toEqual(['applied', 'applied', 'unchanged']);
    expect(test.revenue()).toBe(1);
  });

  it('that another one covers is not kept beside it', () => {
    const test = new BooksUnderTest();
    for (let day = 1; day <= 50; day++) test.fold(truncate(day % 3, day, day));
    expect(test.books.counts().truncateMarks).toBe(1);
    expect(test.outcomes(rent('1', 1, at(1, 50, 50)), rent('1', 1, at(1, 51, 51)))).toEqual(['superseded', 'applied']);
  });

  it('known by its time only leaves the log\'s order in its own partition', () => {
    const test = new BooksUnderTest();
    const time = (partition: number): { partition: number; position: ReturnType<typeof timePosition>; time: number } => ({ partition, position: timePosition(7), time: 7 });
    test.fold({ kind: 'truncate', table: 'rents', ...time(0) });
    expect(test.outcomes(rent('1', 1, time(0)), rent('2', 1, time(1)))).toEqual(['applied', 'superseded']);
  });

  it('folded while a delta is drawn is told by the next one', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, at(0, 10, 1)));
    const cut = test.books.beginCut('delta');
    test.fold(truncate(0, 25, 2));
    const base = [cut.next(10)!];
    cut.commit();
    const delta = test.export('delta');
    expect([countStates(base, ROW_LIVE), countStates(delta, ROW_FORGOTTEN)]).toEqual([1, 1]);
    test.restart([...base, ...delta]);
    expect(test.revenue()).toBe('unknown');
  });

  it('holds after a restart, and its rows leave no trace', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, at(0, 10, 1)), rent('2', 1, at(0, 11, 1)));
    const base = test.export('full');
    test.fold(truncate(0, 25, 2));
    const delta = test.export('delta');
    expect(countStates(delta, ROW_FORGOTTEN)).toBe(2);
    test.restart([...base, ...delta]);
    expect(test.outcomes(rent('1', 1, at(1, 10, 1)))).toEqual(['superseded']);
    expect(test.books.counts()).toMatchObject({ rows: { rents: 0 }, rememberedDeletes: 0, truncateMarks: 1 });
  });
});

describe('a tombstone', () => {
  const tombstone = (partition: number): TestRecord => ({ kind: 'tombstone', table: 'rents', key: '1', partition });

  it('deletes the row whose newest image came from its own partition', () => {
    const test = new BooksUnderTest();
    expect(test.outcomes(rent('1', 1, at(0, 10, 1)), tombstone(0), tombstone(0))).toEqual(['applied', 'applied', 'unchanged']);
    expect(test.revenue()).toBe('unknown');
  });

  it('leaves a row that another partition has written since', () => {
    const test = new BooksUnderTest();
    expect(test.outcomes(rent('1', 1, at(0, 10, 1)), rent('1', 2, at(1, 20, 2)), tombstone(0))).toEqual(['applied', 'applied', 'superseded']);
    expect(test.revenue()).toBe(2);
  });

  it('keeps the position of the row, so that older records stay out', () => {
    const test = new BooksUnderTest();
    expect(test.outcomes(rent('1', 1, at(0, 20, 2)), tombstone(0), rent('1', 3, at(1, 10, 1)), rent('1', 4, at(1, 30, 3))))
      .toEqual(['applied', 'applied', 'superseded', 'applied']);
  });

  it('of a row never seen says nothing: it has no position', () => {
    const test = new BooksUnderTest();
    expect(test.outcomes(tombstone(0), rent('1', 1, at(1, 10, 1)))).toEqual(['unchanged', 'applied']);
    expect(test.books.counts().rememberedDeletes).toBe(0);
  });
});

describe('a remembered delete', () => {
  it('is dropped some days after it was folded, once nothing is behind', () => {
    const test = new BooksUnderTest({ deletedKeysDays: 2 });
    test.mayForgetDeletes = false;
    test.fold(remove('1', at(1, 20, 2)));
    test.now += 3 * DAY;
    test.fold();
    expect(test.books.counts().rememberedDeletes).toBe(1);
    test.mayForgetDeletes = true;
    test.fold();
    expect(test.books.counts().rememberedDeletes).toBe(0);
    expect(test.outcomes(rent('1', 5, at(0, 10, 1)))).toEqual(['applied']);
  });

  it('is kept until then', () => {
    const test = new BooksUnderTest({ deletedKeysDays: 2 });
    test.fold(remove('1', at(1, 20, 2)));
    test.now += 2 * DAY - 1;
    expect(test.outcomes(rent('1', 5, at(0, 10, 1)))).toEqual(['superseded']);
    expect(test.books.counts().rememberedDeletes).toBe(1);
  });

  it('that another delete renews counts from that one', () => {
    const test = new BooksUnderTest({ deletedKeysDays: 2 });
    test.fold(remove('1', at(1, 20, 2)), remove('2', at(1, 21, 2)));
    test.now += DAY;
    test.fold(remove('1', at(1, 30, 3)));
    test.now += DAY;
    test.fold();
    expect(test.books.counts().rememberedDeletes).toBe(1);
  });

  it('survives a restart and is forgotten for good by a delta', () => {
    const test = new BooksUnderTest({ deletedKeysDays: 2 });
    test.fold(rent('1', 5, at(0, 10, 1)), remove('1', at(1, 20, 2)), remove('2', at(1, 20, 2)));
    const base = test.export('full');
    expect(countStates(base, ROW_DELETED)).toBe(2);
    test.restart(base);
    expect(test.outcomes(rent('1', 5, at(0, 10, 1)))).toEqual(['superseded']);
    test.now += 2 * DAY;
    test.fold();
    expect(test.books.counts().rememberedDeletes).toBe(0);
    const delta = test.export('delta');
    expect(countStates(delta, ROW_FORGOTTEN)).toBe(2);
    test.restart([...base, ...delta]);
    expect(test.books.counts().rememberedDeletes).toBe(0);
    expect(test.books.changedSinceCut).toBe(0);
  });

  it('does not hold up later ones, and its slot is used again', () => {
    const test = new BooksUnderTest({ deletedKeysDays: 1 });
    for (let day = 0; day < 30; day++) {
      for (let key = 0; key < 50; key++) test.fold(rent(`${day}-${key}`, 1), remove(`${day}-${key}`));
      test.now += DAY;
    }
    test.fold();
    expect(test.books.counts().rememberedDeletes).toBe(0);
    expect(test.books.beginCut('full').remaining).toBe(0);
  });
});
