import type { SchemaId } from '../change/framing.ts';
import type { SchemaAnswer } from '../change/schemas.ts';
import { createSystemClock, type Clock } from '../runtime/clock.ts';
import type { ConfluentRegistryConfig } from './registry-options.ts';
import { getText, jsonOf, type HttpParts } from './registry-http.ts';
import { tooLarge, typeNotRead, unknownTo, type Refusal } from './registry-refusals.ts';
import { RegistryTrouble, type SchemaRegistry } from './registry.ts';

/** Schemas that one may refer to, itself included. */
const REFERENCES_MAX = 200;
/** Confluent's error codes: schema, subject, version not found. Any other 404 is not the registry's word about a schema: the path may be wrong. */
const SCHEMA_NOT_FOUND = new Set([40403]);
const REFERENCE_NOT_FOUND = new Set([40401, 40402, 40403]);
const REFUSED = 'look at RENTFOLD_SCHEMA_REGISTRY_USERNAME and RENTFOLD_SCHEMA_REGISTRY_PASSWORD';

interface Registered {
  readonly schema: string;
  readonly type: string;
  readonly references: readonly { readonly subject: string; readonly version: number }[];
}

/** What came of asking for one: the schema, or why values with it are dead letters. */
type Found = Registered | Refusal;

/** A registry with Confluent's API: numbers in front of values. Connects when it is asked. */
export function createConfluentRegistry(config: ConfluentRegistryConfig, clock: Clock = createSystemClock()): SchemaRegistry {
  return new ConfluentRegistry(config, clock);
}

class ConfluentRegistry implements SchemaRegistry {
  readonly name: string;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #http: HttpParts;

  constructor({ url, login }: ConfluentRegistryConfig, clock: Clock) {
    this.name = `the schema registry at ${url} (RENTFOLD_SCHEMA_REGISTRY_URL)`;
    this.#url = url;
    this.#http = { refused: REFUSED, clock };
    this.#headers = {
      accept: 'application/vnd.schemaregistry.v1+json, application/json',
      ...(login === null ? {} : { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` }),
    };
  }

  covers(id: SchemaId): boolean {
    return typeof id === 'number';
  }

  async ask(id: SchemaId, signal: AbortSignal): Promise<SchemaAnswer> {
    const found = await this.#get(`/schemas/ids/${id}`, SCHEMA_NOT_FOUND, signal);
    if ('code' in found) return found;
    if (found.type === 'JSON') return { kind: 'json' };
    if (found.type !== 'AVRO') return typeNotRead(found.type);
    const texts: string[] = [];
    const wrong = await this.#gather(found, texts, new Set(), signal);
    return wrong ?? { kind: 'avro', texts };
  }

  /** Adds what a schema refers to, then the schema. Answers why that cannot be, or null. */
  async #gather(schema: Registered, texts: string[], seen: Set<string>, signal: AbortSignal): Promise<SchemaAnswer | null> {
    for (const { subject, version } of schema.references) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      if (seen.has(path)) continue;
      seen.add(path);
      if (seen.size > REFERENCES_MAX) return { kind: 'refused', code: 'SCHEMA_INVALID', reason: `it refers to more than ${REFERENCES_MAX} others`, mayChange: false };
      const found = await this.#get(path, REFERENCE_NOT_FOUND, signal);
      if ('code' in found) return { kind: 'refused', code: 'SCHEMA_INVALID', reason: `it refers to version ${version} of ${JSON.stringify(subject)}: ${found.reason}`, mayChange: found.mayChange };
      const wrong = await this.#gather(found, texts, seen, signal);
      if (wrong !== null) return wrong;
    }
    texts.push(schema.schema);
    return null;
  }

  async #get(path: string, notFound: ReadonlySet<number>, signal: AbortSignal): Promise<Found> {
    const { status, text } = await getText(`${this.#url}${path}`, this.#headers, this.#http, signal);
    if (text === null) return tooLarge();
    const body = jsonOf(text) as { error_code?: unknown; schema?: unknown; schemaType?: unknown; references?: unknown } | null | undefined;
    if (status === 404) {
      if (typeof body?.error_code === 'number' && notFound.has(body.error_code)) return unknownTo(this.name);
      throw new RegistryTrouble(`there is no registry with Confluent's API at this address (HTTP 404 for ${path}): Apicurio's ends with /apis/ccompat/v7`);
    }
    const registered = body === null || body === undefined ? null : readRegistered(body);
    if (registered === null) throw new RegistryTrouble(`it answers ${path} with something that is no schema: something else may answer in its place`);
    return registered;
  }
}

function readRegistered({ schema, schemaType, references }: { schema?: unknown; schemaType?: unknown; references?: unknown }): Registered | null {
  if (typeof schema !== 'string') return null;
  const type = typeof schemaType === 'string' ? schemaType.toUpperCase() : 'AVRO';
  const list = Array.isArray(references) ? references as { subject?: unknown; version?: unknown }[] : [];
  if (!list.every((one) => typeof one.subject === 'string' && Number.isInteger(one.version))) return null;
  return { schema, type, references: list as { subject: string; version: number }[] };
}
