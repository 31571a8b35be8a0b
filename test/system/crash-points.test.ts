/**
 * Goal: wherever between two effects of a checkpoint, a pruning or a merge the process is killed, once or again and again, the next start stands at the same
 * figures and counts, generations never fall, and nothing is said but what a crash leaves behind.
 * Method: the real process on a log that grows piece by piece, killed by itself with SIGKILL at the step (RENTFOLD_TEST_KILL_AT), started again, killed at the same
 * step again; at the end started once more and asked over HTTP for every view; DuckDB reads the same from the parquet file that its clean end leaves.
 */
import { describe, expect, test } from 'vitest';
import { formatUnits } from '../../src/change/money.ts';
import { STEPS, type Step } from '../../src/snapshot/checkpointer.ts';
import { checkCase } from '../support/check-answers.ts';
import { loadCase, type ConformanceCase } from '../support/conformance.ts';
import { labelsOf, queryParquet } from '../support/parquet-query.ts';
import type { RentfoldProcess } from '../support/process.ts';
import type { AzuriteService } from '../support/services/service.ts';
import { azuriteService } from '../support/services/services.ts';
import { Slots } from '../support/slots.ts';
import { Workplace } from '../support/workplace.ts';

/** So many that a merge that is late on a busy machine is still used, and what it frees pruned. */
const PIECES = 20;
const KILLS = 2;
const slots = new Slots(2);

/** The n-th of all pieces of the case's log: a share of every file. */
async function appendPiece(one: ConformanceCase, place: Workplace, piece: number): Promise<void> {
  for (const [file, lines] of one.files) {
    const at = (n: number): number => Math.floor((n * lines.length) / PIECES);
    await place.append(file, lines.slice(at(piece), at(piece + 1)));
  }
}

/** What a crash may leave to be said about. */
async function expectQuiet(program: RentfoldProcess): Promise<void> {
  const { warnings } = await program.status();
  expect(warnings.filter(({ code }) => code !== 'FILE_UNEXPLAINED')).toEqual([]);
}

/** Null when it is just being killed. */
async function readSoFar(program: RentfoldProcess): Promise<number | null> {
  const status = await program.status().catch(() => null);
  return status === null ? null : Number(status.records.read);
}

/** What is answered today, by property and unit: the columns of the parquet file. */
async function answersToday(one: ConformanceCase, program: RentfoldProcess): Promise<Map<string, Record<string, unknown>>> {
  const answers = new Map<string, Record<string, unknown>>();
  for (const { property_id, unit_id } of one.views) {
    const { body } = await program.get(`/financial-performance/${encodeURIComponent(property_id)}${unit_id === null ? '' : `?unit_id=${encodeURIComponent(unit_id)}`}`);
    answers.set(`${property_id}/${unit_id}`, body as Record<string, unknown>);
  }
  return answers;
}

/** The parquet file has those figures, and the control totals of the newest generation. (A generation that changed none needs no file of its own.) */
async function expectFile(place: Workplace, answers: ReadonlyMap<string, Record<string, unknown>>): Promise<void> {
  const path = await place.parquetFile();
  const labels = await labelsOf(path);
  const newest = (await place.generations()).at(-1)!;
  expect(Number(labels.generation)).toBeLessThanOrEqual(newest.generation);
  const { totalRevenue, rent, expenses } = newest.parts[0]!.controlTotals;
  expect(JSON.parse(labels.control_totals!)).toEqual({ total_revenue: formatUnits(Number(totalRevenue)), rent: formatUnits(Number(rent)), expenses: formatUnits(Number(expenses)) });
  const rows = new Map((await queryParquet(path, 'select property_id, unit_id, columns(\'^(ytd|cumulative)_\')::varchar from FILE')).map((row) => [`${row.property_id}/${row.unit_id}`, row]));
  for (const [account, answer] of answers) {
    for (const [name, text] of Object.entries(rows.get(account)!).slice(2)) expect(Number(text), `${name} of ${account}`).toBe(Number(answer[name]));
  }
}

async function survives(step: Step, first: number, service: AzuriteService | null): Promise<void> {
  const one = loadCase(step === 'dead-letters-written' ? 'poison' : 'duplicates');
  await using place = await Workplace.create(service);
  const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '5', RENTFOLD_PARQUET_SECONDS: '1' };
  let kills = 0;
  let piece = 0;
  const begin = (): RentfoldProcess => place.start(kills >= KILLS ? settings : { ...settings, RENTFOLD_TEST_KILL_AT: kills === 0 ? `${step}:${first}` : step });
  let program = begin();
  try {
    while (piece < PIECES) {
      const before = await place.newestGeneration();
      await appendPiece(one, place, piece++);
      await program.until('wrote a checkpoint or ended', async () => await place.newestGeneration() > before || program.hasEnded);
      if (!program.hasEnded) continue;
      expect(program.endedBy, program.log).toBe('SIGKILL');
      kills++;
      const durable = await place.newestGeneration();
      expect(durable).toBeGreaterThanOrEqual(before);
      program = begin();
      await program.until('restored or ended', async () => program.hasEnded || program.log.includes(durable === 0 ? 'the store is empty' : `Restored generation ${durable} `));
    }
    await program.until('ended or read everything', async () => program.hasEnded || await readSoFar(program) === one.records);
    if (program.hasEnded) kills++;
    expect(kills, 'the step must have been reached').toBeGreaterThan(0);
    await program[Symbol.asyncDispose]();
    const durable = await place.newestGeneration();
    program = place.start(settings);
    await program.ready();
    await program.showingLog(() => checkCase(one, program));
    await expectQuiet(program);
    expect(Number((await program.status()).generation)).toBeGreaterThanOrEqual(durable);
    const answers = await answersToday(one, program);
    await program.kill('SIGTERM');
    expect(await program.exitCode(), program.log).toBe(0);
    await expectFile(place, answers);
  } finally {
    await program[Symbol.asyncDispose]();
  }
}

/** Which time it is reached first: the first checkpoint differs from later ones. */
const FIRST: Partial<Record<Step, number>> = { 'manifest-written': 3, 'segment-written': 2, 'current-written': 1, 'head-confirmed': 2 };

describe('killed at a step', () => {
  test.concurrent.each(STEPS)('%s', async (step) => {
    await slots.use(() => survives(step, FIRST[step] ?? 1, null));
  }, 240_000);
});

const azurite = await azuriteService();

/** A step of each kind; all of them are tried inside one process. */
const STEPS_ON_AZURE: readonly Step[] = ['segment-written', 'manifest-written', 'parquet-written', 'compaction-written'];

describe.skipIf(azurite === null)('killed at a step, on Azurite', () => {
  test.concurrent.each(STEPS_ON_AZURE)('%s', async (step) => {
    await slots.use(() => survives(step, FIRST[step] ?? 1, azurite));
  }, 240_000);
});
