/**
 * Goal: what cannot be understood marks what it may have touched, for as long as it may have, and no record is lost from the counts.
 * Method: partial updates and dead letters among good records; `complete`, the register and the counters.
 */
import { describe, expect, it } from 'vitest';
import { HAS_AMOUNT, HAS_CASH_INVESTED, HAS_DATE, HAS_DOWN_PAYMENT, HAS_FLAG, HAS_PROPERTY, HAS_TYPE, HAS_UNIT } from '../../src/change/change.ts';
import { postgres, timePosition } from '../support/batches.ts';
import type { TestRecord } from '../support/batches.ts';
import { BooksUnderTest, expense, property, rent, remove } from '../support/books-under-test.ts';

const at = (partition: number, own: number, time: number): { partition: number; position: ReturnType<typeof postgres>; time: number } =>
  ({ partition, position: postgres(own - 1, own), time });

function partial(present: number, more: Partial<Extract<TestRecord, { kind: 'partial' }>>): TestRecord {
  return { kind: 'partial', table: 'expenses', key: '1', present, ...more };
}

describe('a partial update', () => {
  const whole = expense('1', 100, { unit: 'u', flag: false, ...at(0, 10, 1) });
  const line = (books: BooksUnderTest): unknown => JSON.parse([...books.books.canonicalRows()][0]);

  it.each<[string, number, Partial<Extract<TestRecord, { kind: 'partial' }>>, unknown[]]>([
    ['amount', HAS_AMOUNT, { amount: 7 }, ['p', 'u', '2025-01-15', '0.0007', 'tax', false]],
    ['property', HAS_PROPERTY, { property: 'q' }, ['q', 'u', '2025-01-15', '0.0100', 'tax', false]],
    ['unit', HAS_UNIT, { unit: null }, ['p', null, '2025-01-15', '0.0100', 'tax', false]],
    ['unit and property', HAS_UNIT | HAS_PROPERTY, { unit: 'v', property: 'q' }, ['q', 'v', '2025-01-15', '0.0100', 'tax', false]],
    ['date', HAS_DATE, { date: '2024-02-29' }, ['p', 'u', '2024-02-29', '0.0100', 'tax', false]],
    ['type', HAS_TYPE, { type: null }, ['p', 'u', '2025-01-15', '0.0100', null, false]],
    ['flag', HAS_FLAG, { flag: true }, ['p', 'u', '2025-01-15', '0.0100', 'tax', true]],
    ['nothing', 0, {}, ['p', 'u', '2025-01-15', '0.0100', 'tax', false]],
  ])('with %s keeps the known values of the rest', (_, present, columns, expected) => {
    const test = new BooksUnderTest();
    expect(test.outcomes(whole, partial(present, { ...columns, ...at(0, 20, 2) }))).toEqual(['applied', present === 0 ? 'unchanged' : 'applied']);
    expect(line(test)).toEqual(['expenses', '1', ...expected]);
  });

  it('of a property keeps what is not there', () => {
    const test = new BooksUnderTest();
    const change = (present: number, own: number, amount: number): TestRecord =>
      ({ kind: 'partial', table: 'properties', key: 'p', present, amount, amount2: amount, ...at(0, own, own) });
    test.fold(property('p', 10, 20, at(0, 1, 1)), change(HAS_CASH_INVESTED, 2, 11));
    expect(line(test)).toEqual(['properties', 'p', '0.0011', '0.0020']);
    test.fold(change(HAS_DOWN_PAYMENT, 3, 12));
    expect(line(test)).toEqual(['properties', 'p', '0.0011', '0.0012']);
  });

  it.each<[string, TestRecord[], string]>([
    ['whose row is unknown is a dead letter', [partial(HAS_AMOUNT, { amount: 7, ...at(0, 20, 2) })], 'deadLetters'],
    ['whose row is deleted is a dead letter', [whole, remove('1', at(0, 15, 1), 'expenses'), partial(HAS_AMOUNT, { amount: 7, ...at(0, 20, 2) })], 'deadLetters'],
    ['whose row came from another partition is a dead letter', [whole, partial(HAS_AMOUNT, { amount: 7, ...at(1, 20, 2) })], 'deadLetters'],
    ['sent again to another partition is known', [whole, partial(HAS_AMOUNT, { amount: 7, ...at(0, 20, 2) }), partial(HAS_AMOUNT, { amount: 7, ...at(1, 20, 2) })], 'unchanged'],
    ['at an equal time in another partition is not', [{ ...whole, position: timePosition(1) } as TestRecord, partial(HAS_AMOUNT, { amount: 7, partition: 1, position: timePosition(1), time: 1 })], 'deadLetters'],
    ['that is a re-send is superseded', [whole, expense('1', 9, at(0, 30, 3)), partial(HAS_AMOUNT, { amount: 7, ...at(0, 20, 2) })], 'superseded'],
    ['older than the row\'s delete is superseded', [whole, remove('1', at(1, 30, 3), 'expenses'), partial(HAS_AMOUNT, { amount: 7, ...at(0, 20, 2) })], 'superseded'],
  ])('%s', (_, records, outcome) => {
    const test = new BooksUnderTest();
    expect(test.outcomes(...records).at(-1)).toBe(outcome);
    expect(test.books.openDeadLetters().length).toBe(outcome === 'deadLetters' ? 1 : 0);
  });
});

