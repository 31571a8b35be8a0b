import {
  AVRO_ARRAY, AVRO_BOOLEAN, AVRO_BYTES, AVRO_DECIMAL_BYTES, AVRO_DECIMAL_FIXED, AVRO_DOUBLE, AVRO_ENUM, AVRO_FIXED, AVRO_FLOAT, AVRO_INTEGER, AVRO_MAP, AVRO_NULL, AVRO_RECORD, AVRO_STRING,
  AVRO_UNION, AvroNode,
} from './avro-plan.ts';
import type { AvroPlan } from './avro-plan.ts';
import { NAME_UNKNOWN } from './names.ts';
import type { Names } from './names.ts';
import { ColumnTypes, SEMANTIC_TYPES, TYPE_BYTES, TYPE_DAYS, TYPE_MICROSECONDS, TYPE_MILLISECONDS, TYPE_NANOSECONDS, TYPE_PLAIN } from './schema-block.ts';
import { DEPTH_MAX } from './tape.ts';

/** Most bytes of a fixed, and decimals of a decimal: more is no column of a database. */
const SIZE_MAX = 1 << 20;
const SCALE_MAX = 100_000;
const ENVELOPE_FIELDS = ['after', 'before', 'data'] as const;
const PRIMITIVES: Readonly<Record<string, number>> = {
  null: AVRO_NULL, boolean: AVRO_BOOLEAN, int: AVRO_INTEGER, long: AVRO_INTEGER, float: AVRO_FLOAT, double: AVRO_DOUBLE, bytes: AVRO_BYTES, string: AVRO_STRING,
};
const LOGICAL_TYPES: Readonly<Record<string, number>> = {
  'date': TYPE_DAYS, 'timestamp-millis': TYPE_MILLISECONDS, 'timestamp-micros': TYPE_MICROSECONDS, 'timestamp-nanos': TYPE_NANOSECONDS,
  'local-timestamp-millis': TYPE_MILLISECONDS, 'local-timestamp-micros': TYPE_MICROSECONDS, 'local-timestamp-nanos': TYPE_NANOSECONDS,
};
const CONNECT_TYPES: ReadonlyMap<string, number> = new Map(SEMANTIC_TYPES);

/** Why a text is no schema that can be read, in words that end a sentence. */
export class AvroSchemaFault extends Error {}

type Json = Readonly<Record<string, unknown>>;

/**
 * Compiles Avro schemas (JSON texts): the last one is the schema of the values, those before it are the ones it refers to, each behind what it refers to itself. Throws an AvroSchemaFault
 * for what is no schema.
 */
export function compileAvro(texts: readonly string[], names: Names): AvroPlan {
  const compiler = new Compiler(names);
  let root = new AvroNode(AVRO_NULL);
  for (const text of texts) root = compiler.compile(parse(text));
  return { root, columns: columnsOf(recordIn(root), names, 0) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AvroSchemaFault('it is not JSON');
  }
}

class Compiler {
  readonly #names: Names;
  readonly #named = new Map<string, AvroNode>();
  #depth = 0;

  constructor(names: Names) {
    this.#names = names;
  }

  /** The node of a schema. */
  compile(schema: unknown, namespace = ''): AvroNode {
    if (this.#depth === DEPTH_MAX) throw new AvroSchemaFault(`it is nested deeper than ${DEPTH_MAX} levels`);
    this.#depth++;
    const node = this.#typeOf(schema, namespace);
    this.#depth--;
    return node;
  }

  #typeOf(schema: unknown, namespace: string): AvroNode {
    if (typeof schema === 'string') return this.#byName(schema, namespace);
    if (Array.isArray(schema)) {
      const union = new AvroNode(AVRO_UNION);
      for (const branch of schema as unknown[]) union.parts.push(this.compile(branch, namespace));
      if (union.parts.some(({ kind }) => kind === AVRO_UNION)) throw new AvroSchemaFault('a union in it holds a union');
      return union;
    }
    if (schema === null || typeof schema !== 'object') throw new AvroSchemaFault('a type in it is neither a name nor an object nor a list');
    const object = schema as Json;
    const { type } = object;
    if (typeof type !== 'string') return this.compile(type, namespace);
    switch (type) {
      case 'record':
      case 'error': return this.#record(object, namespace);
      case 'enum': return this.#enum(object, namespace);
      case 'fixed': return this.#fixed(object, namespace);
      case 'array': return this.#list(AVRO_ARRAY, object['items'], namespace);
      case 'map': return this.#list(AVRO_MAP, object['values'], namespace);
      default: return Object.hasOwn(PRIMITIVES, type) ? primitive(PRIMITIVES[type], object) : this.#byName(type, namespace);
    }
  }

