/**
 * Goal: trouble that somebody must mend is said or stops a partition, with the cause; trouble of one broker or one partition concerns no other; a log that was made again while nobody
 * looked is noticed.
 * Method: brokers of ours that speak the protocol and misbehave on demand; where minutes pass, a clock that a test moves on.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { createSystemClock, type Clock } from '../../src/runtime/clock.ts';
import { createKafkaSource } from '../../src/source/kafka.ts';
import type { KafkaTiming } from '../../src/source/kafka-options.ts';
import { FakeKafka } from '../support/fake-kafka.ts';
import { QUICK } from '../support/kafka-log.ts';
import type { WireRecord } from '../support/kafka-wire.ts';
import { SourceReader } from '../support/read-source.ts';
import { until } from '../support/until.ts';

const FETCH = 1;
const METADATA = 3;

function records(from: number, to: number, value = 'v'): WireRecord[] {
  return Array.from({ length: to - from }, (_, i) => ({ offset: from + i, time: 1_700_000_000_000 + from + i, key: Buffer.from(`k${from + i}`), value: Buffer.from(`${value}${from + i}`) }));
}

describe('trouble', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function start(brokers = 1): Promise<FakeKafka> {
    const fake = await FakeKafka.create(brokers);
    ended.push(async () => await fake.close());
    return fake;
  }

  async function open(fake: FakeKafka, timing: Partial<KafkaTiming> = {}, clock?: Clock): Promise<SourceReader> {
    const reader = new SourceReader(createKafkaSource({ brokers: [`127.0.0.1:${fake.port}`], topics: ['t'], group: 'g', tls: null, sasl: null }, { ...QUICK, retryMs: [5, 20], ...timing }, clock));
    ended.push(async () => await reader.close());
    await reader.open();
    return reader;
  }

  it.each([[29, /TOPIC_AUTHORIZATION_FAILED/], [2, /CORRUPT_MESSAGE/]])('with error %i for too long stops the partition with the cause', async (error, words) => {
    const fake = await start();
    fake.records = records(0, 3);
    const reader = await open(fake, { patienceMs: 400 });
    await reader.until(() => reader.records.length === 3);
    fake.fetchError = error;
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code: 'SOURCE_FAILED', offset: 3, message: expect.stringMatching(words) as string }]);
  });

  it('of a connection that worked before is no reason to look at TLS or users', async () => {
    const fake = await start();
    fake.records = records(0, 3);
    const reader = await open(fake);
    await reader.until(() => reader.records.length === 3);
    const said = reader.until(() => reader.warnings.length > 0);
    fake.cut();
    await said;
    expect(reader.warnings[0]).toMatchObject({ code: 'SOURCE_RETRYING', message: expect.stringContaining('closed the connection') as string });
    expect(reader.warnings[0]!.message).not.toMatch(/TLS|SASL/);
  });

  it('by a transaction that stays open is said once, with both offsets', async () => {
    const fake = await start();
    fake.records = records(0, 8);
    fake.lastStable = 3;
    const reader = await open(fake, { patienceMs: 300 });
    await reader.until(() => reader.warnings.length > 0);
    const { length } = fake.fetched;
    await until(() => fake.fetched.length > length + 5);
    fake.lastStable = null;
    await reader.until(() => reader.records.length === 8);
    expect(reader.warnings).toEqual([{ code: 'TRANSACTION_OPEN', message: expect.stringMatching(/t\/0 cannot be read beyond offset 3, although it ends at 8/) as string }]);
  });

  it('of the broker that leads a new partition holds up no other partition, also when their leaders move', async () => {
    const fake = await start(3);
    fake.records = records(0, 3);
    const reader = await open(fake);
    await reader.until(() => reader.records.length === 3);
    await fake.stop(3);
    fake.leaders = [2, 3, 1];
    fake.records = records(0, 5);
    await reader.until(() => reader.records.length === 10);
    expect(reader.records.filter(({ partition }) => partition === 0).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
    expect(reader.records.filter(({ partition }) => partition === 2).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
    expect(reader.stops).toEqual([]);
  });

  it('of a topic that goes before anything of it is read stops it, since its records were there at start', async () => {
    const fake = await start();
    fake.records = records(0, 5);
    fake.unanswered.add(FETCH);
    const reader = await open(fake, { patienceMs: 300, requestMs: 500 });
    fake.isThere = false;
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ code: 'POSITION_BEYOND_END', message: expect.stringContaining('the topic was deleted') as string }]);
  });

  it('of an empty topic that goes is none: it is waited for, and read when it comes again', async () => {
    const fake = await start();
    const reader = await open(fake, { patienceMs: 300 });
    const waiting = reader.until(() => reader.waiting.includes('t'));
    fake.isThere = false;
    await waiting;
    fake.isThere = true;
    fake.records = records(0, 2);
    await reader.until(() => reader.records.length === 2);
    expect(reader.stops).toEqual([]);
  });

  it('that nobody saw, while the process stood still: a topic made again without any error is noticed', async () => {
    const real = createSystemClock();
    let ahead = 0;
    const fake = await start();
    fake.records = records(0, 5);
    const reader = await open(fake, {}, { ...real, monotonicMs: () => real.monotonicMs() + ahead });
    await reader.until(() => reader.records.length === 5);
    const stood = Promise.withResolvers<void>();
    fake.held.set(1, stood.promise);
    await until(() => fake.isHolding(1));
    fake.records = records(0, 9, 'other');
    ahead = 60_000;
    fake.held.clear();
    stood.resolve();
    await reader.until(() => reader.stops.length > 0 || reader.records.length > 5);
    expect(reader.stops).toMatchObject([{ code: 'POSITION_RECORD_CHANGED', offset: 4 }]);
    expect(reader.records.length).toBe(5);
  });

  it('of a partition that has stopped asks the cluster no more often than usual', async () => {
    const fake = await start();
    fake.records = records(0, 5);
    const reader = await open(fake, { patienceMs: 300, metadataMs: 700 });
    await reader.until(() => reader.records.length === 5);
    fake.highWatermark = 2;
    await reader.until(() => reader.stops.length > 0);
    fake.leaders = [-1];
    const before = fake.asked.get(METADATA)!;
    await until(() => fake.asked.get(METADATA)! > before);
    // One look falls into this time; the partition without a leader is no reason for more, since it has stopped.
    expect(await until(() => fake.asked.get(METADATA)! > before + 3, 650).then(() => 'looked again', () => 'left alone')).toBe('left alone');
  });
});
