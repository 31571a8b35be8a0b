import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The conformance cases: recorded or generated change logs, and what the source's tables say once the whole log has been read. */
const CASES = fileURLToPath(new URL('../fixtures/conformance/cases', import.meta.url));

/** One expected answer. Money is decimal text; `cash_on_cash` is text or null. */
export type View = Readonly<Record<string, string | null>> & {
  readonly as_of: string;
  readonly property_id: string;
  readonly unit_id: string | null;
};

export interface ConformanceCase {
  readonly name: string;
  readonly about: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  readonly deadLetters: number;
  readonly absent: readonly string[];
  readonly incomplete: readonly string[];
  readonly views: readonly View[];
  /** True: the answer must not depend on how partitions are interleaved. */
  readonly anyOrder: boolean;
  /** Lines of each file, in order. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

interface Expected {
  readonly about: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  readonly dead_letters: number;
  readonly absent: readonly string[];
  readonly incomplete?: readonly string[];
  readonly views: readonly View[];
  readonly read_orders?: 'any';
}

/** Further cases in the same shape, made by a generator that knows no production code. */
export const MORE_CASES = fileURLToPath(new URL('../fixtures/more', import.meta.url));

export function caseNames(cases: string = CASES): readonly string[] {
  return readdirSync(cases).sort();
}

export function loadCase(name: string, cases: string = CASES): ConformanceCase {
  const folder = join(cases, name);
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  const files = new Map<string, readonly string[]>();
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.jsonl')).sort()) {
    files.set(file, readFileSync(join(folder, file), 'utf8').split('\n').filter((line) => line !== ''));
  }
  return {
    name,
    about: expected.about,
    settings: expected.settings,
    records: expected.records,
    deadLetters: expected.dead_letters,
    absent: expected.absent,
    incomplete: expected.incomplete ?? [],
    views: expected.views,
    anyOrder: expected.read_orders === 'any',
    files,
  };
}

/** Lines by partition, each in offset order. */
export function casePartitions(one: ConformanceCase): readonly (readonly string[])[] {
  const partitions = new Map<string, string[]>();
  for (const line of [...one.files.values()].flat()) {
    const { topic, partition } = JSON.parse(line) as { topic: string; partition: number };
    const name = `${topic}/${partition}`;
    const lines = partitions.get(name);
    if (lines === undefined) partitions.set(name, [line]);
    else lines.push(line);
  }
  return [...partitions.values()];
}

/** Views grouped by property and day: the units that a property's own answer must list. */
export function unitViews(one: ConformanceCase, view: View): readonly View[] {
  return one.views.filter((other) => other.unit_id !== null && other.property_id === view.property_id && other.as_of === view.as_of);
}
