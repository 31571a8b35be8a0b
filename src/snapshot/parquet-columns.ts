import type { FigureColumns } from '../ledger/figure-columns.ts';
import { CUMULATIVE_COLUMNS, YTD_COLUMNS, type ParquetMoney } from './parquet-schema.ts';
import type { GroupColumn } from './parquet-page.ts';
import { TextColumn } from './text-column.ts';

const UNITS_PER_WHOLE = 10_000;
const MICROSECONDS = 1_000;
const IDENTIFIER_BYTES = 36;

const encoder = new TextEncoder();

/** Accounts `from` to `to` of a block as columns of a row group. `cutAt`: when the figures were taken, milliseconds. */
export function groupColumns(block: FigureColumns, from: number, to: number, money: ParquetMoney, cutAt: number): Map<string, GroupColumn> {
  const columns = new Map<string, GroupColumn>();
  const texts = block.strings.map((text) => encoder.encode(text));
  // A quotient of two exact numbers is the double nearest to the decimal: the same as reading the decimal's text.
  const amount = (column: Float64Array): GroupColumn => withNulls(column.subarray(from, to), money === 'double' ? (units) => units / UNITS_PER_WHOLE : null);
  columns.set('property_id', { ...identifiers(block.propertyKind, block.property, from, to, texts), present: null });
  columns.set('unit_id', identifiers(block.unitKind, block.unit, from, to, texts));
  YTD_COLUMNS.forEach((name, total) => columns.set(name, amount(block.ytd[total])));
  CUMULATIVE_COLUMNS.forEach((name, total) => columns.set(name, amount(block.cumulative[total])));
  columns.set('cash_on_cash', amount(block.cashOnCash));
  columns.set('last_calculated_at', withNulls(block.lastChangedAt.subarray(from, to), (ms) => ms * MICROSECONDS));
  columns.set('_cdc_timestamp', { values: new Float64Array(to - from).fill(cutAt * MICROSECONDS), present: null });
  return columns;
}

/** Numbers without what is none (NaN, or a time that never was). */
function withNulls(from: Float64Array, convert: ((value: number) => number) | null): GroupColumn {
  const present = new Uint8Array(from.length);
  const values = new Float64Array(from.length);
  let count = 0;
  for (let i = 0; i < from.length; i++) {
    if (!Number.isFinite(from[i])) continue;
    present[i] = 1;
    values[count++] = convert === null ? from[i] : convert(from[i]);
  }
  return { values: count === values.length ? values : values.subarray(0, count), present };
}

function identifiers(kinds: Uint8Array, words: Uint32Array, from: number, to: number, texts: readonly Uint8Array[]): GroupColumn {
  const column = new TextColumn(to - from, IDENTIFIER_BYTES);
  const present = new Uint8Array(to - from);
  for (let i = from; i < to; i++) {
    column.appendIdentifier(kinds[i], words, i * 4, (index) => texts[index]);
    if (kinds[i] !== 0) present[i - from] = 1;
  }
  return { values: column, present };
}
