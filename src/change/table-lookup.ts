import type { Envelope } from './envelope.ts';
import type { Members } from './members.ts';
import { TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import type { PhysicalTable, Tables } from './tables.ts';
import { TextView } from './text-view.ts';
import { SOURCE_DB, SOURCE_SCHEMA, SOURCE_TABLE } from './vocabulary.ts';

const BUCKETS = 256;
const BUCKET_TABLES_MAX = 64;
/** Forgotten when there are more: shapes of texts come and go. */
const FIXED_MAX = 32;
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
  /** Tables of events whose names of them stand fixed, by the members that they have in common. */
  #fixed: { readonly members: Members; readonly table: PhysicalTable }[] = [];
  readonly #view = new TextView();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The table the event names, or the one its topic is named after when it names none. */
  find(event: Envelope, topic: string): PhysicalTable {
    const members = event.sourceMembers;
    if (members === null || !members.isKept || !isFixed(event)) return this.#find(event, topic);
    for (const known of this.#fixed) if (known.members === members) return known.table;
    const table = this.#find(event, topic);
    if (table.ambiguous === null && namesSchema(event)) {
      if (this.#fixed.length === FIXED_MAX) this.#fixed = [];
      this.#fixed.push({ members, table });
    }
    return table;
  }

  #find(event: Envelope, topic: string): PhysicalTable {
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

/** True when whatever names the table, its schema and its database is the same in all events so far that had this shape. */
function isFixed({ source, sourceTokens }: Envelope): boolean {
  return staysAsItIs(source, sourceTokens[SOURCE_TABLE]) && staysAsItIs(source, sourceTokens[SOURCE_SCHEMA]) && staysAsItIs(source, sourceTokens[SOURCE_DB]);
}

function staysAsItIs(tape: Tape, token: number): boolean {
  return token < 0 || tape.isFixed(token);
}

/** Whether the event names its table and the schema or database that the table is in: then its topic has no say. */
export function namesSchema(event: Envelope): boolean {
  return says(event, SOURCE_TABLE) && (says(event, SOURCE_SCHEMA) || says(event, SOURCE_DB));
}

/** Whether the event's source has a text that is not empty in `slot`. */
export function says({ source, sourceTokens }: Envelope, slot: number): boolean {
  return textToken(source, sourceTokens[slot]) >= 0;
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
