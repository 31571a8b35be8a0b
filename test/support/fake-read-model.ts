import { parseDate } from '../../src/change/dates.ts';
import { createControl, type Control } from '../../src/control.ts';
import type { FigureAnswer, FigureQuery, Figures, Totals } from '../../src/ledger/figure.ts';
import type { BooksCounts } from '../../src/ledger/ledger.ts';
import type { ReadModel } from '../../src/read/read-model.ts';
import type { PartitionCounters } from '../../src/state.ts';

/** When everything in a fake model happened. */
export const FAKE_NOW = Date.UTC(2026, 5, 30, 12);

/** A read model whose every part a test can set. Its control state is a real one, ready unless told otherwise. */
export interface FakeReadModel extends ReadModel {
  readonly controlled: Control;
  /** Queries that reached the books. */
  readonly queries: FigureQuery[];
  answer(query: FigureQuery): FigureAnswer;
  counted: readonly PartitionCounters[];
  newest: number | null;
}

/** A model that knows the property `known` and its unit `unit`, and is ready. */
export function createFakeReadModel(): FakeReadModel {
  const controlled = createControl(FAKE_NOW);
  const model: FakeReadModel = {
    controlled,
    queries: [],
    counted: [],
    newest: FAKE_NOW - 1_500,
    answer: (query) => (query.propertyId === 'known' && (query.unitId === null || query.unitId === 'unit')
      ? { kind: 'figures', figures: fakeFigures(query) } : { kind: 'unknown' }),
    figures(query) {
      model.queries.push(query);
      return model.answer(query);
    },
    counts: () => FAKE_COUNTS,
    counters: () => model.counted,
    newestChangeAt: () => model.newest,
    control: () => controlled.state(),
    today: () => parseDate('2026-06-30')!,
    now: () => FAKE_NOW,
  };
  return model;
}

/** Brings a control state to `ready` over an empty log. */
export function makeReady(control: Control): void {
  control.restored({ lineage: 'lineage', generation: null, caughtUpOnce: false, incompleteHistory: [], positions: [] }, FAKE_NOW);
  control.opened({ bounds: [], gaps: [] }, FAKE_NOW);
}

/** Figures with a different amount in every field. */
export function fakeFigures(query: FigureQuery): Figures {
  return {
    ...query,
    ytd: fakeTotals(12_005_000),
    cumulative: fakeTotals(-98_765_432_101_234),
    cashInvested: 500_000_000,
    cashOnCash: 58_134,
    units: query.unitId === null ? [{ unitId: 'unit', ytdProfitLoss: 1, cumulativeProfitLoss: -10 }] : null,
    lastCalculatedAt: FAKE_NOW - 1_000,
    complete: true,
  };
}

/** Totals that rise from `first` by 1/10 000. */
export function fakeTotals(first: number): Totals {
  return {
    totalRevenue: first, rent: first + 1, expenses: first + 2, profitLoss: first + 3, piti: first + 4, tax: first + 5, utilities: first + 6,
    maintenance: first + 7, capex: first + 8, insurance: first + 9, propertyManagement: first + 10, other: first + 11,
  };
}

/** Counters of a partition, with what a test sets. */
export function fakeCounters(counters: Partial<PartitionCounters> & { readonly topic: string; readonly partition: number }): PartitionCounters {
  return {
    read: 0, applied: 0, unchanged: 0, superseded: 0, passedOver: 0, deadLetters: 0, unattributed: 0, orderAmbiguous: 0, passedOverReasons: {}, ...counters,
  };
}

const FAKE_COUNTS: BooksCounts = {
  rows: { expenses: 5, rents: 4, properties: 2 }, rememberedDeletes: 1, truncateMarks: 0, properties: 2, accounts: 3, openDeadLetters: 1,
  incompleteProperties: 1, outOfRangeAccounts: 0, unpublishedRows: 7, ledgerBytes: 1_024, accountBytes: 512,
};
