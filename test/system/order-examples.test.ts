/**
 * Goal: cases of order that random histories once found, or make too rarely to rely on, each by itself.
 * Method: a few records of one rent, written down by hand, through the real decoder, books and state in the orders that matter.
 */
import { expect, test } from 'vitest';
import type { StreamEvent } from '../support/history-connector.ts';
import type { LogRecord } from '../support/history-log.ts';
import { renderValue } from '../support/history-render.ts';
import type { RenderStyle } from '../support/history-render.ts';
import type { Row } from '../support/history-rows.ts';
import { DECODE_OPTIONS, runLibrary } from '../support/library-run.ts';

const STYLE: RenderStyle = { ids: 'integer', dates: 'days', decimals: 'text', withSchema: false };
const ROW: Row = { id: 7, property: '3', unit: null, day: 20_000, amount: '1', type: null, flag: false, cashInvested: null, downPayment: null };

interface Given {
  readonly operation: StreamEvent['operation'];
  readonly first: number | null;
  readonly own: number;
  readonly time: number;
  readonly amount?: string;
  readonly snapshot?: string;
}

/** Value of one change event of the rent. */
function event({ operation, first, own, time, amount = '1', snapshot = 'false' }: Given): string {
  const row = { ...ROW, amount };
  const [before, after] = operation === 't' ? [null, null] : operation === 'd' ? [row, null] : [null, row];
  return renderValue({ operation, table: 'rents', before, after, first, own, time, transaction: 1, snapshot }, 99, STYLE);
}

/** Values of one partition as its records; a truncate has no key. */
function partition(number: number, values: readonly (string | null)[]): readonly LogRecord[] {
  return values.map((value, offset) =>
    ({ topic: 'pg.public.rents', partition: number, offset, time: 0, key: value?.includes('"op":"t"') ? null : '{"id":7}', value }));
}

/** Amounts of the rents left after reading these partitions one after the other. */
function amountsAfter(...partitions: readonly (readonly LogRecord[])[]): readonly number[] {
  const state = runLibrary(partitions.flat(), { decode: DECODE_OPTIONS, fiscalYearStartMonth: 1, batchSize: () => 1 });
  return [...state.books.canonicalRows()].map((line) => Number((JSON.parse(line) as string[])[5]));
}

test('a tombstone without a delete speaks only for the row that its own partition showed last', () => {
  const old = partition(0, [event({ operation: 'c', first: 100, own: 108, time: 1 }), null]);
  const renewed = partition(1, [event({ operation: 'c', first: 200, own: 208, time: 2, amount: '2' })]);
  expect(amountsAfter(old)).toEqual([]);
  expect(amountsAfter(old, renewed)).toEqual([2]);
  expect(amountsAfter(renewed, old)).toEqual([2]);
});

test('a row that an incremental snapshot read ahead of a truncate does not outlive it', () => {
  // The row was read at 50, with the stream still at 200; the truncate was committed at 40 and streamed afterwards.
  const rows = partition(0, [
    event({ operation: 'c', first: 100, own: 108, time: 10 }),
    event({ operation: 'r', first: 200, own: 208, time: 50, snapshot: 'incremental' }),
  ]);
  const truncate = partition(1, [event({ operation: 't', first: 300, own: 308, time: 40 })]);
  expect(amountsAfter(rows, truncate)).toEqual([]);
  expect(amountsAfter(truncate, rows)).toEqual([]);
});

test('after a failover that nobody noted, the second change of a row in one transaction counts', () => {
  const transaction = [
    event({ operation: 'u', first: 100, own: 108, time: 20, amount: '2' }),
    event({ operation: 'u', first: 100, own: 208, time: 20, amount: '3' }),
  ];
  const log = [event({ operation: 'c', first: 5_000, own: 5_008, time: 10 }), ...transaction];
  expect(amountsAfter(partition(0, log))).toEqual([3]);
  expect(amountsAfter(partition(0, [...log, ...transaction]))).toEqual([3]);
  expect(amountsAfter(partition(0, [...log, transaction[0]])), 'the first of them sent again').toEqual([3]);
});

test('after a failover that nobody noted, a row inserted in the millisecond of a truncate stays', () => {
  const log = partition(0, [
    event({ operation: 'c', first: 5_000, own: 5_008, time: 10 }),
    event({ operation: 't', first: 100, own: 108, time: 20 }),
    event({ operation: 'c', first: 200, own: 208, time: 20, amount: '2' }),
  ]);
  expect(amountsAfter(log)).toEqual([2]);
});
