/**
 * Goal: where a case's answer must not depend on the reading order it does not, and nowhere does it depend on how records are cut into batches.
 * Method: each case through the real decoder, books and state in one thread, in many interleavings and batch sizes; a case without such a promise in
 * the order of its files. The process and HTTP around them are in conformance.test.ts.
 */
import { describe, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { checkCase } from '../support/check-answers.ts';
import { MORE_CASES, caseNames, casePartitions, loadCase } from '../support/conformance.ts';
import type { ConformanceCase } from '../support/conformance.ts';
import type { LogRecord } from '../support/history-log.ts';
import { createRandom } from '../support/history-random.ts';
import { askState } from '../support/library-asked.ts';
import { batchSizes, runLibrary } from '../support/library-run.ts';
import { READING_ORDERS, interleave } from '../support/reading-order.ts';
import type { Reading } from '../support/reading-order.ts';

const ROUNDS = 3 * Number(process.env.RENTFOLD_TEST_RUNS ?? '1');

function recordOf(line: string): LogRecord {
  const { topic, partition, offset, ts, key, payload } = JSON.parse(line) as Omit<LogRecord, 'time' | 'value'> & { ts: number; payload: string | null };
  return { topic, partition, offset, time: ts, key, value: payload };
}

async function check(one: ConformanceCase, records: readonly LogRecord[], seed: number): Promise<void> {
  const { config } = loadConfig({ environment: one.settings, file: null, host: 'here', resolve: (path) => path });
  const state = runLibrary(records, {
    decode: config.decode, fiscalYearStartMonth: config.fiscalYearStartMonth, batchSize: batchSizes(createRandom(seed)),
  });
  await checkCase(one, askState(state));
}

const cases = [...caseNames().map((name) => loadCase(name)), ...caseNames(MORE_CASES).map((name) => loadCase(name, MORE_CASES))];

describe('conformance in any order', () => {
  test.each(cases.filter(({ anyOrder }) => anyOrder))('$name', async (one) => {
    const partitions = casePartitions(one).map((lines) => lines.map(recordOf));
    const readings: Reading[] = READING_ORDERS.flatMap((order) => Array.from({ length: ROUNDS }, (_, seed) => ({ order, seed: seed * 7_919 + 1 })));
    for (const reading of readings) await check(one, interleave(partitions, reading), reading.seed);
  });
});

describe('conformance in any batches', () => {
  test.each(cases.filter(({ anyOrder }) => !anyOrder))('$name', async (one) => {
    const records = [...one.files.values()].flat().map(recordOf);
    for (let seed = 1; seed <= ROUNDS; seed++) await check(one, records, seed);
  });
});
