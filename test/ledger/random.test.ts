/**
 * Goal: for any sequence of records, in any batches, with cuts and restarts in between, the packed books say what the rules say.
 * Method: fast-check draws records with positions, times and partitions so close together that every rule of order is met; the books
 * are compared with a slow oracle (Maps, BigInt) that knows the same rules: rows, counts, control totals, figures of every account.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBooks } from '../../src/ledger/books.ts';
import type { Books, Definitions, RowColumns } from '../../src/ledger/ledger.ts';
import { TestLog, packBatch } from '../support/batches.ts';
import type { TestRecord } from '../support/batches.ts';
import { LedgerOracle, sumSlowly } from '../support/ledger-oracle.ts';
import type { OracleRow } from '../support/ledger-oracle.ts';
import { DATES, PROPERTIES, UNITS, group } from '../support/random-records.ts';

const DEFINITIONS: Definitions = { fiscalYearStartMonth: 4, deletedKeysDays: 2 };
const HOUR = 3_600_000;

interface Step {
  readonly groups: readonly TestRecord[][];
  readonly hours: number;
  readonly mayForgetDeletes: boolean;
  /** What happens after the batch, and what is folded while that goes on. */
  readonly during: readonly TestRecord[][];
  readonly then: 'nothing' | 'delta' | 'full' | 'aborted cut' | 'restart';
}

const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({
  groups: fc.array(group, { maxLength: 12 }),
  hours: fc.nat(30),
  mayForgetDeletes: fc.boolean(),
  during: fc.array(group, { maxLength: 4 }),
  then: fc.constantFrom('nothing', 'nothing', 'delta', 'full', 'aborted cut', 'restart'),
}), { maxLength: 12 });

