import type { SegmentEntry } from './segment.ts';

/** When to merge what. Apart from the merging, whose libraries only the snapshot worker needs. */

/** Which segments of a manifest to merge into what. */
export interface CompactionPlan {
  /** Index of the first segment to merge; all after it are merged too. 0 makes a base. */
  readonly from: number;
  readonly kind: SegmentEntry['kind'];
}

/** A finished merge that waits for the next manifest. */
export interface Merge {
  /** Rows files of the segments it replaces, in order. */
  readonly inputs: readonly string[];
  readonly result: SegmentEntry;
}

const DELTAS_MIN = 4;
const DELTAS_MAX = 64;

/**
 * What to merge, or null: everything once the deltas hold as many rows as the base (so a row is rewritten about twice in its life), the deltas
 * alone once they have become many.
 */
export function planCompaction(segments: readonly SegmentEntry[]): CompactionPlan | null {
  const deltas = segments.filter((segment) => segment.kind === 'delta');
  if (deltas.length < DELTAS_MIN) return null;
  const baseRows = segments.length > deltas.length ? segments[0].rows.rows : 0;
  if (rowsOf(deltas) >= baseRows) return { from: 0, kind: 'base' };
  return deltas.length >= DELTAS_MAX ? { from: segments.length - deltas.length, kind: 'delta' } : null;
}

function rowsOf(segments: readonly SegmentEntry[]): number {
  return segments.reduce((sum, segment) => sum + segment.rows.rows, 0);
}
