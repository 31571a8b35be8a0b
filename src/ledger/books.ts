import { recountIfNeeded } from './account-sums.ts';
import { DrawnAccounts } from './accounts-cut.ts';
import { canonicalRows } from './canonical.ts';
import { controlTotalsOf } from './control-totals.ts';
import { createCore } from './core.ts';
import type { Core } from './core.ts';
import { Cut } from './cut.ts';
import { answerFigures, isKnownProperty } from './figures.ts';
import { foldBatch } from './fold.ts';
import type { Books, BooksCounts, Definitions } from './ledger.ts';
import { Loader } from './loader.ts';

export interface BooksOptions {
  /** Fill `FoldResult.updated`, which costs a text per property and batch. */
  readonly traceUpdates?: boolean;
  /** Rows to make room for at once, e.g. the count of the checkpoint about to be loaded. */
  readonly rowsExpected?: number;
}

/** Empty books under the given definitions. Throws a RangeError for a month that is none. */
export function createBooks(definitions: Definitions, options: BooksOptions = {}): Books {
  const core = createCore(definitions, options.rowsExpected ?? 0);
  const traces = options.traceUpdates ?? false;
  let isLoading = false;
  const checkLoaded = (): void => {
    if (isLoading) throw new Error('the books are being loaded');
  };
  return {
    fold(batch, context) {
      checkLoaded();
      return foldBatch(core, batch, context, traces);
    },
    figures(query) {
      checkLoaded();
      return answerFigures(core, query);
    },
    beginCut(kind) {
      checkLoaded();
      if (core.changes.watcher !== null) throw new Error('a cut is open already: commit or abort it first');
      return new Cut(core, kind);
    },
    beginAccountsCut(asOf) {
      checkLoaded();
      if (core.changes.figureWatcher !== null) throw new Error('a cut of accounts is open already: end it first');
      return new DrawnAccounts(core, asOf, incompleteProperties(core));
    },
    get changedSinceCut() {
      return core.changes.rows.list.length + core.changes.marks;
    },
    load() {
      checkLoaded();
      if (core.rows.size > 0 || core.accounts.count > 0) throw new Error('only empty books can be loaded');
      isLoading = true;
      return new Loader(core, () => { isLoading = false; });
    },
    controlTotals: () => controlTotalsOf(core),
    canonicalRows: () => canonicalRows(core),
    openDeadLetters: () => core.letters.all(),
    dismissDeadLetter: (topic, partition, offset) => core.letters.dismiss(topic, partition, offset),
    counts: () => countsOf(core),
  };
}

function countsOf(core: Core): BooksCounts {
  for (const account of [...core.accounts.outOfRange]) recountIfNeeded(core, account);
  const { rows } = controlTotalsOf(core);
  return {
    rows,
    rememberedDeletes: core.deletes.count,
    truncateMarks: core.marks.count,
    properties: core.accounts.knownProperties,
    accounts: core.accounts.knownProperties + core.accounts.knownUnits,
    openDeadLetters: core.letters.count,
    incompleteProperties: incompleteProperties(core),
    outOfRangeAccounts: core.accounts.outOfRange.size,
    unpublishedRows: core.changes.rows.list.length + core.changes.marks + core.changes.inOpenCut,
    ledgerBytes: core.rows.bytes + core.index.bytes + core.deletes.bytes + core.changes.bytes,
    accountBytes: core.accounts.bytes,
  };
}

function incompleteProperties(core: Core): number {
  let incomplete = 0;
  for (const property of core.letters.markedProperties()) if (isKnownProperty(core, property)) incomplete++;
  return incomplete;
}
