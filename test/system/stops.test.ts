/**
 * Goal: following the advice of a stop works. A stop is met again by the next start as long as the option is wrong, and gone when it is corrected, on the same store.
 * Method: the real process on logs that a wrong option makes unreadable, ended and started again with and without the option.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { dumpText } from '../support/dump.ts';
import { RentfoldProcess } from '../support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'rentfold-stops-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROPERTY = '11111111-1111-4111-8111-111111111111';

/** Starts, waits for the stop, checks what a reader and an operator see, and ends it. */
async function expectStop(environment: Record<string, string>, code: string): Promise<void> {
  await using rentfold = new RentfoldProcess(environment);
  await rentfold.url();
  await rentfold.until(`stops with ${code}`, async () => (await rentfold.status()).phase === 'stopped');
  expect(await rentfold.get(`/financial-performance/${PROPERTY}`)).toMatchObject({ status: 503, body: { code: 'PARTITION_STOPPED', detail: expect.stringContaining(code) as string } });
  expect((await rentfold.get('/health/ready')).status).toBe(503);
  expect((await rentfold.get('/health/live')).status).toBe(200);
  const { partitions, source_stop } = (await rentfold.get('/health/status')).body as { partitions: { stop: { code: string } | null }[]; source_stop: { code: string } | null };
  expect(partitions.filter(({ stop }) => stop?.code === code)).toHaveLength(1);
  expect(source_stop).toMatchObject({ code });
  await rentfold.kill('SIGTERM');
  expect(await rentfold.exitCode(), rentfold.log).toBe(0);
}

test('amounts in base64 read as text stop the partition, at every start, until RENTFOLD_DECIMALS says so', async () => {
  const records = Array.from({ length: 120 }, (_, i) => ({
    topic: 'pg.public.rents', partition: 1, offset: i, time: 1_735_689_600_000 + i, key: `{"id":"rent-${i}"}`,
    value: JSON.stringify({
      before: null, op: 'c', ts_ms: 1, after: { id: `rent-${i}`, property_id: PROPERTY, unit_id: null, payment_date: 20_454, amount: 'MDk=', is_non_irs_revenue: false },
      source: { connector: 'postgresql', db: 'rental', schema: 'public', table: 'rents', ts_ms: 1_735_689_600_000 + i, sequence: `["${24_000_000 + i}","${24_000_000 + i}"]`, lsn: 24_000_000 + i },
    }),
  }));
  const dump = join(folder, 'dump');
  mkdirSync(dump);
  writeFileSync(join(dump, 'rents.jsonl'), dumpText(records));
  const environment = { RENTFOLD_FILE_DIR: dump, RENTFOLD_STORE_DIR: join(folder, 'store-decimals'), RENTFOLD_CHECKPOINT_CHANGES: '1000' };
  await expectStop(environment, 'PARTITION_NOT_UNDERSTOOD');
  await expectStop(environment, 'PARTITION_NOT_UNDERSTOOD');
  await using corrected = new RentfoldProcess({ ...environment, RENTFOLD_DECIMALS: 'base64:2' });
  await corrected.ready();
  expect(await corrected.get(`/financial-performance/${PROPERTY}?as_of=2026-12-31`)).toMatchObject({ status: 200, body: { cumulative_rent: '14814', complete: true } });
});

test('a name that two schemas use stops the source, at every start, until a pattern says which is meant', async () => {
  const environment = { RENTFOLD_FILE_DIR: join(import.meta.dirname, '../fixtures/conformance/cases/other-tables'), RENTFOLD_STORE_DIR: join(folder, 'store-tables') };
  await expectStop(environment, 'TABLE_AMBIGUOUS');
  await expectStop(environment, 'TABLE_AMBIGUOUS');
  await using corrected = new RentfoldProcess({ ...environment, RENTFOLD_TABLE_EXPENSES: 'public.expenses', RENTFOLD_TABLE_RENTS: 'public.rents', RENTFOLD_TABLE_PROPERTIES: 'public.properties' });
  await corrected.ready();
  expect((await corrected.status()).records.dead_letters).toBe('0');
});
