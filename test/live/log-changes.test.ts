/**
 * Goal: a log that is not the one that was read is refused, with a message that names the gap, exit code 3, and not a byte changed in the store; a crash between the
 * manifest and the broker's commit loses nothing and doubles nothing, and the broker never hears of positions that no manifest holds.
 * Method: the real process on the real broker, ended, its topics changed, and started again; killed by itself at the steps around the commit.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestRecord } from '../support/dump.ts';
import { KafkaTopics } from '../support/kafka-log.ts';
import { restoredFrom } from '../support/live/pictures.ts';
import { RentfoldProcess } from '../support/process.ts';
import { kafkaService } from '../support/services/services.ts';

const kafka = await kafkaService();
const TOPIC = 'pg.public.rents';
const PARTITIONS = 2;

/** Rent number `i` of 1.00, in the partition of its parity. */
function rent(i: number, amount = '1.0000'): TestRecord {
  const row = { id: `r-${i}`, property_id: 'p1', unit_id: null, payment_date: 20_454, amount, is_non_irs_revenue: false };
  const source = { connector: 'postgresql', db: 'rental', schema: 'public', table: 'rents', ts_ms: 1_760_000_000_000 + i, sequence: `["${1_000 + i}","${1_000 + i}"]`, lsn: 1_000 + i };
  return {
    topic: TOPIC, partition: i % PARTITIONS, offset: Math.floor(i / PARTITIONS), time: 1_760_000_000_000 + i, key: JSON.stringify({ id: row.id }),
    value: JSON.stringify({ before: null, after: row, source, op: 'c', ts_ms: 1_760_000_000_100 + i }),
  };
}

function rents(from: number, to: number, amount?: string): TestRecord[] {
  return Array.from({ length: to - from }, (_, i) => rent(from + i, amount));
}

describe.skipIf(kafka === null)('a log on a broker', () => {
  let topics: KafkaTopics;
  let folder: string;

  beforeEach(async () => {
    topics = await KafkaTopics.create(kafka!.brokers);
    folder = await mkdtemp(join(tmpdir(), 'rentfold-log-changes-'));
    await topics.createTopic(TOPIC, PARTITIONS);
    await topics.append(rents(0, 40));
  });

  afterEach(async () => {
    await topics.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  function begin(settings: Readonly<Record<string, string>> = {}): RentfoldProcess {
    return new RentfoldProcess({
      RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: kafka!.brokers.join(','), RENTFOLD_KAFKA_TOPICS: topics.named(TOPIC), RENTFOLD_KAFKA_GROUP: topics.config().group,
      RENTFOLD_STORE: 'local', RENTFOLD_STORE_DIR: folder, RENTFOLD_CHECKPOINT_SECONDS: '1', ...settings,
    });
  }

  /** Reads the log to its end, and ends well. */
  async function readOnce(): Promise<void> {
    await using program = begin();
    await program.ready();
    await program.kill('SIGTERM');
    expect(await program.exitCode(), program.log).toBe(0);
  }

  /** The next start ends with this code and says these words; the store stays as it is, byte for byte. */
  async function expectRefused(code: string, words: RegExp): Promise<void> {
    const before = await contentOf(folder);
    await using program = begin();
    expect(await program.exitCode(), program.log).toBe(3);
    expect(program.log.split('\n').find((line) => line.startsWith(`rentfold: ${code}: `)), program.log).toMatch(words);
    expect(await contentOf(folder)).toEqual(before);
  }

  async function total(program: RentfoldProcess): Promise<unknown> {
    return ((await program.get('/financial-performance/p1?as_of=2026-12-31')).body as { cumulative_rent: string }).cumulative_rent;
  }

  it('whose head is gone behind our position is refused', async () => {
    await readOnce();
    await topics.append(rents(40, 80));
    await topics.truncateHead(TOPIC, 1, 30);
    await expectRefused('POSITION_TOO_OLD', new RegExp(`${topics.named(TOPIC)}/1.*20.*30`));
  });

  it('whose head is gone is refused by an empty store, which stays empty', async () => {
    await topics.truncateHead(TOPIC, 0, 5);
    await expectRefused('HISTORY_INCOMPLETE', new RegExp(`${topics.named(TOPIC)}/0.*5.*RENTFOLD_ACCEPT_INCOMPLETE_HISTORY`));
  });

  it('that ends before our position is refused', async () => {
    await readOnce();
    await topics.recreate(TOPIC, rents(0, 10));
    await expectRefused('POSITION_BEYOND_END', new RegExp(`${topics.named(TOPIC)}/\\d.*20.*5`));
  });

  it('that was deleted and created again, and is as long, is refused', async () => {
    await readOnce();
    await topics.recreate(TOPIC, rents(0, 60, '2.0000'));
    await expectRefused('POSITION_RECORD_CHANGED', new RegExp(`${topics.named(TOPIC)}/\\d`));
  });

  it('that was deleted is refused', async () => {
    await readOnce();
    await topics.remove(TOPIC);
    await expectRefused('POSITION_BEYOND_END', new RegExp(topics.named(TOPIC)));
  });

  it('that was deleted and created again while it was read stops its partitions, and writes nothing more', async () => {
    await using program = begin();
    await program.ready();
    await topics.recreate(TOPIC, rents(0, 60, '2.0000'));
    await program.until('stops', async () => (await program.status()).phase === 'stopped');
    expect((await program.get('/financial-performance/p1?as_of=2026-12-31')).status).toBe(503);
    await program.kill('SIGTERM');
    const positions = (await restoredFrom(folder)).seed.positions;
    expect(positions.map(({ partition, next }) => [partition, next]).toSorted()).toEqual([[0, 20], [1, 20]]);
  });

  for (const step of ['segment-written', 'manifest-written', 'parquet-written']) {
    it(`loses and doubles nothing when the process is killed at ${step}, and the broker hears only of what a manifest holds`, async () => {
      await using first = begin();
      await first.ready();
      await topics.append(rents(40, 50));
      await first.kill('SIGTERM');
      await topics.append(rents(50, 80));
      await using killed = begin({ RENTFOLD_TEST_KILL_AT: step, RENTFOLD_PARQUET_SECONDS: '1' });
      await killed.exitCode();
      expect(killed.endedBy, killed.log).toBe('SIGKILL');
      const durable = (await restoredFrom(folder)).seed.positions;
      const told = await topics.admin.fetchOffsets({ groupId: topics.config().group, topics: [topics.named(TOPIC)] });
      for (const { partition, offset } of told[0]!.partitions) {
        const { next } = durable.find((position) => position.partition === partition)!;
        // The file may be one of a generation that was told about before.
        if (step === 'manifest-written') expect(Number(offset)).toBeLessThan(next);
        else expect(Number(offset)).toBeLessThanOrEqual(next);
      }
      await using next = begin();
      await next.ready();
      expect(await total(next)).toBe('80');
      expect((await next.status()).records.read).toBe('80');
    });
  }
});

/** Name → hash of every file below a folder. What a process holds while it runs (its lease) is gone when it has ended. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).toSorted()) {
    const path = join(folder, name);
    if ((await stat(path)).isFile()) content[name] = createHash('sha256').update(await readFile(path)).digest('hex');
  }
  return content;
}
