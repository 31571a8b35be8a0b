/**
 * Goal: what a Kafka log can do beyond the contract of all sources: topics by pattern, topics waited for and never made, records gone or changed while they are read, positions told to
 * lag tools.
 * Method: the run's broker, changed with an admin client while a source reads.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKafkaSource } from '../../src/source/kafka.ts';
import type { KafkaTiming } from '../../src/source/kafka-options.ts';
import { recordAt, recordsOf, type TestRecord } from '../support/dump.ts';
import { KafkaTopics, QUICK } from '../support/kafka-log.ts';
import { ofPartition, positionAfter, SourceReader } from '../support/read-source.ts';
import { kafkaService } from '../support/services/services.ts';

const kafka = await kafkaService();

describe.skipIf(kafka === null)('a Kafka log', () => {
  let topics: KafkaTopics;
  const readers: SourceReader[] = [];

  beforeEach(async () => {
    topics = await KafkaTopics.create(kafka!.brokers);
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
    await topics.dispose();
  });

  function reader(names: readonly string[], timing: Partial<KafkaTiming> = QUICK): SourceReader {
    const made = new SourceReader(topics.source({ topics: names }, timing));
    readers.push(made);
    return made;
  }

  /** Three records in an answer, and at most three answers under way: a reader stands near the beginning when the first 25 records go. */
  async function appendLarge(): Promise<void> {
    const large = recordsOf('t', 0, 0, 30).map((record) => ({ ...record, value: 'x'.repeat(340_000) }));
    for (let i = 0; i < large.length; i += 2) await topics.append(large.slice(i, i + 2));
  }

  it('is read by names and patterns; its own topics are never meant by a pattern', async () => {
    await topics.append([...recordsOf('pg.public.rents', 0, 0, 2), ...recordsOf('pg.public.expenses', 0, 0, 2), ...recordsOf('pg.audit.rents', 0, 0, 2), ...recordsOf('other', 0, 0, 2)]);
    const some = reader(['pg.public.*', 'other']);
    await some.open();
    await some.untilEndAtStart();
    expect(new Set(some.records.map((r) => r.topic))).toEqual(new Set(['pg.public.rents', 'pg.public.expenses', 'other']));
    await some.source.commit(some.savedPositions());
    // The commit made sure that Kafka's own topic of offsets exists.
    const everything = createKafkaSource(topics.config({ topics: ['*'] }), QUICK);
    const opened = await everything.open({ positions: [], acceptIncompleteHistory: true, recordsMax: 10 });
    await everything.close();
    expect(await topics.admin.listTopics()).toContain('__consumer_offsets');
    expect(opened.bounds.map((b) => b.topic).filter((topic) => topic.startsWith('__consumer') || topic.startsWith('__transaction'))).toEqual([]);
    expect(opened.bounds.some((b) => b.topic === topics.named('pg.audit.rents'))).toBe(true);
  });

  it('a topic that does not exist is waited for, shown, and not made by asking; it is read once it is there', async () => {
    await topics.append(recordsOf('t', 0, 0, 1));
    const waiting = reader(['t', 'later', 'maybe.*']);
    const opened = await waiting.open();
    expect(opened.waiting).toEqual(['later', 'maybe.*']);
    await waiting.until(() => waiting.records.length === 1);
    // Several looks at the cluster later the topic still is not there, although this broker makes topics that are asked for.
    await topics.append(recordsOf('maybe.one', 0, 0, 1));
    await waiting.until(() => waiting.records.length === 2 && waiting.waiting.join() === 'later');
    expect(await topics.admin.listTopics()).not.toContain(topics.named('later'));
    await topics.append(recordsOf('later', 0, 0, 2));
    await waiting.until(() => waiting.records.length === 4 && waiting.waiting.length === 0);
  });

  it('a position in a topic that is gone is refused', async () => {
    await topics.append(recordsOf('t', 0, 0, 3));
    await topics.append(recordsOf('u', 0, 0, 3));
    await topics.remove('t');
    await expect(reader(['t', 'u']).open({ positions: [positionAfter(recordAt('t', 0, 2))] })).rejects.toMatchObject({ code: 'POSITION_BEYOND_END', message: expect.stringMatching(/t\/0 was read up to offset 3.*deleted/) as string });
  });

  it('an end before our position is asked for again before it is believed', async () => {
    await topics.append(recordsOf('t', 0, 0, 3));
    const early = reader(['t'], { ...QUICK, patienceMs: 20_000 });
    const opening = early.open({ positions: [positionAfter(recordAt('t', 0, 5))] });
    await topics.append(recordsOf('t', 0, 3, 7));
    await opening;
    await early.untilEndAtStart();
    expect(early.records).toEqual(recordsOf('t', 0, 6, 7));
  });

  it('a partition that appears with its beginning gone stops, and others go on', async () => {
    await topics.append(recordsOf('t', 0, 0, 1));
    const running = reader(['t', 'late'], { ...QUICK, metadataMs: 2_000 });
    await running.open();
    await topics.append(recordsOf('late', 0, 0, 9));
    await topics.truncateHead('late', 0, 4);
    await running.until(() => running.stops.length > 0);
    expect(running.stops).toMatchObject([{ topic: 'late', partition: 0, code: 'HISTORY_INCOMPLETE', offset: 4, message: expect.stringMatching(/late\/0.*0 to 3/) as string }]);
    await topics.append(recordsOf('t', 0, 1, 2));
    await running.until(() => running.records.length === 2);
  });

  it('a partition that appears with its beginning gone is read where that is accepted, and the gap is told', async () => {
    await topics.append(recordsOf('t', 0, 0, 1));
    const running = reader(['t', 'late', 'gone'], { ...QUICK, metadataMs: 2_000 });
    await running.open({ acceptIncompleteHistory: true });
    await topics.append([...recordsOf('late', 0, 0, 9), ...recordsOf('gone', 0, 0, 3)]);
    await topics.truncateHead('late', 0, 4);
    await topics.truncateHead('gone', 0, 3);
    await running.until(() => running.records.length === 6 && running.positions.has('gone/0'));
    expect(ofPartition(running.records, 'late', 0)).toEqual(recordsOf('late', 0, 4, 9));
    expect(running.positions.get('gone/0')).toMatchObject({ next: 3, lastOffset: null });
    expect([running.gaps.toSorted(), running.stops]).toEqual([[expect.stringMatching(/gone\/0.*offsets 0 to 2 are missing/), expect.stringMatching(/late\/0.*offsets 0 to 3 are missing/)], []]);
  });

  it('retention that overtakes the reader stops the partition with the gap; nothing is skipped, nothing reset', async () => {
    await appendLarge();
    await topics.append(recordsOf('t', 1, 0, 1));
    const slow = reader(['t']);
    await slow.open({ recordsMax: 1 });
    await slow.until(() => ofPartition(slow.records, 't', 0).length >= 1);
    await topics.truncateHead('t', 0, 25);
    await slow.until(() => slow.stops.length > 0);
    const read = ofPartition(slow.records, 't', 0);
    expect(read.map((r) => r.offset)).toEqual(Array.from(read, (_, i) => i));
    expect(slow.stops).toMatchObject([{ topic: 't', partition: 0, code: 'POSITION_TOO_OLD', offset: read.length, message: expect.stringMatching(new RegExp(`offsets ${read.length} to 24 are gone`)) as string }]);
    await topics.append(recordsOf('t', 1, 1, 2));
    await slow.until(() => ofPartition(slow.records, 't', 1).length === 2);
  });

  it('retention that overtakes the reader is a gap that is told where gaps are accepted, and reading goes on behind it', async () => {
    await appendLarge();
    const slow = reader(['t']);
    await slow.open({ recordsMax: 1, acceptIncompleteHistory: true });
    await slow.until(() => slow.records.length >= 1);
    await topics.truncateHead('t', 0, 25);
    await slow.until(() => slow.records.at(-1)?.offset === 29);
    const before = slow.records.findIndex(({ offset }) => offset >= 25);
    expect(slow.records.map(({ offset }) => offset)).toEqual([...Array.from({ length: before }, (_, i) => i), 25, 26, 27, 28, 29]);
    expect([slow.gaps, slow.stops]).toEqual([[expect.stringMatching(new RegExp(`offsets ${before} to 24 are gone`))], []]);
  });

  it('a topic that is deleted while it is read stops after a while; others go on', async () => {
    await topics.append([...recordsOf('t', 0, 0, 3), ...recordsOf('u', 0, 0, 1)]);
    const running = reader(['t', 'u']);
    await running.open();
    await running.until(() => running.records.length === 4);
    await topics.remove('t');
    await running.until(() => running.stops.length > 0);
    expect(running.stops).toMatchObject([{ topic: 't', partition: 0, code: 'POSITION_BEYOND_END', offset: 3, message: expect.stringContaining('deleted') as string }]);
    await topics.append(recordsOf('u', 0, 1, 2));
    await running.until(() => running.records.length === 5);
  });

  it('a topic that is made again stops: shorter than what was read, or with another record before our position', async () => {
    const other = (record: TestRecord): TestRecord => ({ ...record, value: 'other' });
    for (const [again, code] of [[recordsOf('t', 0, 0, 2), 'POSITION_BEYOND_END'], [recordsOf('t', 0, 0, 8).map(other), 'POSITION_RECORD_CHANGED']] as const) {
      await topics.recreate('t', recordsOf('t', 0, 0, 5));
      const running = reader(['t'], { ...QUICK, patienceMs: 5_000 });
      await running.open();
      await running.until(() => running.records.length === 5);
      const ended = running.until(() => running.stops.length > 0);
      await topics.recreate('t', again);
      await ended;
      expect(running.stops).toMatchObject([{ topic: 't', partition: 0, code }]);
      expect(running.records).toEqual(recordsOf('t', 0, 0, 5));
      await running.close();
    }
  });

  it('a topic that is made again with the same records is not told from the one before, and goes on', async () => {
    await topics.append(recordsOf('t', 0, 0, 5));
    const running = reader(['t'], { ...QUICK, patienceMs: 20_000 });
    await running.open();
    await running.until(() => running.records.length === 5);
    const ended = running.until(() => running.records.length === 7 || running.stops.length > 0);
    await topics.recreate('t', recordsOf('t', 0, 0, 7));
    await ended;
    expect(running.records).toEqual(recordsOf('t', 0, 0, 7));
  });

  it('records larger than a fetch asks for come whole', async () => {
    await topics.createTopic('large', 2, { 'max.message.bytes': '9000000' });
    const large: TestRecord[] = [0, 1].flatMap((partition) => [0, 1, 2].map((offset) => ({ ...recordAt('large', partition, offset), value: `${offset}`.repeat(offset === 1 ? 5_000_000 : 1_500_000) })));
    for (const record of large) await topics.append([record]);
    const running = reader(['large']);
    await running.open();
    await running.untilEndAtStart();
    for (const partition of [0, 1]) expect(ofPartition(running.records, 'large', partition).map((r) => r.value === large.find((l) => l.offset === r.offset)!.value)).toEqual([true, true, true]);
  });

  it('durable positions are shown by the tools of Kafka, and never read back', async () => {
    await topics.append([...recordsOf('t', 0, 0, 5), ...recordsOf('t', 1, 0, 2)]);
    const first = reader(['t']);
    await first.open();
    await first.untilEndAtStart();
    await first.source.commit([positionAfter(recordAt('t', 0, 3)), positionAfter(recordAt('t', 1, 1))]);
    const shown = await kafka!.tool('kafka-consumer-groups', ['--bootstrap-server', kafka!.brokers[0], '--describe', '--group', topics.named('group')]);
    const rows = shown.split('\n').map((line) => line.trim().split(/\s+/)).filter(([group]) => group === topics.named('group'));
    // Group, topic, partition, offset, end, lag.
    expect(rows.map((row) => row.slice(2, 6)).sort()).toEqual([['0', '4', '5', '1'], ['1', '2', '2', '0']]);
    const second = reader(['t']);
    await second.open();
    await second.untilEndAtStart();
    expect(second.records.length).toBe(7);
    expect(second.records).toEqual(expect.arrayContaining(first.records));
  });

  it('a group with members of its own refuses positions, and says so', async () => {
    await topics.append(recordsOf('t', 0, 0, 2));
    const member = topics.kafka.consumer({ groupId: topics.named('group') });
    await member.connect();
    await member.subscribe({ topics: [topics.named('t')] });
    const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
    await member.run({ eachMessage: async () => undefined });
    await joined;
    const running = reader(['t']);
    await running.open();
    await running.untilEndAtStart();
    await expect(running.source.commit(running.savedPositions())).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringMatching(/RENTFOLD_KAFKA_GROUP.*members/) as string });
    await member.disconnect();
  });
});
