import type { RecordBatch } from '../source/source.ts';
import { AvroReader } from './avro-reader.ts';
import { ASKS_TOMBSTONE } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { FRAME_BYTES, contentSchemas, framedSchema } from './framing.ts';
import type { SchemaId } from './framing.ts';
import { JsonTape } from './json-tape.ts';
import { recognise } from './recognise.ts';
import type { FormatContext } from './recognise.ts';
import type { SchemaPrefixes } from './schema-prefixes.ts';
import type { Schemas } from './schemas.ts';
import { TOKEN_OBJECT } from './token.ts';
import { TOP_PAYLOAD, TOP_SCHEMA } from './vocabulary.ts';

/** Longest value read, in bytes. Brokers rarely allow more than one megabyte. */
const RECORD_BYTES_MAX = 32 * 1024 * 1024;

const NO_CONFLUENT = 'The value names its schema by a number in a schema registry, and none is configured: set RENTFOLD_SCHEMA_REGISTRY_URL.';
const NO_AZURE = 'The value names its schema by an id in an Azure Schema Registry, and none is configured: set RENTFOLD_SCHEMA_REGISTRY_NAMESPACE.';
const SCHEMA_FIRST = new TextEncoder().encode('{"schema"');

/**
 * Reads message values: the first step of decoding, bytes to a tape, and handing that on to the second. A content type that names a schema comes first, then the first byte: 0 and 1 begin a
 * schema registry's framing, anything else must be JSON.
 */
export class MessageReader {
  readonly #context: FormatContext;
  readonly #tape: JsonTape;
  readonly #avro: AvroReader;
  readonly #schemas: Schemas;
  #batch!: RecordBatch;
  #contents: readonly (string | null)[] | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #words: DataView = new DataView(this.#bytes.buffer);

  constructor(context: FormatContext, schemas: Schemas) {
    this.#context = context;
    this.#schemas = schemas;
    this.#tape = new JsonTape(context.vocabulary.names);
    this.#avro = new AvroReader(this.#tape);
  }

  /** Sets the batch that `read` reads from. */
  begin(batch: RecordBatch): void {
    this.#batch = batch;
    this.#contents = contentSchemas(batch);
    this.#setBytes(batch.bytes);
  }

  /** Reads the value of record `index` into the event. `prefixes` are those of its topic; `topicIsTable` as in `recognise`. */
  read(event: Envelope, index: number, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    const start = this.#batch.valueStart[index];
    const end = this.#batch.valueEnd[index];
    event.reset(this.#tape);
    if (start < 0) {
      event.asks = ASKS_TOMBSTONE;
      return;
    }
    if (end - start > RECORD_BYTES_MAX) return event.fail('RECORD_TOO_LARGE', `The value is larger than ${RECORD_BYTES_MAX} bytes.`);
    const content = this.#contents === null ? null : this.#contents[this.#batch.contentTypes!.of[index]];
    if (content !== null) this.#readFramed(event, content, start, end, prefixes, topicIsTable);
    else if (end > start && this.#bytes[start] <= 1) this.#readConfluent(event, start, end, prefixes, topicIsTable);
    else return this.#readJson(event, start, end, prefixes, topicIsTable);
    if (event.piece === null) return;
    // Pieces are joined as JSON texts; SQL Server frames none.
    event.piece = null;
    event.fail('SEGMENTED', 'The message holds a piece of a change event behind the framing of a schema registry, where pieces are not joined.');
  }

  /** Reads a piece of an event that was kept before a restart. */
  readPiece(event: Envelope, message: Uint8Array, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    this.#setBytes(message);
    event.reset(this.#tape);
    this.#readJson(event, 0, message.length, prefixes, topicIsTable);
  }

  /** Reads a message that was joined from the pieces of its event. Its bytes must stay as they are until the next one is read. */
  readJoined(event: Envelope, message: Uint8Array, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    this.#setBytes(message);
    event.reset(this.#tape);
    event.isJoined = true;
    this.#readJson(event, 0, message.length, prefixes, topicIsTable);
    this.#setBytes(this.#batch.bytes);
  }

  #setBytes(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #readConfluent(event: Envelope, start: number, end: number, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    const schema = framedSchema(this.#bytes, start, end);
    if (schema >= 0) this.#readFramed(event, schema, start + FRAME_BYTES, end, prefixes, topicIsTable);
    else event.fail('FRAMING_UNSUPPORTED', this.#bytes[start] === 1 ? 'The value names its schema by a GUID, which is not read.' : 'The value ends within the framing of a schema registry.');
  }

  #readFramed(event: Envelope, schema: SchemaId, start: number, end: number, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    const schemas = this.#schemas;
    switch (schemas.read(this.#avro, schema, 'The value', this.#bytes, start, end)) {
      case 'read':
        event.columns = schemas.columns;
        return recognise(event, this.#tape, 0, this.#context, topicIsTable);
      case 'json': return this.#readJson(event, start, end, prefixes, topicIsTable);
      case 'failed': return event.fail(schemas.problem, schemas.problemText);
      case 'unknown': return event.fail('FRAMING_UNSUPPORTED', typeof schema === 'number' ? NO_CONFLUENT : NO_AZURE);
    }
  }

  #readJson(event: Envelope, start: number, end: number, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    const tape = this.#tape;
    const hasSchema = this.#beginsWithSchema(start, end);
    if (hasSchema && this.#readPayload(event, start, end, prefixes, topicIsTable)) return;
    const answer = tape.read(this.#bytes, start, end);
    if (answer < 0) return event.failJson(answer, 'The value');
    const payload = hasSchema ? this.#unwrap(event, start, prefixes) : -1;
    if (payload >= 0) recognise(event, tape, payload, this.#context, topicIsTable, 1);
    else recognise(event, tape, 0, this.#context, topicIsTable);
  }

  /** The usual case of a value with its schema: begins as one before did, so only the payload is read. False when it is not that case. */
  #readPayload(event: Envelope, start: number, end: number, prefixes: SchemaPrefixes, topicIsTable: boolean): boolean {
    const length = prefixes.match(this.#words, start, end);
    if (length === 0) return false;
    const tape = this.#tape;
    const after = tape.readValue(this.#bytes, start + length, end);
    if (after < 0) return false;
    let at = after;
    let closed = false;
    for (; at < end; at++) {
      const byte = this.#bytes[at];
      if (byte === 125 && !closed) closed = true;
      else if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return false;
    }
    if (!closed) return false;
    event.columns = prefixes.columns;
    recognise(event, tape, 0, this.#context, topicIsTable, 1);
    return true;
  }

  /** The payload of a value that holds schema and payload, in this order and nothing else, or -1. Its beginning is remembered. */
  #unwrap(event: Envelope, start: number, prefixes: SchemaPrefixes): number {
    const tape = this.#tape;
    const { members, vocabulary, schemas } = this.#context;
    const { slots, count } = tape.collect(0, vocabulary.top, members);
    const schema = slots[TOP_SCHEMA];
    const payload = slots[TOP_PAYLOAD];
    if (count !== 2 || schema !== tape.first(0) || payload < 0 || tape.kind(payload) !== TOKEN_OBJECT) return -1;
    event.columns = schemas.read(tape, schema);
    prefixes.remember(this.#bytes, start, tape.start(payload), event.columns);
    return payload;
  }

  #beginsWithSchema(start: number, end: number): boolean {
    if (end - start < SCHEMA_FIRST.length) return false;
    for (let i = 0; i < SCHEMA_FIRST.length; i++) if (this.#bytes[start + i] !== SCHEMA_FIRST[i]) return false;
    return true;
  }
}
