/**
 * Goal: each way to reach a broker works, plain and over TLS, and each way to be wrong has its own clear line, with the option to look at and without a secret.
 * Method: the listeners of the run's broker, every mechanism with a right and a wrong password; the wrong listener, authority, name and port.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import type { KafkaConfig } from '../../src/source/kafka-options.ts';
import { recordsOf } from '../support/dump.ts';
import { KafkaTopics, QUICK } from '../support/kafka-log.ts';
import { SourceReader } from '../support/read-source.ts';
import { kafkaService } from '../support/services/services.ts';

const kafka = await kafkaService();
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

describe.skipIf(kafka === null)('reaching a broker', () => {
  let topics: KafkaTopics;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rentfold-kafka-'));
    topics = await KafkaTopics.create(kafka!.brokers);
    await topics.append(recordsOf('t', 0, 0, 3));
  });
  afterAll(async () => {
    await topics.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** Reads the topic by this way; the records that came. */
  async function reads(config: Partial<KafkaConfig>): Promise<number> {
    const reader = new SourceReader(topics.source({ topics: ['t'], ...config }));
    try {
      await reader.open();
      await reader.untilEndAtStart();
      await reader.source.commit(reader.savedPositions());
      return reader.records.length;
    } finally {
      await reader.close();
    }
  }

  async function refusal(config: Partial<KafkaConfig>): Promise<RentfoldError> {
    const source = topics.source({ topics: ['t'], ...config }, { ...QUICK, connectMs: 1_500 });
    const error: unknown = await source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 10 }).then(() => null, (e: unknown) => e);
    await source.close();
    expect(error).toBeInstanceOf(RentfoldError);
    return error as RentfoldError;
  }

  const tls = (): NonNullable<KafkaConfig['tls']> => ({ ca: kafka!.tls.caFile });

  it('by TLS with an authority of its own', async () => {
    expect(await reads({ brokers: kafka!.tls.brokers, tls: tls() })).toBe(3);
  });

  for (const mechanism of MECHANISMS) {
    it(`by ${mechanism}, plain and over TLS, and not with a wrong password`, async () => {
      const { brokers, tlsBrokers, login } = kafka!.sasl;
      expect(await reads({ brokers, sasl: { mechanism, ...login } })).toBe(3);
      expect(await reads({ brokers: tlsBrokers, tls: tls(), sasl: { mechanism, ...login } })).toBe(3);
      for (const over of [{ brokers }, { brokers: tlsBrokers, tls: tls() }]) {
        const error = await refusal({ ...over, sasl: { mechanism, username: login.username, password: 'wrong-secret' } });
        expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/refuses user or password.*RENTFOLD_KAFKA_SASL_PASSWORD/) as string });
        expect(error.message).not.toContain('wrong-secret');
      }
    });
  }

  it('as Event Hubs wants it: PLAIN with $ConnectionString', async () => {
    expect(await reads({ brokers: kafka!.sasl.tlsBrokers, tls: tls(), sasl: { mechanism: 'plain', ...kafka!.sasl.connectionString } })).toBe(3);
  });

  it('with a mechanism that the broker does not offer', async () => {
    const sasl = { mechanism: 'gssapi' as 'plain', ...kafka!.sasl.login };
    expect((await refusal({ brokers: kafka!.sasl.brokers, sasl })).message).toMatch(/does not offer the mechanism of RENTFOLD_KAFKA_SASL_MECHANISM/);
  });

  it('with an authority that did not sign the broker, and with none', async () => {
    for (const ca of [kafka!.tls.foreignCaFile, null]) {
      expect((await refusal({ brokers: kafka!.tls.brokers, tls: { ca } })).message).toMatch(/certificate is not accepted.*RENTFOLD_KAFKA_TLS_CA/);
    }
  });

  it('with a file of authorities that is not there, or holds none', async () => {
    expect(await refusal({ tls: { ca: join(folder, 'missing.pem') } })).toMatchObject({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(/RENTFOLD_KAFKA_TLS_CA.*missing\.pem.*ENOENT/) as string });
    await writeFile(join(folder, 'empty.pem'), 'nothing');
    expect(await refusal({ tls: { ca: join(folder, 'empty.pem') } })).toMatchObject({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining('holds no certificate') as string });
  });

  it('by the wrong kind of listener', async () => {
    expect((await refusal({ brokers: kafka!.brokers, tls: tls() })).message).toMatch(/does not speak TLS as expected.*RENTFOLD_KAFKA_TLS/);
    expect((await refusal({ brokers: kafka!.tls.brokers })).message).toMatch(/RENTFOLD_KAFKA_TLS/);
    expect((await refusal({ brokers: kafka!.sasl.brokers })).message).toMatch(/RENTFOLD_KAFKA_SASL_MECHANISM/);
    expect((await refusal({ brokers: kafka!.brokers, sasl: { mechanism: 'plain', ...kafka!.sasl.login } })).message).toMatch(/RENTFOLD_KAFKA_SASL_MECHANISM/);
  });

  it('where nothing listens, where nobody answers, and by a name that does not exist; all are named', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const error = await refusal({ brokers: ['127.0.0.1:1', 'no-such-host.invalid:9092', `127.0.0.1:${port}`] });
    expect(error.code).toBe('SOURCE_UNAVAILABLE');
    expect(error.message).toMatch(/RENTFOLD_KAFKA_BROKERS.*127\.0\.0\.1:1: nothing listens there.*no-such-host\.invalid:9092: the name cannot be resolved/);
    expect(error.message).toContain(`127.0.0.1:${port}: it did not answer in time`);
    silent.close();
  });

  it('finds a broker behind others that are away', async () => {
    expect(await reads({ brokers: ['127.0.0.1:1', ...kafka!.brokers] })).toBe(3);
  });

  it('stops a partition that a user may see and not read, and says so', async () => {
    await topics.append(recordsOf('unread', 0, 0, 1));
    const { restricted } = kafka!.sasl;
    const at = ['--bootstrap-server', kafka!.brokers[0], '--topic', topics.named('unread')];
    await kafka!.tool('kafka-acls', ['--add', ...at, '--allow-principal', `User:${restricted.username}`, '--operation', 'Describe']);
    const reader = new SourceReader(topics.source({ topics: ['unread'], brokers: kafka!.sasl.brokers, sasl: { mechanism: 'plain', ...restricted } }));
    try {
      await reader.open();
      await reader.untilEndAtStart();
      expect(reader.stops).toMatchObject([{ code: 'SOURCE_FAILED', message: expect.stringContaining('TOPIC_AUTHORIZATION_FAILED') as string }]);
    } finally {
      await reader.close();
    }
  });

  it('says which topic a user may not read', async () => {
    await topics.append(recordsOf('locked', 0, 0, 1));
    const rule = ['--bootstrap-server', kafka!.brokers[0], '--topic', topics.named('locked'), '--allow-principal', 'User:somebody', '--operation', 'Read', '--operation', 'Describe'];
    await kafka!.tool('kafka-acls', ['--add', ...rule]);
    const { restricted } = kafka!.sasl;
    const error = await refusal({ brokers: kafka!.sasl.brokers, topics: ['locked'], sasl: { mechanism: 'plain', ...restricted } });
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/topic .*locked cannot be read.*TOPIC_AUTHORIZATION_FAILED/) as string });
  });
});
