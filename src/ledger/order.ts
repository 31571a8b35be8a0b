import { POSITION_COMMIT_MISSING, POSITION_FAMILY, POSITION_POSTGRES, POSITION_SNAPSHOT, POSITION_TIME } from '../change/position.ts';
import { ORDER_EQUAL, ORDER_HIGHER, ORDER_INCOMPARABLE, ORDER_LOWER, comparePositions } from '../change/position-order.ts';

/** Where a record, a row's newest image or a truncate mark stands: in the source's log, in time, and in which partition. */
export interface Place {
  /** Own number of the partition. */
  partition: number;
  /** POSITION_WORDS words from `positionAt` on. */
  position: Uint32Array;
  positionAt: number;
  /** Commit time, milliseconds; NaN unknown. */
  commitTime: number;
}

/** Bits of a verdict: the record replaces the row's image. */
export const VERDICT_ACCEPTED = 1;
/** The record's position becomes the row's: it is the highest, or positions fell and the row's own partition goes on from here. */
export const VERDICT_HIGHEST = 2;
/** The positions could not be compared and commit times decided between partitions. */
export const VERDICT_AMBIGUOUS = 4;
/** The position is lower and the commit time later: the database may have failed over. */
export const VERDICT_FELL = 8;
/** Both stand at the same place of the source's log (not only at the same time). */
export const VERDICT_SAME = 16;

/**
 * Order of a record to what is known of its row. From another partition it replaces the image only if its position is not
 * lower; on equality a delete loses. From the same partition it replaces it unless it is a re-send: its commit time is not later,
 * and its position is lower, or equal when it is a delete and positions are more than a time. Incomparable positions: in one
 * partition the log's order stands, between partitions the later commit time wins. Where positions fell (a failover that nobody noted)
 * the row follows them down: otherwise a second change of the same transaction would look like a re-send.
 *
 * @param deletes whether the record would delete a live row
 */
export function judge(record: Place, known: Place, deletes: boolean): number {
  const order = comparePositions(record.position, record.positionAt, record.commitTime, known.position, known.positionAt, known.commitTime);
  const isMoreThanTime = (record.position[record.positionAt] & POSITION_FAMILY) > POSITION_TIME;
  let verdict = order === ORDER_EQUAL && isMoreThanTime ? VERDICT_SAME : 0;
  if (order === ORDER_LOWER && record.commitTime > known.commitTime) verdict |= VERDICT_FELL;
  let accepted: boolean;
  if (record.partition === known.partition) {
    const repeats = order === ORDER_LOWER || (order === ORDER_EQUAL && deletes && isMoreThanTime);
    accepted = !(repeats && record.commitTime <= known.commitTime);
  } else if (order === ORDER_INCOMPARABLE) {
    verdict |= VERDICT_AMBIGUOUS;
    accepted = record.commitTime > known.commitTime || (!(record.commitTime < known.commitTime) && !deletes);
  } else accepted = order === ORDER_HIGHER || (order === ORDER_EQUAL && !deletes);
  if (accepted) verdict |= VERDICT_ACCEPTED;
  const fell = (verdict & VERDICT_FELL) !== 0;
  if (order === ORDER_HIGHER || (accepted && (order === ORDER_INCOMPARABLE || fell))) verdict |= VERDICT_HIGHEST;
  return verdict;
}

/**
 * Whether a truncate covers a record read after it: the position is not above its own and the commit time not later. A time is no
 * exact place: at the same time in the truncate's own partition the log's order stands. Incomparable positions: in its own
 * partition the record came later, elsewhere the earlier commit time is covered. A row that states when it was read says nothing
 * about being later.
 */
export function isCovered(record: Place, truncate: Place): boolean {
  const order = compareWith(record, truncate);
  const same = record.partition === truncate.partition;
  if (order === ORDER_INCOMPARABLE) return !same && record.commitTime < truncate.commitTime;
  if (order === ORDER_HIGHER || (record.commitTime > truncate.commitTime && !hasReadingTime(record))) return false;
  return order === ORDER_LOWER || !same || (record.position[record.positionAt] & POSITION_FAMILY) > POSITION_TIME;
}

/**
 * Whether a truncate removes a row known when it is read. From its own partition: when the row's position is not above, or its commit
 * time earlier. From another: when the position is not above. Incomparable positions: unless the row's commit time is not earlier,
 * in its own partition always.
 */
export function isTruncated(row: Place, truncate: Place): boolean {
  const order = compareWith(row, truncate);
  const same = row.partition === truncate.partition;
  if (order === ORDER_INCOMPARABLE) return same || !(row.commitTime >= truncate.commitTime);
  return order !== ORDER_HIGHER || (same && row.commitTime < truncate.commitTime);
}

/**
 * Whether a place's commit time is only the time its row was read: an incremental snapshot's row, which alone among snapshot rows names
 * the last commit. It may be ahead of changes that are still to come.
 */
function hasReadingTime(place: Place): boolean {
  const head = place.position[place.positionAt] & (POSITION_FAMILY | POSITION_SNAPSHOT | POSITION_COMMIT_MISSING);
  return head === (POSITION_POSTGRES | POSITION_SNAPSHOT);
}

/** Whether positions of the two cannot be compared. */
export function isAmbiguous(a: Place, b: Place): boolean {
  return compareWith(a, b) === ORDER_INCOMPARABLE;
}

/** Order of one place to another. */
export function compareWith(a: Place, b: Place): number {
  return comparePositions(a.position, a.positionAt, a.commitTime, b.position, b.positionAt, b.commitTime);
}
