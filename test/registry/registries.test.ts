/**
 * Goal: a registry's word is taken only where it is one: a schema, or that there is none; everything else is trouble that passes, says what to look at, holds no secret and takes no credentials elsewhere.
 * Method: a real registry by its Confluent API; servers on loopback that answer as registries, proxies and login pages do; an issuer of tokens for Azure's.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAzureRegistry } from '../../src/registry/azure-registry.ts';
import { createConfluentRegistry } from '../../src/registry/confluent-registry.ts';
import type { AzureIdentityConfig } from '../../src/runtime/azure-identity.ts';
import { createSystemClock } from '../../src/runtime/clock.ts';
import { RegistryTrouble, type SchemaRegistry } from '../../src/registry/registry.ts';
import { AzureIssuer, ISSUER } from '../support/azure-issuer.ts';
import { ScriptedHttp, answering, type HttpScript } from '../support/scripted-http.ts';
import { registryService } from '../support/services/services.ts';

const service = await registryService();
const signal = new AbortController().signal;
const SECRET = 'a-secret-Q8~x';
const A = '{"type":"record","name":"A","namespace":"n","fields":[{"name":"x","type":"int"}]}';
const B = '{"type":"record","name":"B","namespace":"n","fields":[{"name":"a","type":"n.A"}]}';
const C = '{"type":"record","name":"C","namespace":"n","fields":[{"name":"b","type":"n.B"},{"name":"a","type":"n.A"}]}';

async function troubleOf(registry: SchemaRegistry, id: number | string = 1): Promise<RegistryTrouble> {
  const error: unknown = await registry.ask(id, signal).then((answer) => new Error(`answered ${JSON.stringify(answer)}`), (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RegistryTrouble);
  expect((error as Error).message).not.toContain(SECRET);
  return error as RegistryTrouble;
}

describe.skipIf(service === null)('a real registry with Confluent\'s API', () => {
  const registry = (): SchemaRegistry => createConfluentRegistry({ url: service!.confluentUrl, login: null });

  it('answers a schema with what it refers to, in the order in which they need one another', async () => {
    await service!.register('registries-a', { schema: A });
    await service!.register('registries-b', { schema: B, references: [{ name: 'n.A', subject: 'registries-a', version: 1 }] });
    const id = await service!.register('registries-c', { schema: C, references: [{ name: 'n.B', subject: 'registries-b', version: 1 }, { name: 'n.A', subject: 'registries-a', version: 1 }] });
    expect(await registry().ask(id, signal)).toEqual({ kind: 'avro', texts: [A, B, C] });
  });

  it('tells JSON Schema and Protobuf from Avro', async () => {
    const json = await service!.register('registries-json', { schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}', schemaType: 'JSON' });
    const protobuf = await service!.register('registries-protobuf', { schema: 'syntax = "proto3"; message M { int32 x = 1; }', schemaType: 'PROTOBUF' });
    expect(await registry().ask(json, signal)).toEqual({ kind: 'json' });
    expect(await registry().ask(protobuf, signal)).toMatchObject({ kind: 'refused', code: 'FRAMING_UNSUPPORTED', reason: expect.stringContaining('PROTOBUF') as string });
  });

  it('does not know a number, and then says so', async () => {
    expect(await registry().ask(1_999_999_999, signal)).toMatchObject({ kind: 'refused', code: 'SCHEMA_UNKNOWN' });
  });

  it('is not at an address without the path of its API', async () => {
    expect((await troubleOf(createConfluentRegistry({ url: service!.url, login: null }))).message).toContain('/apis/ccompat/v7');
  });
});

describe('Confluent\'s API', () => {
  let server: ScriptedHttp;
  const serve = async (script: HttpScript): Promise<SchemaRegistry> => {
    server = await ScriptedHttp.start(script);
    return createConfluentRegistry({ url: server.url, login: { username: 'me', password: SECRET } });
  };
  afterEach(() => server[Symbol.asyncDispose]());

  it('is asked with the login', async () => {
    const registry = await serve(answering(200, { schema: A }));
    expect(await registry.ask(7, signal)).toEqual({ kind: 'avro', texts: [A] });
    expect(server.seen).toMatchObject([{ path: '/schemas/ids/7', headers: { authorization: `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}` } }]);
    expect([registry.covers(7), registry.covers('7')]).toEqual([true, false]);
  });

  it.each<[what: string, script: HttpScript, says: RegExp]>([
    ['an error', answering(500, { error_code: 50001 }), /HTTP 500/], ['a gateway', answering(503, '<html>'), /HTTP 503/], ['a refusal', answering(401, ''), /HTTP 401.*RENTFOLD_SCHEMA_REGISTRY_PASSWORD/],
    ['another address', answering(302, '', { location: 'http://127.0.0.1:1/' }), /another address/], ['a login page', answering(200, '<html>', { 'content-type': 'text/html' }), /no schema/], ['null', answering(200, 'null'), /no schema/],
    ['a path that is not there', answering(404, { error_code: 404, message: 'HTTP 404 Not Found' }), /no registry with Confluent's API/], ['a page that is not there', answering(404, '<html>'), /no registry/],
    ['references of no form', answering(200, { schema: A, references: [{ subject: 1 }] }), /no schema/], ['a cut', (_, response) => void response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy()), /cannot be reached/],
    ['nobody', (_, response) => void response.destroy(), /cannot be reached/],
  ])('%s is trouble', async (_, script, says) => {
    expect((await troubleOf(await serve(script))).message).toMatch(says);
    expect(server.seen).toHaveLength(1);
  });

  it('leaves a registry alone for as long as it asks, within reason', async () => {
    expect((await troubleOf(await serve(answering(429, '', { 'retry-after': '7' })))).restMs).toBe(7_000);
    server.script = answering(429, '', { 'retry-after': '100000' });
    expect((await troubleOf(createConfluentRegistry({ url: server.url, login: null }))).restMs).toBe(60_000);
    const now = Date.UTC(2026, 9, 21, 7, 28, 0);
    server.script = answering(503, '', { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' });
    expect((await troubleOf(createConfluentRegistry({ url: server.url, login: null }, { ...createSystemClock(), now: () => now }))).restMs).toBe(30_000);
  });

  it('takes no schema larger than four megabytes', async () => {
    expect(await (await serve(answering(200, { schema: 'x'.repeat(5_000_000) }))).ask(1, signal)).toMatchObject({ code: 'SCHEMA_INVALID', mayChange: false });
    server.script = answering(404, { error_code: 40403, message: 'x'.repeat(5_000_000) });
    expect((await troubleOf(createConfluentRegistry({ url: server.url, login: null }))).message).toMatch(/HTTP 404 with more than/);
  });

  it('ends with references that are not there, and with ones that never end', async () => {
    const registry = await serve((request, response) => answering(request.url === '/schemas/ids/1' ? 200 : 404, request.url === '/schemas/ids/1' ? { schema: A, references: [{ name: 'n', subject: 's/t', version: 3 }] } : { error_code: 40401 })(request, response));
    expect(await registry.ask(1, signal)).toMatchObject({ code: 'SCHEMA_INVALID', reason: expect.stringContaining('version 3 of "s/t"') as string, mayChange: true });
    expect(server.seen.at(-1)!.path).toBe('/subjects/s%2Ft/versions/3');
    let version = 0;
    server.script = (request, response) => answering(200, { schema: A, references: [{ name: 'n', subject: 's', version: ++version }] })(request, response);
    expect(await registry.ask(1, signal)).toMatchObject({ code: 'SCHEMA_INVALID', reason: expect.stringContaining('200') as string, mayChange: false });
  });
});

describe('Azure Schema Registry', () => {
  const ID = '0123456789abcdef0123456789abcdef';
  let server: ScriptedHttp;
  let issuer: AzureIssuer;
  const serve = async (script: HttpScript): Promise<SchemaRegistry> => {
    issuer = await AzureIssuer.start({ lifeSeconds: 3_600 });
    for (const [name, value] of Object.entries(issuer.environment)) vi.stubEnv(name, value);
    server = await ScriptedHttp.start(script);
    return createAzureRegistry({ url: server.url, identity: { kind: 'managed', clientId: null } });
  };
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });
  const avro = { 'content-type': 'application/json; serialization=Avro' };

  it('is asked by id with a token for the namespace', async () => {
    const registry = await serve(answering(200, A, avro));
    expect(await registry.ask(ID, signal)).toEqual({ kind: 'avro', texts: [A] });
    expect(server.seen).toMatchObject([{ path: `/$schemaGroups/$schemas/${ID}?api-version=2023-07-01`, headers: { authorization: `Bearer ${issuer.tokens[0]}` } }]);
    expect(issuer.requests.map(({ scope }) => scope)).toEqual(['https://eventhubs.azure.net']);
    expect([registry.covers(7), registry.covers('7')]).toEqual([false, true]);
    server.script = answering(200, '{}', { 'content-type': 'application/json; serialization=Json' });
    expect(await registry.ask(ID, signal)).toEqual({ kind: 'json' });
    server.script = answering(200, 'message M {}', { 'content-type': 'text/vnd.ms.protobuf' });
    expect(await registry.ask(ID, signal)).toMatchObject({ code: 'FRAMING_UNSUPPORTED' });
    server.script = answering(404, { error: { code: 'ItemNotFound', message: 'no such schema' } });
    expect(await registry.ask(ID, signal)).toMatchObject({ code: 'SCHEMA_UNKNOWN' });
  });

  it('is not asked for what is no id of it', async () => {
    const registry = await serve(answering(400, { error: { code: 'BadRequest' } }));
    for (const id of ['', '7', '..', `${ID}0`, `${ID}?a`, 'zz23456789abcdef0123456789abcdef']) expect(await registry.ask(id, signal)).toMatchObject({ kind: 'refused', code: 'SCHEMA_UNKNOWN' });
    expect(server.seen).toEqual([]);
    server.script = answering(200, A, avro);
    expect(await registry.ask('01234567-89ab-cdef-0123-456789ABCDEF', signal)).toMatchObject({ kind: 'avro' });
  });

  it('is trouble while it refuses, sends elsewhere, or is not one; and while there is no token', async () => {
    const registry = await serve(answering(403, { error: { code: 'Forbidden' } }));
    expect((await troubleOf(registry, ID)).message).toMatch(/HTTP 403.*Schema Registry Reader/);
    for (const script of [answering(404, '<html>'), answering(200, A), answering(307, '', { location: 'http://127.0.0.1:1/' })]) {
      server.script = script;
      await troubleOf(registry, ID);
    }
    issuer.mood = { status: 400, error: 'invalid_request', description: 'no identity here' };
    const asked = server.seen.length;
    expect((await troubleOf(createAzureRegistry({ url: server.url, identity: { kind: 'managed', clientId: ISSUER.client } }), ID)).message).toMatch(/^no token for it can be had: /);
    expect(server.seen).toHaveLength(asked);
  });

  it('is asked with an identity that could not be made at first, once it can', async () => {
    await serve(answering(200, A, avro));
    // What keeps it from being made in life, as a library that cannot be loaded for want of file handles, is an option here, corrected afterwards.
    const identity: AzureIdentityConfig = { kind: 'environment', clientId: ISSUER.client, tenantId: 'no tenant', proof: { kind: 'secret', secret: SECRET }, authorityHost: null };
    const registry = createAzureRegistry({ url: server.url, identity });
    expect((await troubleOf(registry, ID)).message).toMatch(/^no token for it can be had: RENTFOLD_AZURE_IDENTITY=environment: .*tenant/);
    Object.assign(identity, { kind: 'managed', clientId: null });
    expect(await registry.ask(ID, signal)).toEqual({ kind: 'avro', texts: [A] });
  });
});
