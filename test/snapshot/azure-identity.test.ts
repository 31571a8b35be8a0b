import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AzureIdentityConfig } from '../../src/runtime/azure-identity.ts';
import type { AzureContainer } from '../../src/snapshot/azure-account.ts';
import { USUAL } from '../../src/snapshot/azure-calls.ts';
import { ISSUER } from '../support/azure-issuer.ts';
import { azureStore, openAzure } from '../support/azure-place.ts';
import { faultFired } from '../support/faults/fired.ts';
import { IdentityPlace } from '../support/identity-place.ts';
import { until } from '../support/until.ts';
import { WaitingClock } from '../support/waiting-clock.ts';
import { describeStore } from './store-suite.ts';

// Goal: the store works by an identity alone, over tokens that end while it works and over an issuer that is away; what is refused says whether the identity, its role or the account is
// meant. Method: the contract suite on Azurite, which checks the tokens' claims and times, over https, with the real client library and an issuer of short-lived tokens; answers that only
// the real service gives come from a server of the test's own.

const place = await IdentityPlace.create();
const { issuer } = place;
const identity = (): AzureIdentityConfig => ({
  kind: 'environment', clientId: ISSUER.client, tenantId: ISSUER.tenant, proof: { kind: 'secret', secret: 'a-client-secret-Q8~x' }, authorityHost: issuer.authorityHost,
});
const MANAGED: AzureIdentityConfig = { kind: 'managed', clientId: null };

beforeAll(() => {
  for (const [name, value] of Object.entries(issuer.environment)) vi.stubEnv(name, value);
});

beforeEach(() => {
  issuer.lifeSeconds = 60;
  issuer.mood = 'gives';
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await place[Symbol.asyncDispose]();
});

describeStore('azure', () => {
  const container = place.container(identity());
  return Promise.resolve({ open: () => openAzure(container) });
});

async function refused(container: AzureContainer): Promise<{ code: string; message: string }> {
  const error: unknown = await azureStore(container, { clock: new WaitingClock(USUAL.tryMs) }).open().then(() => 'opened', (thrown: unknown) => thrown);
  for (const secret of ['a-client-secret-Q8~x', ISSUER.header, ...issuer.tokens]) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  const { code, message } = error as { code: string; message: string };
  return { code, message };
}

describe('a store opened by an identity', () => {
  it.each([['a managed identity', MANAGED], ['a service principal', identity()]])('%s: writes with conditions and keeps its lease over tokens that live for seconds', async (_, who) => {
    issuer.lifeSeconds = 3;
    const store = await openAzure(place.container(who));
    const first = issuer.requests.length;
    const lease = await store.acquireLease('writer-1', () => undefined);
    expect(await store.create('cdc/financial_performance/a.json', Buffer.from('0'))).toBe('created');
    expect(await store.create('cdc/financial_performance/a.json', Buffer.from('x'))).toBe('exists');
    let tag = (await store.read('cdc/financial_performance/a.json'))!.tag;
    let count = 0;
    await until(async () => {
      const next = await store.replace('cdc/financial_performance/a.json', Buffer.from(String(++count)), tag);
      expect(next).not.toBeNull();
      expect(await store.replace('cdc/financial_performance/a.json', Buffer.from('late'), tag)).toBeNull();
      tag = next!;
      return issuer.requests.length >= first + 3;
    });
    expect(Buffer.from((await store.read('cdc/financial_performance/a.json'))!.bytes).toString()).toBe(String(count));
    if ('release' in lease) await lease.release();
    await store.close();
  });

  it('works on while the issuer is away and its token is good, then says what is missing, and works again when it is back', async () => {
    issuer.lifeSeconds = 5;
    const store = await openAzure(place.container(identity()));
    issuer.mood = 'away';
    const asked = issuer.requests.length;
    const write = (): Promise<unknown> => store.replace('cdc/financial_performance/a.json', Buffer.from('1'), null);
    expect(await write()).not.toBeNull();
    const failed = await (async () => {
      for (;;) {
        const error: unknown = await store.read('cdc/financial_performance/a.json').then(() => null, (thrown: unknown) => thrown);
        if (error !== null) return error;
      }
    })();
    expect(failed).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/could not read .*no token for https:\/\/storage\.azure\.com\/\.default: the issuer cannot be reached.*NO_TOKEN/) as unknown });
    expect(issuer.requests.length).toBeGreaterThan(asked);
    faultFired('R3');
    issuer.mood = 'gives';
    expect(Buffer.from((await store.read('cdc/financial_performance/a.json'))!.bytes).toString()).toBe('1');
    await store.close();
  });

  it('an issuer that refuses is CONFIGURATION_INVALID at start, with the option; one that is away STORE_UNAVAILABLE', async () => {
    issuer.mood = { status: 401, error: 'invalid_client', description: 'AADSTS7000215: Invalid client secret provided.' };
    expect(await refused(place.container(identity()))).toEqual({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(/^RENTFOLD_AZURE_IDENTITY: could not write https:.*the issuer refuses \(401 invalid_client: AADSTS7000215: Invalid client secret provided\.\): compare AZURE_TENANT_ID/) as unknown });
    issuer.mood = 'away';
    expect(await refused(place.container(identity()))).toEqual({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/the issuer cannot be reached.*4 tries/) as unknown });
  });

  it('a token that the service refuses is tried with the next one; for good it is CONFIGURATION_INVALID', async () => {
    await using service = await answering(401, 'InvalidAuthenticationInfo');
    const { code, message } = await refused(place.container(identity(), service.endpoint));
    expect([code, service.count()]).toEqual(['CONFIGURATION_INVALID', USUAL.triesMax]);
    expect(message).toMatch(/^RENTFOLD_AZURE_IDENTITY: could not write .*token was refused: the account belongs to another tenant.*AZURE_TENANT_ID.*\(401 InvalidAuthenticationInfo, 4 tries\)/);
  });

  it('a role that is missing is STORE_NOT_WRITABLE at start, and named', async () => {
    await using service = await answering(403, 'AuthorizationPermissionMismatch');
    expect(await refused(place.container(identity(), service.endpoint))).toEqual({ code: 'STORE_NOT_WRITABLE', message: expect.stringMatching(/lacks the role Storage Blob Data Contributor on the container/) as unknown });
  });

  it('an address without TLS is refused before a token goes anywhere', () => {
    expect(() => azureStore(place.container(identity(), 'http://127.0.0.1:1/acct'))).toThrow(/AZURE_STORAGE_BLOB_ENDPOINT.*no https address/);
  });
});

/** A blob service that answers everything alike. */
async function answering(status: number, code: string): Promise<AsyncDisposable & { readonly endpoint: string; readonly count: () => number }> {
  let count = 0;
  const pem = readFileSync(place.certificates.serverFile);
  const server = createServer({ key: pem, cert: pem }, (request, response) => {
    count++;
    request.resume();
    response.writeHead(status, { 'x-ms-error-code': code, 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>refused</Message></Error>`);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}/acct`,
    count: () => count,
    [Symbol.asyncDispose]: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
