/**
 * Goal: tests get Kafka Connect with Debezium.
 * Method: a connector for each database writes a row to the broker; a worker of the test's own is killed and goes on.
 */
import { describe, expect, it } from 'vitest';
import { connectService, hasService, kafkaService, mariadbService, postgresService, startConnect } from '../support/services/services.ts';
import type { ConnectService, KafkaService, PostgresService } from '../support/services/service.ts';

const connect = await connectService();
const [kafka, postgres, mariadb] = connect === null ? [null, null, null] : await Promise.all([kafkaService(), postgresService(), mariadbService()]);
const hasAll = kafka !== null && postgres !== null && connect !== null;

function postgresConnector(server: PostgresService, database: string): Record<string, string> {
  const { host, port } = server.seenFromConnect;
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector', 'plugin.name': 'pgoutput', 'topic.prefix': database, 'database.hostname': host, 'database.port': String(port),
    'database.user': server.username, 'database.password': server.password, 'database.dbname': database, 'slot.name': database, 'publication.name': database,
  };
}

/** The `after` of a topic's first records. */
async function rows(broker: KafkaService, topic: string, count: number): Promise<unknown[]> {
  const text = await broker.tool('kafka-console-consumer', ['--bootstrap-server', broker.brokers[0]!, '--topic', topic, '--from-beginning', '--max-messages', String(count), '--timeout-ms', '30000']);
  return text.trim().split('\n').map((line) => (JSON.parse(line) as { after: unknown }).after);
}

async function isRefused(service: ConnectService): Promise<boolean> {
  return service.status('anything').then(() => false, (error: Error) => error.message === 'fetch failed');
}

describe.skipIf(!hasAll)('the shared Connect worker', () => {
  it('follows Postgres', async () => {
    await using database = await postgres!.createDatabase('connect_test');
    await database.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
    await connect!.create('connect-test', postgresConnector(postgres!, database.name));
    await connect!.waitRunning('connect-test');
    await database.query('INSERT INTO t VALUES (2)');
    expect(await rows(kafka!, 'connect_test.public.t', 2)).toEqual([{ id: 1 }, { id: 2 }]);
    await expect.poll(() => connect!.offsets('connect-test')).toMatchObject({ lsn: expect.any(Number) as number });
    await connect!.remove('connect-test');
    await expect(connect!.status('connect-test')).rejects.toThrow(/404/);
  });

  it.skipIf(mariadb === null)('follows MariaDB', async () => {
    await using database = await mariadb!.createDatabase('connect_test');
    await database.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
    const { host, port } = mariadb!.seenFromConnect;
    await connect!.create('connect-test-mariadb', {
      'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector', 'topic.prefix': 'm', 'database.hostname': host, 'database.port': String(port), 'database.user': mariadb!.username,
      'database.password': mariadb!.password, 'database.server.id': '77', 'database.include.list': 'connect_test', 'database.ssl.mode': 'disable',
      'schema.history.internal.kafka.bootstrap.servers': kafka!.seenFromConnect, 'schema.history.internal.kafka.topic': 'connect-test-history',
    });
    await connect!.waitRunning('connect-test-mariadb');
    expect(await rows(kafka!, 'm.connect_test.t', 1)).toEqual([{ id: 1 }]);
    await connect!.remove('connect-test-mariadb');
  });
});

describe.skipIf(!hasAll || !await hasService('connect'))('a Connect worker of the test\'s own', () => {
  it('goes on where it was when it is killed', async () => {
    await using database = await postgres!.createDatabase('connect_test_own');
    await database.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
    await using own = await startConnect({ bootstrap: kafka!.seenFromConnect });
    await own.create('own', postgresConnector(postgres!, database.name));
    await own.waitRunning('own');
    await expect.poll(() => own.offsets('own'), { timeout: 20_000 }).not.toBeNull();
    await own.kill();
    expect(await isRefused(own)).toBe(true);
    await database.query('INSERT INTO t VALUES (2)');
    await own.restart();
    await own.waitRunning('own');
    expect(await rows(kafka!, 'connect_test_own.public.t', 2)).toEqual([{ id: 1 }, { id: 2 }]);
    await own.remove('own');
  }, 180_000);
});
