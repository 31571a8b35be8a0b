import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import { ORDER_HIGHER } from '../change/position-order.ts';
import type { Core } from './core.ts';
import type { Entry } from './entry.ts';
import { forgetRow, removeImage, touch } from './images.ts';
import { ROW_LIVE } from './ledger.ts';
import type { PartitionOutcome } from './ledger.ts';
import { compareWith, isAmbiguous, isCovered, isTruncated } from './order.ts';
import type { Place } from './order.ts';
import { APPLIED, UNCHANGED } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { Mark } from './truncate-marks.ts';

/**
 * Folds a truncate: removes the live rows it covers, in one pass over the store, and keeps its mark. A row that the mark keeps out for
 * good is forgotten; one that stands above it (its partition's earlier image after positions fell) is remembered as deleted at the
 * mark's position, so that what follows at these lower positions is no re-send. A truncate that a known mark covers altogether is a
 * repetition: rows that were kept then are kept again.
 */
export function foldTruncate(core: Core, entry: Entry, now: number, counters: PartitionOutcome, touched: Set<number> | null): Outcome {
  const mark: Mark = {
    table: entry.table, partition: entry.partition, offset: entry.offset, position: entry.position, positionAt: entry.positionAt,
    commitTime: entry.commitTime,
  };
  const known = core.marks.knownFor(mark);
  if (known?.partition === mark.partition) return UNCHANGED;
  if (known === null) {
    core.marks.add(mark);
    core.changes.marks++;
    core.letters.truncated(TABLE_NAMES[mark.table], mark);
  }
  let removed = false;
  const row: Place = { partition: 0, position: new Uint32Array(POSITION_WORDS), positionAt: 0, commitTime: Number.NaN };
  for (let index = 0; index < core.rows.size; index++) {
    if (core.rows.state(index) !== ROW_LIVE || core.rows.table(index) !== mark.table) continue;
    loadPlace(core, index, row);
    if (known === null ? !isTruncated(row, mark) : !isEarlierInOwnPartition(row, mark)) continue;
    if (isAmbiguous(row, mark)) counters.orderAmbiguous++;
    core.changes.row(index);
    if (mark.commitTime > row.commitTime) core.rows.setCommitTime(index, mark.commitTime);
    const account = removeImage(core, index, now);
    touch(core, account, now);
    touched?.add(core.accounts.propertyOf(account));
    if (isCovered(row, mark)) forgetRow(core, index);
    else if (compareWith(row, mark) === ORDER_HIGHER) core.rows.storePosition(index, mark.position, mark.positionAt);
    removed = true;
  }
  return removed || known === null ? APPLIED : UNCHANGED;
}

/** What a repetition read from another partition than the first still says: its own partition's earlier images are gone. */
function isEarlierInOwnPartition(row: Place, mark: Place): boolean {
  return row.partition === mark.partition && row.commitTime < mark.commitTime;
}

function loadPlace(core: Core, row: number, place: Place): void {
  place.partition = core.rows.partition(row);
  place.commitTime = core.rows.commitTime(row);
  core.rows.loadPosition(row, place.position, 0);
}
