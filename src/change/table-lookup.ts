import type { Envelope } from './envelope.ts';
import { TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import type { PhysicalTable, Tables } from './tables.ts';
import { TextView } from './text-view.ts';
import { SOURCE_DB, SOURCE_SCHEMA, SOURCE_TABLE } from './vocabulary.ts';

const BUCKETS = 256;
const BUCKET_TABLES_MAX = 64;
const encoder = new TextEncoder();

interface KnownName {
  readonly database: Uint8Array;
  readonly schema: Uint8Array;
  readonly name: Uint8Array;
  readonly table: PhysicalTable;
}

/** Finds an event's table by the bytes of its names, so that a table met before costs no string. */
export class TableLookup {
  readonly #tables: Tables;
  readonly #known: KnownName[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #view = new TextView();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The table the event names, or the one its topic is named after when it names none. */
  find(event: Envelope, topic: string): PhysicalTable {
    const tape = event.source;
    const name = textToken(tape, event.sourceTokens[SOURCE_TABLE]);
    if (name < 0) return this.#tables.findByTopic(topic);
    const database = textToken(tape, event.sourceTokens[SOURCE_DB]);
    const schema = textToken(tape, event.sourceTokens[SOURCE_SCHEMA]);
    if (database < 0 && schema < 0) {
      const byTopic = this.#tables.findByTopic(topic);
      if (this.#text(tape, name) === byTopic.name) return byTopic;
    }
    const start = tape.start(name);
    const end = tape.end(name);
    const bucket = this.#known[((end - start) * 31 + tape.bytes[start] * 7 + tape.bytes[end - 1] * 3 + (schema < 0 ? 0 : tape.end(schema) - tape.start(schema))) % BUCKETS];
    for (const known of bucket) {
      if (same(tape, name, known.name) && same(tape, schema, known.schema) && same(tape, database, known.database)) return known.table;
    }
    const table = this.#tables.find(this.#text(tape, database), this.#text(tape, schema), this.#text(tape, name));
    if (table.ambiguous === null && bucket.length < BUCKET_TABLES_MAX && !escaped(tape, name) && !escaped(tape, schema) && !escaped(tape, database)) {
      bucket.push({ database: encoder.encode(table.database), schema: encoder.encode(table.schema), name: encoder.encode(table.name), table });
    }
    return table;
  }

  #text(tape: Tape, token: number): string {
    if (token < 0) return '';
    this.#view.seeJson(tape, token);
    return this.#view.text();
  }
}

/** The token if it is a text that is not empty, else -1. */
function textToken(tape: Tape, token: number): number {
  return token >= 0 && tape.kind(token) === TOKEN_STRING && tape.end(token) > tape.start(token) ? token : -1;
}

function escaped(tape: Tape, token: number): boolean {
  return token >= 0 && tape.isEscaped(token);
}

function same(tape: Tape, token: number, text: Uint8Array): boolean {
  if (token < 0) return text.length === 0;
  const start = tape.start(token);
  if (tape.end(token) - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (tape.bytes[start + i] !== text[i]) return false;
  return true;
}
