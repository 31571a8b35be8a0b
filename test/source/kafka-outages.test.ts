/**
 * Goal: reading goes on after whatever a broker does that passes, with nothing lost and nothing doubled; what does not pass stops. The record before our position is compared after every
 * new connection.
 * Method: brokers of the test's own: killed, paused, started again, cut off for being idle, their leaders moved.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { PartitionMetadata } from 'kafkajs';
import { afterEach, describe, expect, it } from 'vitest';
import type { KafkaTiming } from '../../src/source/kafka-options.ts';
import { recordAt, recordsOf, type TestRecord } from '../support/dump.ts';
import { KafkaTopics, QUICK } from '../support/kafka-log.ts';
import { ofPartition, positionAfter, SourceReader } from '../support/read-source.ts';
import type { KafkaOptions, OwnKafka } from '../support/services/service.ts';
import { hasService, startKafka } from '../support/services/services.ts';
import { until } from '../support/until.ts';

const canRun = await hasService('kafka');
/** A broker takes some seconds to come back. */
const PATIENT: Partial<KafkaTiming> = { ...QUICK, patienceMs: 60_000, requestMs: 2_000, connectMs: 2_000, retryMs: [50, 500] };

describe.skipIf(!canRun)('outages', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function start(options: KafkaOptions = {}): Promise<{ kafka: OwnKafka; topics: KafkaTopics }> {
    const kafka = await startKafka(options);
    ended.push(async () => await kafka[Symbol.asyncDispose]());
    const topics = await KafkaTopics.create(kafka.brokers);
    ended.push(async () => await topics.dispose().catch(() => undefined));
    return { kafka, topics };
  }

  async function open(topics: KafkaTopics, names: readonly string[], options: Parameters<SourceReader['open']>[0] = {}, timing = PATIENT): Promise<SourceReader> {
    const reader = new SourceReader(topics.source({ topics: names }, timing));
    ended.push(async () => await reader.close());
    await reader.open(options);
    return reader;
  }

  it('a broker killed and started again, paused, and away when positions are committed', async () => {
    const { kafka, topics } = await start();
    await topics.append([...recordsOf('t', 0, 0, 50), ...recordsOf('t', 1, 0, 50)]);
    const reader = await open(topics, ['t']);
    await reader.until(() => reader.records.length === 100);
    for (const round of [0, 1]) {
      const warned = reader.until(() => reader.warnings.length > round);
      await kafka.kill();
      await warned;
      await kafka.restart();
      const from = 50 + 10 * round;
      await topics.append([...recordsOf('t', 0, from, from + 10), ...recordsOf('t', 1, from, from + 10)]);
      await reader.until(() => reader.records.length === 120 + 20 * round);
    }
    // Said once for each time it was away, with the broker and what to expect.
    expect(reader.warnings.every(({ code, message }) => code === 'SOURCE_RETRYING' && /tried again/.test(message))).toBe(true);
    expect(reader.warnings.length).toBeLessThanOrEqual(4);
    kafka.pause();
    const paused = reader.warnings.length;
    await reader.until(() => reader.warnings.length > paused);
    kafka.resume();
    await topics.append(recordsOf('t', 0, 70, 80));
    await reader.until(() => reader.records.length === 150);
    for (const partition of [0, 1]) expect(ofPartition(reader.records, 't', partition)).toEqual(recordsOf('t', partition, 0, partition === 0 ? 80 : 70));
    expect(reader.stops).toEqual([]);
    const committing = reader.source.commit(reader.savedPositions());
    await expect(committing).resolves.toBeUndefined();
    await kafka.kill();
    await expect(reader.source.commit(reader.savedPositions())).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    await reader.close();
  }, 120_000);

  it('a connection that the broker closes for being idle', async () => {
    const { topics } = await start({ settings: { 'connections.max.idle.ms': '1000' } });
    await topics.append(recordsOf('t', 0, 0, 3));
    // Fetches wait longer than the broker lets a connection be, and the look for topics too: both connections are closed again and again.
    let endedByBroker = 0;
    const count = (message: unknown): void => void (message as { socket: Socket }).socket.on('end', () => endedByBroker++);
    subscribe('net.client.socket', count);
    const reader = await open(topics, ['t'], {}, { ...PATIENT, fetchWaitMs: 3_000, metadataMs: 4_000 });
    await reader.until(() => reader.records.length === 3);
    // Connections made from here on may be those of the test.
    unsubscribe('net.client.socket', count);
    const later = until(() => endedByBroker >= 2).then(async () => await topics.append(recordsOf('t', 0, 3, 6)));
    await reader.until(() => reader.records.length === 6);
    await later;
    expect(endedByBroker).toBeGreaterThanOrEqual(2);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 6));
    expect(reader.stops).toEqual([]);
  }, 90_000);

  it('a leader that moves, and a broker that is killed while the other one leads', async () => {
    const { kafka, topics } = await start({ brokers: 2 });
    await topics.createTopic('t', 4, { 'min.insync.replicas': '1' }, 2);
    const appendToAll = async (from: number, to: number): Promise<void> => {
      await topics.refresh();
      await topics.append([0, 1, 2, 3].flatMap((partition) => recordsOf('t', partition, from, to)));
    };
    const partitions = async (): Promise<readonly PartitionMetadata[]> => (await topics.admin.fetchTopicMetadata({ topics: [topics.named('t')] })).topics[0].partitions;
    // A broker that was late to say it lives, on a busy machine, leads nothing until somebody asks for it.
    const untilBothLead = async (): Promise<void> => await until(async () => {
      if (new Set((await partitions()).map(({ leader }) => leader)).size === 2) return true;
      // Refused while one of them is not back.
      await kafka.tool('kafka-leader-election', ['--bootstrap-server', kafka.brokers[0], '--election-type', 'preferred', '--all-topic-partitions']).catch(() => undefined);
      return false;
    }, 40_000);
    await appendToAll(0, 20);
    const reader = await open(topics, ['t']);
    await reader.until(() => reader.records.length === 80);
    await untilBothLead();
    await kafka.kill(2);
    await reader.until(() => reader.warnings.some(({ message }) => message.startsWith('Broker 2 ')));
    await until(async () => (await partitions()).every(({ leader }) => leader === 1));
    await appendToAll(20, 30);
    await reader.until(() => reader.records.length === 120);
    await kafka.restart(2);
    await until(async () => (await partitions()).every(({ isr }) => isr.length === 2));
    await untilBothLead();
    await appendToAll(30, 40);
    await reader.until(() => reader.records.length === 160);
    for (const partition of [0, 1, 2, 3]) expect(ofPartition(reader.records, 't', partition)).toEqual(recordsOf('t', partition, 0, 40));
    expect(reader.stops).toEqual([]);
  }, 150_000);

  it('compaction leaves gaps that are no loss, also where the record before a position was', async () => {
    const { topics } = await start({ settings: { 'log.cleaner.backoff.ms': '200' } });
    await topics.createTopic('compact', 1, { 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.001', 'min.compaction.lag.ms': '0', 'max.compaction.lag.ms': '200' });
    const versions = Array.from({ length: 40 }, (_, offset): TestRecord => ({ ...recordAt('compact', 0, offset), key: `k${offset % 3}` }));
    for (let i = 0; i < 40; i += 10) await topics.append(versions.slice(i, i + 10));
    await until(async () => {
      // Compaction looks at closed segments only; a later record closes the last one.
      await topics.append([{ ...recordAt('compact', 0, 0), time: Date.now(), key: 'tick' }]);
      const look = new SourceReader(topics.source({ topics: ['compact'] }));
      await look.open();
      await look.untilEndAtStart();
      await look.close();
      return look.records.filter((r) => r.key !== 'tick').length === 3;
    }, 40_000);
    const reader = await open(topics, ['compact'], { positions: [positionAfter(versions[5])] });
    expect(reader.opened!.notes).toEqual([expect.stringMatching(/compact\/0.*offset 5.*compaction/)]);
    await reader.untilEndAtStart();
    expect(reader.records.filter((r) => r.key !== 'tick')).toEqual(versions.slice(37));
    expect(reader.stops).toEqual([]);
  }, 90_000);
});
