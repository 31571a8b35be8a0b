/**
 * Goal: the real program on a real broker answers exactly the figures of the tables, also after kill -9: positions go on from the checkpoint, whatever a broker's group knows.
 * Method: conformance cases produced into topics of their own in two parts; the process is killed after the first part and again somewhere in the second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import { loadCase } from '../support/conformance.ts';
import { createRandom, hashText } from '../support/history-random.ts';
import { KafkaTopics, recordsOfCase } from '../support/kafka-log.ts';
import { RentfoldProcess } from '../support/process.ts';
import { kafkaService } from '../support/services/services.ts';

const kafka = await kafkaService();
const SEED = Number(process.env.RENTFOLD_TEST_SEED ?? '1');

describe.skipIf(kafka === null)('serving from a broker', () => {
  test.each(['bulk', 'truncate-across-partitions', 'recorded-mariadb', 'flattened', 'partitions-added'])('%s: every view exact, after kill -9 on the way', async (name) => {
    const one = loadCase(name);
    const folder = mkdtempSync(join(tmpdir(), 'rentfold-kafka-serve-'));
    const topics = await KafkaTopics.create(kafka!.brokers);
    try {
      const records = recordsOfCase(one);
      const cut = createRandom(SEED + hashText(name)).below(records.length);
      const settings = {
        ...one.settings, RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: kafka!.brokers.join(), RENTFOLD_KAFKA_TOPICS: `${topics.prefix}*`, RENTFOLD_KAFKA_GROUP: topics.named('group'),
        RENTFOLD_STORE_DIR: join(folder, 'store'), RENTFOLD_CHECKPOINT_CHANGES: String(Math.ceil(records.length / 5)), RENTFOLD_BATCH_RECORDS: '20', LOG_LEVEL: 'debug',
      };
      await topics.append(records.slice(0, cut));
      await using first = new RentfoldProcess(settings);
      await first.ready();
      await first.until('checkpoints', async () => cut < records.length / 5 || (await first.status()).generation !== null);
      await first.kill('SIGKILL');
      await topics.append(records.slice(cut));
      await using second = new RentfoldProcess(settings);
      await second.url();
      await second.kill('SIGKILL');
      await using third = new RentfoldProcess(settings);
      await third.ready();
      await third.showingLog(() => checkCase(one, third));
      if (cut >= records.length / 5) expect(third.log).toMatch(/Restored generation \d+/);
      await third.kill('SIGTERM');
      expect(await third.exitCode(), third.log).toBe(0);
      expect(third.log).not.toContain('COMMIT_FAILED');
    } finally {
      await topics.dispose();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
