import { ASKS_TOMBSTONE } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { recognise } from './recognise.ts';
import type { FormatContext } from './recognise.ts';
import type { SchemaPrefixes } from './schema-prefixes.ts';
import { Tape } from './tape.ts';
import { TOKEN_OBJECT } from './token.ts';
import { TOP_PAYLOAD, TOP_SCHEMA } from './vocabulary.ts';

/** Longest value read, in bytes. Brokers rarely allow more than one megabyte. */
const RECORD_BYTES_MAX = 32 * 1024 * 1024;

const SCHEMA_FIRST = new TextEncoder().encode('{"schema"');

/** Reads message values: the first step of decoding, bytes to JSON, and handing the JSON on to the second. */
export class MessageReader {
  readonly #context: FormatContext;
  readonly #tape: Tape;
  #bytes: Uint8Array = new Uint8Array(0);
  #words: DataView = new DataView(this.#bytes.buffer);

  constructor(context: FormatContext) {
    this.#context = context;
    this.#tape = new Tape(context.vocabulary.names);
  }

  /** Sets the bytes that `read` reads from. */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads the value `[start, end)` into the event. `prefixes` are those of its topic; `topicIsTable` as in `recognise`. */
  read(event: Envelope, start: number, end: number, prefixes: SchemaPrefixes, topicIsTable: boolean): void {
    const tape = this.#tape;
    event.reset(tape);
    if (start < 0) {
      event.asks = ASKS_TOMBSTONE;
      return;
    }
    if (end - start > RECORD_BYTES_MAX) return event.fail('RECORD_TOO_LARGE', `The value is larger than ${RECORD_BYTES_MAX} bytes.`);
    if (end > start && this.#bytes[start] <= 1) return event.fail('FRAMING_UNSUPPORTED', 'The value begins with a schema registry\'s framing, not with JSON.');
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
    const { top, vocabulary, schemas } = this.#context;
    tape.collect(0, vocabulary.top, top);
    const schema = top[TOP_SCHEMA];
    const payload = top[TOP_PAYLOAD];
    if (tape.membersRead !== 2 || schema !== tape.first(0) || payload < 0 || tape.kind(payload) !== TOKEN_OBJECT) return -1;
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
