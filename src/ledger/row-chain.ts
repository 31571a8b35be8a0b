import type { Accounts } from './accounts.ts';
import { CHUNK_BITS, CHUNK_MASK, NEXT, PREVIOUS, ROW_WORDS } from './row-layout.ts';
import type { RowStore } from './row-store.ts';

/** Rows of one property form a doubly linked chain through the store. The property's account holds its first row plus one; 0 ends it. */

/** Puts `row` at the front of its property's chain. */
export function linkRow(rows: RowStore, accounts: Accounts, property: number, row: number): void {
  const first = accounts.chainHead(property);
  const words = rows.words[row >>> CHUNK_BITS];
  const at = (row & CHUNK_MASK) * ROW_WORDS;
  words[at + NEXT] = first;
  words[at + PREVIOUS] = 0;
  if (first !== 0) rows.words[(first - 1) >>> CHUNK_BITS][((first - 1) & CHUNK_MASK) * ROW_WORDS + PREVIOUS] = row + 1;
  accounts.setChainHead(property, row + 1);
}

/** Takes `row` out of its property's chain. */
export function unlinkRow(rows: RowStore, accounts: Accounts, property: number, row: number): void {
  const words = rows.words[row >>> CHUNK_BITS];
  const at = (row & CHUNK_MASK) * ROW_WORDS;
  const next = words[at + NEXT];
  const previous = words[at + PREVIOUS];
  if (previous === 0) accounts.setChainHead(property, next);
  else rows.words[(previous - 1) >>> CHUNK_BITS][((previous - 1) & CHUNK_MASK) * ROW_WORDS + NEXT] = next;
  if (next !== 0) rows.words[(next - 1) >>> CHUNK_BITS][((next - 1) & CHUNK_MASK) * ROW_WORDS + PREVIOUS] = previous;
  words[at + NEXT] = 0;
  words[at + PREVIOUS] = 0;
}

/** The row after `row` in its chain, plus one; 0 at the end. */
export function nextInChain(rows: RowStore, row: number): number {
  return rows.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + NEXT];
}

/**
 * Links all rows at once, in two passes over the store instead of jumps between rows. `propertyOf` answers the property of a row, or
 * -1 for a row that belongs to no chain. No chain has a head before.
 */
export function linkAll(rows: RowStore, accounts: Accounts, propertyOf: (row: number) => number): void {
  for (let row = 0; row < rows.size; row++) {
    const property = propertyOf(row);
    if (property < 0) continue;
    rows.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + PREVIOUS] = accounts.chainHead(property);
    accounts.setChainHead(property, row + 1);
  }
  for (let account = 0; account < accounts.count; account++) accounts.setChainHead(account, 0);
  for (let row = rows.size - 1; row >= 0; row--) {
    const property = propertyOf(row);
    if (property < 0) continue;
    rows.words[row >>> CHUNK_BITS][(row & CHUNK_MASK) * ROW_WORDS + NEXT] = accounts.chainHead(property);
    accounts.setChainHead(property, row + 1);
  }
}
