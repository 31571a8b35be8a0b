import { createRequire } from 'node:module';
import { assertWritten } from './file-entry.ts';
import type { TextColumn } from './text-column.ts';

// A CommonJS module without types.
const snappy = createRequire(import.meta.url)('snappyjs') as { compress(bytes: Uint8Array): Uint8Array };

/** Data pages of format version 1, as https://github.com/apache/parquet-format describes them: PLAIN values, levels as RLE, all of it packed by Snappy. */

/** One column of a row group: its values, and for an optional column a 1 per value and a 0 per null. Texts stand in rows, numbers without the nulls. */
export interface GroupColumn {
  readonly values: Float64Array | TextColumn;
  /** Null for a required column. */
  readonly present: Uint8Array | null;
}

const INT64_LIMIT = 2 ** 63;
const WORD = 2 ** 32;

/** Bytes of a column's only page, header included. `type` is the primitive type it is stored in. */
export function encodePage(rows: number, type: string, { values, present }: GroupColumn): Buffer {
  const levels = present === null ? new Uint8Array(0) : levelsOf(present);
  const body = values instanceof Float64Array ? withNumbers(levels, values, type) : withTexts(levels, values, rows, present);
  const packed = snappy.compress(body);
  return Buffer.concat([pageHeader(rows, body.length, packed.length), packed]);
}

function withNumbers(levels: Uint8Array, values: Float64Array, type: string): Uint8Array {
  const body = new Uint8Array(levels.length + values.length * 8);
  body.set(levels);
  if (type === 'DOUBLE') {
    body.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), levels.length);
    return body;
  }
  const view = new DataView(body.buffer, levels.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    assertWritten(Number.isInteger(value) && Math.abs(value) < INT64_LIMIT, `${value} is no integer of 64 bits`);
    // Exact: a division by a power of two loses nothing, nor does what is left of it.
    const high = Math.floor(value / WORD);
    view.setUint32(i * 8, value - high * WORD, true);
    view.setInt32(i * 8 + 4, high, true);
  }
  return body;
}

function withTexts(levels: Uint8Array, { bytes, offsets }: TextColumn, rows: number, present: Uint8Array | null): Uint8Array {
  const body = new Uint8Array(levels.length + bytes.length + rows * 4);
  const view = new DataView(body.buffer);
  body.set(levels);
  let at = levels.length;
  for (let i = 0; i < rows; i++) {
    if (present !== null && present[i] === 0) continue;
    const length = offsets[i + 1] - offsets[i];
    view.setUint32(at, length, true);
    at += 4;
    for (let from = offsets[i]; from < offsets[i + 1]; from++) body[at++] = bytes[from];
  }
  return body.subarray(0, at);
}

/** Definition levels: one run of equal ones when they are, else one run of single bits, lowest first. */
function levelsOf(present: Uint8Array): Uint8Array {
  const values = present.reduce((sum, one) => sum + one, 0);
  const isMixed = values > 0 && values < present.length;
  const packed = new Uint8Array(isMixed ? (present.length + 7) >> 3 : 1);
  if (isMixed) for (let i = 0; i < present.length; i++) packed[i >> 3] |= present[i] << (i & 7);
  else packed[0] = values === 0 ? 0 : 1;
  const run = varint(isMixed ? (packed.length << 1) | 1 : present.length << 1);
  const levels = new Uint8Array(4 + run.length + packed.length);
  new DataView(levels.buffer).setUint32(0, run.length + packed.length, true);
  levels.set(run, 4);
  levels.set(packed, 4 + run.length);
  return levels;
}

/** A `PageHeader` in Thrift's compact protocol. */
function pageHeader(rows: number, bytes: number, packedBytes: number): Uint8Array {
  return Uint8Array.from([
    ...integer(DATA_PAGE), ...integer(bytes), ...integer(packedBytes),
    DATA_PAGE_HEADER, ...integer(rows), ...integer(PLAIN), ...integer(RLE), ...integer(RLE), STOP,
    STOP,
  ]);
}

/** Field type of an integer, whose number is one above that of the field before it. */
const INTEGER = 0x15;
/** A structure, whose field number is two above. */
const DATA_PAGE_HEADER = 0x2c;
const STOP = 0;
const DATA_PAGE = 0;
const PLAIN = 0;
const RLE = 3;

/** An integer from 0 to 2³⁰, whose sign stands in the lowest bit. */
function integer(value: number): number[] {
  return [INTEGER, ...varint(value << 1)];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return [...bytes, left];
    bytes.push((left & 0x7f) | 0x80);
  }
}
