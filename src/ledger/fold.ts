import {
  ENTRY_DEAD_LETTER, ENTRY_DELETE, ENTRY_PASSED_OVER, ENTRY_TOMBSTONE, ENTRY_TRUNCATE, ENTRY_UPSERT, FLAG_CONTINUED, POSITION_WORDS, TABLE_NAMES,
} from '../change/change.ts';
import type { ChangeBatch, DeadLetter } from '../change/change.ts';
import { accountText } from './core.ts';
import type { Core } from './core.ts';
import { isOvertaken, keyOfLetter, openedLetter } from './dead-letters.ts';
import type { RowKey } from './dead-letters.ts';
import { Entry } from './entry.ts';
import { RowFold } from './fold-row.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';
import type { FoldContext, FoldResult, OpenDeadLetter, PartitionOutcome } from './ledger.ts';
import { APPLIED, DEAD_LETTER, PASSED, SUPERSEDED, UNCHANGED, countOutcome, emptyOutcome, fallWarning } from './outcome.ts';
import type { Place } from './order.ts';
import type { Outcome } from './outcome.ts';
import { foldTruncate } from './truncate.ts';

/** Folds a batch into the books, entry by entry in reading order. */
export function foldBatch(core: Core, batch: ChangeBatch, context: FoldContext, traces: boolean): FoldResult {
  const counters = batch.partitions.map(emptyOutcome);
  const entry = new Entry(core, batch);
  const rowFold = new RowFold(core, entry, context.now, counters, traces);
  const opened: OpenDeadLetter[] = [];
  const letters = new LetterCursor(batch);
  let carried = false;
  for (let index = 0; index < batch.count; index++) {
    let outcome = foldEntry(core, batch, index, entry, rowFold, context.now, counters);
    if (outcome === DEAD_LETTER) {
      opened.push(openLetter(core, letters.at(index), entry, rowFold, counters[batch.partitionOf[index]]));
    } else if (outcome <= UNCHANGED) endLetters(core, batch, index, entry);
    if ((batch.flags[index] & FLAG_CONTINUED) !== 0) {
      carried ||= outcome === APPLIED;
      continue;
    }
    if (carried && (outcome === UNCHANGED || outcome === SUPERSEDED)) outcome = APPLIED;
    carried = false;
    rowFold.removedFrom = -1;
    countOutcome(counters[batch.partitionOf[index]], outcome);
  }
  if (context.mayForgetDeletes) core.deletes.forget(core, context.now, batch.count);
  return {
    partitions: counters,
    opened,
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

/**
 * Opens a dead letter. It marks the property it names, the one its row's known image is on, and, when it is the second half of a
 * changed primary key, the one the old row was on.
 */
function openLetter(core: Core, letter: DeadLetter, entry: Entry, rowFold: RowFold, counters: PartitionOutcome): OpenDeadLetter {
  const key = keyOfLetter(letter, core.longIds);
  const named = [letter.property, rowFold.removedFrom < 0 ? null : accountText(core, core.accounts.propertyOf(rowFold.removedFrom))];
  if (key === null && letter.property === null) counters.unattributed++;
  if (isLate(core, letter, key, entry, rowFold)) return openedLetter(letter, [], null, entry);
  const opened = openedLetter(letter, named, key === null ? null : propertyOf(core, key), entry);
  core.letters.open(opened, key, entry.partition);
  return opened;
}

/** Whether a letter's table was truncated later, or its row, live or deleted, is known as it became later. */
function isLate(core: Core, letter: DeadLetter, key: RowKey | null, entry: Entry, { removedFrom }: RowFold): boolean {
  if (letter.table !== null && core.marks.covering(TABLE_NAMES.indexOf(letter.table), entry) !== null) return true;
  if (key === null || removedFrom >= 0) return false;
  const { rows } = core;
  const row = findRow(core, key);
  if (row < 0 || rows.state(row) === ROW_FORGOTTEN) return false;
  const known: Place = { partition: rows.partition(row), position: new Uint32Array(POSITION_WORDS), positionAt: 0, commitTime: rows.commitTime(row) };
  rows.loadPosition(row, known.position, 0);
  return isOvertaken(entry, letter.time, known, rows.state(row) === ROW_DELETED);
}

function findRow(core: Core, { table, keyKind, a, b, c, d, hash }: RowKey): number {
  return core.index.find(table, keyKind, a, b, c, d, hash);
}

/** Text of the property the known image of a row is on, or null. */
function propertyOf(core: Core, key: RowKey): string | null {
  const row = findRow(core, key);
  if (row < 0 || core.rows.state(row) !== ROW_LIVE) return null;
  return accountText(core, core.accounts.propertyOf(core.rows.account(row)));
}

/** The letters of a batch by rising entry: dead ones, and those that stand by for partial updates. */
class LetterCursor {
  readonly #batch: ChangeBatch;
  #next = 0;

  constructor(batch: ChangeBatch) {
    this.#batch = batch;
  }

  at(entry: number): DeadLetter {
    const { letters } = this.#batch;
    while (this.#next < letters.length && letters[this.#next].entry < entry) this.#next++;
    const found = letters[this.#next];
    if (found?.entry !== entry) throw new RangeError(`entry ${entry} of a batch is a dead letter without a letter`);
    return found.letter;
  }
}
