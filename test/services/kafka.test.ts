/**
 * Goal: tests get a real broker with every kind of listener, whose log survives a kill.
 * Method: a client writes and reads through each listener; an instance of the test's own is killed and started again.
 */
import { readFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaConfig } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { hasService, kafkaService, startKafka } from '../support/services/services.ts';

const kafka = await kafkaService();
/** Several starts of a broker, on a machine that is busy with other things. */
const OWN_MS = 180_000;

function client(config: Partial<KafkaConfig> & { brokers: string[] }): Kafka {
  return new Kafka({ logLevel: logLevel.NOTHING, retry: { retries: 3 }, ...config });
}

async function topics(config: Partial<KafkaConfig> & { brokers: string[] }): Promise<string[]> {
  const admin = client(config).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe.skipIf(kafka === null)('the shared broker', () => {
  // A describe block runs even when its tests are left out, so the broker is looked at inside the tests only.
  const ca = (): string => readFileSync(kafka!.tls.caFile, 'utf8');

  it('answers without a login, plainly and over TLS', async () => {
    const { brokers, tls } = kafka!;
    expect(await topics({ brokers: [...brokers] })).toBeInstanceOf(Array);
    expect(await topics({ brokers: [...tls.brokers], ssl: { ca: ca() } })).toBeInstanceOf(Array);
    await expect(topics({ brokers: [...tls.brokers], ssl: { ca: readFileSync(tls.foreignCaFile, 'utf8') } })).rejects.toThrow(/certificate/);
  });

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`takes a login by ${mechanism}, plainly and over TLS, and refuses a wrong password`, async () => {
      const { sasl } = kafka!;
      expect(await topics({ brokers: [...sasl.brokers], sasl: { mechanism: mechanism as 'plain', ...sasl.login } })).toBeInstanceOf(Array);
      expect(await topics({ brokers: [...sasl.tlsBrokers], ssl: { ca: ca() }, sasl: { mechanism: mechanism as 'plain', ...sasl.restricted } })).toBeInstanceOf(Array);
      await expect(topics({ brokers: [...sasl.brokers], sasl: { mechanism: mechanism as 'plain', username: 'rentfold', password: 'wrong' } })).rejects.toThrow(/uthentication/);
    });
  }

  it('takes a connection string for a login', async () => {
    const { sasl } = kafka!;
    expect(await topics({ brokers: [...sasl.brokers], sasl: { mechanism: 'plain', ...sasl.connectionString } })).toBeInstanceOf(Array);
  });
});

describe.skipIf(!await hasService('kafka'))('a broker of the test\'s own', () => {
  it('keeps its log when it is killed', async () => {
    await using own = await startKafka({ settings: { 'connections.max.idle.ms': '30000' } });
    const at = ['--bootstrap-server', own.brokers[0]!];
    await own.tool('kafka-console-producer', [...at, '--topic', 'kept'], 'one\ntwo\n');
    await own.kill();
    await expect(topics({ brokers: [...own.brokers], retry: { retries: 0 } })).rejects.toThrow();
    await own.restart();
    expect(await own.tool('kafka-get-offsets', [...at, '--topic', 'kept'])).toBe('kept:0:2\n');
  }, OWN_MS);

  it('may be a cluster whose leaders change', async () => {
    await using own = await startKafka({ brokers: 2 });
    await own.tool('kafka-topics', ['--bootstrap-server', own.brokers.join(','), '--create', '--topic', 'led', '--replica-assignment', '2:1']);
    await own.kill(2);
    await expect.poll(() => own.tool('kafka-topics', ['--bootstrap-server', own.brokers[0]!, '--describe', '--topic', 'led']), { timeout: 30_000 }).toMatch(/Leader: 1\b/);
  }, OWN_MS);
});
