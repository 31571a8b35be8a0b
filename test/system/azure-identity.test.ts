/**
 * Goal: the real program lives by an identity alone: it reads a broker and keeps its checkpoints in Blob Storage with tokens that end while it runs, and no token or secret is in its log. And it
 * reads a broker in the form of Event Hubs' Kafka endpoint, where user and password are a connection string.
 * Method: real processes with the environment that Azure gives, on the real broker's SASL listeners, Azurite over https, and an issuer of tokens.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ISSUER } from '../support/azure-issuer.ts';
import { checkCase } from '../support/check-answers.ts';
import { loadCase } from '../support/conformance.ts';
import { IdentityPlace } from '../support/identity-place.ts';
import { KafkaTopics, recordsOfCase } from '../support/kafka-log.ts';
import { RentfoldProcess } from '../support/process.ts';
import { kafkaService } from '../support/services/services.ts';
import { Workplace } from '../support/workplace.ts';

const kafka = await kafkaService();
const one = loadCase('duplicates');

describe.skipIf(kafka === null)('as Azure runs it', () => {
  let place: IdentityPlace;
  let topics: KafkaTopics;
  beforeAll(async () => {
    place = await IdentityPlace.create(kafka!.sasl.oauth.issuerKeyFile);
    topics = await KafkaTopics.create(kafka!.brokers);
  });
  afterAll(async () => {
    await topics.dispose();
    await place[Symbol.asyncDispose]();
  });

  const broker = (): Record<string, string> => ({
    RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: kafka!.sasl.tlsBrokers.join(), RENTFOLD_KAFKA_TLS: 'true', RENTFOLD_KAFKA_TLS_CA: kafka!.tls.caFile,
    RENTFOLD_KAFKA_TOPICS: `${topics.prefix}*`, RENTFOLD_KAFKA_GROUP: topics.named('group'),
  });
  /** What a container app with a managed identity has in its environment, and what its operator sets. */
  const identity = (container: string): Record<string, string> => ({
    ...place.issuer.environment, NODE_EXTRA_CA_CERTS: place.certificates.caFile, RENTFOLD_AZURE_IDENTITY: 'managed',
    RENTFOLD_KAFKA_SASL_MECHANISM: 'oauthbearer', RENTFOLD_KAFKA_OAUTH_SCOPE: `${kafka!.sasl.oauth.audience}/.default`,
    RENTFOLD_STORE: 'azure', AZURE_STORAGE_BLOB_ENDPOINT: place.azurite.blobEndpoint, CDC_CACHE_CONTAINER_NAME: container,
  });
  const expectNoSecret = (log: string): void => {
    for (const secret of [ISSUER.header, kafka!.sasl.connectionString.password, ...place.issuer.tokens]) expect(log.includes(secret)).toBe(false);
  };

  test('by a managed identity: checkpoints and reading go on over ended tokens, and after kill -9', async () => {
    const { issuer } = place;
    issuer.lives.set('https://storage.azure.com', 6);
    const settings = { ...one.settings, ...broker(), ...identity('identity'), RENTFOLD_CHECKPOINT_SECONDS: '1', RENTFOLD_CHECKPOINT_CHANGES: '5' };
    const records = recordsOfCase(one);
    const cut = Math.floor(records.length / 2);
    await topics.append(records.slice(0, cut));
    await using first = new RentfoldProcess(settings);
    await first.ready();
    await first.until('published', async () => (await first.status()).generation !== null);
    const given = issuer.tokens.length;
    await first.until('got new tokens', () => Promise.resolve(issuer.tokens.length >= given + 3));
    await topics.append(records.slice(cut));
    await first.until('has read everything', async () => Number((await first.status()).records.read) === one.records);
    const before = Number((await first.status()).generation);
    await first.until('published with them', async () => Number((await first.status()).generation) >= before);
    await first.showingLog(() => checkCase(one, first));
    await first.kill('SIGKILL');
    await using second = new RentfoldProcess(settings);
    await second.ready();
    expect(second.log).toMatch(/Restored generation \d+/);
    await second.showingLog(() => checkCase(one, second));
    await second.kill('SIGTERM');
    expect(await second.exitCode(), second.log).toBe(0);
    for (const { log } of [first, second]) expectNoSecret(log);
  }, 240_000);

  test('an identity that is refused ends the start with exit code 2 and one line', async () => {
    place.issuer.mood = { status: 400, error: 'invalid_request', description: 'Identity not found' };
    await using folder = await Workplace.create();
    await using program = new RentfoldProcess({ ...folder.settings, ...identity('refused'), RENTFOLD_SOURCE: 'file' }, ['inspect']);
    expect(await program.exitCode()).toBe(2);
    expect(program.log.split('\n').filter((line) => line.startsWith('rentfold: '))).toEqual([expect.stringMatching(/^rentfold: CONFIGURATION_INVALID: RENTFOLD_AZURE_IDENTITY: .*the issuer refuses \(400 invalid_request: Identity not found\)/)]);
    expectNoSecret(program.log);
    place.issuer.mood = 'gives';
  }, 120_000);

  test('by Event Hubs\' Kafka endpoint: user $ConnectionString, the connection string as password', async () => {
    const { username, password } = kafka!.sasl.connectionString;
    expect([username, password]).toEqual(['$ConnectionString', expect.stringMatching(/^Endpoint=sb:\/\/.*;SharedAccessKeyName=.*;SharedAccessKey=.*=$/)]);
    await using folder = await Workplace.create();
    await using program = folder.start({ ...one.settings, ...broker(), RENTFOLD_KAFKA_SASL_MECHANISM: 'plain', RENTFOLD_KAFKA_SASL_USERNAME: username, RENTFOLD_KAFKA_SASL_PASSWORD: password });
    await program.ready();
    await program.showingLog(() => checkCase(one, program));
    await program.kill('SIGTERM');
    expect(await program.exitCode(), program.log).toBe(0);
    expectNoSecret(program.log);
  }, 120_000);
});
