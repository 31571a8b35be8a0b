/**
 * Goal: a restart forgets nothing that an answer or the status shows, a changed fiscal year needs no reading again, the log has the words that operators search
 * for, and no secret.
 * Method: the real process on the demo data, at its most talkative and with a token, ended and started again on the same store with another fiscal year.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RentfoldProcess } from '../support/process.ts';

const TOKEN = 'a-secret-of-some-length';
const QUAY_HOUSE = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

async function ask(program: RentfoldProcess, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${await program.url()}${path}`, { headers: { authorization: `Bearer ${TOKEN}`, connection: 'close' } });
  return await response.json() as Record<string, unknown>;
}

async function isReady(program: RentfoldProcess): Promise<void> {
  await program.until('ready', async () => (await fetch(`${await program.url()}/health/ready`)).status === 200);
}

test('a restart under another fiscal year keeps counters and times, and sums anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rentfold-restart-'));
  const settings = { RENTFOLD_STORE_DIR: join(folder, 'store'), RENTFOLD_READ_TOKEN: TOKEN, LOG_LEVEL: 'debug', RENTFOLD_DELETED_KEYS_DAYS: '3650' };
  const figures = `/financial-performance/${QUAY_HOUSE}?as_of=2026-11-23`;
  try {
    await using first = new RentfoldProcess(settings);
    await isReady(first);
    const before = await ask(first, figures);
    const counted = await ask(first, '/health/status');
    expect(before).toMatchObject({ ytd_rent: 4350, cash_on_cash: 5 });
    expect(await ask(first, `/financial-performance/${UNKNOWN}`)).toMatchObject({ code: 'PROPERTY_UNKNOWN' });
    await first.kill('SIGTERM');
    expect(await first.exitCode(), first.log).toBe(0);

    await using second = new RentfoldProcess({ ...settings, RENTFOLD_FISCAL_YEAR_START_MONTH: '10' });
    await isReady(second);
    const after = await ask(second, figures);
    // From October on: two rents, and 53 days from 2026-10-01 to 2026-11-23.
    expect(after).toMatchObject({ ytd_total_revenue: 2900, ytd_rent: 2900, ytd_expenses: 1755.5, ytd_profit_loss: 1144.5, cash_on_cash: 21.5943 });
    const kept = ['cumulative_rent', 'cumulative_expenses', 'cash_invested', 'last_calculated_at', 'complete', 'freshness'];
    expect(kept.map((name) => after[name])).toEqual(kept.map((name) => before[name]));
    const status = await ask(second, '/health/status');
    const counters = ['records', 'passed_over_reasons', 'unattributed', 'order_ambiguous', 'open_dead_letters', 'incomplete_properties', 'rows', 'properties', 'accounts', 'remembered_deletes', 'newest_change_at'];
    expect(counters.map((name) => [name, status[name]])).toEqual(counters.map((name) => [name, counted[name]]));

    const said = (program: RentfoldProcess, level: string): unknown[] => program.logLines.filter((line) => line['level'] === level).map((line) => line['msg']);
    expect(said(first, 'debug')).toEqual(expect.arrayContaining([
      `[FP-CACHE] Updated property ${QUAY_HOUSE}`, `[FP-CACHE] Cache HIT for property ${QUAY_HOUSE}`, `[FP-CACHE] Cache MISS for property ${UNKNOWN}`,
    ]));
    expect(said(first, 'info')).toEqual(expect.arrayContaining([
      'listening', expect.stringMatching(/^\[FP-CACHE\] the store is empty/), expect.stringMatching(/^ready: /), expect.stringMatching(/^SIGTERM: /),
      expect.stringMatching(/^\[FP-CACHE\] Checkpoint: generation 1, /),
    ]));
    expect(said(first, 'warn')).toEqual([expect.stringMatching(/^dead letter: /)]);
    expect(said(second, 'info')).toContainEqual(expect.stringMatching(/^\[FP-CACHE\] Restored generation 1 of lineage /));
    expect(first.log + second.log).not.toContain(TOKEN);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
