/**
 * Goal: the real program, fed with logs recorded from real databases and with generated ones, answers exactly the figures of the tables: once
 * read to the end, in any interleaving of partitions, and after kill -9 and restart on the way.
 * Method: each case's dump lies in a folder of its own, the program is started on an empty store and asked over HTTP for every view. Cases whose
 * answer must not depend on the reading order are given as one file that interleaves their partitions at random. The crash test appends the
 * log in two parts, with checkpoints every few records, and kills the process after the first and again while it reads the second.
 */
import { describe, test } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import { MORE_CASES, caseNames, casePartitions, loadCase } from '../support/conformance.ts';
import type { ConformanceCase } from '../support/conformance.ts';
import { createRandom, hashText } from '../support/history-random.ts';
import type { RentfoldProcess } from '../support/process.ts';
import { interleave } from '../support/reading-order.ts';
import { Slots } from '../support/slots.ts';
import { Workplace } from '../support/workplace.ts';

/** Processes at once: more would only take turns. */
const slots = new Slots(3);
const SEED = Number(process.env.RENTFOLD_TEST_SEED ?? '1');

async function answersAtTheEnd(one: ConformanceCase): Promise<void> {
  await using place = await Workplace.create();
  if (one.anyOrder) await place.write('interleaved.jsonl', interleave(casePartitions(one), { order: 'random-runs', seed: SEED + hashText(one.name) }));
  else for (const [file, lines] of one.files) await place.write(file, lines);
  await using program = place.start(one.settings);
  await program.ready();
  await program.showingLog(() => checkCase(one, program));
}

async function answersAfterCrashes(one: ConformanceCase): Promise<void> {
  await using place = await Workplace.create();
  const random = createRandom(SEED + hashText(one.name));
  const rest = new Map<string, readonly string[]>();
  for (const [file, lines] of one.files) {
    const cut = random.below(lines.length + 1);
    await place.write(file, lines.slice(0, cut));
    rest.set(file, lines.slice(cut));
  }
  const settings = { RENTFOLD_CHECKPOINT_CHANGES: String(1 + random.below(Math.ceil(one.records / 8))), RENTFOLD_BATCH_RECORDS: String(1 + random.below(20)) };
  await crash(place.start({ ...one.settings, ...settings }), async (program) => program.ready());
  for (const [file, lines] of rest) await place.append(file, lines);
  // Killed at whatever moment it is in after listening: restoring, reading, writing a checkpoint.
  await crash(place.start({ ...one.settings, ...settings }), async (program) => {
    await program.url();
    for (let asked = random.below(4); asked > 0; asked--) await program.get('/health/live');
  });
  await using program = place.start({ ...one.settings, ...settings });
  await program.ready();
  await program.showingLog(() => checkCase(one, program));
}

async function crash(program: RentfoldProcess, when: (program: RentfoldProcess) => Promise<void>): Promise<void> {
  await using dying = program;
  await when(dying);
  await dying.kill('SIGKILL');
}

describe('conformance over HTTP', () => {
  test.concurrent.each(caseNames())('%s: every view exact at the end of the log', async (name) => {
    await slots.use(() => answersAtTheEnd(loadCase(name)));
  }, 180_000);

  test.concurrent.each(caseNames())('%s: the same after kill -9 on the way', async (name) => {
    await slots.use(() => answersAfterCrashes(loadCase(name)));
  }, 180_000);
});

describe('further cases over HTTP', () => {
  test.concurrent.each(caseNames(MORE_CASES))('%s: every view exact at the end of the log', async (name) => {
    await slots.use(() => answersAtTheEnd(loadCase(name, MORE_CASES)));
  }, 180_000);

  test.concurrent.each(caseNames(MORE_CASES))('%s: the same after kill -9 on the way', async (name) => {
    await slots.use(() => answersAfterCrashes(loadCase(name, MORE_CASES)));
  }, 180_000);
});
