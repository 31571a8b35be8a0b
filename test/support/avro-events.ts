/**
 * Events as Debezium's Avro converter would write them, made from the same events as JSON: by their schema block where there is one, else by what the values look like. `avsc` writes the bytes. Every schema met gets a
 * number, which stands in front of the value (Confluent's framing).
 */
import avro from 'avsc';
import type { Schema } from 'avsc';
import type { SchemaAnswer } from '../../src/change/schemas.ts';

type Json = Readonly<Record<string, unknown>>;
/** A value ready for avsc, with its Avro type. */
interface Typed {
  readonly schema: Schema;
  readonly value: unknown;
}

/** avsc's long with every digit. */
const LONG = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: (value: unknown) => BigInt(value as number),
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** avsc's type of a schema; whole numbers of long are bigints. */
export function avroType(schema: Schema): avro.Type {
  const hook = (given: Schema): avro.Type | undefined => (given === 'long' || (typeof given === 'object' && !Array.isArray(given) && (given as { type?: unknown }).type === 'long') ? LONG : undefined) as avro.Type | undefined;
  return avro.Type.forSchema(schema, { typeHook: hook, logicalTypes: {} } as never);
}

/** Writes a value of a schema. */
export function writeAvro(schema: Schema, value: unknown): Uint8Array {
  return new Uint8Array(avroType(schema).toBuffer(value));
}

/** Puts Confluent's framing in front of a value. */
export function framed(id: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + value.length);
  new DataView(bytes.buffer).setUint32(1, id);
  bytes.set(value, 5);
  return bytes;
}

/** Schemas by number, as a registry would answer them. */
export class AvroEvents {
  readonly #known = new Map<string, { readonly id: number; readonly type: avro.Type }>();
  #records = 0;

  /** All schemas met. */
  get answers(): ReadonlyMap<number, SchemaAnswer> {
    return new Map([...this.#known].map(([text, { id }]) => [id, { kind: 'avro', texts: [text] }]));
  }

  /** A JSON text as framed Avro; what is no JSON, or holds something that Avro has no name for, comes back as it is. */
  frame(text: string): Uint8Array | string {
    let json: unknown;
    try {
      json = parseExactly(text);
    } catch {
      return text;
    }
    if (json === null) return text;
    const { schema, value } = this.#typed(json);
    const { id, type } = this.#typeOf(schema);
    return framed(id, new Uint8Array(type.toBuffer(value)));
  }

  #typed(json: unknown): Typed {
    this.#records = 0;
    if (isObject(json) && Object.keys(json).length === 2 && isObject(json['schema']) && 'payload' in json) return this.#bySchema(json['schema'], json['payload']);
    return this.#byLook(json);
  }

  #typeOf(schema: Schema): { readonly id: number; readonly type: avro.Type } {
    const text = JSON.stringify(schema);
    const known = this.#known.get(text) ?? { id: this.#known.size + 1, type: avroType(schema) };
    this.#known.set(text, known);
    return known;
  }

  /** By a Connect schema; fields that it does not name by their looks. */
  #bySchema(connect: Json, value: unknown): Typed {
    const { type, name, parameters } = connect as { type: string; name?: string; parameters?: Json };
    const connectName = name === undefined ? {} : { 'connect.name': name };
    if (value === undefined) return { schema: 'null', value: null };
    if (value === null) return { schema: ['null', 'string'], value: null };
    if (name === 'org.apache.kafka.connect.data.Decimal') {
      return { schema: { type: 'bytes', logicalType: 'decimal', scale: Number(parameters!['scale']), precision: 64, ...connectName } as Schema, value: Buffer.from(value as string, 'base64') };
    }
    if (type === 'struct') return this.#record(value as Json, connect['fields'] as readonly Json[], connectName);
    if (type === 'bytes') return { schema: { type: 'bytes', ...connectName } as Schema, value: Buffer.from(value as string, 'base64') };
    if (type.startsWith('int')) return { schema: { type: type === 'int64' ? 'long' : 'int', ...connectName } as Schema, value: type === 'int64' ? BigInt(value as string | number) : Number(value) };
    return this.#byLook(value);
  }

  #record(value: Json, fields: readonly Json[], more: Json): Typed {
    const typed = Object.entries(value).map(([name, inner]) => {
      const field = fields.find((one) => one['field'] === name);
      return [avroName(name), field === undefined ? this.#byLook(inner) : this.#bySchema(field, inner)] as const;
    });
    // A schema names what the row does not have, too: it stays out.
    return this.#made(typed, more);
  }

  #byLook(value: unknown): Typed {
    if (typeof value === 'string') return { schema: ['null', 'string'], value };
    if (typeof value === 'boolean') return { schema: ['null', 'boolean'], value };
    if (typeof value === 'bigint') return { schema: 'long', value };
    if (typeof value === 'number') return { schema: ['null', 'double'], value };
    if (value === null) return { schema: ['null', 'long'], value };
    if (Array.isArray(value)) return { schema: { type: 'array', items: 'string' }, value: value.map(String) };
    return this.#made(Object.entries(value as Json).map(([name, inner]) => [avroName(name), this.#byLook(inner)] as const), {});
  }

  #made(fields: readonly (readonly [name: string, typed: Typed])[], more: Json): Typed {
    return {
      schema: { type: 'record', name: `r${this.#records++}`, namespace: 'made', ...more, fields: fields.map(([name, { schema }]) => ({ name, type: schema })) } as Schema,
      value: Object.fromEntries(fields.map(([name, typed]) => [name, typed.value])),
    };
  }
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** As Debezium's `field.name.adjustment.mode=avro` does. */
function avroName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/gu, '_').replace(/^[0-9]/, '_');
}

/** Whole numbers are bigints, others numbers. */
function parseExactly(text: string): unknown {
  return JSON.parse(text, (_, value: unknown, context?: { source?: string }) => (typeof value === 'number' && /^-?\d+$/.test(context!.source!) ? BigInt(context!.source!) : value));
}
