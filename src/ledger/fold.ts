import {
  ENTRY_DEAD_LETTER, ENTRY_DELETE, ENTRY_PASSED_OVER, ENTRY_TOMBSTONE, ENTRY_TRUNCATE, ENTRY_UPSERT, FLAG_CONTINUED, PASSED_OVER,
} from '../change/change.ts';
import type { ChangeBatch } from '../change/change.ts';
import { LOOKAHEAD_ENTRIES } from './account-lookahead.ts';
import { accountText } from './core.ts';
import type { Core } from './core.ts';
import { Entry } from './entry.ts';
import { LetterFold, propertyOf } from './fold-letters.ts';
import { RowFold } from './fold-row.ts';
import type { FoldContext, FoldResult, PartitionOutcome } from './ledger.ts';
import { APPLIED, DEAD_LETTER, PASSED, SUPERSEDED, UNCHANGED, countOutcome, emptyOutcome, fallWarning } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { foldTruncate } from './truncate.ts';

const SEGMENT = PASSED_OVER.indexOf('segment');

/** Folds a batch into the books, entry by entry in reading order. */
export function foldBatch(core: Core, batch: ChangeBatch, context: FoldContext, traces: boolean): FoldResult {
  const counters = batch.partitions.map(emptyOutcome);
  const entry = new Entry(core, batch);
  const rowFold = new RowFold(core, entry, context.now, counters, traces);
  const letters = new LetterFold(core, batch, counters);
  let carried = false;
  for (let index = 0; index < batch.count; index++) {
    if (index % LOOKAHEAD_ENTRIES === 0) entry.prepare(index, Math.min(batch.count, index + LOOKAHEAD_ENTRIES));
    let outcome = foldEntry(core, batch, index, entry, rowFold, context.now, counters);
    if (outcome === DEAD_LETTER) letters.open(index, entry, rowFold.removedFrom);
    else if (outcome <= UNCHANGED) endLetters(core, batch, index, entry);
    else if (outcome === PASSED && batch.detail[index] === SEGMENT) letters.keep(index, entry);
    if ((batch.flags[index] & FLAG_CONTINUED) !== 0) {
      carried ||= outcome === APPLIED;
      continue;
    }
    letters.followJoined(index, outcome === DEAD_LETTER, entry, rowFold.removedFrom);
    if (carried && (outcome === UNCHANGED || outcome === SUPERSEDED)) outcome = APPLIED;
    carried = false;
    rowFold.removedFrom = -1;
    countOutcome(counters[batch.partitionOf[index]], outcome);
  }
  batch.incomplete?.forEach((pieces) => letters.incomplete(pieces));
  if (context.mayForgetDeletes) core.deletes.forget(core, context.now, batch.count);
  return {
    partitions: counters,
    opened: letters.opened,
    warnings: rowFold.falls.filter((fall) => fall !== undefined).map(fallWarning),
    updated: rowFold.touched === null ? [] : Array.from(rowFold.touched, (property) => accountText(core, property)),
  };
}

function foldEntry(
  core: Core, batch: ChangeBatch, index: number, entry: Entry, rowFold: RowFold, now: number, counters: readonly PartitionOutcome[],
): Outcome {
  const kind = batch.kind[index];
  if (kind === ENTRY_PASSED_OVER) return PASSED;
  entry.read(index);
  switch (kind) {
    case ENTRY_UPSERT: return rowFold.upsert();
    case ENTRY_DELETE: return rowFold.remove();
    case ENTRY_TOMBSTONE: return rowFold.tombstone();
    case ENTRY_TRUNCATE: return foldTruncate(core, entry, now, counters[entry.batchPartition], rowFold.touched);
    case ENTRY_DEAD_LETTER: return DEAD_LETTER;
    default: throw new RangeError(`a batch holds an entry of kind ${kind}`);
  }
}

/** Ends the letters of the row that an entry, applied or unchanged, was about. */
function endLetters(core: Core, batch: ChangeBatch, index: number, entry: Entry): void {
  if (core.letters.namesNoRow || batch.kind[index] === ENTRY_TRUNCATE) return;
  const kind = batch.kind[index];
  core.letters.folded(entry, entry, kind !== ENTRY_UPSERT, () => propertyOf(core, entry));
}
