/**
 * Goal: each identity gets tokens, keeps them, renews them in time and also over an issuer that is away; what goes wrong has one clear line that names the option and holds no secret.
 * Method: the real client library against an issuer on loopback, in both forms that Azure has, with short lives; the wall clock is moved by hand where time matters.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTokenCredential, type AzureIdentityConfig } from '../../src/runtime/azure-identity.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { AzureIssuer, ISSUER, type IssuerMood } from '../support/azure-issuer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeCertificates, type Certificates } from '../support/services/certificates.ts';
import { until } from '../support/until.ts';

const SCOPE = 'https://storage.azure.com/.default';
const SECRET = 'a-client-secret-Q8~x';

let folder: string;
let certificates: Certificates;
let issuer: AzureIssuer;
let tokenFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rentfold-identity-'));
  certificates = await makeCertificates(folder);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), await readFile(certificates.caFile, 'utf8')]);
  issuer = await AzureIssuer.start({ lifeSeconds: 3_600, serverFile: certificates.serverFile });
  for (const [name, value] of Object.entries(issuer.environment)) vi.stubEnv(name, value);
  tokenFile = join(folder, 'federated-token');
});

beforeEach(async () => {
  issuer.mood = 'gives';
  issuer.lifeSeconds = 3_600;
  issuer.requests.length = 0;
  await writeFile(tokenFile, 'federated-1\n');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await issuer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Another client for each test: the library keeps tokens of managed identities for the whole process. */
let clients = 0;
const managed = (): AzureIdentityConfig => ({ kind: 'managed', clientId: `client-${++clients}` });
const workload = (): AzureIdentityConfig => ({ kind: 'workload', clientId: ISSUER.client, tenantId: ISSUER.tenant, tokenFile, authorityHost: issuer.authorityHost });
const principal = (proof?: { kind: 'certificate'; file: string }): AzureIdentityConfig => ({
  kind: 'environment', clientId: ISSUER.client, tenantId: ISSUER.tenant, proof: proof ?? { kind: 'secret', secret: SECRET }, authorityHost: issuer.authorityHost,
});

