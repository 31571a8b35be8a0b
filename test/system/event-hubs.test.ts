/**
 * Goal: the real program on hubs over AMQP answers exactly the figures of the tables, also after kill -9 and lost connections: positions go on from the checkpoint.
 * Method: conformance cases appended to one hub of a double, all tables in it and round-robin over its partitions or each in its own, in two parts; the process is killed after the first part and
 * again somewhere in the second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import { loadCase, type ConformanceCase } from '../support/conformance.ts';
import { eventOf, type EventRecord } from '../support/event-hubs/record-events.ts';
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import { createRandom, hashText } from '../support/history-random.ts';
import { RentfoldProcess } from '../support/process.ts';

const SEED = Number(process.env.RENTFOLD_TEST_SEED ?? '1');
const HUB = 'rental-cdc';
const PARTITIONS = 4;

/** Records of a case, in the order of each of its files; which partition of the hub each goes to. */
function recordsOfCase(one: ConformanceCase): (EventRecord & { readonly to: number })[] {
  return [...one.files.values()].flatMap((lines, file) => lines.map((line) => {
    const { ts, key, payload } = JSON.parse(line) as { ts: number; key: string | null; payload: string | null };
    return { time: ts > 0 ? ts : null, key: key ?? null, value: payload ?? null, to: file % PARTITIONS };
  }));
}

describe('serving from hubs', () => {
  test.each(['bulk', 'deletes', 'recorded-mariadb'])('%s: every view exact, after kill -9 and a lost connection on the way', async (name) => {
    const one = loadCase(name);
    const folder = mkdtempSync(join(tmpdir(), 'rentfold-hubs-serve-'));
    const double = await EventHubsDouble.start({ hubs: [{ name: HUB, partitions: PARTITIONS, consumerGroups: ['rentfold'] }] });
    const append = (records: readonly (EventRecord & { readonly to: number })[]): void => { for (const record of records) double.append(HUB, record.to, [eventOf(record)]); };
    try {
      const records = recordsOfCase(one);
      const cut = createRandom(SEED + hashText(name)).below(records.length);
      const settings = {
        ...one.settings, RENTFOLD_SOURCE: 'event-hubs', RENTFOLD_EVENT_HUBS_CONNECTION_STRING: double.connectionString(), RENTFOLD_EVENT_HUBS_NAMES: HUB, RENTFOLD_EVENT_HUBS_CONSUMER_GROUP: 'rentfold',
        RENTFOLD_STORE_DIR: join(folder, 'store'), RENTFOLD_CHECKPOINT_CHANGES: String(Math.ceil(records.length / 5)), RENTFOLD_BATCH_RECORDS: '20', LOG_LEVEL: 'debug',
      };
      append(records.slice(0, cut));
      await using first = new RentfoldProcess(settings);
      await first.ready();
      await first.until('checkpoints', async () => cut < records.length / 5 || (await first.status()).generation !== null);
      await first.kill('SIGKILL');
      append(records.slice(cut));
      await using second = new RentfoldProcess(settings);
      await second.url();
      await second.kill('SIGKILL');
      await using third = new RentfoldProcess(settings);
      await third.url();
      double.cutSockets();
      await third.ready();
      await third.showingLog(() => checkCase(one, third));
      if (cut >= records.length / 5) expect(third.log).toMatch(/Restored generation \d+/);
      await third.kill('SIGTERM');
      expect(await third.exitCode(), third.log).toBe(0);
    } finally {
      await double[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