describe('a dead letter', () => {
  const letter = (more: Partial<Extract<TestRecord, { kind: 'letter' }>> = {}): TestRecord => ({ kind: 'letter', table: 'rents', key: '1', ...more });
  const complete = (test: BooksUnderTest, id = 'p'): boolean => test.figures(id, '2025-12-31').complete;

  it('marks the property it names and the one its row is on', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, at(0, 10, 1)), rent('2', 1, { property: 'q' }), rent('3', 1, { property: 'r' }));
    const { opened } = test.fold(letter({ property: 'q', ...at(0, 20, 2) }));
    expect(opened[0].properties.toSorted()).toEqual(['p', 'q']);
    expect([complete(test), complete(test, 'q'), complete(test, 'r')]).toEqual([false, false, true]);
    expect(test.figures('p', '2025-12-31').ytd.rent).toBe(1);
    expect(test.books.counts()).toMatchObject({ openDeadLetters: 1, incompleteProperties: 2 });
  });

  it.each<[string, TestRecord, boolean]>([
    ['a later good record', rent('1', 2, at(0, 30, 3)), true],
    ['the same image again', rent('1', 1, at(0, 30, 3)), true],
    ['a delete', remove('1', at(0, 30, 3)), true],
    ['a tombstone', { kind: 'tombstone', table: 'rents', key: '1' }, true],
    ['a superseded record', rent('1', 2, at(0, 5, 1)), false],
    ['the image before it sent again', rent('1', 1, at(0, 10, 1)), false],
    ['another row', rent('2', 2, at(0, 30, 3)), false],
    ['the same key of another table', expense('1', 2, at(0, 30, 3)), false],
    ['a later record of another partition', rent('1', 2, at(1, 30, 3)), true],
  ])('ends by %s or not', (_, record, ends) => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, at(0, 10, 1)), rent('9', 1), letter(at(0, 20, 2)));
    expect(complete(test)).toBe(false);
    test.fold(record);
    expect(complete(test)).toBe(ends);
    expect(test.books.openDeadLetters().length).toBe(ends ? 0 : 1);
  });

  it('does not end by an older record that is read later, and marks the property that one brings', () => {
    const test = new BooksUnderTest();
    test.fold(letter(at(0, 20, 2)));
    test.fold(rent('1', 1, at(1, 10, 1)));
    expect(complete(test)).toBe(false);
    test.fold(rent('1', 1, at(1, 30, 3)));
    expect(complete(test)).toBe(true);
  });

  it.each<[string, TestRecord, TestRecord, boolean]>([
    ['a later image', rent('1', 1, at(0, 30, 3)), letter(at(1, 20, 2)), true],
    ['an earlier image', rent('1', 1, at(0, 10, 1)), letter(at(1, 20, 2)), false],
    ['a later delete', remove('1', at(0, 30, 3)), letter(at(1, 20, 2)), true],
    ['a delete at the same position', remove('1', at(0, 20, 2)), letter({ ...at(1, 20, 2), property: 'p' }), false],
    ['an image at the same position', rent('1', 1, at(0, 20, 2)), letter(at(1, 20, 2)), true],
    ['an image at the same time', { ...rent('1', 1), position: timePosition(2), time: 2 } as TestRecord, letter({ partition: 1, position: timePosition(2), time: 2 }), false],
    ['an image committed after the letter was written, which has no position', rent('1', 1, at(0, 30, 99)), letter({ partition: 1, recordTime: 99 }), true],
    ['an image committed before that', rent('1', 1, at(0, 30, 98)), letter({ partition: 1, recordTime: 99 }), false],
    ['a tombstone of another partition', { kind: 'tombstone', table: 'rents', key: '1' }, letter({ ...at(1, 20, 2), property: 'p' }), false],
  ])('is open or not whichever is read first: it, or %s', (_, good, bad, ends) => {
    for (const records of [[good, bad], [bad, good]]) {
      const test = new BooksUnderTest();
      test.fold(rent('9', 1));
      expect(test.fold(...records).opened.length).toBe(1);
      expect([complete(test), test.books.openDeadLetters().length]).toEqual(ends ? [true, 0] : [false, 1]);
    }
  });

  it.each<[string, TestRecord, TestRecord, boolean]>([
    ['of another partition, later', { kind: 'truncate', table: 'rents', ...at(0, 30, 3) }, letter({ property: 'p', ...at(1, 20, 2) }), true],
    ['of another partition, earlier', { kind: 'truncate', table: 'rents', ...at(0, 10, 1) }, letter({ property: 'p', ...at(1, 20, 2) }), false],
    ['of another table', { kind: 'truncate', table: 'expenses', ...at(0, 30, 3) }, letter({ property: 'p', ...at(1, 20, 2) }), false],
    ['of another partition, when the letter has no position', { kind: 'truncate', table: 'rents', ...at(0, 30, 3) }, letter({ property: 'p', partition: 1, recordTime: 2 }), false],
  ])('ends by a truncate or not, whichever is read first: %s', (_, truncate, bad, ends) => {
    for (const records of [[truncate, bad], [bad, truncate]]) {
      const test = new BooksUnderTest();
      test.fold(property('p', 1, 1), ...records);
      expect([complete(test), test.books.openDeadLetters().length]).toEqual(ends ? [true, 0] : [false, 1]);
    }
  });

  it('ends by a truncate behind it in its own partition, and is open behind one', () => {
    const test = new BooksUnderTest();
    const bad = letter({ property: 'p', recordTime: 2 });
    const truncate: TestRecord = { kind: 'truncate', table: 'rents', ...at(0, 30, 3) };
    test.fold(property('p', 1, 1), bad, truncate);
    expect(complete(test)).toBe(true);
    test.fold(bad);
    expect(complete(test)).toBe(false);
  });

  it('that is sent again, with the good record behind it, is not open in between', () => {
    const test = new BooksUnderTest();
    const bad = letter(at(0, 20, 2));
    test.fold(rent('1', 1, at(0, 10, 1)), bad, rent('1', 2, at(0, 30, 3)), bad);
    expect([complete(test), test.books.openDeadLetters().length]).toEqual([true, 0]);
  });

  it.each([false, true])('marks what the row was on just before it, however late that is read (restarted: %s)', (restarts) => {
    const test = new BooksUnderTest();
    const others = ['p', 'q', 'r', 's'].map((id) => rent(id, 1, { property: id }));
    test.fold(...others, letter({ property: 's', ...at(0, 20, 2) }), rent('1', 1, { property: 'q', ...at(1, 10, 1) }));
    if (restarts) test.restart(test.export('full'));
    const marked = (): boolean[] => ['p', 'q', 'r', 's'].map((id) => !complete(test, id));
    expect(marked()).toEqual([false, true, false, true]);
    test.fold(rent('1', 1, { property: 'r', ...at(2, 15, 1) }));
    expect(marked()).toEqual([false, false, true, true]);
    test.fold(remove('1', at(2, 17, 1)));
    expect(marked()).toEqual([false, false, false, true]);
    test.fold(rent('1', 1, { property: 's', ...at(2, 18, 1) }));
    test.fold(rent('1', 1, { property: 'q', ...at(2, 19, 1) }));
    expect(marked()).toEqual([false, true, false, true]);
    test.fold(rent('1', 1, { property: 'p', ...at(2, 21, 1) }));
    expect(marked()).toEqual([false, false, false, false]);
  });

  it('ends by an image that says nothing of when it was', () => {
    const test = new BooksUnderTest();
    test.fold(rent('9', 1), letter({ property: 'p', recordTime: 100, ...at(0, 20, 50) }));
    test.fold({ ...rent('1', 1), partition: 1, position: timePosition(Number.NaN), time: Number.NaN } as TestRecord);
    expect(complete(test)).toBe(true);
  });

  it('keeps its place over a restart', () => {
    const test = new BooksUnderTest();
    test.fold(rent('9', 1), letter({ property: 'p', recordTime: 100, ...at(0, 20, 50) }));
    test.restart(test.export('full'));
    test.fold(rent('1', 1, at(1, 10, 1)));
    expect(complete(test)).toBe(false);
    test.fold(rent('1', 1, at(1, 30, 60)));
    expect(complete(test)).toBe(true);
  });

  it('without a position ends by another partition\'s record unless that was committed before the letter was written', () => {
    const test = new BooksUnderTest();
    test.fold(letter({ property: 'p', recordTime: 100 }), rent('1', 1, at(1, 10, 99)));
    expect(complete(test)).toBe(false);
    test.fold(rent('1', 2, at(1, 20, 100)));
    expect(complete(test)).toBe(true);
  });

  it('that names a property only stays until it is dismissed', () => {
    const test = new BooksUnderTest();
    const { opened, partitions } = test.fold(rent('1', 1), { kind: 'letter', property: 'p' });
    expect(partitions[0].unattributed).toBe(0);
    test.fold(rent('1', 2), remove('2'));
    expect(complete(test)).toBe(false);
    const { topic, partition, offset } = opened[0].letter;
    expect(test.books.dismissDeadLetter(topic, partition, offset)).toBe(true);
    expect(test.books.dismissDeadLetter(topic, partition, offset)).toBe(false);
    expect(complete(test)).toBe(true);
  });

  it('that names nothing is unattributed; a property without rows stays unknown', () => {
    const test = new BooksUnderTest();
    expect(test.fold({ kind: 'letter' }, letter({ property: 'ghost' }), letter({ key: '8' })).partitions[0]).toMatchObject({ read: 3, deadLetters: 3, unattributed: 1 });
    expect(test.kind('ghost')).toBe('unknown');
    expect(test.books.counts()).toMatchObject({ openDeadLetters: 3, incompleteProperties: 0 });
    test.fold(rent('5', 1, { property: 'ghost' }));
    expect(complete(test, 'ghost')).toBe(false);
  });

  it('of a changed primary key marks where the old row was', () => {
    const test = new BooksUnderTest();
    test.fold(expense('1', 1, at(0, 10, 1)), expense('9', 1));
    const result = test.fold(
      { kind: 'delete', table: 'expenses', key: '1', continued: true, ...at(0, 20, 2) }, { ...partial(HAS_AMOUNT, { amount: 5, ...at(0, 20, 2) }), key: '2' } as TestRecord,
    );
    expect(result.partitions[0]).toMatchObject({ read: 1, deadLetters: 1, applied: 0 });
    expect(complete(test)).toBe(false);
  });

  it('two of one row both end, and survive a restart', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1, at(0, 10, 1)), letter(at(0, 20, 2)), letter(at(0, 21, 2)));
    test.restart(test.export('full'));
    expect(test.books.openDeadLetters().length).toBe(2);
    expect(complete(test)).toBe(false);
    test.fold(rent('1', 2, at(0, 30, 3)));
    expect(complete(test)).toBe(true);
  });
});

it('every record is counted once: read = applied + unchanged + superseded + passed over + dead letters', () => {
  const test = new BooksUnderTest();
  const { partitions } = test.fold(
    rent('1', 1, at(0, 10, 1)), rent('1', 1, at(0, 10, 1)), rent('1', 2, at(0, 5, 1)), { kind: 'passed-over' }, { kind: 'letter' },
    { kind: 'delete', table: 'rents', key: '1', continued: true, ...at(0, 20, 2) }, rent('3', 1, at(0, 20, 2)), rent('7', 1, at(1, 20, 2)),
  );
  expect(partitions).toMatchObject([
    { read: 6, applied: 2, unchanged: 1, superseded: 1, passedOver: 1, deadLetters: 1 }, { read: 1, applied: 1 },
  ]);
});
