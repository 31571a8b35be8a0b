/**
 * Goal: what a broker does in its worst moments neither loses, doubles nor resets anything: it is waited out, or stops the partition with the place.
 * Method: a broker of ours that speaks the protocol and misbehaves on demand.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKafkaSource } from '../../src/source/kafka.ts';
import type { KafkaTiming } from '../../src/source/kafka-options.ts';
import type { OpenOptions } from '../../src/source/source.ts';
import { QUICK } from '../support/kafka-log.ts';
import { FakeKafka } from '../support/fake-kafka.ts';
import type { WireRecord } from '../support/kafka-wire.ts';
import { SourceReader } from '../support/read-source.ts';
import { until } from '../support/until.ts';

function record(offset: number, value = `v${offset}`): WireRecord {
  return { offset, time: 1_700_000_000_000 + offset, key: Buffer.from(`k${offset}`), value: Buffer.from(value) };
}

function records(from: number, to: number): WireRecord[] {
  return Array.from({ length: to - from }, (_, i) => record(from + i));
}

describe('a broker in a bad moment', () => {
  let fake: FakeKafka;
  const readers: SourceReader[] = [];
  beforeEach(async () => {
    fake = await FakeKafka.create();
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    await fake.close();
  });

  async function open(timing: Partial<KafkaTiming> = {}, options: Partial<OpenOptions> = {}): Promise<SourceReader> {
    const reader = new SourceReader(createKafkaSource({ brokers: [`127.0.0.1:${fake.port}`], topics: ['t'], group: 'g', tls: null, sasl: null }, { ...QUICK, retryMs: [5, 20], ...timing }));
    readers.push(reader);
    await reader.open(options);
    return reader;
  }

  const offsets = (reader: SourceReader): number[] => reader.records.map((r) => r.offset);
  const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i);

  it('cuts connections: the record before our position is fetched again and compared, then reading goes on', async () => {
    fake.records = records(0, 5);
    const reader = await open();
    await reader.until(() => reader.records.length === 5);
    fake.fetched.length = 0;
    fake.records = records(0, 8);
    const going = reader.until(() => reader.records.length === 8);
    fake.cut();
    await going;
    expect(offsets(reader)).toEqual(upTo(8));
    expect(fake.fetched).toContain(4);
    expect(reader.stops).toEqual([]);
  });

  it('comes back with other bytes at the same offset (an unclean election): stops before anything behind it', async () => {
    fake.records = records(0, 5);
    const reader = await open();
    await reader.until(() => reader.records.length === 5);
    fake.records = [...records(0, 4), record(4, 'other'), ...records(5, 8)];
    const stopping = reader.until(() => reader.stops.length > 0);
    fake.cut();
    await stopping;
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code: 'POSITION_RECORD_CHANGED', offset: 4, message: expect.stringMatching(/t\/0.*offset 4 is another one/) as string }]);
    expect(offsets(reader)).toEqual(upTo(5));
  });

  it('cuts connections while one of its answers is being read, and is another log then: stops', async () => {
    fake.records = records(0, 100);
    const reader = await open({}, { recordsMax: 10 });
    await reader.until(() => reader.records.length === 20);
    fake.records = Array.from({ length: 130 }, (_, i) => record(i, `other${i}`));
    const looks = fake.asked.get(3)!;
    fake.cut();
    // Connected again; a look at the cluster later anything that is to be asked has been.
    await until(() => fake.asked.get(3)! > looks + 2);
    await reader.until(() => reader.stops.length > 0 || reader.records.length > 100);
    expect(reader.stops).toMatchObject([{ code: 'POSITION_RECORD_CHANGED', offset: 99 }]);
    expect(offsets(reader)).toEqual(upTo(100));
    expect(reader.warnings.filter(({ code }) => code === 'RECORD_UNVERIFIED')).toEqual([]);
  });

  it('has a hole in its log: stops with the gap, goes on past it when that is accepted, and says it when nobody tells whether the topic is compacted', async () => {
    fake.records = [...records(0, 5), ...records(1000, 1005)];
    const strict = await open();
    await strict.until(() => strict.stops.length > 0);
    expect(strict.stops).toMatchObject([{ code: 'OFFSETS_MISSING', offset: 5, message: expect.stringContaining('offsets 5 to 999 of t/0') as string }]);
    expect(offsets(strict)).toEqual(upTo(5));
    const accepting = await open({}, { acceptIncompleteHistory: true });
    await accepting.until(() => accepting.records.length === 10);
    expect(accepting.gaps).toEqual([expect.stringContaining('offsets 5 to 999 of t/0')]);
    for (const policy of ['compact,delete', null]) {
      fake.policy = policy;
      const told = await open();
      await told.until(() => told.records.length === 10);
      expect(told.warnings).toMatchObject([{ code: 'OFFSETS_SKIPPED' }]);
    }
  });

  it('takes positions and does not answer: it is given up in bounded time', async () => {
    fake.records = records(0, 5);
    const reader = await open();
    await reader.until(() => reader.records.length === 5);
    await reader.source.commit(reader.savedPositions());
    expect(fake.committed).toEqual([5]);
    fake.unanswered.add(8);
    await expect(reader.source.commit(reader.savedPositions())).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringMatching(/not taken within 3000 ms/) as string });
  }, 15_000);

  it('has lost its tail for a moment, and for good', async () => {
    fake.records = records(0, 5);
    const reader = await open({ patienceMs: 30_000 });
    await reader.until(() => reader.records.length === 5);
    fake.records = records(0, 3);
    fake.fetched.length = 0;
    const going = reader.until(() => reader.records.length === 7);
    await until(() => fake.fetched.length > 2);
    fake.records = records(0, 7);
    await going;
    expect(offsets(reader)).toEqual(upTo(7));
    expect(reader.stops).toEqual([]);
    const impatient = await open({ patienceMs: 300 });
    await impatient.until(() => impatient.records.length === 7);
    fake.records = records(0, 3);
    await impatient.until(() => impatient.stops.length > 0);
    expect(impatient.stops).toMatchObject([{ code: 'POSITION_BEYOND_END', offset: 7, message: expect.stringMatching(/read up to offset 7.*ends before offset 3/) as string }]);
    expect(offsets(impatient)).toEqual(upTo(7));
  });

  it('says a high watermark below our position for too long: stops', async () => {
    fake.records = records(0, 5);
    const reader = await open({ patienceMs: 400 });
    await reader.until(() => reader.records.length === 5);
    fake.highWatermark = 2;
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ code: 'POSITION_BEYOND_END', offset: 5 }]);
  });

  it('answers with errors that pass: nothing is lost, and a long one is said once', async () => {
    fake.records = records(0, 3);
    const reader = await open();
    await reader.until(() => reader.records.length === 3);
    for (const error of [5, 6, 9, 56, 74, 75, 2]) {
      fake.fetched.length = 0;
      fake.fetchError = error;
      fake.records = records(0, fake.records.length + 2);
      const going = reader.until(() => reader.records.length === fake.records.length);
      await until(() => fake.fetched.length >= 2);
      fake.fetchError = 0;
      await going;
    }
    expect(offsets(reader)).toEqual(upTo(17));
    expect(reader.stops).toEqual([]);
    fake.fetchError = 56;
    await reader.until(() => reader.warnings.some(({ message }) => message.includes('KAFKA_STORAGE_ERROR')));
    expect(reader.warnings.filter(({ message }) => message.includes('KAFKA_STORAGE_ERROR')).length).toBe(1);
  });

  it('sends damaged bytes: the partition stops, the process does not', async () => {
    fake.records = records(0, 5);
    fake.damage = (bytes) => {
      bytes[bytes.length - 3] ^= 1;
      return bytes;
    };
    const reader = await open();
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ code: 'RECORDS_CORRUPT', offset: 0 }]);
    expect(reader.records).toEqual([]);
  });

  it('drips its answers byte by byte', async () => {
    fake.records = records(0, 40);
    fake.dripBytes = 7;
    const reader = await open();
    await reader.until(() => reader.records.length === 40);
    expect(offsets(reader)).toEqual(upTo(40));
  });

  it('loses its beginning: OFFSET_OUT_OF_RANGE stops with the gap instead of a jump', async () => {
    fake.records = records(0, 5);
    const reader = await open();
    await reader.until(() => reader.records.length === 5);
    fake.records = records(9, 12);
    fake.start = 9;
    await reader.until(() => reader.stops.length > 0);
    expect(reader.stops).toMatchObject([{ code: 'POSITION_TOO_OLD', offset: 5, message: expect.stringMatching(/offsets 5 to 8 are gone/) as string }]);
    expect(offsets(reader)).toEqual(upTo(5));
  });

  it('loses its beginning where gaps are accepted: the gap is told, and the position moves over it also when nothing follows', async () => {
    fake.records = records(0, 5);
    const reader = await open({}, { acceptIncompleteHistory: true });
    await reader.until(() => reader.records.length === 5);
    fake.records = [];
    fake.start = 9;
    await reader.until(() => reader.positions.get('t/0')?.next === 9);
    fake.records = records(9, 12);
    await reader.until(() => reader.records.length === 8);
    expect(offsets(reader)).toEqual([...upTo(5), 9, 10, 11]);
    expect([reader.gaps, reader.stops]).toEqual([[expect.stringMatching(/t\/0 was read up to offset 5, and now begins at offset 9: offsets 5 to 8 are gone/)], []]);
  });

  it('loses its beginning while bounds are in the hands of the reader: the gap is still told before the records behind it', async () => {
    fake.records = records(0, 5);
    const reader = await open({}, { acceptIncompleteHistory: true });
    await reader.until(() => reader.records.length === 5);
    fake.highWatermark = 8;
    await reader.until(() => reader.bounds.get('t/0')?.end === 8);
    Object.assign(fake, { records: records(9, 12), start: 9, highWatermark: null });
    await until(() => fake.fetched.includes(9));
    // Some looks at the cluster later the answer has come.
    const looks = fake.asked.get(3)!;
    await until(() => fake.asked.get(3)! > looks + 1);
    const kinds: (string | undefined)[] = [];
    while (reader.records.length < 8) kinds.push((await reader.step())?.kind);
    expect(kinds).toContain('gap');
    expect(kinds.indexOf('gap')).toBeLessThan(kinds.indexOf('records'));
  });
});

describe('two brokers', () => {
  it('of which the first is away: positions are told through the other', async () => {
    await using fake = await FakeKafka.create(2);
    Object.assign(fake, { leaders: [2], coordinator: 2, records: records(0, 5) });
    const reader = new SourceReader(createKafkaSource({ brokers: [`127.0.0.1:${fake.port}`], topics: ['t'], group: 'g', tls: null, sasl: null }, { ...QUICK, retryMs: [5, 20] }));
    await using _closing = { [Symbol.asyncDispose]: async () => await reader.close() };
    await reader.open();
    await reader.until(() => reader.records.length === 5);
    await fake.stop(1);
    await reader.source.commit(reader.savedPositions());
    expect(fake.committed).toEqual([5]);
  });

  it('of which the old leader answers after the new one was asked: its answer is not taken', async () => {
    await using fake = await FakeKafka.create(2);
    fake.records = records(0, 5);
    const reader = new SourceReader(createKafkaSource({ brokers: [`127.0.0.1:${fake.port}`], topics: ['t'], group: 'g', tls: null, sasl: null }, { ...QUICK, retryMs: [5, 20] }));
    await using _closing = { [Symbol.asyncDispose]: async () => await reader.close() };
    await reader.open();
    await reader.until(() => reader.records.length === 5);
    const old = Promise.withResolvers<void>();
    const fresh = Promise.withResolvers<void>();
    fake.held.set(1, old.promise).set(2, fresh.promise);
    fake.records = records(0, 8);
    const going = reader.until(() => reader.records.length === 8);
    // The old leader has its answer ready; then the new one is asked for the record to compare.
    await until(() => fake.fetched.at(-1) === 5 && fake.isHolding(1));
    fake.leaders = [2];
    await until(() => fake.isHolding(2));
    old.resolve();
    await until(() => !fake.isHolding(1));
    fresh.resolve();
    fake.held.clear();
    await going;
    expect(reader.records.map((r) => r.offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(reader.warnings).toEqual([]);
    expect(reader.stops).toEqual([]);
  });
});
