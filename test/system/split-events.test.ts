/**
 * Goal: an event of SQL Server's change event streaming that comes in several messages counts once and exactly, whatever batches, partitions and order
 * its pieces come in, whether some are sent again, and whatever restarts lie between them; one that stays incomplete loses nothing else.
 * Method: the events of a conformance case, whose answers must not depend on the order, are cut and sent anew at random, and read by decoder, books and
 * state with crashes between batches; the answers are the case's. Then by the real program, killed between the pieces.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { State } from '../../src/state.ts';
import { checkCase } from '../support/check-answers.ts';
import { MORE_CASES, casePartitions, loadCase } from '../support/conformance.ts';
import { dumpLine } from '../support/dump.ts';
import type { LogRecord } from '../support/history-log.ts';
import { createRandom } from '../support/history-random.ts';
import { askState } from '../support/library-asked.ts';
import { batchSizes, runLibrary } from '../support/library-run.ts';
import { propertyParameters } from '../support/property-runs.ts';
import { interleave, readings } from '../support/reading-order.ts';
import { NAMINGS, isChangeEvent, splitLog, withAwkwardText } from '../support/split-events.ts';
import { Workplace } from '../support/workplace.ts';

const CASE = loadCase('change-events-round-robin', MORE_CASES);
const EVENTS: readonly LogRecord[] = interleave(casePartitions(CASE).map((lines) => lines.map(recordOf)), { order: 'round-robin', seed: 1 });
const PARTS = 3;
const { config } = loadConfig({ environment: CASE.settings, file: null, host: 'here', resolve: (path) => path });

function recordOf(line: string): LogRecord {
  const { topic, partition, offset, ts, key, payload } = JSON.parse(line) as Omit<LogRecord, 'time' | 'value'> & { ts: number; payload: string | null };
  const record = { topic, partition, offset, time: ts, key, value: payload };
  return payload !== null && isChangeEvent(record) ? { ...record, value: withAwkwardText(payload) } : record;
}

function run(records: readonly LogRecord[], seed: number): State {
  const random = createRandom(seed);
  return runLibrary(records, { decode: config.decode, fiscalYearStartMonth: config.fiscalYearStartMonth, batchSize: batchSizes(random), crashes: random });
}

const sendings = fc.record({
  naming: fc.constantFrom(...NAMINGS), partitions: fc.integer({ min: 1, max: 4 }), splitChance: fc.constantFrom(0.2, 0.7, 1), repeatChance: fc.constantFrom(0, 0.3),
});

describe('events in pieces', () => {
  test('give the figures of the whole ones', async () => {
    await fc.assert(fc.asyncProperty(sendings, readings(), fc.nat(0x7fffffff), async (options, reading, seed) => {
      const records = interleave(splitLog(EVENTS, options, createRandom(seed)).partitions, reading);
      const state = run(records, seed);
      await checkCase({ ...CASE, records: records.length }, askState(state));
      expect(state.books.openDeadLetters()).toEqual([]);
      const segments = state.counters().reduce((sum, { passedOverReasons }) => sum + (passedOverReasons['segment'] ?? 0), 0);
      expect(segments).toBe(records.length - EVENTS.length);
    }), propertyParameters(40));
  }, 240_000);

  test('lose only the event of which one is lost, and keep what is there of it', () => {
    fc.assert(fc.property(sendings, readings(), fc.nat(0x7fffffff), fc.nat(), (options, reading, seed, which) => {
      const { partitions, holds } = splitLog(EVENTS, { ...options, splitChance: 0.7 }, createRandom(seed));
      const pieces = [...holds.values()].filter(({ piece }) => piece >= 0);
      const lost = pieces[which % pieces.length];
      const isLost = (record: LogRecord): boolean => holds.get(record)!.event === lost.event && holds.get(record)!.piece === lost.piece;
      const state = run(interleave(partitions.map((records) => records.filter((record) => !isLost(record))), reading), seed);
      const without = run(EVENTS.filter((_, event) => event !== lost.event), seed);
      expect([...state.books.canonicalRows()]).toEqual([...without.books.canonicalRows()]);
      const open = state.books.openDeadLetters().map(({ letter }) => letter);
      const there = new Set([...holds.values()].filter(({ event, piece }) => event === lost.event && piece !== lost.piece).map(({ piece }) => piece));
      expect(open.map(({ code }) => code)).toEqual(Array.from(there, () => 'SEGMENT_PENDING'));
      const decoder = new TextDecoder();
      const sent = new Set([...holds].filter(([, { event }]) => event === lost.event).map(([{ value }]) => value));
      for (const { valueBytes } of open) expect(sent).toContain(decoder.decode(valueBytes!));
    }), propertyParameters(25));
  }, 240_000);
});

test('the program, killed and started again between the pieces, answers the same', async () => {
  const records = interleave(splitLog(EVENTS, { naming: 'segments from 1', partitions: 3, splitChance: 0.8, repeatChance: 0.3 }, createRandom(7)).partitions, { order: 'random', seed: 7 });
  await using place = await Workplace.create();
  const settings = { ...CASE.settings, RENTFOLD_CHECKPOINT_CHANGES: '1', RENTFOLD_BATCH_RECORDS: '3' };
  await place.write('log.jsonl', []);
  let program = place.start(settings);
  let keptPieces = 0;
  try {
    for (let part = 0; part < PARTS; part++) {
      const generation = await place.newestGeneration();
      const [from, to] = [part, part + 1].map((end) => Math.floor((end * records.length) / PARTS));
      await place.append('log.jsonl', records.slice(from, to).map((record) => dumpLine(record).trimEnd()));
      await program.until('has written a checkpoint of what was added', async () => (await place.newestGeneration()) > generation);
      await program.kill('SIGKILL');
      await program[Symbol.asyncDispose]();
      keptPieces += await piecesInNewestGeneration(place);
      program = place.start(settings);
    }
    await program.until('has read everything', async () => Number((await program.status()).records.read) === records.length);
    await program.ready();
    await program.showingLog(() => checkCase({ ...CASE, records: records.length }, program));
  } finally {
    await program[Symbol.asyncDispose]();
  }
  expect(program.log).not.toContain('dead letter');
  expect(keptPieces).toBeGreaterThan(0);
}, 300_000);

async function piecesInNewestGeneration(place: Workplace): Promise<number> {
  const newest = (await place.generations()).at(-1) as { parts: readonly { deadLetters: { count: number } | null }[] } | undefined;
  return newest?.parts[0].deadLetters?.count ?? 0;
}