  #byName(name: string, namespace: string): AvroNode {
    if (Object.hasOwn(PRIMITIVES, name)) return primitive(PRIMITIVES[name], {});
    const node = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
    if (node === undefined) throw new AvroSchemaFault(`it names a type that is not in it (${shown(name)})`);
    return node;
  }

  #record(object: Json, namespace: string): AvroNode {
    const node = new AvroNode(AVRO_RECORD);
    const inner = this.#define(object, namespace, node);
    if (!Array.isArray(object['fields'])) throw new AvroSchemaFault('a record in it has no list of fields');
    const seen = new Set<string>();
    for (const field of object['fields'] as unknown[]) {
      const { name, type } = field === null || typeof field !== 'object' ? {} as Json : field as Json;
      if (typeof name !== 'string' || seen.has(name)) throw new AvroSchemaFault('a record in it has a field without a name, or two of one name');
      seen.add(name);
      node.names.push(this.#names.findAdjusted(name));
      node.parts.push(this.compile(type, inner));
    }
    return node;
  }

  #enum(object: Json, namespace: string): AvroNode {
    const node = new AvroNode(AVRO_ENUM);
    this.#define(object, namespace, node);
    const { symbols } = object;
    if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === 'string')) throw new AvroSchemaFault('an enum in it has no list of symbols');
    const encoder = new TextEncoder();
    node.symbols = symbols.map((symbol) => encoder.encode(symbol));
    node.columnType = TYPE_PLAIN;
    return node;
  }

  #fixed(object: Json, namespace: string): AvroNode {
    const node = new AvroNode(AVRO_FIXED);
    this.#define(object, namespace, node);
    node.size = whole(object['size'], SIZE_MAX, 'the size of a fixed');
    node.columnType = TYPE_BYTES;
    readDecimal(node, object, AVRO_DECIMAL_FIXED);
    return node;
  }

  #list(kind: number, part: unknown, namespace: string): AvroNode {
    const node = new AvroNode(kind);
    node.parts.push(this.compile(part, namespace));
    return node;
  }

  /** Remembers a named type before what is in it is read; answers the namespace of what is in it. */
  #define(object: Json, namespace: string, node: AvroNode): string {
    const { name } = object;
    if (typeof name !== 'string' || name === '') throw new AvroSchemaFault('a type in it that needs a name has none');
    const own = typeof object['namespace'] === 'string' ? object['namespace'] : namespace;
    const full = fullName(name, own);
    if (this.#named.has(full)) throw new AvroSchemaFault(`it defines a type twice (${shown(full)})`);
    this.#named.set(full, node);
    const dot = full.lastIndexOf('.');
    return dot < 0 ? '' : full.slice(0, dot);
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function primitive(kind: number, object: Json): AvroNode {
  const node = new AvroNode(kind);
  node.columnType = kind === AVRO_BYTES ? TYPE_BYTES : TYPE_PLAIN;
  if (kind === AVRO_BYTES) readDecimal(node, object, AVRO_DECIMAL_BYTES);
  else if (kind === AVRO_INTEGER) {
    const { logicalType, 'connect.name': connectName } = object;
    node.columnType = (typeof connectName === 'string' ? CONNECT_TYPES.get(connectName) : undefined)
      ?? (typeof logicalType === 'string' && Object.hasOwn(LOGICAL_TYPES, logicalType) ? LOGICAL_TYPES[logicalType] : TYPE_PLAIN);
  }
  return node;
}

/** Makes a decimal of bytes or a fixed that say they are one, by Avro's or by Connect's name. */
function readDecimal(node: AvroNode, object: Json, kind: number): void {
  if (object['logicalType'] !== 'decimal' && object['connect.name'] !== 'org.apache.kafka.connect.data.Decimal') return;
  const parameters = object['connect.parameters'];
  const byConnect = parameters !== null && typeof parameters === 'object' ? Number((parameters as Json)['scale'] ?? 0) : 0;
  node.kind = kind;
  node.scale = whole(object['scale'] ?? byConnect, SCALE_MAX, 'the scale of a decimal', -SCALE_MAX);
  node.columnType = TYPE_PLAIN;
}

function whole(value: unknown, max: number, what: string, min = 0): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) throw new AvroSchemaFault(`${what} in it is no whole number from ${min} to ${max}`);
  return value;
}

/** The record a type is, or the one that a union of it and null holds; null when it is none. */
function recordIn(node: AvroNode): AvroNode | null {
  if (node.kind === AVRO_RECORD) return node;
  return node.kind === AVRO_UNION ? node.parts.find(({ kind }) => kind === AVRO_RECORD) ?? null : null;
}

/** Types of the columns of the row in a record: its own, or those of its `after` (`before`, `data`) when it is an envelope. As `SchemaBlocks.read`. */
function columnsOf(record: AvroNode | null, names: Names, depth: number): ColumnTypes | null {
  if (record === null) return null;
  for (const name of ENVELOPE_FIELDS) {
    const field = record.names.indexOf(names.add(name));
    const inner = field < 0 ? null : recordIn(record.parts[field]);
    if (inner !== null && depth < ENVELOPE_FIELDS.length) return columnsOf(inner, names, depth + 1);
  }
  const columns = new ColumnTypes();
  record.parts.forEach((part, field) => {
    if (record.names[field] !== NAME_UNKNOWN) columns.type[record.names[field]] = columnType(part);
  });
  return columns;
}

function columnType(node: AvroNode): number {
  if (node.kind !== AVRO_UNION) return node.columnType === 0 ? TYPE_PLAIN : node.columnType;
  return node.parts.reduce((type, part) => (part.kind === AVRO_NULL ? type : columnType(part)), TYPE_PLAIN);
}
