/**
 * Goal: the README's first command shows what the README says.
 * Method: the real process on the demo data as it is committed; every expected figure is asked for; every example of the README that shows
 * an answer is asked again and compared, times and ids of a run aside; then the README's commands are run on the store it left.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import type { ConformanceCase, View } from '../support/conformance.ts';
import type { DemoExpected } from '../support/demo-figures.ts';
import { RentfoldProcess } from '../support/process.ts';
import { propertyId } from '../support/demo-portfolio.ts';
import { PROJECT_ROOT } from '../support/make-demo.ts';
import { README_PATH } from '../support/readme-tables.ts';

const expected = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/demo-expected.json'), 'utf8')) as DemoExpected;
const readme = readFileSync(README_PATH, 'utf8');
/** What differs from run to run. */
const OF_THE_RUN = /"(?:last_calculated_at|instance)": ?"[^"]*"/g;

const folder = mkdtempSync(join(tmpdir(), 'rentfold-demo-'));
const store = join(folder, 'store');
let rentfold: RentfoldProcess;

beforeAll(async () => {
  rentfold = new RentfoldProcess({ RENTFOLD_STORE_DIR: store });
  await rentfold.ready();
});

afterAll(async () => {
  await rentfold[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('demo', () => {
  it('gives every figure that plain sums give', async () => {
    const asCase: ConformanceCase = {
      name: 'demo', about: expected.about, settings: {}, records: expected.records, deadLetters: expected.dead_letters, absent: expected.absent,
      incomplete: expected.incomplete, views: expected.views as readonly View[], anyOrder: true, files: new Map(),
    };
    await checkCase(asCase, rentfold);
  });

  it('answers as the README shows', async () => {
    const examples = [...readme.matchAll(/```sh\ncurl 'http:\/\/127\.0\.0\.1:8080([^'\n]+)'\n```\n\n```json\n([^`]+)```/g)];
    expect(examples.length).toBeGreaterThanOrEqual(3);
    for (const [, path, shown] of examples) {
      const { text } = await rentfold.get(path!);
      expect(JSON.parse(text.replaceAll(OF_THE_RUN, '"of_the_run":""')), path).toMatchObject(JSON.parse(shown!.replaceAll(OF_THE_RUN, '"of_the_run":""')) as object);
    }
  });

  it('leaves a store in which the commands find what the README says', async () => {
    await rentfold.kill('SIGTERM');
    const list = new RentfoldProcess({ RENTFOLD_STORE_DIR: store }, ['dead-letters', 'list']);
    expect(await list.exitCode(), list.log).toBe(0);
    const shown = /```sh\nnpm run rentfold -- dead-letters list\n```\n\n```text\n([^`]+)```/.exec(readme)?.[1];
    const ofTheRun = /lineage \S+/;
    expect(list.log.trim().replace(ofTheRun, '')).toBe(shown?.trim().replace(ofTheRun, ''));
    const show = new RentfoldProcess({ RENTFOLD_STORE_DIR: store }, ['dead-letters', 'show', /dead-letters show (\S+)/.exec(readme)![1]!]);
    expect(await show.exitCode(), show.log).toBe(0);
    expect(show.log).toContain('NaN');
  });

  it('takes the changes that the README proposes, and goes on where it was', async () => {
    const logs = join(folder, 'try');
    cpSync(join(PROJECT_ROOT, 'config/demo'), logs, { recursive: true });
    const environment = { RENTFOLD_FILE_DIR: logs, RENTFOLD_STORE_DIR: join(folder, 'try-store') };
    await using first = new RentfoldProcess(environment);
    await first.ready();
    const events = [...readme.matchAll(/^printf '%s\\n' '([^']+)' > \/tmp\/rentfold-try\/(\S+)$/gm)];
    expect(events).toHaveLength(2);
    for (const [, line, name] of events) writeFileSync(join(logs, name!), `${line!}\n`);
    await first.until('folded both', async () => Number((await first.status()).records.read) === expected.records + events.length);
    await checkTry(first);
    await first.kill('SIGTERM');
    await using again = new RentfoldProcess(environment);
    await again.ready();
    await checkTry(again);
    expect(again.log).toContain('Restored generation 1');
  });
});

/** Quay House with 100.00 more, Pine Ridge whole again. Numbers are source text. */
async function checkTry(asked: RentfoldProcess): Promise<void> {
  const quayHouse = await asked.get(`/financial-performance/${propertyId('b')}?as_of=2026-11-23`);
  expect(quayHouse.body).toMatchObject({ ytd_rent: '4450', ytd_profit_loss: '1730' });
  expect(readme).toContain('`ytd_rent` is now 4450 and its `ytd_profit_loss` 1730');
  expect((await asked.get(`/financial-performance/${propertyId('9')}?as_of=2026-11-23`)).body).toMatchObject({ complete: true });
}
