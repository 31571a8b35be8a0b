/**
 * Goal: slices of a cut take about a millisecond, whatever a row takes, and never become tiny or huge.
 * Method: rows that take a drawn time each; one slice in between that is held up.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SLICE_ROWS_FIRST, SliceSize } from '../../src/snapshot/slice-size.ts';

function settle(size: SliceSize, msPerRow: number): void {
  for (let slice = 0; slice < 10; slice++) size.took(size.rows * msPerRow);
}

it('come to a millisecond each', () => {
  fc.assert(fc.property(fc.double({ min: 1 / 4_000, max: 1 / 300, noNaN: true }), (msPerRow) => {
    const size = new SliceSize();
    settle(size, msPerRow);
    expect(size.rows * msPerRow).toBeCloseTo(1, 1);
  }));
});

it('stay between 256 and 4 096 rows', () => {
  for (const [msPerRow, rows] of [[1, 256], [0, 4_096]] as const) {
    const size = new SliceSize();
    expect(size.rows).toBe(SLICE_ROWS_FIRST);
    settle(size, msPerRow);
    expect(size.rows).toBe(rows);
  }
});

it('one that was held up halves the next, and no more', () => {
  const size = new SliceSize();
  settle(size, 1 / 2_000);
  size.took(500);
  expect(size.rows).toBe(1_000);
});
