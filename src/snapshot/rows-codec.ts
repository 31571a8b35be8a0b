import { DateDay, Field, FixedSizeList, Float64, makeData, Uint16, Uint32, Uint8, Utf8, type Data, type RecordBatch } from 'apache-arrow';
import { NO_DAY, NO_STRING, POSITION_WORDS } from '../change/change.ts';
import { encodeIdentifier } from '../change/identifier.ts';
import type { AccountColumns, RowColumns } from '../ledger/ledger.ts';
import { createColumns } from './account-table.ts';
import { TextColumn, TextNumbers } from './text-column.ts';

/** Rows as Arrow columns and back. Numbers are not copied: Arrow's arrays are the row columns' own. */

/** `account` of a row that has none. */
export const NO_ACCOUNT = 0xffffffff;
/** Most rows in one block. */
export const BLOCK_ROWS_MAX = 65_536;

const encoder = new TextEncoder();

/** Columns of a rows file for one block. `accounts` are numbers of the segment, `partitions` indexes of the file's list, per row. */
export function encodeRows(block: RowColumns, accounts: Uint32Array, partitions: Uint16Array): Data[] {
  const n = block.count;
  const texts = block.strings.map((text) => encoder.encode(text));
  const keys = new TextColumn(n, 36);
  const types = new TextColumn(n, 12);
  for (let i = 0; i < n; i++) {
    keys.appendIdentifier(block.keyKind[i], block.key, i * 4, (index) => texts[index]);
    if (block.expenseType[i] === NO_STRING) types.appendNothing();
    else types.append(texts[block.expenseType[i]]);
  }
  const words = makeData({ type: new Uint32(), length: n * POSITION_WORDS, nullCount: 0, data: block.position });
  return [
    makeData({ type: new Uint8(), length: n, nullCount: 0, data: block.table }),
    makeData({ type: new Uint8(), length: n, nullCount: 0, data: block.state }),
    makeData({ type: new Utf8(), length: n, nullCount: 0, valueOffsets: keys.offsets, data: keys.bytes }),
    makeData({ type: new Uint32(), length: n, ...nullsWhere(n, (i) => accounts[i] === NO_ACCOUNT), data: accounts }),
    makeData({ type: new DateDay(), length: n, ...nullsWhere(n, (i) => block.day[i] === NO_DAY), data: block.day }),
    float(block.amount, n),
    float(block.amount2, n),
    makeData({ type: new Utf8(), length: n, ...nullsWhere(n, (i) => block.expenseType[i] === NO_STRING), valueOffsets: types.offsets, data: types.bytes }),
    makeData({ type: new Uint8(), length: n, nullCount: 0, data: block.flags }),
    makeData({ type: new Uint16(), length: n, nullCount: 0, data: partitions }),
    makeData({ type: new Float64(), length: n, nullCount: 0, data: block.offset }),
    makeData({ type: new FixedSizeList(POSITION_WORDS, new Field('word', new Uint32(), false)), length: n, nullCount: 0, child: words }),
    float(block.commitTime, n),
    float(block.foldedAt, n),
  ];
}

/** Rows of a batch; `account` still numbers the segment's accounts. `strings` hold the expense types first, then long keys. */
export function decodeRows(batch: RecordBatch, partitions: RowColumns['partitions'], accounts: AccountColumns): RowColumns {
  const n = batch.numRows;
  const columns = batch.data.children;
  const values = <T>(index: number): T => columns[index].values as T;
  const texts = new TextNumbers();
  const expenseType = new Uint16Array(n);
  const typeOffsets = columns[7].valueOffsets as Int32Array;
  const typeNulls = columns[7].nullCount === 0 ? null : columns[7].nullBitmap;
  for (let i = 0; i < n; i++) {
    const isNull = typeNulls !== null && ((typeNulls[i >> 3] >> (i & 7)) & 1) === 0;
    expenseType[i] = isNull ? NO_STRING : texts.numberOf(values(7), typeOffsets[i], typeOffsets[i + 1]);
  }
  const keys = decodeIdentifiers(columns[2], n, texts);
  return {
    count: n, table: values(0), state: values(1), keyKind: keys.kinds, key: keys.words, account: values(3), day: values(4), amount: values(5), amount2: values(6),
    expenseType, flags: values(8), partition: values(9), offset: values(10), position: columns[11].children[0].values as Uint32Array,
    commitTime: values(12), foldedAt: values(13), accounts, partitions, strings: texts.strings,
  };
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
    makeData({ type: new Utf8(), length: n, ...nullsWhere(n, (i) => accounts.propertyKind[i] === 0), valueOffsets: properties.offsets, data: properties.bytes }),
    makeData({ type: new Utf8(), length: n, ...nullsWhere(n, (i) => accounts.unitKind[i] === 0), valueOffsets: units.offsets, data: units.bytes }),
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
    const properties = decodeIdentifiers(columns[0], batch.numRows, texts);
    const units = decodeIdentifiers(columns[1], batch.numRows, texts);
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

function decodeIdentifiers(column: Data, count: number, texts: TextNumbers): { kinds: Uint8Array; words: Uint32Array } {
  const kinds = new Uint8Array(count);
  const words = new Uint32Array(count * 4);
  const bytes = column.values as Uint8Array;
  const offsets = column.valueOffsets as Int32Array;
  const nulls = column.nullCount === 0 ? null : column.nullBitmap;
  const intern = (text: string): number => texts.numberOfText(text);
  for (let i = 0; i < count; i++) {
    if (nulls !== null && ((nulls[i >> 3] >> (i & 7)) & 1) === 0) continue;
    kinds[i] = encodeIdentifier(bytes, offsets[i], offsets[i + 1], words, i * 4, intern);
  }
  return { kinds, words };
}

function float(values: Float64Array, count: number): Data<Float64> {
  return makeData({ type: new Float64(), length: count, ...nullsWhere(count, (i) => Number.isNaN(values[i])), data: values });
}

/** Null count and, when there are nulls, the bitmap of values that are there. */
function nullsWhere(count: number, isNull: (i: number) => boolean): { nullCount: number; nullBitmap: Uint8Array | null } {
  const bitmap = new Uint8Array((count + 7) >> 3);
  let nulls = 0;
  for (let i = 0; i < count; i++) {
    if (isNull(i)) nulls++;
    else bitmap[i >> 3] |= 1 << (i & 7);
  }
  return nulls === 0 ? { nullCount: 0, nullBitmap: null } : { nullCount: nulls, nullBitmap: bitmap };
}
