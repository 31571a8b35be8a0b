import { Message, RecordBatch, RecordBatchFileWriter, RecordBatchReader, Struct, makeData, type Data, type Schema } from 'apache-arrow';

/** Arrow IPC files in pieces: a header, any number of record batches, a footer. Written and read one piece at a time. */

const MAGIC_BYTES = 8;

/** Writes one Arrow IPC file; every call answers the bytes to append. */
export class ArrowFileWriter {
  readonly #schema: Schema;
  readonly #writer: PieceWriter;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#writer = new PieceWriter();
  }

  header(): Uint8Array {
    this.#writer.reset(undefined, this.#schema);
    return this.#writer.take();
  }

  /** One record batch of `rows` rows; `columns` in the schema's order. */
  batch(rows: number, columns: readonly Data[]): Uint8Array {
    const data = makeData({ type: new Struct(this.#schema.fields), length: rows, nullCount: 0, children: [...columns] });
    this.#writer.write(new RecordBatch(this.#schema, data));
    return this.#writer.take();
  }

  footer(): Uint8Array {
    this.#writer.close();
    return this.#writer.take();
  }
}

/**
 * The library's writer with two changes: bytes are handed over at once instead of queued, and the schema stands at the beginning too, as
 * the format asks (the library writes it in the footer only), so that the file can also be read as a stream.
 */
class PieceWriter extends RecordBatchFileWriter {
  #pieces: Uint8Array[] = [];

  take(): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(this.#pieces.reduce((sum, piece) => sum + piece.length, 0));
    let filled = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
    this.#pieces = [];
    return bytes;
  }

  // Called by the library's constructor too, before this class's fields exist; nothing is written then.
  protected override _write(chunk: ArrayBufferView): this {
    if (!this._started) return this;
    this.#pieces.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this._position += chunk.byteLength;
    return this;
  }

  protected override _writeSchema(schema: Schema): this {
    return this._writeMagic()._writePadding(2)._writeMessage(Message.from(schema)) as this;
  }
}

/** The schema of a file's header. Throws when there is none. */
export function schemaOf(header: Uint8Array): Schema {
  const reader = RecordBatchReader.from(header.subarray(MAGIC_BYTES)).open();
  return reader.schema;
}

/** The record batches of a piece. The batches' arrays are views into `piece`, which must begin at a multiple of 8 in its buffer. */
export function batchesOf(header: Uint8Array, piece: Uint8Array): RecordBatch[] {
  return [...RecordBatchReader.from([header.subarray(MAGIC_BYTES), piece])];
}
