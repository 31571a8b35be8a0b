/**
 * Goal: segments are merged when that pays, and no sooner: a row is rewritten about twice in its life, and a restore reads few files.
 * Method: the plan for lists of segments of given sizes.
 */
import { describe, expect, it } from 'vitest';
import { planCompaction } from '../../src/snapshot/compaction-plan.ts';
import type { SegmentEntry } from '../../src/snapshot/segment.ts';

function segment(kind: SegmentEntry['kind'], rows: number): SegmentEntry {
  const file = { name: `0000000001-writer-${rows}.arrow`, rows, bytes: 1, sha256: '', pieces: [] };
  return { kind, rows: file, accounts: file };
}

const deltas = (count: number, rows: number): SegmentEntry[] => Array.from({ length: count }, () => segment('delta', rows));

describe('what is merged', () => {
  it('nothing while there are few deltas, however large', () => {
    expect(planCompaction([])).toBeNull();
    expect(planCompaction([segment('base', 10), ...deltas(3, 1_000)])).toBeNull();
  });

  it('everything into a base once the deltas hold as many rows as it', () => {
    expect(planCompaction([segment('base', 401), ...deltas(4, 100)])).toBeNull();
    expect(planCompaction([segment('base', 400), ...deltas(4, 100)])).toEqual({ from: 0, kind: 'base' });
  });

  it('the deltas alone once they are many', () => {
    expect(planCompaction([segment('base', 1_000_000), ...deltas(63, 1)])).toBeNull();
    expect(planCompaction([segment('base', 1_000_000), ...deltas(64, 1)])).toEqual({ from: 1, kind: 'delta' });
  });

  it('deltas without a base, as a first lineage that began empty has them, into one', () => {
    expect(planCompaction(deltas(4, 1))).toEqual({ from: 0, kind: 'base' });
  });
});
