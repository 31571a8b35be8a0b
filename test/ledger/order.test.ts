/**
 * Goal: whichever partition a record comes from and however often, the row ends as the source has it.
 * Method: two or three records of one row by hand, folded one by one; what became of each, and the amount that stands.
 */
import { describe, expect, it } from 'vitest';
import { binlog, noPosition, postgres, timePosition } from '../support/batches.ts';
import type { TestRecord } from '../support/batches.ts';
import { BooksUnderTest, rent, remove } from '../support/books-under-test.ts';

interface Case {
  readonly name: string;
  readonly records: readonly TestRecord[];
  readonly outcomes: readonly string[];
  /** Total revenue of `p` that stands, or 'unknown'. */
  readonly stands: number | string;
}

function run({ records, outcomes, stands }: Case): void {
  const test = new BooksUnderTest();
  expect(test.outcomes(...records)).toEqual(outcomes);
  expect(test.revenue()).toBe(stands);
}

const at = (partition: number, own: number, time?: number): { partition: number; position: ReturnType<typeof postgres>; time: number | undefined } =>
  ({ partition, position: postgres(own - 1, own), time });

describe('a row is its newest image', () => {
  it.each<Case>([
    { name: 'a change takes the old contribution out', records: [rent('1', 5, at(0, 10, 1)), rent('1', 7, at(0, 20, 2))], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'the same image again changes nothing', records: [rent('1', 5, at(0, 10, 1)), rent('1', 5, at(0, 20, 2))], outcomes: ['applied', 'unchanged'], stands: 5 },
    { name: 'a move leaves the old property', records: [rent('1', 5, at(0, 10, 1)), rent('1', 5, { ...at(0, 20, 2), property: 'q' })], outcomes: ['applied', 'applied'], stands: 'unknown' },
    { name: 'tables have keys of their own', records: [rent('1', 5, at(0, 10, 1)), remove('1', at(0, 20, 2), 'expenses')], outcomes: ['applied', 'applied'], stands: 5 },
  ])('$name', run);
});

describe('from another partition', () => {
  it.each<Case>([
    { name: 'a higher position replaces', records: [rent('1', 5, at(0, 10, 1)), rent('1', 7, at(1, 20, 2))], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'a lower position is superseded, even with a later time', records: [rent('1', 5, at(0, 20, 1)), rent('1', 7, at(1, 10, 2))], outcomes: ['applied', 'superseded'], stands: 5 },
    { name: 'an equal position replaces', records: [rent('1', 5, at(0, 10, 1)), rent('1', 7, at(1, 10, 1))], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'on equality a delete loses', records: [rent('1', 5, at(0, 10, 1)), remove('1', at(1, 10, 1))], outcomes: ['applied', 'superseded'], stands: 5 },
    { name: 'on equality a delete read first loses too', records: [remove('1', at(1, 10, 1)), rent('1', 5, at(0, 10, 1))], outcomes: ['applied', 'applied'], stands: 5 },
    { name: 'a delete of a row never seen is remembered', records: [remove('1', at(1, 20, 2)), rent('1', 5, at(0, 10, 1))], outcomes: ['applied', 'superseded'], stands: 'unknown' },
    { name: 'the row keeps the highest position it has seen', records: [rent('1', 5, at(0, 30, 3)), rent('1', 5, at(0, 30, 3)), rent('1', 6, at(1, 20, 2))], outcomes: ['applied', 'unchanged', 'superseded'], stands: 5 },
    { name: 'a higher position with the same image counts as seen', records: [rent('1', 5, at(0, 10, 1)), rent('1', 5, at(1, 30, 3)), rent('1', 6, at(0, 20, 2))], outcomes: ['applied', 'unchanged', 'superseded'], stands: 5 },
    { name: 'a snapshot row loses against a change at its position', records: [remove('1', { partition: 1, position: postgres(null, 10), time: 1 }), rent('1', 5, { partition: 0, position: postgres(null, 10, { snapshot: true }), time: 1 })], outcomes: ['applied', 'superseded'], stands: 'unknown' },
    { name: 'an epoch outranks positions', records: [rent('1', 5, { partition: 0, position: postgres(99, 100), time: 1 }), rent('1', 7, { partition: 1, position: postgres(1, 2, { epoch: 1 }), time: 2 })], outcomes: ['applied', 'applied'], stands: 7 },
  ])('$name', run);

  it.each<Case>([
    { name: 'a later time wins', records: [rent('1', 5, { partition: 0, position: binlog(1, 5, 0, 1), time: 1 }), rent('1', 7, { partition: 1, position: binlog(1, 4, 0, 2), time: 2 })], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'an earlier time loses', records: [rent('1', 5, { partition: 0, position: binlog(1, 5, 0, 1), time: 2 }), rent('1', 7, { partition: 1, position: timePosition(1), time: 1 })], outcomes: ['applied', 'superseded'], stands: 5 },
    { name: 'an equal time: a delete loses', records: [rent('1', 5, { partition: 0, position: noPosition, time: 1 }), remove('1', { partition: 1, position: noPosition, time: 1 })], outcomes: ['applied', 'superseded'], stands: 5 },
  ])('where positions cannot be compared, $name, and is counted', (one) => {
    const test = new BooksUnderTest();
    const results = one.records.map((record) => test.fold(record).partitions[0]);
    expect(results.map(({ orderAmbiguous }) => orderAmbiguous)).toEqual([0, 1]);
    expect(test.revenue()).toBe(one.stands);
  });
});

