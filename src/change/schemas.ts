import type { Code } from '../errors.ts';
import type { RecordBatch } from '../source/source.ts';
import { AvroFault } from './avro-input.ts';
import type { AvroPlan } from './avro-plan.ts';
import { AvroTextFault } from './avro-reader.ts';
import type { AvroReader } from './avro-reader.ts';
import { AvroSchemaFault, compileAvro } from './avro-schema.ts';
import { contentSchemas, framedKeySchema, framedSchema } from './framing.ts';
import type { SchemaId } from './framing.ts';
import type { Names } from './names.ts';
import type { ColumnTypes } from './schema-block.ts';

/** What a registry says about an id. `texts` of an Avro schema: those it refers to, each behind what it refers to itself, and the schema as the last. */
export type SchemaAnswer =
  | { readonly kind: 'avro'; readonly texts: readonly string[] }
  | { readonly kind: 'json' }
  /** Values with this id are dead letters: the registry does not know it, or it is a schema that is not read. `reason` ends a sentence; `mayChange`: the registry may say something else later. */
  | { readonly kind: 'refused'; readonly code: 'SCHEMA_UNKNOWN' | 'SCHEMA_INVALID' | 'FRAMING_UNSUPPORTED'; readonly reason: string; readonly mayChange: boolean };

/** An id that is not known, with the partitions of a batch (by their number in it) whose records need it. */
export interface SchemaNeed {
  readonly id: SchemaId;
  readonly partitions: ReadonlySet<number>;
}

/** What came of reading a value by its schema: it stands on the tape; it is JSON behind the frame; `problem` says why it is a dead letter; nobody has said anything about its id. */
export type SchemaReading = 'read' | 'json' | 'failed' | 'unknown';

/** Schemas kept; ids never change their meaning, so the oldest goes when there are more. */
const SCHEMAS_MAX = 1_000;

type Known = { readonly plan: AvroPlan } | { readonly json: true } | { readonly code: Code; readonly reason: string };

/** The schemas met so far, and the values that are read by them. What is not known is asked for outside, with `missing` and `learn`. */
export class Schemas {
  /** Of the value last read. */
  columns: ColumnTypes | null = null;
  problem: Code = 'AVRO_INVALID';
  problemText = '';
  readonly #names: Names;
  readonly #known = new Map<SchemaId, Known>();

  constructor(names: Names) {
    this.#names = names;
  }

  /** Ids that keys and values of a batch are framed with and that nothing is known about. */
  missing(batch: RecordBatch): SchemaNeed[] {
    const needs = new Map<SchemaId, Set<number>>();
    const need = (id: SchemaId, record: number): void => {
      if (this.#known.has(id)) return;
      let partitions = needs.get(id);
      if (partitions === undefined) needs.set(id, (partitions = new Set()));
      partitions.add(batch.partitionOf[record]);
    };
    const { bytes, keyStart, keyEnd, valueStart, valueEnd, contentTypes } = batch;
    const contents = contentSchemas(batch);
    for (let record = 0; record < batch.count; record++) {
      const content = contents?.[contentTypes!.of[record]] ?? null;
      const value = content === null ? framedSchema(bytes, valueStart[record], valueEnd[record]) : -1;
      if (content !== null && valueStart[record] >= 0) need(content, record);
      else if (value >= 0) need(value, record);
      const key = framedKeySchema(bytes, keyStart[record], keyEnd[record]);
      if (key >= 0) need(key, record);
    }
    return [...needs].map(([id, partitions]) => ({ id, partitions }));
  }

  /** Takes what a registry says about an id. A schema that cannot be read makes dead letters. */
  learn(id: SchemaId, answer: SchemaAnswer): void {
    this.#known.set(id, this.#understand(answer));
  }

  /** Forgets an id, so that it is asked for again. */
  forget(id: SchemaId): void {
    this.#known.delete(id);
  }

  /** Forgets the oldest when there are more than are kept. What waits for several schemas would never have all of them: so not while records wait. */
  trim(): void {
    for (const id of this.#known.keys()) {
      if (this.#known.size <= SCHEMAS_MAX) return;
      this.#known.delete(id);
    }
  }

  /** Reads `bytes[start..end)`, without its frame, by the schema of that id onto the reader's tape. `what` begins the sentence about a problem. */
  read(reader: AvroReader, id: SchemaId, what: string, bytes: Uint8Array, start: number, end: number): SchemaReading {
    const known = this.#known.get(id);
    if (known === undefined) return 'unknown';
    if ('json' in known) return 'json';
    if ('code' in known) return this.#fail(known.code, `${what} has schema ${shown(id)}, and ${known.reason}.`);
    try {
      reader.read(known.plan.root, bytes, start, end);
      this.columns = known.plan.columns;
      return 'read';
    } catch (error) {
      if (error instanceof AvroTextFault) return this.#fail('UTF8_INVALID', `A text in ${what.toLowerCase()} is not UTF-8.`);
      if (error instanceof AvroFault) return this.#fail('AVRO_INVALID', `${what} is not Avro of schema ${shown(id)}: ${error.message}.`);
      throw error;
    }
  }

  #understand(answer: SchemaAnswer): Known {
    if (answer.kind === 'refused') return { code: answer.code, reason: answer.reason };
    if (answer.kind === 'json') return { json: true };
    try {
      return { plan: compileAvro(answer.texts, this.#names) };
    } catch (error) {
      if (error instanceof AvroSchemaFault) return { code: 'SCHEMA_INVALID', reason: `what the registry has under it cannot be read: ${error.message}` };
      throw error;
    }
  }

  #fail(code: Code, text: string): 'failed' {
    this.problem = code;
    this.problemText = text;
    return 'failed';
  }

}

function shown(id: SchemaId): string {
  return typeof id === 'number' ? String(id) : JSON.stringify(id);
}
