// Goal: every conformance case decodes to as many records as it has lines, with exactly its dead letters. Method: all cases through the public
// decoder, in one batch and in batches of seven; figures are the business of the system tests.
import { expect, test } from 'vitest';
import { ENTRY_DEAD_LETTER, FLAG_CONTINUED } from '../../src/change/change.ts';
import type { ChangeBatch } from '../../src/change/change.ts';
import { createDecoder } from '../../src/change/decode.ts';
import { CASE_NAMES, batchOf, caseOptions, conformanceCase } from './records.ts';

function tally(batch: ChangeBatch): { records: number; deadLetters: number } {
  let records = 0;
  let deadLetters = 0;
  for (let entry = 0; entry < batch.count; entry++) {
    if ((batch.flags[entry] & FLAG_CONTINUED) === 0) records++;
    if (batch.kind[entry] === ENTRY_DEAD_LETTER) deadLetters++;
  }
  expect(records).toBe(batch.records);
  return { records, deadLetters };
}

test.each(CASE_NAMES)('%s', (name) => {
  const { settings, records, deadLetters, lines } = conformanceCase(name);
  const whole = createDecoder(caseOptions(settings), { positions: [], seenTables: {} }).decode(batchOf(lines));
  expect(whole.stop).toBeNull();
  expect(tally(whole)).toEqual({ records, deadLetters });

  const decoder = createDecoder(caseOptions(settings), { positions: [], seenTables: {} });
  const kinds: number[] = [];
  const days: number[] = [];
  for (let from = 0; from < lines.length; from += 7) {
    const batch = decoder.decode(batchOf(lines.slice(from, from + 7)));
    tally(batch);
    kinds.push(...batch.kind.subarray(0, batch.count));
    days.push(...batch.day.subarray(0, batch.count));
  }
  expect(kinds).toEqual([...whole.kind.subarray(0, whole.count)]);
  expect(days).toEqual([...whole.day.subarray(0, whole.count)]);
});
