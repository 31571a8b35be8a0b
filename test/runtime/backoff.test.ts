/**
 * Goal: attempts come later and later up to a limit, not all at the same moment, and early again after a success.
 * Method: the waiting times at both ends of what chance may give.
 */
import { expect, it } from 'vitest';
import { Backoff } from '../../src/runtime/backoff.ts';

const times = (backoff: Backoff, random: number): number[] => Array.from({ length: 6 }, () => backoff.next(random));

it('doubles from the first time to the longest, spread by half of it', () => {
  expect(times(new Backoff([100, 1_000]), 1)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  expect(times(new Backoff([100, 1_000]), 0)).toEqual([50, 100, 200, 400, 500, 500]);
});

it('begins anew after a success', () => {
  const backoff = new Backoff([100, 1_000]);
  times(backoff, 1);
  backoff.reset();
  expect(times(backoff, 1).slice(0, 2)).toEqual([100, 200]);
});

it('takes chance by itself', () => {
  const backoff = new Backoff([100, 100]);
  for (let i = 0; i < 50; i++) {
    const ms = backoff.next();
    expect(ms).toBeGreaterThanOrEqual(50);
    expect(ms).toBeLessThanOrEqual(100);
  }
});
