/**
 * Goal: `rentfold replay` on a broker reads to the end that transactions leave, also after kill -9 in the middle, and what it leaves is served; a topic whose head is gone is refused.
 * Method: the real process on topics of its own, with a committed and an aborted transaction at their ends; plain sums to compare with.
 */
import { Partitioners } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import type { TestRecord } from '../support/dump.ts';
import { KafkaTopics } from '../support/kafka-log.ts';
import type { RentfoldProcess } from '../support/process.ts';
import { kafkaService } from '../support/services/services.ts';
import { Workplace } from '../support/workplace.ts';

const kafka = await kafkaService();
const RECORDS = 3_000;

function rent(partition: number, offset: number, amount = '1.00'): TestRecord {
  const id = `rent-${partition}-${offset}`;
  const value = JSON.stringify({ id, property_id: 'p', unit_id: null, payment_date: '2025-06-01', amount, is_non_irs_revenue: false });
  return { topic: 'public.rents', partition, offset, time: 1_735_689_600_000 + offset, key: JSON.stringify({ id }), value };
}

function rents(partition: number, from: number, to: number): TestRecord[] {
  return Array.from({ length: to - from }, (_, i) => rent(partition, from + i));
}

function settingsOf(topics: KafkaTopics): Record<string, string> {
  return {
    RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: kafka!.brokers.join(), RENTFOLD_KAFKA_TOPICS: `${topics.prefix}*`, RENTFOLD_KAFKA_GROUP: topics.named('group'),
    RENTFOLD_TABLE_RENTS: '*rents', RENTFOLD_CHECKPOINT_CHANGES: '100', RENTFOLD_BATCH_RECORDS: '10',
  };
}

/** Two transactions on partition 0: one of two rents that is committed, then one that is aborted and is the end of the log. */
async function endInTransactions(topics: KafkaTopics): Promise<void> {
  const producer = topics.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, transactionalId: topics.named('writer'), maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const send = async (records: readonly TestRecord[], isKept: boolean): Promise<void> => {
    const transaction = await producer.transaction();
    await transaction.send({ topic: topics.named('public.rents'), messages: records.map(({ partition, key, value }) => ({ partition, key, value })) });
    await (isKept ? transaction.commit() : transaction.abort());
  };
  try {
    await send([rent(0, 90_000, '1000.00'), rent(0, 90_001, '1000.00')], true);
    await send([rent(0, 90_002, '500000.00')], false);
  } finally {
    await producer.disconnect();
  }
}

async function ended(program: RentfoldProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  await using running = program;
  const code = await running.exitCode();
  return { code, text: running.log };
}

describe.skipIf(kafka === null)('replay from a broker', () => {
  test('to the end that transactions leave, after kill -9 in the middle; then served', async () => {
    await using place = await Workplace.create();
    const topics = await KafkaTopics.create(kafka!.brokers);
    try {
      await topics.append([...rents(0, 0, RECORDS), ...rents(1, 0, RECORDS)]);
      await endInTransactions(topics);
      const settings = settingsOf(topics);
      await using killed = place.start({ ...settings, RENTFOLD_TEST_KILL_AT: 'manifest-written' }, ['replay']);
      await killed.exitCode();
      expect(killed.endedBy, killed.log).toBe('SIGKILL');
      const { code, text } = await ended(place.start(settings, ['replay']));
      expect(code, text).toBe(0);
      expect(text).toMatch(/going on with the unfinished replay/);
      expect(text).toContain(`total revenue ${2 * RECORDS + 2_000}.0000`);
      // Two rents and their marker, one aborted rent and its marker.
      expect(text).toMatch(new RegExp(`public\\.rents/0 ${RECORDS + 5}\\n`));
      await using serving = place.start(settings);
      await serving.ready();
      expect((await serving.get('/financial-performance/p?as_of=2025-12-31')).text).toContain(`"cumulative_rent":${2 * RECORDS + 2_000}`);
    } finally {
      await topics.dispose();
    }
  }, 120_000);

  test('whose head is gone: exit code 3, the gap named, nothing written', async () => {
    await using place = await Workplace.create();
    const topics = await KafkaTopics.create(kafka!.brokers);
    try {
      await topics.append(rents(0, 0, 20));
      await topics.truncateHead('public.rents', 0, 7);
      const { code, text } = await ended(place.start(settingsOf(topics), ['replay']));
      expect(code, text).toBe(3);
      expect(text).toMatch(/rentfold: HISTORY_INCOMPLETE: .*public\.rents\/0 .*offsets 0 to 6 are missing/);
      expect(await place.newestGeneration()).toBe(0);
    } finally {
      await topics.dispose();
    }
  }, 60_000);
});
