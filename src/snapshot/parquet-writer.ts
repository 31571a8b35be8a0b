import { ParquetEnvelopeWriter, ParquetSchema, ParquetWriter, type PageData } from '@dsnp/parquetjs';
import Int64 from 'node-int64';
import { MONEY_COLUMNS, MONEY_PRECISION, MONEY_SCALE, parquetFields, type ParquetMoney } from './parquet-schema.ts';

/** One column of a row group as parquetjs stores it: the values that are there, and for an optional column a 1 per value and a 0 per null. */
export interface GroupColumn {
  readonly values: ArrayLike<number> | readonly Uint8Array[];
  /** Null for a required column. */
  readonly present: Uint8Array | null;
}

/** Data pages of format version 1, which every reader knows; no page index, whose null pages are wrong. */
const OPTIONS = { pageIndex: false, useDataPageV2: false } as const;

/** The envelope of the file: its parts are written by several group writers, and its footer once. */
class Envelope extends ParquetEnvelopeWriter {
  #hasBegun = false;

  override writeHeader(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    super.writeHeader();
  }

  /** What a group writer calls when it closes; the file goes on. */
  override writeFooter(): void {
    // `writeEnd` writes it.
  }

  /** The footer, with the annotation that makes the money columns' integers decimals. */
  writeEnd(metadata: Record<string, string>, money: ParquetMoney): void {
    for (const field of money === 'decimal' ? this.schema.fieldList : []) {
      if (MONEY_COLUMNS.includes(field.name)) Object.assign(field, { originalType: 'DECIMAL', precision: MONEY_PRECISION, scale: MONEY_SCALE });
    }
    super.writeFooter(metadata);
  }
}

/**
 * Writes a parquet file column by column. parquetjs takes rows as objects, which costs five times as much; so each row group has a writer of its
 * own whose buffer is filled with whole columns, and which writes the group when it is closed. The buffer's layout is that of parquetjs 1.8.8:
 * a test reads such files back with other programs.
 */
export class ColumnarParquetWriter {
  readonly #money: ParquetMoney;
  /** Of this file alone: the footer changes it. */
  readonly #schema: ParquetSchema;
  readonly #envelope: Envelope;
  #written: Uint8Array[] = [];

  constructor(money: ParquetMoney) {
    this.#money = money;
    this.#schema = new ParquetSchema(parquetFields(money));
    this.#envelope = new Envelope(this.#schema, (bytes) => void this.#written.push(bytes), () => undefined, new Int64(0), OPTIONS);
    this.#envelope.writeHeader();
  }

  /** Encodes a row group; answers the bytes that come next in the file. `columns` has one for every field. */
  async group(rows: number, columns: ReadonlyMap<string, GroupColumn>): Promise<Uint8Array> {
    const writer = new ParquetWriter(this.#schema, this.#envelope, OPTIONS);
    const columnData: Record<string, PageData> = {};
    for (const { name } of this.#schema.fieldList) columnData[name] = pageData(rows, columns.get(name)!);
    const pages = Object.fromEntries(this.#schema.fieldList.map(({ name }) => [name, []]));
    writer.rowBuffer = { rowCount: rows, pageRowCount: rows, columnData, pages };
    await writer.close();
    return this.#take();
  }

  /** The rest of the file. `metadata` are the file's own key and value pairs. */
  end(metadata: Record<string, string>): Uint8Array {
    this.#envelope.writeEnd(metadata, this.#money);
    return this.#take();
  }

  #take(): Uint8Array {
    const written = this.#written;
    this.#written = [];
    return written.length === 1 ? written[0] : new Uint8Array(Buffer.concat(written));
  }
}

function pageData(rows: number, { values, present }: GroupColumn): PageData {
  // Only the length of a required column's levels is looked at.
  const levels = present ?? new Uint8Array(rows);
  return { values: values as number[], dlevels: levels as unknown as number[], rlevels: [], distinct_values: new Set(), count: rows };
}
