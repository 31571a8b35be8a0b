/**
 * Goal: the Event Hubs source proves itself by an identity's token, puts new ones before the old ones end, goes on exactly after tokens that ended all the same, and says in one line when there is none.
 * Method: the double over TLS, which takes `jwt` claims for as long as their tokens live, and an issuer of tokens that live for seconds.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AzureIdentityConfig } from '../../src/runtime/azure-identity.ts';
import type { Source } from '../../src/source/source.ts';
import { AzureIssuer, ISSUER } from '../support/azure-issuer.ts';
import { recordsOf } from '../support/dump.ts';
import { faultFired } from '../support/faults/fired.ts';
import { HubsLog } from '../support/hubs-log.ts';
import { hubsSource } from '../support/hubs-source.ts';
import { SourceReader } from '../support/read-source.ts';
import { makeCertificates } from '../support/services/certificates.ts';

const IDENTITY: AzureIdentityConfig = { kind: 'managed', clientId: null };

describe('Event Hubs by an identity', () => {
  let folder: string;
  let issuer: AzureIssuer;
  let log: HubsLog;
  let appended = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rentfold-hubs-identity-'));
    const certificates = await makeCertificates(folder);
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), await readFile(certificates.caFile, 'utf8')]);
    const pem = await readFile(certificates.serverFile, 'utf8');
    issuer = await AzureIssuer.start({ lifeSeconds: 60 });
    for (const [name, value] of Object.entries(issuer.environment)) vi.stubEnv(name, value);
    log = await HubsLog.create({ tls: { key: pem, cert: pem } });
    append(3);
  });
  beforeEach(() => {
    issuer.mood = 'gives';
    issuer.lifeSeconds = 60;
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await log.dispose();
    await issuer[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const readers: SourceReader[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
  });

  function append(count: number): void {
    log.append(recordsOf('t', 0, appended, appended + count));
    appended += count;
  }

  const source = (): Source => hubsSource(log.double, { credential: { kind: 'identity', namespace: log.double.host, identity: IDENTITY } });

  function reading(): SourceReader {
    const reader = new SourceReader(source());
    readers.push(reader);
    return reader;
  }

  /** Adds events and reads them until the condition holds; then nothing is missing, nothing came twice. */
  async function followUntil(reader: SourceReader, condition: () => boolean): Promise<void> {
    do {
      append(1);
      await reader.until(() => reader.records.length === appended);
    } while (!condition());
    expect(reader.records.map(({ offset }) => offset)).toEqual(Array.from({ length: appended }, (_, i) => i));
    expect(reader.stops).toEqual([]);
  }

  it('puts its token for a partition, and a new one before it ends, on the same link', async () => {
    issuer.lifeSeconds = 16;
    const { counters } = log.double;
    const reader = reading();
    await reader.open();
    await followUntil(reader, () => true);
    const attaches = counters.attachesOf('t', 0).length;
    const ofPartition = (): string[] => counters.tokens.filter(({ audience }) => audience.endsWith('/t/ConsumerGroups/$Default/Partitions/0')).map(({ token }) => token);
    expect(ofPartition().length).toBeGreaterThan(0);
    await followUntil(reader, () => new Set(ofPartition()).size >= 2);
    expect(counters.tokens.every(({ type, status }) => type === 'jwt' && status === 202)).toBe(true);
    expect(issuer.requests.at(-1)).toMatchObject({ form: 'managed', scope: expect.stringMatching(/^https:\/\/eventhubs\.azure\.net\/?$/) as string });
    expect(counters.attachesOf('t', 0)).toHaveLength(attaches);
  });

  it('goes on exactly after its tokens ended, by a new link with a new claim', async () => {
    const reader = reading();
    await reader.open();
    await followUntil(reader, () => true);
    const attaches = log.double.counters.attachesOf('t', 0).length;
    expect(log.double.expireTokens()).toBeGreaterThan(0);
    faultFired('R5');
    await followUntil(reader, () => log.double.counters.attachesOf('t', 0).length > attaches);
  });

  it('says that there is no token, or that the service refuses it, with the option and without the token', async () => {
    const refusal = async (): Promise<string> => {
      const opening = source();
      const error: unknown = await opening.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 10 }).then(() => null, (thrown: unknown) => thrown);
      await opening.close();
      expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
      for (const secret of [ISSUER.header, ...issuer.tokens]) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
      return (error as Error).message;
    };
    log.double.refuseTokens(50, { status: 401, description: 'Unauthorized access. \'Listen\' claim(s) are required to perform this operation.' });
    expect(await refusal()).toMatch(/^RENTFOLD_AZURE_IDENTITY: .*'Listen' claim.*role Azure Event Hubs Data Receiver/);
    issuer.mood = { status: 400, error: 'invalid_request', description: 'Identity not found' };
    expect(await refusal()).toMatch(/^RENTFOLD_AZURE_IDENTITY: .*no token for https:\/\/eventhubs\.azure\.net\/+\.default: the issuer refuses \(400 invalid_request: Identity not found\)/);
    issuer.mood = 'away';
    expect(await refusal()).toMatch(/^RENTFOLD_AZURE_IDENTITY: .*no token for https:\/\/eventhubs\.azure\.net\/+\.default: the issuer cannot be reached/);
  });
});
