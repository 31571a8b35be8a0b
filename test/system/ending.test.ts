/**
 * Goal: however the process is asked or made to end, it ends soon, with the right code, and the next start is right; that nobody reads its output any more is no
 * reason to end.
 * Method: the real process; signals at random moments while its log grows, two at once, one while it opens an endless log; an error that nobody catches, brought in
 * from outside; standard output closed and full.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import { loadCase } from '../support/conformance.ts';
import { newestGeneration } from '../support/generations.ts';
import { createRandom } from '../support/history-random.ts';
import { MAIN } from '../support/process.ts';
import { propertyParameters } from '../support/property-runs.ts';
import { Workplace } from '../support/workplace.ts';

const ROOT = join(import.meta.dirname, '../..');
const one = loadCase('duplicates');
const { seed } = propertyParameters(1);

async function placeWithLog(): Promise<Workplace> {
  const place = await Workplace.create();
  for (const [file, lines] of one.files) await place.write(file, lines);
  return place;
}

async function nextStartIsRight(place: Workplace): Promise<void> {
  await using program = place.start(one.settings);
  await program.ready();
  await program.showingLog(() => checkCase(one, program));
  expect((await program.status()).warnings).toEqual([]);
}

describe('asked to end', () => {
  test('at any moment under load: code 0 every time, and the next start goes on', async () => {
    const random = createRandom(seed);
    await using place = await Workplace.create();
    for (const file of one.files.keys()) await place.write(file, []);
    const rounds = 6;
    for (let round = 0; round < rounds; round++) {
      await using program = place.start({ ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: String(1 + random.below(40)), RENTFOLD_BATCH_RECORDS: String(1 + random.below(20)) });
      await program.url();
      for (const [file, lines] of one.files) await place.append(file, lines.slice(Math.floor((lines.length * round) / rounds), Math.floor((lines.length * (round + 1)) / rounds)));
      for (let asked = random.below(40); asked > 0; asked--) await program.get('/health/live');
      const load = Promise.allSettled(Array.from({ length: 20 }, () => program.get('/health/status')));
      await program.kill('SIGTERM');
      await load;
      expect([await program.exitCode(), program.log.includes('"msg":"ended"')], program.log).toEqual([0, true]);
    }
    await nextStartIsRight(place);
  }, 120_000);

  test('by a second signal too: it ends at once, with code 1, and the next start is right', async () => {
    await using place = await placeWithLog();
    await using program = place.start(one.settings);
    await program.ready();
    program.signal('SIGTERM');
    await program.kill('SIGINT');
    expect(await program.exitCode(), program.log).toBe(1);
    expect(program.log).toContain('again: ending at once');
    await nextStartIsRight(place);
  });

  test('while it opens a log without end: code 0, nothing written', async () => {
    await using place = await placeWithLog();
    const endless = join(place.folder, 'log', 'endless.jsonl');
    writeFileSync(endless, '');
    // Sparse: takes no room, and minutes to read.
    truncateSync(endless, 2 ** 38);
    await using program = place.start(one.settings);
    expect((await program.get('/health/ready')).body).toMatchObject({ code: 'RESTORING' });
    expect((await program.get('/health/live')).status).toBe(200);
    await program.until('opens the log', () => Promise.resolve(program.log.includes('the store is empty')));
    await program.kill('SIGTERM');
    expect(await program.exitCode(), program.log).toBe(0);
    expect(newestGeneration(join(place.folder, 'store'))).toBe(0);
  });
});

test('an error that nobody catches ends it with code 1 and is in the log; the next start is right', async () => {
  for (const fault of ['Promise.reject(new Error("nobody caught this"))', 'setImmediate(() => { throw new Error("nobody caught this"); })']) {
    await using place = await placeWithLog();
    const module = `data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2", () => { ${fault}; });`)}`;
    await using program = place.start({ ...one.settings, NODE_OPTIONS: `--import ${module}` });
    await program.ready();
    program.signal('SIGUSR2');
    expect(await program.exitCode(), program.log).toBe(1);
    expect(program.logLines.at(-1)).toMatchObject({ level: 'fatal', code: 'UNEXPECTED', msg: expect.stringContaining('nobody caught this') as string });
    await nextStartIsRight(place);
  }
});

describe('nobody takes its output', () => {
  test.each(['json', 'text'])('closed: it goes on serving and ends with code 0, without a word on standard error (%s)', async (format) => {
    await using place = await placeWithLog();
    const child = start(place, 'pipe', { RENTFOLD_LOG_FORMAT: format, LOG_LEVEL: 'debug', RENTFOLD_CHECKPOINT_SECONDS: '1' });
    await once(child.process.stdout!, 'data');
    child.process.stdout!.destroy();
    await checkpointIn(place);
    child.process.kill('SIGTERM');
    expect(await child.end()).toEqual({ code: 0, errors: '' });
    await nextStartIsRight(place);
  });

  test('full: it goes on serving and ends with code 0', async () => {
    await using place = await placeWithLog();
    const full = openSync('/dev/full', 'w');
    const child = start(place, full, { LOG_LEVEL: 'debug', RENTFOLD_CHECKPOINT_SECONDS: '1' });
    closeSync(full);
    await checkpointIn(place);
    child.process.kill('SIGTERM');
    expect(await child.end()).toEqual({ code: 0, errors: '' });
    await nextStartIsRight(place);
  });

  test('closed under a command that prints: no stack, code 0', async () => {
    await using place = await placeWithLog();
    const child = start(place, 'pipe', {}, 'config');
    child.process.stdout!.destroy();
    expect(await child.end()).toEqual({ code: 0, errors: '' });
  });
});

interface Child {
  readonly process: ReturnType<typeof spawn>;
  end(): Promise<{ readonly code: number | null; readonly errors: string }>;
}

function start(place: Workplace, stdout: 'pipe' | number, settings: Readonly<Record<string, string>>, command = 'serve'): Child {
  const child = spawn(process.execPath, [...MAIN, command], {
    cwd: ROOT, stdio: ['ignore', stdout, 'pipe'],
    env: { ...one.settings, RENTFOLD_PORT: '0', RENTFOLD_FILE_DIR: join(place.folder, 'log'), RENTFOLD_STORE_DIR: join(place.folder, 'store'), ...settings },
  });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { errors += text; });
  const closed = once(child, 'close');
  return {
    process: child,
    end: async () => {
      await closed;
      return { code: child.exitCode, errors };
    },
  };
}

/** Waits for the first generation. */
async function checkpointIn(place: Workplace): Promise<void> {
  await expect.poll(() => newestGeneration(join(place.folder, 'store')), { timeout: 60_000, interval: 15 }).toBeGreaterThan(0);
}
