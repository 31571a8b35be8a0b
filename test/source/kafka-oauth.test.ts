/**
 * Goal: the Kafka source proves itself by an identity's token; sessions end with tokens, and the source goes on exactly, by a new token in time, by a new connection, or when the issuer is back.
 * Method: the real broker's OAUTHBEARER listener, which checks signature, audience and times and ends sessions with tokens, and an issuer of tokens that live for seconds.
 */
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import type { KafkaConfig, KafkaTiming } from '../../src/source/kafka-options.ts';
import { AzureIssuer, ISSUER } from '../support/azure-issuer.ts';
import { recordsOf } from '../support/dump.ts';
import { faultFired } from '../support/faults/fired.ts';
import { KafkaTopics, QUICK } from '../support/kafka-log.ts';
import { SourceReader } from '../support/read-source.ts';
import { kafkaService } from '../support/services/services.ts';
import { until } from '../support/until.ts';

const kafka = await kafkaService();

describe.skipIf(kafka === null)('a broker that wants tokens', () => {
  let topics: KafkaTopics;
  let issuer: AzureIssuer;
  let appended = 0;

  beforeAll(async () => {
    topics = await KafkaTopics.create(kafka!.brokers);
    issuer = await AzureIssuer.start({ lifeSeconds: 60, keyFile: kafka!.sasl.oauth.issuerKeyFile });
    for (const [name, value] of Object.entries(issuer.environment)) vi.stubEnv(name, value);
    await append(3);
  });
  beforeEach(() => {
    issuer.mood = 'gives';
    issuer.lifeSeconds = 60;
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await issuer[Symbol.asyncDispose]();
    await topics.dispose();
  });

  const readers: SourceReader[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
  });

  async function append(count: number): Promise<void> {
    await topics.append(recordsOf('t', 0, appended, appended + count));
    appended += count;
  }

  const scope = `${kafka?.sasl.oauth.audience}/.default`;
  const oauth = (over: Partial<KafkaConfig> = {}, asked = scope): Partial<KafkaConfig> => ({
    topics: ['t'], brokers: kafka!.sasl.tlsBrokers, tls: { ca: kafka!.tls.caFile }, sasl: { mechanism: 'oauthbearer', identity: { kind: 'managed', clientId: null }, scope: asked }, ...over,
  });

  function reading(timing: Partial<KafkaTiming> = {}): SourceReader {
    const reader = new SourceReader(topics.source(oauth(), { ...QUICK, ...timing }));
    readers.push(reader);
    return reader;
  }

  async function refusal(config: Partial<KafkaConfig>): Promise<RentfoldError> {
    const source = topics.source(config, { ...QUICK, connectMs: 1_000 });
    const error: unknown = await source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 10 }).then(() => null, (e: unknown) => e);
    await source.close();
    expect(error).toBeInstanceOf(RentfoldError);
    for (const secret of [ISSUER.header, ...issuer.tokens]) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    return error as RentfoldError;
  }

  /** Adds records and reads them, one by one, until the condition holds; then nothing is missing, nothing came twice. */
  async function followUntil(reader: SourceReader, condition: () => boolean): Promise<void> {
    while (!condition()) {
      await append(1);
      await reader.until(() => reader.records.length === appended);
    }
    expect(reader.records.map(({ offset }) => offset)).toEqual(Array.from({ length: appended }, (_, i) => i));
    expect(reader.stops).toEqual([]);
  }

  it('takes them over TLS and without, and positions are told to it', async () => {
    for (const over of [{}, { brokers: kafka!.sasl.brokers, tls: null }]) {
      const reader = new SourceReader(topics.source(oauth(over)));
      readers.push(reader);
      await reader.open();
      await reader.untilEndAtStart();
      await until(() => reader.source.commit(reader.savedPositions()).then(() => true, () => false));
      expect(reader.records.length).toBe(appended);
    }
  });

  it('refuses those for something else: the line names role and scope, and shows no token', async () => {
    const error = await refusal(oauth({}, 'https://other.example/.default'));
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/the broker refuses the identity's token \(.*invalid_token.*Azure Event Hubs Data Receiver.*RENTFOLD_KAFKA_OAUTH_SCOPE/) as string });
  });

  it('says that there is no token, and why, when the issuer refuses, is away or does not answer', async () => {
    issuer.mood = { status: 400, error: 'invalid_request', description: 'Identity not found' };
    expect((await refusal(oauth())).message).toMatch(/RENTFOLD_AZURE_IDENTITY=managed: no token for api:.*the issuer refuses \(400 invalid_request: Identity not found\).*AZURE_CLIENT_ID/);
    issuer.mood = 'away';
    expect((await refusal(oauth())).message).toMatch(/RENTFOLD_AZURE_IDENTITY=managed: .*the issuer cannot be reached/);
    issuer.mood = 'silent';
    expect((await refusal(oauth())).message).toMatch(/RENTFOLD_AZURE_IDENTITY=managed: the wait for a token for api:.* was given up/);
  });

  it('renews a session before its token ends, over and over, without a new connection', async () => {
    issuer.lifeSeconds = 10;
    const reader = reading({ sessionLeftMs: 2_000 });
    await reader.open();
    const before = issuer.requests.length;
    await followUntil(reader, () => issuer.requests.length >= before + 2);
    expect(reader.warnings).toEqual([]);
  });

  it('closes the connection when a token has ended: reading goes on by a new one with a new token', async () => {
    issuer.lifeSeconds = 4;
    const reader = reading({ sessionLeftMs: -3_600_000 });
    await reader.open();
    const before = issuer.requests.length;
    await followUntil(reader, () => issuer.requests.length >= before + 2);
    expect(reader.warnings.map(({ code }) => code)).toContain('SOURCE_RETRYING');
  });

  it('waits when the issuer is away as a session ends, says so once, and goes on when it is back', async () => {
    issuer.lifeSeconds = 4;
    const reader = reading({ sessionLeftMs: 500 });
    await reader.open();
    await followUntil(reader, () => reader.records.length > 0);
    issuer.mood = 'away';
    await append(1);
    await reader.until(() => reader.warnings.length > 0);
    expect(reader.warnings[0]).toMatchObject({ code: 'SOURCE_RETRYING', message: expect.stringMatching(/RENTFOLD_AZURE_IDENTITY=managed: .*the issuer cannot be reached/) as string });
    faultFired('R4');
    issuer.mood = 'gives';
    await followUntil(reader, () => reader.records.length >= appended && reader.records.length > 0);
  });
});
