import { CHUNK_BITS, CHUNK_MASK, NEXT, PREVIOUS, ROW_WORDS } from './row-layout.ts';
import type { RowStore } from './row-store.ts';

/** Rows of one property form a doubly linked chain through the store. `heads[property]` is its first row plus one; 0 ends it. */

/** Puts `row` at the front of its property's chain. */
export function linkRow(rows: RowStore, heads: Uint32Array, property: number, row: number): void {
  const first = heads[property];
  const words = rows.words[row >>> CHUNK_BITS];
  const at = (row & CHUNK_MASK) * ROW_WORDS;
  words[at + NEXT] = first;
  words[at + PREVIOUS] = 0;
  if (first !== 0) rows.words[(first - 1) >>> CHUNK_BITS][((first - 1) & CHUNK_MASK) * ROW_WORDS + PREVIOUS] = row + 1;
  heads[property] = row + 1;
}

/** Takes `row` out of its property's chain. */
export function unlinkRow(rows: RowStore, heads: Uint32Array, property: number, row: number): void {
  const words = rows.words[row >>> CHUNK_BITS];
  const at = (row & CHUNK_MASK) * ROW_WORDS;
  const next = words[at + NEXT];
  const previous = words[at + PREVIOUS];
  if (previous === 0) heads[property] = next;
  else rows.words[(previous - 1) >>> CHUNK_BITS][((previous - 1) & CHUNK_MASK) * ROW_WORDS + NEXT] = next;
  if (next !== 0) rows.words[(next - 1) >>> CHUNK_BITS][((next - 1) & CHUNK_MASK) * ROW_WORDS + PREVIOUS] = previous;
  words[at + NEXT] = 0;
  words[at + PREVIOUS] = 0;
}

/** The row after `row` in its chain, plus one; 0 at the end. */
export function nextInChain(rows: RowStore, row: number): number {
  return rows.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + NEXT];
}
