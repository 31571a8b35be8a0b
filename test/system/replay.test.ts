/**
 * Goal: `rentfold replay` as an operator meets it: what it leaves is served with the figures that plain sums give, also after it was killed wherever it stood and
 * run again; what it refuses it leaves byte for byte as it was; its exit codes; progress for people on a terminal and for machines elsewhere.
 * Method: the real process on temporary folders, killed by itself (RENTFOLD_TEST_KILL_AT) and from outside, on a pseudo-terminal (`script`) and on pipes; then the
 * real `serve` on the store it left, asked for every view.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import { loadCase, type ConformanceCase, type View } from '../support/conformance.ts';
import type { DemoExpected } from '../support/demo-figures.ts';
import { dumpLine } from '../support/dump.ts';
import { newestGeneration } from '../support/generations.ts';
import { MAIN, type RentfoldProcess } from '../support/process.ts';
import { Slots } from '../support/slots.ts';
import { Workplace } from '../support/workplace.ts';

const slots = new Slots(2);
const ROOT = join(import.meta.dirname, '../..');
const demo = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/demo-expected.json'), 'utf8')) as DemoExpected;
const demoCase: ConformanceCase = {
  name: 'demo', about: demo.about, settings: {}, records: demo.records, deadLetters: demo.dead_letters, absent: demo.absent, incomplete: demo.incomplete,
  views: demo.views as readonly View[], anyOrder: true, files: new Map(),
};

/** A replay on the place's log and store. */
const replayIn = (place: Workplace, settings: Readonly<Record<string, string>> = {}): RentfoldProcess => place.start(settings, ['replay']);

async function placeOf(one: ConformanceCase): Promise<Workplace> {
  const place = await Workplace.create();
  for (const [file, lines] of one.files) await place.write(file, lines);
  return place;
}

/** Content of every file below the place's store. */
function storeContent(place: Workplace): Map<string, string> {
  const store = join(place.folder, 'store');
  const names = existsSync(store) ? readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(store, name)).isFile()).sort() : [];
  return new Map(names.map((name) => [name, readFileSync(join(store, name)).toString('base64')]));
}

/** Runs it to its end: exit code, and the lines in which it says what is wrong. */
async function run(program: RentfoldProcess): Promise<{ readonly code: number | null; readonly errors: readonly string[]; readonly text: string }> {
  await using running = program;
  const code = await running.exitCode();
  return { code, text: running.log, errors: running.log.split('\n').filter((line) => line.startsWith('rentfold: ')) };
}

async function expectDone(program: RentfoldProcess): Promise<string> {
  const { code, text } = await run(program);
  expect(code, text).toBe(0);
  return text;
}

async function expectServed(one: ConformanceCase, place: Workplace, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await using serving = place.start({ ...one.settings, ...settings });
  await serving.ready();
  await serving.showingLog(() => checkCase(one, serving));
  expect((await serving.status()).warnings.filter(({ code }) => code !== 'FILE_UNEXPLAINED')).toEqual([]);
}

describe('what a replay leaves', () => {
  test('of the demo: a summary, and figures that are served at once', async () => {
    await using place = await Workplace.create();
    const log = { RENTFOLD_FILE_DIR: join(ROOT, 'config/demo') };
    const text = await expectDone(replayIn(place, log));
    expect(text).toMatch(/events +2 037 read in \d+\.\d s, [\d ]+ a second\n +1 972 applied, 26 unchanged, 1 superseded\n +passed over +37: 33 heartbeat, 4 tombstone_of_delete\n/);
    expect(text).toMatch(/dead letters +1, still open: 1 AMOUNT_INVALID; .*\n +rows +1 272 expenses, 674 rents, 12 properties\n/);
    await expectServed(demoCase, place, log);
  });

  test('is refused to a second replay with exit code 5, byte for byte as it was', async () => {
    const one = loadCase('moves');
    await using place = await placeOf(one);
    await expectDone(replayIn(place, one.settings));
    const before = storeContent(place);
    const { code, errors } = await run(replayIn(place, one.settings));
    expect(code).toBe(5);
    expect(errors).toEqual([expect.stringMatching(/REPLAY_STORE_NOT_EMPTY: .*generation 1 of lineage 20\d{6}T.*RENTFOLD_STORE_DIR/)]);
    expect(storeContent(place)).toEqual(before);
  });

  test('is refused while serve uses the store, and serve goes on', async () => {
    const one = loadCase('moves');
    await using place = await placeOf(one);
    await using serving = place.start({ ...one.settings, RENTFOLD_CHECKPOINT_SECONDS: '86400' });
    await serving.ready();
    expect(await run(replayIn(place, one.settings))).toMatchObject({ code: 1, errors: [expect.stringMatching(/STORE_IN_USE: .*in use: .*publishes/)] });
    expect((await serving.status()).role).toBe('publisher');
  });
});

describe('killed, and run again,', () => {
  test.concurrent.each(['slice-drawn', 'segment-written', 'current-written', 'manifest-written'])('twice at %s', async (step) => slots.use(async () => {
    const one = loadCase('duplicates');
    await using place = await placeOf(one);
    const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '5' };
    for (let kill = 0; kill < 2; kill++) {
      await using killed = replayIn(place, { ...settings, RENTFOLD_TEST_KILL_AT: step });
      await killed.exitCode();
      expect(killed.endedBy, killed.log).toBe('SIGKILL');
    }
    await expectDone(replayIn(place, settings));
    await expectServed(one, place);
  }), 120_000);

  test('from outside, at moments that differ', async () => {
    const one = loadCase('bulk');
    await using place = await placeOf(one);
    const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '20', RENTFOLD_BATCH_RECORDS: '3' };
    const store = join(place.folder, 'store');
    for (const more of [1, 2, 3]) {
      await using program = replayIn(place, settings);
      const before = newestGeneration(store);
      await program.until('wrote some generations or ended', () => Promise.resolve(program.hasEnded || newestGeneration(store) >= before + more));
      await program.kill('SIGKILL');
    }
    const last = await run(replayIn(place, settings));
    // The third may have come to its end before it was killed.
    expect([0, 5], last.text).toContain(last.code);
    await expectServed(one, place);
  });
});

