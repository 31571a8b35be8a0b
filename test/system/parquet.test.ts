/**
 * Goal: what the file says is what the service answers: after a clean end, DuckDB reads from it every figure of the demo portfolio, whatever the day.
 * Method: `serve` on the demo data with its own threads and a local store, at a wall clock of each expected day in turn; then the real process, ended by
 * SIGTERM, whose file is compared with its answers.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../src/cli/serve-command.ts';
import { loadConfig } from '../../src/config.ts';
import { createWorkerIngest } from '../../src/ingest/worker.ts';
import { createSystemClock, type Clock } from '../../src/runtime/clock.ts';
import { createStore, type StoreSpec } from '../../src/snapshot/store-spec.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import type { DemoExpected } from '../support/demo-figures.ts';
import { PROJECT_ROOT } from '../support/make-demo.ts';
import { labelsOf, queryParquet } from '../support/parquet-query.ts';
import { RentfoldProcess } from '../support/process.ts';
import { PREFIX } from '../support/snapshot-run.ts';

const expected = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/demo-expected.json'), 'utf8')) as DemoExpected;
const days = [...new Set(expected.views.map((view) => view.as_of))];

function newStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rentfold-parquet-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const fileIn = (store: string): string => join(store, PREFIX, 'financial_performance_current.parquet');

/** Every column of the file as text, by property and unit. */
async function rowsOf(path: string): Promise<Map<string, Record<string, unknown>>> {
  const rows = await queryParquet(path, 'select columns(*)::varchar from FILE');
  return new Map(rows.map((row) => [`${row.property_id}/${row.unit_id}`, row]));
}

/** Serves the demo until it is ready, at noon of that day, and ends. */
async function serveAt(day: string, store: string): Promise<void> {
  const system = createSystemClock();
  const shift = Date.parse(`${day}T12:00:00Z`) - system.now();
  const clock: Clock = { now: () => system.now() + shift, monotonicMs: () => system.monotonicMs(), sleep: (ms, signal) => system.sleep(ms, signal) };
  const folder = join(PROJECT_ROOT, 'config/demo');
  const { config } = loadConfig({ environment: { RENTFOLD_PORT: '0', RENTFOLD_FILE_DIR: folder }, file: null, host: 'here', resolve: (path) => path });
  const spec: StoreSpec = { kind: 'local', options: { directory: store, ownFolder: PREFIX } };
  const shutdown = new AbortController();
  const log = pino({ level: 'info' }, { write: (line: string) => { if (line.includes('"ready: ')) shutdown.abort(); } });
  await serve({
    config, log, clock, store: createStore(spec), work: createThreadWork(spec), ingest: createWorkerIngest({ source: config.source }), prefix: PREFIX, versions: {}, hint: () => 'x',
    shutdown: shutdown.signal,
  });
}

describe('the file of the demo portfolio', () => {
  it.each(days)('as of %s has every figure that plain sums give', async (day) => {
    const store = newStore();
    await serveAt(day!, store);
    const rows = await rowsOf(fileIn(store));
    const views = expected.views.filter((view) => view.as_of === day);
    expect(views.length).toBeGreaterThan(10);
    for (const view of views) {
      const row = rows.get(`${view.property_id}/${view.unit_id}`)!;
      for (const [name, value] of Object.entries(view)) {
        if (name === 'as_of') continue;
        expect(row[name], `${view.property_id} ${view.unit_id} ${name}`).toBe(value);
      }
    }
    const labels = await labelsOf(fileIn(store));
    expect(labels).toMatchObject({ as_of: day, accounts: String(rows.size), incomplete_properties: String(expected.incomplete.length), out_of_range_accounts: '0', complete_history: 'true' });
    for (const absent of expected.absent) expect([...rows.keys()].filter((key) => key.startsWith(absent!))).toEqual([]);
  });

  it('of the real process, ended by SIGTERM, is what it answered', async () => {
    const store = newStore();
    await using rentfold = new RentfoldProcess({ RENTFOLD_STORE_DIR: store });
    await rentfold.ready();
    const accounts = [...new Set(expected.views.map(({ property_id, unit_id }) => JSON.stringify([property_id, unit_id])))].map((text) => JSON.parse(text) as [string, string | null]);
    const answers = await Promise.all(accounts.map(async ([property, unit]) => (await rentfold.get(`/financial-performance/${property}${unit === null ? '' : `?unit_id=${unit}`}`)).body as Record<string, string>));
    await rentfold.kill('SIGTERM');
    expect(await rentfold.exitCode(), rentfold.log).toBe(0);
    const rows = await rowsOf(fileIn(store));
    for (const answer of answers) {
      const row = rows.get(`${answer.property_id}/${answer.unit_id}`)!;
      for (const name of Object.keys(row).filter((column) => /^(ytd|cumulative)_/.test(column))) expect(Number(row[name]), `${answer.property_id} ${answer.unit_id} ${name}`).toBe(Number(answer[name]));
      expect(row.last_calculated_at).toBe(answer.last_calculated_at!.replace('T', ' ').replace('Z', '').replace(/\.?0+$/, ''));
    }
    expect(rentfold.log).toContain('[FP-CACHE] Parquet file: generation 1');
  });
});
