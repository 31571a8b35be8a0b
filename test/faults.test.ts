import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { faultReport, FAULTS } from './support/faults/table.ts';

// Goal: the fault table says the truth about where each fault is proven, and a fault that never happened is named. Method: the files are read; made-up ids are counted.

it.each(Object.entries(FAULTS))('%s is told by the test that the table names', (id, { test }) => {
  const text = readFileSync(resolve(import.meta.dirname, '..', test), 'utf8');
  expect(text).toMatch(new RegExp(`faultFired\\('${id}'|'${id}'`));
});

it('counts what was told, and names what never was', () => {
  const ids = Object.keys(FAULTS);
  const all = faultReport([...ids, ids[0]!]);
  expect(all.missing).toEqual([]);
  expect(all.lines).toHaveLength(ids.length);
  expect(all.lines[0]).toMatch(new RegExp(`^${ids[0]} +2  `));
  expect(faultReport(ids.slice(1)).missing).toEqual([ids[0]]);
});
