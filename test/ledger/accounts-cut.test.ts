/**
 * Goal: a cut of accounts shows every account as it stood at the moment it was begun, once, whatever is folded while it is drawn; its sums are
 * the control totals of that moment.
 * Method: fast-check draws records of every kind, folded before and between the blocks, with a cut of rows open beside it; what is drawn is compared
 * with plain sums of a slow oracle, and with what the books answered at the moment of the cut. Books by hand for what is rare.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identifierText } from '../../src/change/identifier.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { TOTAL_NAMES, type AccountsCut, type FigureColumns } from '../../src/ledger/figure-columns.ts';
import type { Books } from '../../src/ledger/ledger.ts';
import { packBatch, TestLog, type TestRecord } from '../support/batches.ts';
import { BooksUnderTest, expense, property, remove, rent } from '../support/books-under-test.ts';
import { LedgerOracle, sumSlowly } from '../support/ledger-oracle.ts';
import { DATES, PROPERTIES, UNITS, group } from '../support/random-records.ts';

const DEFINITIONS = { fiscalYearStartMonth: 4, deletedKeysDays: 2 };
const DAY = 86_400_000;

interface Drawn {
  readonly ytd: Readonly<Record<string, number>>;
  readonly cumulative: Readonly<Record<string, number>>;
  readonly cashOnCash: number;
  readonly lastChangedAt: number;
}

/** Rows of a block by `property/unit`; fails when an account stands there twice. */
function read(block: FigureColumns, into: Map<string, Drawn>): void {
  for (let i = 0; i < block.count; i++) {
    const text = (kinds: Uint8Array, words: Uint32Array): string | null => identifierText(kinds[i], words, i * 4, (index) => block.strings[index]);
    const name = `${text(block.propertyKind, block.property)}/${text(block.unitKind, block.unit)}`;
    expect(into.has(name), `${name} stands twice`).toBe(false);
    const totals = (columns: readonly Float64Array[]): Record<string, number> => Object.fromEntries(TOTAL_NAMES.map((total, at) => [total, columns[at][i]]));
    into.set(name, { ytd: totals(block.ytd), cumulative: totals(block.cumulative), cashOnCash: block.cashOnCash[i], lastChangedAt: block.lastChangedAt[i] });
  }
}

interface AllDrawn extends Map<string, Drawn> {
  outOfRange: number;
  cashOnCashOutOfRange: number;
}

function drawAll(cut: AccountsCut, meanwhile: () => void = () => undefined): AllDrawn {
  const drawn = Object.assign(new Map<string, Drawn>(), { outOfRange: 0, cashOnCashOutOfRange: 0 });
  for (let isMore = true; isMore;) {
    meanwhile();
    isMore = cut.draw();
    for (let block = cut.take(); block !== null; block = cut.take()) {
      read(block, drawn);
      drawn.outOfRange += block.outOfRange;
      drawn.cashOnCashOutOfRange += block.cashOnCashOutOfRange;
    }
  }
  cut.end();
  return drawn;
}

/** What the books answer for every account now, out of range said as NaN. */
function answers(books: Books, asOf: number): Map<string, Pick<Drawn, 'cashOnCash' | 'lastChangedAt'>> {
  const found = new Map<string, Pick<Drawn, 'cashOnCash' | 'lastChangedAt'>>();
  for (const propertyId of PROPERTIES) {
    for (const unitId of UNITS) {
      const answer = books.figures({ propertyId, unitId, asOf });
      if (answer.kind === 'figures') found.set(`${propertyId}/${unitId}`, { cashOnCash: answer.figures.cashOnCash ?? Number.NaN, lastChangedAt: answer.figures.lastCalculatedAt });
    }
  }
  return found;
}

const plain = (sums: Record<string, bigint>): Record<string, number> => Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, Number(sum)]));
const isInRange = (sums: Record<string, bigint>): boolean => Object.values(sums).every((sum) => sum <= 5n * 10n ** 15n && sum >= -5n * 10n ** 15n);

