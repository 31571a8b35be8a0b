import type { TokenCredential } from '@azure/identity';
import type { SchemaId } from '../change/framing.ts';
import type { SchemaAnswer } from '../change/schemas.ts';
import { lazyTokenCredential } from '../runtime/azure-identity.ts';
import { createSystemClock, type Clock } from '../runtime/clock.ts';
import type { AzureRegistryConfig } from './registry-options.ts';
import { getText, jsonOf } from './registry-http.ts';
import { tooLarge, typeNotRead, unknownTo } from './registry-refusals.ts';
import { RegistryTrouble, type SchemaRegistry } from './registry.ts';

const API_VERSION = '2023-07-01';
const SCOPE = 'https://eventhubs.azure.net/.default';
/** Ids are GUIDs, mostly without dashes. What a record says instead of one is not asked for: no answer to it would tell a record that is wrong from a registry that is. */
const ID = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i;
const REFUSED = 'the identity of RENTFOLD_AZURE_IDENTITY needs the role Schema Registry Reader (Preview) on the namespace';

/** Azure Schema Registry: ids in content types. Connects, and loads the identity library, when it is asked. */
export function createAzureRegistry(config: AzureRegistryConfig, clock: Clock = createSystemClock()): SchemaRegistry {
  return new AzureRegistry(config, clock);
}

class AzureRegistry implements SchemaRegistry {
  readonly name: string;
  readonly #config: AzureRegistryConfig;
  readonly #clock: Clock;
  readonly #credential: () => Promise<TokenCredential>;

  constructor(config: AzureRegistryConfig, clock: Clock) {
    this.name = `the schema registry of ${config.url} (RENTFOLD_SCHEMA_REGISTRY_NAMESPACE)`;
    this.#config = config;
    this.#clock = clock;
    this.#credential = lazyTokenCredential(config.identity, clock);
  }

  covers(id: SchemaId): boolean {
    return typeof id === 'string';
  }

  async ask(id: SchemaId, signal: AbortSignal): Promise<SchemaAnswer> {
    if (!ID.test(String(id))) return { kind: 'refused', code: 'SCHEMA_UNKNOWN', reason: 'that is no id of an Azure Schema Registry', mayChange: false };
    const url = `${this.#config.url}/$schemaGroups/$schemas/${encodeURIComponent(id)}?api-version=${API_VERSION}`;
    const { status, contentType, text } = await getText(url, { accept: '*/*', authorization: `Bearer ${await this.#token(signal)}` }, { refused: REFUSED, clock: this.#clock }, signal);
    if (text === null) return tooLarge();
    if (status === 404) {
      const body = jsonOf(text) as { error?: { code?: unknown } } | null | undefined;
      if (typeof body?.error?.code === 'string') return unknownTo(this.name);
      throw new RegistryTrouble('there is no Azure Schema Registry at this address (HTTP 404)');
    }
    return answerOf(contentType, text);
  }

  async #token(signal: AbortSignal): Promise<string> {
    try {
      const token = await (await this.#credential()).getToken(SCOPE, { abortSignal: signal });
      if (token !== null) return token.token;
    } catch (error) {
      throw new RegistryTrouble(`no token for it can be had: ${(error as Error).message}`);
    }
    throw new RegistryTrouble('no token for it can be had');
  }
}

/** The body is the schema, its type stands in the content type: `application/json; serialization=Avro`. */
function answerOf(contentType: string, text: string): SchemaAnswer {
  const serialization = /serialization=("?)([a-z]+)\1/i.exec(contentType)?.[2]?.toLowerCase();
  if (serialization === 'json') return { kind: 'json' };
  if (serialization === 'avro') return { kind: 'avro', texts: [text] };
  if (/^(text\/vnd\.ms\.protobuf|text\/plain)/i.test(contentType)) return typeNotRead(contentType);
  throw new RegistryTrouble('it answers with something that is no schema: something else may answer in its place');
}