async function failure(config: AzureIdentityConfig, clock?: Clock): Promise<{ message: string; mayPass: boolean }> {
  const error: unknown = await createTokenCredential(config, clock).then((credential) => credential.getToken(SCOPE)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  for (const secret of [SECRET, 'federated-1', ISSUER.header]) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  expect((error as Error).message).toMatch(new RegExp(`^RENTFOLD_AZURE_IDENTITY=${config.kind}: [^\n]*$`));
  return error as Error & { mayPass: boolean };
}

describe('an Azure identity', () => {
  it('gets a token by each kind, with what proves it', async () => {
    // The library keeps none that lives for less than five minutes.
    issuer.lifeSeconds = 60;
    const certificateFile = join(folder, 'principal.pem');
    await writeFile(certificateFile, await readFile(certificates.serverFile));
    for (const [config, expected] of [
      [managed(), { form: 'managed', scope: 'https://storage.azure.com', clientId: `client-${clients}` }],
      [{ kind: 'managed', clientId: null }, { form: 'managed', clientId: null }],
      [workload(), { form: 'login', scope: SCOPE, clientId: ISSUER.client, assertion: 'federated-1' }],
      [principal(), { form: 'login', secret: SECRET }],
    ] as const) {
      const token = await (await createTokenCredential(config)).getToken(SCOPE);
      expect(token?.token).toBe(issuer.tokens.at(-1));
      expect(issuer.requests.at(-1)).toMatchObject(expected);
    }
  });

  it('asks once for all who ask, and again only when the token nears its end', async () => {
    const clock = new ManualClock(Date.now());
    const credential = await createTokenCredential(managed(), clock);
    const [first, second] = await Promise.all([credential.getToken(SCOPE), credential.getToken(SCOPE)]);
    await clock.pass(3_000);
    expect([(await credential.getToken(SCOPE))?.token, second?.token, issuer.requests.length]).toEqual([first?.token, first?.token, 1]);
    await credential.getToken('https://eventhubs.azure.net/.default');
    expect(issuer.requests.map(({ scope }) => scope)).toEqual(['https://storage.azure.com', 'https://eventhubs.azure.net']);
  });

  it('renews a token that lives for seconds, again and again', async () => {
    issuer.lifeSeconds = 2;
    const credential = await createTokenCredential(workload());
    const seen = new Set<string>();
    await until(async () => {
      const token = await credential.getToken(SCOPE);
      expect(token!.expiresOnTimestamp).toBeGreaterThan(Date.now());
      return seen.add(token!.token).size >= 3;
    });
    expect(issuer.requests.length).toBe(3);
  });

  it('proves a workload by the newest token in its file, which the cluster changes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    try {
      issuer.lifeSeconds = 300;
      const credential = await createTokenCredential(workload());
      await credential.getToken(SCOPE);
      await writeFile(tokenFile, 'federated-2\n');
      vi.setSystemTime(Date.now() + 360_000);
      await credential.getToken(SCOPE);
      expect(issuer.requests.map(({ assertion }) => assertion)).toEqual(['federated-1', 'federated-2']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('goes on with the token it has while the issuer is away, for as long as it is good, and gets a new one when it is back', async () => {
    const clock = new ManualClock(Date.now());
    issuer.lifeSeconds = 250;
    const credential = await createTokenCredential(managed(), clock);
    const first = await credential.getToken(SCOPE);
    issuer.mood = 'away';
    await clock.pass(150);
    expect((await credential.getToken(SCOPE))?.token).toBe(first?.token);
    const asked = issuer.requests.length;
    expect(asked).toBeGreaterThan(1);
    expect((await credential.getToken(SCOPE))?.token).toBe(first?.token);
    expect(issuer.requests.length).toBe(asked);
    await clock.pass(50);
    await expect(credential.getToken(SCOPE)).rejects.toMatchObject({ mayPass: true, message: expect.stringMatching(/the issuer cannot be reached/) as unknown });
    issuer.mood = 'gives';
    expect((await credential.getToken(SCOPE))?.token).toBe(issuer.tokens.at(-1));
  });

  it('says what a refusal means and what to do, by kind', async () => {
    issuer.mood = { status: 400, error: 'invalid_client', description: `AADSTS7000215: Invalid client secret ${SECRET} provided for app '${ISSUER.client}'. Trace ID: 1 ${'ey'.repeat(40)}` };
    expect(await failure(principal())).toEqual(expect.objectContaining({ mayPass: false, message: expect.stringMatching(/the issuer refuses \(400 invalid_client: AADSTS7000215: .*5e4b2c70-.*compare AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET/) as unknown }));
    issuer.mood = { status: 401, error: 'unauthorized', description: '' };
    expect((await failure(workload())).message).toMatch(/federated credential \(issuer, subject, audience\)/);
    expect((await failure(managed())).message).toMatch(/AZURE_CLIENT_ID is to be the client id of an identity that is assigned/);
    expect((await failure({ kind: 'managed', clientId: null })).message).toMatch(/system-assigned identity/);
  });

  it.each<[IssuerMood, RegExp]>([
    [{ status: 503, error: 'temporarily_unavailable', description: 'busy' }, /busy or not ready \(503 temporarily_unavailable: busy\)/],
    [{ status: 429, error: 'too_many_requests', description: 'slow down' }, /busy or not ready \(429/],
    [{ status: 404, error: 'not_found', description: 'still starting' }, /busy or not ready \(404/],
    ['away', /the issuer cannot be reached/],
  ])('may pass: %o', async (mood, words) => {
    issuer.mood = mood;
    for (const config of [managed(), principal()]) {
      if (typeof mood === 'object' && mood.status === 404 && config.kind !== 'managed') continue;
      const { message, mayPass } = await failure(config);
      expect(message).toMatch(words);
      expect(mayPass).toBe(true);
    }
  });

  it('does not wait for ever for an issuer that is silent, nor longer than the one who asks', async () => {
    issuer.mood = 'silent';
    const clock = new ManualClock(Date.now());
    const failed = failure(managed(), clock);
    await until(() => issuer.requests.length > 0);
    await clock.pass(15);
    expect(await failed).toMatchObject({ mayPass: true, message: expect.stringMatching(/no answer within 15 s/) as unknown });
    const controller = new AbortController();
    const asked = (await createTokenCredential(managed(), clock)).getToken(SCOPE, { abortSignal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'IdentityFailure', mayPass: true });
  });

  it('says which file is missing, empty or no certificate, and that nobody is logged in', async () => {
    await rm(tokenFile);
    expect((await failure(workload())).message).toMatch(/federated-token of AZURE_FEDERATED_TOKEN_FILE cannot be read \(ENOENT\)/);
    await writeFile(tokenFile, '\n');
    expect((await failure(workload())).message).toMatch(/federated-token of AZURE_FEDERATED_TOKEN_FILE is empty/);
    for (const file of [tokenFile, join(folder, 'missing.pem')]) expect((await failure(principal({ kind: 'certificate', file }))).message).toMatch(/AZURE_CLIENT_CERTIFICATE_PATH cannot be used/);
    vi.stubEnv('PATH', folder);
    expect((await failure({ kind: 'cli', tenantId: null })).message).toMatch(/Azure CLI could not be found.*`az login`/);
  });
});
