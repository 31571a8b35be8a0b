/**
 * Goal: records of transactions are delivered once they are committed and never when they are aborted; positions move past markers and what was left out; an open transaction holds its
 * partition back and nothing else.
 * Method: transactional producers on the run's broker, several at once in one partition.
 */
import { Partitioners, type Producer, type Transaction } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KafkaTopics } from '../support/kafka-log.ts';
import { positionAfter, SourceReader } from '../support/read-source.ts';
import { kafkaService } from '../support/services/services.ts';

const kafka = await kafkaService();

describe.skipIf(kafka === null)('transactions', () => {
  let topics: KafkaTopics;
  const readers: SourceReader[] = [];
  const producers: Producer[] = [];

  beforeEach(async () => {
    topics = await KafkaTopics.create(kafka!.brokers);
    await topics.createTopic('t', 2);
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    for (const producer of producers.splice(0)) await producer.disconnect();
    await topics.dispose();
  });

  async function producer(name: string): Promise<Producer> {
    const made = topics.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, transactionalId: topics.named(name), maxInFlightRequests: 1, idempotent: true, transactionTimeout: 30_000 });
    producers.push(made);
    await made.connect();
    return made;
  }

  async function send(to: Transaction | Producer, partition: number, ...values: string[]): Promise<void> {
    await to.send({ topic: topics.named('t'), messages: values.map((value) => ({ partition, key: value, value, timestamp: '1700000000000' })) });
  }

  async function openReader(options: Parameters<SourceReader['open']>[0] = {}): Promise<SourceReader> {
    const reader = new SourceReader(topics.source({ topics: ['t'] }));
    readers.push(reader);
    await reader.open(options);
    return reader;
  }

  const valuesOf = (reader: SourceReader, partition = 0): (string | null)[] => reader.records.filter((r) => r.partition === partition).map((r) => r.value);

  it('commit, abort, and interleaved in one partition', async () => {
    const [one, two] = [await producer('one'), await producer('two')];
    const first = await one.transaction();
    const second = await two.transaction();
    await send(first, 0, 'a1', 'a2');
    await send(second, 0, 'b1');
    await send(first, 0, 'a3');
    await send(second, 0, 'b2');
    await second.abort();
    await first.commit();
    const third = await two.transaction();
    await send(third, 0, 'c1');
    await third.commit();
    const fourth = await one.transaction();
    await send(fourth, 0, 'd1');
    await fourth.abort();
    const reader = await openReader();
    await reader.untilEndAtStart();
    expect(valuesOf(reader)).toEqual(['a1', 'a2', 'a3', 'c1']);
    expect(reader.stops).toEqual([]);
    // Five data records before the markers of both, c1 and its marker, d1 and its marker: the position stands behind all of it.
    expect(reader.positions.get('t/0')).toMatchObject({ next: 11, lastOffset: 7 });
    expect(reader.bounds.get('t/0')?.end).toBe(11);
  });

  it('goes on behind markers and aborted records, and knows the record before them again', async () => {
    const one = await producer('one');
    const first = await one.transaction();
    await send(first, 0, 'a');
    await first.commit();
    const second = await one.transaction();
    await send(second, 0, 'gone');
    await second.abort();
    const before = await openReader();
    await before.untilEndAtStart();
    const positions = before.savedPositions();
    expect(positions).toMatchObject([{ topic: 't', partition: 0, next: 4, lastOffset: 0 }]);
    const third = await one.transaction();
    await send(third, 0, 'b');
    await third.commit();
    const reader = await openReader({ positions });
    expect(reader.opened!.notes).toEqual([]);
    await reader.untilEndAtStart();
    expect(valuesOf(reader)).toEqual(['b']);
  });

  it('an open one holds its partition back until it is decided, and no other', async () => {
    const one = await producer('one');
    const open = await one.transaction();
    await send(open, 0, 'held');
    const idle = topics.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    producers.push(idle);
    await idle.connect();
    await send(idle, 0, 'behind');
    await send(idle, 1, 'beside');
    const reader = await openReader();
    expect(reader.bounds.get('t/0')?.end).toBe(0);
    await reader.until(() => valuesOf(reader, 1).length === 1);
    await send(idle, 1, 'beside too');
    await reader.until(() => valuesOf(reader, 1).length === 2);
    expect(valuesOf(reader)).toEqual([]);
    await open.commit();
    await reader.until(() => valuesOf(reader).length === 2);
    expect(valuesOf(reader)).toEqual(['held', 'behind']);
    await reader.until(() => reader.positions.get('t/0')?.next === 3);
  });

  it('a position at an aborted record is refused: it is not one that was applied', async () => {
    const one = await producer('one');
    const aborted = await one.transaction();
    await send(aborted, 0, 'never');
    await aborted.abort();
    const committed = await one.transaction();
    await send(committed, 0, 'applied');
    await committed.commit();
    const reader = await openReader({ positions: [positionAfter({ topic: 't', partition: 0, offset: 2, time: 1_700_000_000_000, key: 'applied', value: 'applied' })] });
    await reader.untilEndAtStart();
    expect(reader.records).toEqual([]);
    const wrong = positionAfter({ topic: 't', partition: 0, offset: 2, time: 1_700_000_000_000, key: 'never', value: 'never' });
    await expect(openReader({ positions: [wrong] })).rejects.toMatchObject({ code: 'POSITION_RECORD_CHANGED' });
  });
});