function expectedLine(row: OracleRow): string {
  const { table: name, key, image } = row;
  const money = (units: bigint | null): string | null => {
    if (units === null) return null;
    const digits = (units < 0n ? -units : units).toString().padStart(5, '0');
    return `${units < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
  };
  if (name === 'properties') return JSON.stringify([name, key, money(image!.amount), money(image!.amount2)]);
  const day = new Date(image!.day * 24 * HOUR).toISOString().slice(0, 10);
  const line = [name, key, image!.property, image!.unit, day, money(image!.amount)];
  return JSON.stringify(name === 'expenses' ? [...line, image!.type, image!.flag] : [...line, image!.flag]);
}

function checkFigures(books: Books, live: readonly OracleRow[]): void {
  for (const property of PROPERTIES) {
    for (const unit of UNITS) {
      for (const asOf of [...DATES, '2024-02-29']) {
        const day = Date.parse(asOf) / 86_400_000;
        const answer = books.figures({ propertyId: property, unitId: unit, asOf: day });
        const isKnown = live.some((row) => row.image!.property === property && (unit === null || row.image!.unit === unit));
        if (!isKnown) {
          expect(answer).toEqual({ kind: 'unknown' });
          continue;
        }
        const year = Number(asOf.slice(0, 4)) - (asOf.slice(5) >= '04-01' ? 0 : 1);
        const ytd = sumSlowly(live, property, unit, Date.UTC(year, 3, 1) / 86_400_000, day);
        const cumulative = sumSlowly(live, property, unit, -1e9, day);
        if (answer.kind === 'out-of-range') continue;
        const plain = (sums: Record<string, bigint>): Record<string, number> => Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, Number(sum)]));
        expect(answer).toMatchObject({ kind: 'figures', figures: { ytd: plain(ytd), cumulative: plain(cumulative) } });
      }
    }
  }
}

function check(books: Books, oracle: LedgerOracle): void {
  const order = ['expenses', 'rents', 'properties'];
  const live = oracle.live.sort((a, b) => order.indexOf(a.table) - order.indexOf(b.table) || (a.key < b.key ? -1 : 1));
  expect([...books.canonicalRows()]).toEqual(live.map(expectedLine));
  const total = (sum: (row: OracleRow) => bigint): string => live.reduce((all, row) => all + sum(row), 0n).toString();
  const isRent = (row: OracleRow): boolean => row.table === 'rents';
  const counts = (row: OracleRow): boolean => row.table === 'expenses' && row.image!.type !== 'rehab' && !row.image!.flag;
  expect(books.controlTotals()).toMatchObject({
    rows: Object.fromEntries(order.map((name) => [name, live.filter((row) => row.table === name).length])),
    rememberedDeletes: oracle.rows.size - live.length,
    totalRevenue: total((row) => (isRent(row) ? row.image!.amount! : 0n)),
    rent: total((row) => (isRent(row) && !row.image!.flag ? row.image!.amount! : 0n)),
    expenses: total((row) => (counts(row) ? row.image!.amount! : 0n)),
    cashInvested: total((row) => (row.table === 'properties' ? row.image!.amount ?? 0n : 0n)),
    downPayment: total((row) => (row.table === 'properties' ? row.image!.amount2 ?? 0n : 0n)),
  });
  checkFigures(books, live);
}

/** Books, and what a store would hold of them. */
class Run {
  books = createBooks(DEFINITIONS);
  #segments: RowColumns[] = [];

  get segments(): readonly RowColumns[] {
    return this.#segments;
  }

  cut(kind: 'delta' | 'full', meanwhile: () => void): void {
    const cut = this.books.beginCut(this.#segments.length === 0 ? 'full' : kind);
    if (cut.kind === 'full') this.#segments = [];
    meanwhile();
    for (let block = cut.next(3); block !== null; block = cut.next(3)) this.#segments.push(block);
    expect(cut.remaining).toBe(0);
    cut.commit();
  }

  restart(): void {
    this.cut('delta', () => undefined);
    const cut = this.books.beginCut('delta');
    const next = createBooks(DEFINITIONS);
    const loader = next.load();
    for (const block of this.#segments) loader.rows(structuredClone(block));
    loader.marks(cut.marks);
    loader.deadLetters(cut.deadLetters);
    loader.finish();
    expect(next.controlTotals()).toEqual(this.books.controlTotals());
    expect(cut.next(3)).toBeNull();
    cut.commit();
    this.books = next;
  }
}

describe('books and rules', () => {
  it('are the same for any records, batches, cuts and restarts', () => {
    fc.assert(fc.property(steps, (drawn) => {
      const run = new Run();
      const oracle = new LedgerOracle(DEFINITIONS.deletedKeysDays);
      const log = new TestLog();
      const folded = { applied: 0, unchanged: 0, superseded: 0, passedOver: 0, deadLetters: 0 };
      let now = 1.7e12;
      const fold = (groups: readonly TestRecord[][], mayForgetDeletes: boolean): void => {
        const records = groups.flat().map((record) => log.place(record));
        const result = run.books.fold(packBatch(records), { now, mayForgetDeletes });
        oracle.fold(records, now, mayForgetDeletes);
        for (const counts of result.partitions) {
          for (const name of Object.keys(folded) as (keyof typeof folded)[]) folded[name] += counts[name];
        }
      };
      for (const step of drawn) {
        now += step.hours * HOUR;
        fold(step.groups, step.mayForgetDeletes);
        const during = (): void => fold(step.during, step.mayForgetDeletes);
        if (step.then === 'delta' || step.then === 'full') run.cut(step.then, during);
        else if (step.then === 'restart') run.restart();
        else if (step.then === 'aborted cut') {
          const cut = run.books.beginCut('delta');
          cut.next(2);
          during();
          cut.abort();
        }
        expect(folded).toEqual(oracle.counts);
        check(run.books, oracle);
      }
    }), { numRuns: 150 });
  });

  it('are the same whatever the batches', () => {
    fc.assert(fc.property(fc.array(group, { maxLength: 60 }), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (groups, sizes) => {
      const log = new TestLog();
      const placed = groups.map((each) => each.map((record) => log.place(record)));
      const context = { now: 1.7e12, mayForgetDeletes: false };
      const whole = createBooks(DEFINITIONS);
      whole.fold(packBatch(placed.flat()), context);
      const sliced = createBooks(DEFINITIONS);
      for (let at = 0; at < placed.length;) {
        const size = sizes.next().value;
        sliced.fold(packBatch(placed.slice(at, at + size).flat()), context);
        at += size;
      }
      expect([...sliced.canonicalRows()]).toEqual([...whole.canonicalRows()]);
      expect(sliced.controlTotals()).toEqual(whole.controlTotals());
      expect(sliced.openDeadLetters()).toEqual(whole.openDeadLetters());
    }), { numRuns: 100 });
  });

  it('a cut shows the moment it was begun while folding goes on', () => {
    fc.assert(fc.property(steps, fc.array(group, { minLength: 5, maxLength: 40 }), fc.constantFrom('delta' as const, 'full' as const), (before, during, kind) => {
      const log = new TestLog();
      const run = new Run();
      const fold = (groups: readonly TestRecord[][], now: number): void => {
        run.books.fold(packBatch(groups.flat().map((record) => log.place(record))), { now, mayForgetDeletes: true });
      };
      before.forEach((step, index) => {
        fold(step.groups, 1.7e12 + index * 20 * HOUR);
        if (index === 0) run.cut('full', () => undefined);
      });
      const rows = [...run.books.canonicalRows()];
      const totals = run.books.controlTotals();
      const marks = run.books.beginCut('delta');
      const kept = marks.marks;
      marks.abort();
      let late = 1.7e12 + before.length * 20 * HOUR;
      const groups = [...during];
      const segments = drawWhile(run, kind, () => fold(groups.splice(0, 2), late += 5 * HOUR));
      const restored = createBooks(DEFINITIONS);
      const loader = restored.load();
      for (const block of segments) loader.rows(block);
      loader.marks(kept);
      loader.finish();
      expect([...restored.canonicalRows()]).toEqual(rows);
      expect(restored.controlTotals()).toEqual(totals);
    }), { numRuns: 100 });
  });
});

/** All that a store would hold if a cut were drawn two rows at a time with `meanwhile` between the slices. */
function drawWhile(run: Run, kind: 'delta' | 'full', meanwhile: () => void): readonly RowColumns[] {
  const earlier = run.segments;
  const cut = run.books.beginCut(earlier.length === 0 ? 'full' : kind);
  const drawn: RowColumns[] = [];
  for (meanwhile(); ; meanwhile()) {
    const block = cut.next(2);
    if (block === null) break;
    drawn.push(block);
  }
  cut.commit();
  return cut.kind === 'full' ? drawn : [...earlier, ...drawn];
}