describe('a replay that cannot do it', () => {
  test('a partition that cannot be understood: exit code 6, named, and no generation; with the option it goes through', async () => {
    const one = loadCase('other-tables');
    await using place = await placeOf(one);
    const { code, errors } = await run(replayIn(place));
    expect(code).toBe(6);
    expect(errors).toEqual([expect.stringMatching(/TABLE_AMBIGUOUS: cdc\/0 offset 3: .*RENTFOLD_TABLE_RENTS.*run replay again/)]);
    expect([...storeContent(place).keys()].filter((name) => name.includes('checkpoints'))).toEqual([]);
    await expectDone(replayIn(place, one.settings));
    await expectServed(one, place);
  });

  test('a log whose head is gone: exit code 3, and nothing in the store', async () => {
    const one = loadCase('first-rent');
    await using place = await placeOf(one);
    const file = join(place.folder, 'log/pg.public.rents.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"offset":0', '"offset":5'));
    expect(await run(replayIn(place, one.settings))).toMatchObject({ code: 3, errors: [expect.stringMatching(/HISTORY_INCOMPLETE: .*pg\.public\.rents/)] });
    expect([...storeContent(place).keys()].filter((name) => name.includes('checkpoints'))).toEqual([]);
  });

  test('SIGTERM: a last checkpoint, exit code 1, how to go on; the next one goes on to the end', async () => {
    await using place = await Workplace.create();
    const records = 30_000;
    await place.write('rents.jsonl', Array.from({ length: records }, (_, i) => dumpLine({
      topic: 'pg.public.rents', partition: 0, offset: i, time: 1_735_689_600_000 + i, key: `{"id":"rent-${i}"}`,
      value: `{"id":"rent-${i}","property_id":"p","unit_id":null,"payment_date":"2025-06-01","amount":"1.00","is_non_irs_revenue":false}`,
    }).trimEnd()));
    await using program = replayIn(place, { RENTFOLD_CHECKPOINT_CHANGES: '100', RENTFOLD_BATCH_RECORDS: '1' });
    await program.until('wrote a generation', () => Promise.resolve(newestGeneration(join(place.folder, 'store')) > 0));
    const stopped = run(program);
    program.signal('SIGTERM');
    const { code, errors, text } = await stopped;
    expect(code, text).toBe(1);
    expect(errors).toEqual([expect.stringMatching(/REPLAY_INTERRUPTED: .*run replay again: it goes on from generation \d+ of lineage /)]);
    const end = await expectDone(replayIn(place));
    expect(end).toMatch(/going on with the unfinished replay/);
    const [, now, before] = /events +([\d ]+) read in .*; ([\d ]+) more before it was gone on with/.exec(end)!;
    expect(Number(now!.replaceAll(' ', '')) + Number(before!.replaceAll(' ', ''))).toBe(records);
    expect(end).toContain(`total revenue ${records}.0000`);
  });
});

describe('what it shows', () => {
  const environment = (place: Workplace): Record<string, string> => ({ PATH: process.env.PATH ?? '', RENTFOLD_STORE_DIR: join(place.folder, 'store') });

  test('on pipes: the summary alone on standard output, the log on standard error, no colours; or only errors, by LOG_LEVEL', async () => {
    await using place = await Workplace.create();
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...MAIN, 'replay'], { cwd: ROOT, env: environment(place) });
    expect(stdout).toMatch(/^replayed file:.*\n {2}events /);
    expect(stderr).toMatch(/"msg":"replay: \d+ %, /);
    expect(stdout + stderr).not.toMatch(/[\r\u001b]/);
    await using quiet = await Workplace.create();
    const silent = await promisify(execFile)(process.execPath, [...MAIN, 'replay'], { cwd: ROOT, env: { ...environment(quiet), LOG_LEVEL: 'error' } });
    expect(silent.stdout).toMatch(/^replayed /);
    expect(silent.stderr).toBe('');
  });

  test.skipIf(!existsSync('/usr/bin/script'))('on a terminal: one line drawn over, log lines whole above it, the summary below; colours unless NO_COLOR', async () => {
    for (const [more, colours] of [[{}, true], [{ NO_COLOR: '1' }, false]] as const) {
      await using place = await Workplace.create();
      const { stdout } = await promisify(execFile)('script', ['-qec', [process.execPath, ...MAIN, 'replay'].join(' '), '/dev/null'], { cwd: ROOT, env: { ...environment(place), TERM: 'xterm', ...more } });
      expect(stdout).toMatch(/\r\d+ %, [\d ]+ events, [\d ]+ a second, [^\n]*\u001b\[K/);
      expect(stdout.includes('\u001b[3'), stdout).toBe(colours);
      // What a terminal would show: a line drawn over is what stands behind the last return.
      const shown = stdout.replaceAll('\r\n', '\n').replaceAll(/\u001b\[(K|\d*m)/g, '').split('\n').map((line) => line.slice(line.lastIndexOf('\r') + 1));
      expect(shown.filter((line) => / %, /.test(line))).toEqual([]);
      expect(shown.filter((line) => line.includes('Checkpoint: generation 1'))).toEqual([expect.stringMatching(/^\[[\d:.]+\] INFO/)]);
      expect(shown).toContainEqual(expect.stringMatching(/^replayed file:/));
    }
  });
});
