import type { Page } from '@dsnp/parquetjs';
// Not from the package's main module: that loads its reader too, and with it a client for S3.
import { ParquetSchema } from '@dsnp/parquetjs/dist/lib/schema.js';
import { ParquetEnvelopeWriter } from '@dsnp/parquetjs/dist/lib/writer.js';
import Int64 from 'node-int64';
import { encodePage, type GroupColumn } from './parquet-page.ts';
import { MONEY_COLUMNS, MONEY_PRECISION, MONEY_SCALE, parquetFields, type ParquetMoney } from './parquet-schema.ts';

/** No page index, whose null pages are wrong. */
const OPTIONS = { pageIndex: false, useDataPageV2: false } as const;

class Envelope extends ParquetEnvelopeWriter {
  /** The footer, with the annotation that makes the money columns' integers decimals. */
  writeEnd(metadata: Record<string, string>, money: ParquetMoney): void {
    for (const field of money === 'decimal' ? this.schema.fieldList : []) {
      if (MONEY_COLUMNS.includes(field.name)) Object.assign(field, { originalType: 'DECIMAL', precision: MONEY_PRECISION, scale: MONEY_SCALE });
    }
    super.writeFooter(metadata);
  }
}

/**
 * Writes a parquet file column by column. parquetjs takes rows as objects, which costs many times as much; so the pages are encoded here, and
 * parquetjs makes row groups of them, and the footer. What it takes is that of parquetjs 1.8.8: a test reads such files back with other programs.
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
    const pages: Record<string, Page[]> = {};
    for (const { name, primitiveType } of this.#schema.fieldList) {
      const page = encodePage(rows, primitiveType!, columns.get(name)!);
      pages[name] = [{ page, num_values: rows, first_row_index: 0, statistics: {}, distinct_values: new Set() }];
    }
    await this.#envelope.writeRowGroup({ rowCount: rows, pages });
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
