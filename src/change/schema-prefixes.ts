import type { ColumnTypes } from './schema-block.ts';

/** Prefixes remembered per topic: one per table version in it. */
const PREFIXES_MAX = 16;
const PREFIX_BYTES_MAX = 1 << 20;

interface SchemaPrefix {
  readonly bytes: DataView;
  readonly columns: ColumnTypes | null;
}

/**
 * The beginnings `{"schema":…,"payload":` met in a topic. They are the same bytes for every event of a table's version, so an event
 * that begins with a known one is read from its payload on.
 */
export class SchemaPrefixes {
  readonly #known: SchemaPrefix[] = [];
  #oldest = 0;
  #newest = 0;
  /** Types that belong to the prefix last matched. */
  columns: ColumnTypes | null = null;

  /** Length of the known prefix that `view[start..end)` begins with, or 0. */
  match(view: DataView, start: number, end: number): number {
    if (this.#known.length === 0) return 0;
    for (let i = 0; i < this.#known.length; i++) {
      const index = (this.#newest + i) % this.#known.length;
      const { bytes, columns } = this.#known[index];
      if (bytes.byteLength > end - start || !beginsWith(view, start, bytes)) continue;
      this.#newest = index;
      this.columns = columns;
      return bytes.byteLength;
    }
    return 0;
  }

  /** Remembers a copy of `bytes[start..end)`. */
  remember(bytes: Uint8Array, start: number, end: number, columns: ColumnTypes | null): void {
    if (end - start > PREFIX_BYTES_MAX) return;
    const prefix = { bytes: new DataView(bytes.slice(start, end).buffer), columns };
    if (this.#known.length < PREFIXES_MAX) this.#known.push(prefix);
    else {
      this.#known[this.#oldest] = prefix;
      this.#oldest = (this.#oldest + 1) % PREFIXES_MAX;
    }
  }
}

/** Compares eight bytes at a time as doubles: JSON text is never ±0 nor, while it is ASCII, NaN; so equal doubles are equal bytes. */
function beginsWith(view: DataView, start: number, prefix: DataView): boolean {
  const length = prefix.byteLength;
  let at = 0;
  for (; at + 16 <= length; at += 16) {
    if (view.getFloat64(start + at, true) !== prefix.getFloat64(at, true) || view.getFloat64(start + at + 8, true) !== prefix.getFloat64(at + 8, true)) return false;
  }
  for (; at < length; at++) if (view.getUint8(start + at) !== prefix.getUint8(at)) return false;
  return true;
}