describe('a cut of accounts', () => {
  it('shows the moment it was begun while anything is folded and a cut of rows is drawn beside it', () => {
    const groups = fc.array(group, { maxLength: 40 });
    fc.assert(fc.property(groups, groups, fc.constantFrom(...DATES, '2024-02-29'), fc.nat(3), (before, during, asOfText, ahead) => {
      const log = new TestLog();
      const books = createBooks(DEFINITIONS);
      const oracle = new LedgerOracle(DEFINITIONS.deletedKeysDays);
      let now = 1.7e12;
      const fold = (records: readonly TestRecord[], isSeen: boolean): void => {
        const placed = records.map((record) => log.place(record));
        now += DAY / 3;
        books.fold(packBatch(placed), { now, mayForgetDeletes: true });
        if (isSeen) oracle.fold(placed, now, true);
      };
      for (const records of before) fold(records, true);
      const asOf = Date.parse(asOfText) / DAY;
      const expected = answers(books, asOf);
      const counts = books.counts();
      const rows = books.beginCut('full');
      const cut = books.beginAccountsCut(asOf);
      expect(cut).toMatchObject({ asOf, accounts: counts.accounts, properties: counts.properties, incompleteProperties: counts.incompleteProperties, controlTotals: books.controlTotals() });
      // All of it ahead of drawing, or some between the blocks: with so few accounts there is one block.
      const rest = [...during];
      for (const records of rest.splice(0, ahead === 3 ? rest.length : ahead)) fold(records, false);
      const drawn = drawAll(cut, () => { for (const records of rest.splice(0, 1)) fold(records, false); });
      rows.abort();
      const live = oracle.live;
      const known = PROPERTIES.flatMap((id) => UNITS.map((unit) => ({ id, unit }))).filter(({ id, unit }) =>
        live.some((row) => row.image!.property === id && (unit === null || row.image!.unit === unit)));
      expect([...drawn.keys()].sort()).toEqual(known.map(({ id, unit }) => `${id}/${unit}`).sort());
      const year = Number(asOfText.slice(0, 4)) - (asOfText.slice(5) >= '04-01' ? 0 : 1);
      for (const { id, unit } of known) {
        const ytd = sumSlowly(live, id, unit, Date.UTC(year, 3, 1) / DAY, asOf);
        const cumulative = sumSlowly(live, id, unit, -1e9, asOf);
        const row = drawn.get(`${id}/${unit}`)!;
        if (Number.isNaN(row.ytd['rent'])) {
          expect([...Object.values(row.ytd), ...Object.values(row.cumulative), row.cashOnCash].every(Number.isNaN)).toBe(true);
          continue;
        }
        expect(isInRange(ytd) && isInRange(cumulative)).toBe(true);
        expect(row).toMatchObject({ ytd: plain(ytd), cumulative: plain(cumulative), ...expected.get(`${id}/${unit}`) });
      }
      expect(drawn.outOfRange).toBe([...drawn.values()].filter(({ ytd }) => Number.isNaN(ytd['rent'])).length);
    }), { numRuns: 200 });
  });

  it('sums over properties are the control totals when no row is dated later', () => {
    const groups = fc.array(group, { minLength: 5, maxLength: 60 });
    fc.assert(fc.property(groups, groups, (before, during) => {
      const log = new TestLog();
      const books = createBooks(DEFINITIONS);
      const context = { now: 1.7e12, mayForgetDeletes: true };
      const fold = (records: readonly TestRecord[]): unknown => books.fold(packBatch(records.map((record) => log.place(record))), context);
      before.forEach(fold);
      const cut = books.beginAccountsCut(Date.parse('2031-06-30') / DAY);
      during.forEach(fold);
      const drawn = drawAll(cut);
      if (drawn.outOfRange > 0) return;
      const sum = (name: string): string => [...drawn].filter(([key]) => key.endsWith('/null')).reduce((all, [, row]) => all + BigInt(row.cumulative[name]), 0n).toString();
      expect({ totalRevenue: sum('totalRevenue'), rent: sum('rent'), expenses: sum('expenses') })
        .toEqual({ totalRevenue: cut.controlTotals.totalRevenue, rent: cut.controlTotals.rent, expenses: cut.controlTotals.expenses });
    }), { numRuns: 100 });
  });

  it('draws what moves, is deleted, truncated or invested anew as it was, at its place or ahead', () => {
    const test = new BooksUnderTest();
    test.fold(property('p', 1_000_000), rent('1', 365), rent('2', 7, { property: 'q' }), expense('1', 3, { property: 'r' }), rent('3', 9, { property: 'p', unit: 'u' }));
    const began = test.now;
    const cut = test.books.beginAccountsCut(Date.parse('2025-12-31') / DAY);
    test.now += 5;
    test.fold(rent('1', 1, { property: 'q' }), property('p', 5), remove('1', {}, 'expenses'), { kind: 'truncate', table: 'rents' }, rent('9', 1, { property: 'new' }), rent('10', 1, { property: 'p', unit: 'later' }));
    const drawn = drawAll(cut);
    expect([...drawn.keys()]).toEqual(['p/null', 'p/u', 'q/null', 'r/null']);
    expect([...drawn.values()].map(({ cumulative }) => [cumulative['rent'], cumulative['expenses']])).toEqual([[374, 0], [9, 0], [7, 0], [0, 3]]);
    expect([...drawn.values()].every(({ lastChangedAt }) => lastChangedAt === began)).toBe(true);
    expect(drawn.get('p/null')!.cashOnCash).toBe(375);
  });

  it('gives no figures for an account out of range, and only no cash on cash when that alone is', () => {
    const test = new BooksUnderTest();
    const most = 1e15 - 1;
    test.fold(...Array.from({ length: 7 }, (_, i) => rent(`a${i}`, most, { property: 'big' })), property('thin', 1), rent('t', most, { property: 'thin' }));
    const cut = test.books.beginAccountsCut(Date.parse('2025-12-31') / DAY);
    const drawn = drawAll(cut);
    expect([drawn.outOfRange, drawn.cashOnCashOutOfRange]).toEqual([1, 1]);
    expect(drawn.get('big/null')!.cumulative['rent']).toBeNaN();
    expect(drawn.get('thin/null')).toMatchObject({ cashOnCash: Number.NaN, cumulative: { rent: most } });
  });

  it('comes in blocks, a property never apart from its units, and all of it once', () => {
    const test = new BooksUnderTest();
    const properties = 3_000;
    for (let i = 0; i < properties; i++) test.fold(rent(`${i}`, i, { property: `p${i}`, unit: `u${i}` }), rent(`x${i}`, 1, { property: `p${i}`, unit: i % 2 === 0 ? null : 'a unit with a name beyond fifteen bytes' }));
    test.fold(...Array.from({ length: 9_000 }, (_, i) => rent(`m${i}`, 1, { property: 'many', unit: `u${i}` })));
    const cut = test.books.beginAccountsCut(Date.parse('2025-12-31') / DAY);
    const drawn = new Map<string, Drawn>();
    let blocks = 0;
    for (let isMore = true; isMore;) {
      isMore = cut.draw();
      for (let block = cut.take(); block !== null; block = cut.take()) {
        blocks++;
        read(block, drawn);
        expect([...drawn.keys()].at(-block.count)).toMatch(/\/null$/);
      }
    }
    cut.end();
    expect(blocks).toBe(2);
    expect(drawn.size).toBe(cut.accounts);
  });

  it('takes the more slices the more rows have to be walked for it', () => {
    const test = new BooksUnderTest();
    const [properties, rowsEach] = [40, 1_000];
    for (let i = 0; i < properties; i++) {
      test.fold(rent(`${i}-ahead`, 1, { property: `p${i}`, date: '2030-01-01' }), ...Array.from({ length: rowsEach - 1 }, (_, row) => rent(`${i}-${row}`, 1, { property: `p${i}` })));
    }
    const slices = (asOf: string): number => {
      const cut = test.books.beginAccountsCut(Date.parse(asOf) / DAY);
      let count = 1;
      while (cut.draw()) count++;
      cut.end();
      return count;
    };
    expect(slices('2030-01-01'), 'totals per year answer').toBe(1);
    expect(slices('2029-12-31')).toBeGreaterThanOrEqual((properties * rowsEach) / 10_000);
  });

  it('is one at a time, and what is folded after its end draws nothing', () => {
    const test = new BooksUnderTest();
    test.fold(rent('1', 1));
    const cut = test.books.beginAccountsCut(0);
    expect(() => test.books.beginAccountsCut(0)).toThrow(/open already/);
    cut.end();
    cut.end();
    expect(() => cut.draw()).toThrow(/ended/);
    test.fold(rent('1', 2));
    test.books.beginAccountsCut(0).end();
  });
});
