import { Float64, makeData, Utf8, type Data, type RecordBatch } from 'apache-arrow';
import { NO_STRING, POSITION_WORDS } from '../change/change.ts';
import { encodeIdentifier } from '../change/identifier.ts';
import type { AccountColumns, RowColumns } from '../ledger/ledger.ts';
import { createColumns } from './account-table.ts';
import { TextColumn, TextNumbers } from './text-column.ts';

/** Accounts as Arrow columns; rows and accounts back. Numbers are not copied: the row columns are views of Arrow's arrays. */

/** Most rows of a block that is read: what the thread that loads it does between two other things. */
const BLOCK_ROWS_READ = 4_096;

const encoder = new TextEncoder();

/** Rows of a batch, in blocks; `account` still numbers the segment's accounts. `strings` hold the expense types first, then long keys. */
export function decodeRows(batch: RecordBatch, partitions: RowColumns['partitions'], accounts: AccountColumns): RowColumns[] {
  const blocks: RowColumns[] = [];
  for (let from = 0; from < batch.numRows; from += BLOCK_ROWS_READ) blocks.push(decodeBlock(batch, from, Math.min(batch.numRows, from + BLOCK_ROWS_READ), partitions, accounts));
  return blocks;
}

function decodeBlock(batch: RecordBatch, from: number, to: number, partitions: RowColumns['partitions'], accounts: AccountColumns): RowColumns {
  const n = to - from;
  const columns = batch.data.children;
  const values = <T extends { subarray(start: number, end: number): T }>(index: number): T => (columns[index].values as T).subarray(from, to);
  const texts = new TextNumbers();
  const expenseType = decodeTypes(columns[7], from, to, texts);
  const keys = decodeIdentifiers(columns[2], from, to, texts);
  return {
    count: n, table: values(0), state: values(1), keyKind: keys.kinds, key: keys.words, account: values(3), day: values(4), amount: values(5), amount2: values(6),
    expenseType, flags: values(8), partition: values(9), offset: values(10), position: (columns[11].children[0].values as Uint32Array).subarray(from * POSITION_WORDS, to * POSITION_WORDS),
    commitTime: values(12), foldedAt: values(13), accounts, partitions, strings: texts.strings,
  };
}

function decodeTypes(column: Data, from: number, to: number, texts: TextNumbers): Uint16Array {
  const types = new Uint16Array(to - from).fill(NO_STRING);
  const bytes = column.values as Uint8Array;
  const offsets = column.valueOffsets as Int32Array;
  for (let i = from; i < to; i++) if (isThere(column, i)) types[i - from] = texts.numberOf(bytes, offsets[i], offsets[i + 1]);
  return types;
}

/** Columns of the accounts file. */
export function encodeAccounts(accounts: AccountColumns, strings: readonly string[]): Data[] {
  const n = accounts.count;
  const texts = strings.map((text) => encoder.encode(text));
  const properties = new TextColumn(n, 36);
  const units = new TextColumn(n, 36);
  for (let i = 0; i < n; i++) {
    properties.appendIdentifier(accounts.propertyKind[i], accounts.property, i * 4, (index) => texts[index]);
    units.appendIdentifier(accounts.unitKind[i], accounts.unit, i * 4, (index) => texts[index]);
  }
  return [
    makeData({ type: new Utf8(), length: n, ...validity(n, (i) => accounts.propertyKind[i] !== 0), valueOffsets: properties.offsets, data: properties.bytes }),
    makeData({ type: new Utf8(), length: n, ...validity(n, (i) => accounts.unitKind[i] !== 0), valueOffsets: units.offsets, data: units.bytes }),
    makeData({ type: new Float64(), length: n, nullCount: 0, data: accounts.lastChangedAt }),
    makeData({ type: new Float64(), length: n, nullCount: 0, data: accounts.propertyLastChangedAt }),
  ];
}

/** Accounts of all batches of an accounts file, in order, with the texts of long ids. */
export function decodeAccounts(batches: readonly RecordBatch[]): { accounts: AccountColumns; strings: string[] } {
  const texts = new TextNumbers();
  const count = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  const all = createColumns(count);
  let at = 0;
  for (const batch of batches) {
    const columns = batch.data.children;
    const properties = decodeIdentifiers(columns[0], 0, batch.numRows, texts);
    const units = decodeIdentifiers(columns[1], 0, batch.numRows, texts);
    all.propertyKind.set(properties.kinds, at);
    all.property.set(properties.words, at * 4);
    all.unitKind.set(units.kinds, at);
    all.unit.set(units.words, at * 4);
    all.lastChangedAt.set(columns[2].values as Float64Array, at);
    all.propertyLastChangedAt.set(columns[3].values as Float64Array, at);
    at += batch.numRows;
  }
  return { accounts: { count, ...all }, strings: texts.strings };
}

function decodeIdentifiers(column: Data, from: number, to: number, texts: TextNumbers): { kinds: Uint8Array; words: Uint32Array } {
  const kinds = new Uint8Array(to - from);
  const words = new Uint32Array((to - from) * 4);
  const bytes = column.values as Uint8Array;
  const offsets = column.valueOffsets as Int32Array;
  const intern = (text: string): number => texts.numberOfText(text);
  for (let i = from; i < to; i++) if (isThere(column, i)) kinds[i - from] = encodeIdentifier(bytes, offsets[i], offsets[i + 1], words, (i - from) * 4, intern);
  return { kinds, words };
}

function isThere({ nullCount, nullBitmap }: Data, i: number): boolean {
  return nullCount === 0 || ((nullBitmap[i >> 3] >> (i & 7)) & 1) === 1;
}

/** Which of so many values are there: the count of the others and, when there are such, Arrow's bitmap. */
export function validity(count: number, isValue: (i: number) => boolean): { nullCount: number; nullBitmap: Uint8Array | null } {
  const bitmap = new Uint8Array((count + 7) >> 3);
  let values = 0;
  for (let i = 0; i < count; i++) {
    if (!isValue(i)) continue;
    values++;
    bitmap[i >> 3] |= 1 << (i & 7);
  }
  return values === count ? { nullCount: 0, nullBitmap: null } : { nullCount: count - values, nullBitmap: bitmap };
}