describe('from the same partition', () => {
  it.each<Case>([
    { name: 'the later record wins though its position fell', records: [rent('1', 5, at(0, 20, 1)), rent('1', 7, at(0, 10, 2))], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'a re-send is superseded: position lower, time not later', records: [rent('1', 5, at(0, 10, 1)), rent('1', 7, at(0, 20, 2)), rent('1', 5, at(0, 10, 1)), rent('1', 7, at(0, 20, 2))], outcomes: ['applied', 'applied', 'superseded', 'unchanged'], stands: 7 },
    { name: 'an equal position replaces', records: [remove('1', at(0, 10, 1)), rent('1', 7, at(0, 10, 1))], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'a delete at an equal position is a re-send', records: [rent('1', 7, at(0, 10, 1)), remove('1', at(0, 10, 1))], outcomes: ['applied', 'superseded'], stands: 7 },
    { name: 'a delete at an equal time is none: a time is no position', records: [rent('1', 7, { position: timePosition(1), time: 1 }), remove('1', { position: timePosition(1), time: 1 })], outcomes: ['applied', 'applied'], stands: 'unknown' },
    { name: 'an unknown time proves no re-send', records: [rent('1', 5, { position: postgres(20, 20) }), rent('1', 7, { position: postgres(10, 10) })], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'incomparable positions leave the log\'s order', records: [rent('1', 5, { position: binlog(1, 5, 0, 1), time: 2 }), rent('1', 7, { position: binlog(1, 5, 0, 2), time: 1 })], outcomes: ['applied', 'applied'], stands: 7 },
    { name: 'the latest time counts, also that of a superseded record', records: [rent('1', 5, at(0, 20, 1)), rent('1', 6, at(1, 10, 9)), rent('1', 7, at(0, 15, 5))], outcomes: ['applied', 'superseded', 'superseded'], stands: 5 },
    { name: 'without times the highest position stays', records: [rent('1', 5, { position: postgres(20, 20) }), rent('1', 7, { position: postgres(10, 10) }), rent('1', 9, { partition: 1, position: postgres(15, 15) })], outcomes: ['applied', 'applied', 'superseded'], stands: 7 },
  ])('$name', run);

  it('a repeated stretch never shows a state gone by, and ends where it was', () => {
    const test = new BooksUnderTest();
    const stretch = [rent('1', 5, at(0, 10, 1)), remove('1', at(0, 20, 2)), rent('1', 6, at(0, 30, 3)), rent('1', 7, at(0, 40, 4))];
    test.outcomes(...stretch);
    for (const record of stretch) {
      test.fold(record);
      expect(test.revenue()).toBe(7);
    }
  });
});

describe('positions that fall while times rise', () => {
  it('raise one warning a batch that suggests the epoch', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 5, at(0, 20, 1)), rent('2', 5, at(0, 21, 1)));
    const { warnings } = test.fold(rent('1', 7, at(0, 10, 1_700_000_000_000)), rent('2', 8, at(0, 11, 1_700_000_000_001)));
    expect(warnings).toEqual([{ code: 'POSITION_FELL', message: expect.stringMatching(/^topic\/0 at offset 2, a row of rents: .*2023-11-14T22:13:20.000Z.*\(2 such in this batch\).*RENTFOLD_SOURCE_EPOCHS/) }]);
  });

  it('raise none for a snapshot row or a re-send', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 5, at(0, 20, 1)));
    expect(test.fold(rent('1', 7, at(0, 10, 1))).warnings).toEqual([]);
    expect(test.fold(rent('1', 7, { position: postgres(1, 1, { snapshot: true }), time: 9 })).warnings).toEqual([]);
  });
});

it('a changed primary key is one record: the old row goes, the new one comes', () => {
  const test = new BooksUnderTest();
  test.fold(rent('1', 5, at(0, 10, 1)));
  const change = (): TestRecord[] => [
    { kind: 'delete', table: 'rents', key: '1', continued: true, ...at(0, 20, 2) }, rent('2', 5, at(0, 20, 2)),
  ];
  expect(test.fold(...change()).partitions[0]).toMatchObject({ read: 1, applied: 1 });
  expect(test.revenue()).toBe(5);
  expect(test.fold(...change()).partitions[0]).toMatchObject({ read: 1, unchanged: 1 });
  test.fold(rent('1', 9, at(0, 30, 3)));
  expect(test.fold(...change()).partitions[0]).toMatchObject({ read: 1, unchanged: 1 });
  expect(test.revenue()).toBe(14);
});

it('a half that changed something makes the record applied', () => {
  const test = new BooksUnderTest();
  test.fold(rent('2', 5, at(0, 20, 2)));
  const half: TestRecord = { kind: 'delete', table: 'rents', key: '1', continued: true, ...at(0, 20, 2) };
  expect(test.fold(half, rent('2', 5, at(0, 20, 2))).partitions[0]).toMatchObject({ read: 1, applied: 1, unchanged: 0 });
});
