import {
  POSITION_BINLOG, POSITION_COMMIT_MISSING, POSITION_EPOCH_SHIFT, POSITION_FAMILY, POSITION_NONE, POSITION_POSTGRES, POSITION_SNAPSHOT,
} from './position.ts';

/** Answers of `comparePositions`: the first position is lower than, equal to, or higher than the second, or nobody can tell. */
export const ORDER_LOWER = -1;
export const ORDER_EQUAL = 0;
export const ORDER_HIGHER = 1;
export const ORDER_INCOMPARABLE = 2;

/** Words that hold the log position itself; binlog's fifth is the server, not an order. */
const LAST_WORD = 6;
const BINLOG_ROW = 4;
const BINLOG_SERVER = 5;

/**
 * Compares the packed positions at `a[aAt]` and `b[bAt]`. The epoch decides first. Then, inside one family, the numbers in the order
 * of `position.ts`, with a snapshot row before every change of the same place: for Postgres the same first element, for all others
 * the same numbers (for a binlog without its row number). Binlog positions of two servers, and different families, are
 * incomparable; server 0 (a snapshot) matches any. Commit times (milliseconds, NaN unknown) are needed for one case only, see
 * `compareInFlight`.
 */
export function comparePositions(
  a: Uint32Array, aAt: number, aTime: number, b: Uint32Array, bAt: number, bTime: number,
): number {
  const aHead = a[aAt];
  const bHead = b[bAt];
  const epoch = compareNumbers(aHead >>> POSITION_EPOCH_SHIFT, bHead >>> POSITION_EPOCH_SHIFT);
  if (epoch !== ORDER_EQUAL) return epoch;
  const family = aHead & POSITION_FAMILY;
  if (family !== (bHead & POSITION_FAMILY) || family === POSITION_NONE) return ORDER_INCOMPARABLE;
  if (family === POSITION_POSTGRES) return comparePostgres(a, aAt, aTime, b, bAt, bTime);
  if (family === POSITION_BINLOG) {
    const aServer = a[aAt + BINLOG_SERVER];
    const bServer = b[bAt + BINLOG_SERVER];
    if (aServer !== bServer && aServer !== 0 && bServer !== 0) return ORDER_INCOMPARABLE;
    return compareWords(a, aAt, b, bAt, 1, BINLOG_ROW - 1) || compareSnapshot(aHead, bHead)
      || compareNumbers(a[aAt + BINLOG_ROW], b[bAt + BINLOG_ROW]);
  }
  return compareWords(a, aAt, b, bAt, 1, LAST_WORD) || compareSnapshot(aHead, bHead);
}

function comparePostgres(a: Uint32Array, aAt: number, aTime: number, b: Uint32Array, bAt: number, bTime: number): number {
  const first = compareWords(a, aAt, b, bAt, 1, 2);
  if (first === ORDER_EQUAL) return compareSnapshot(a[aAt], b[bAt]) || compareWords(a, aAt, b, bAt, 3, 4);
  if (first < 0 && isInFlight(a[aAt], b[bAt])) return compareInFlight(aTime, bTime, first);
  if (first > 0 && isInFlight(b[bAt], a[aAt])) return -compareInFlight(bTime, aTime, -first);
  return first;
}

/** Whether a lower first element of `change` may be that of a change under way while `snapshot` was read: its commit is not known. */
function isInFlight(change: number, snapshot: number): boolean {
  return (change & (POSITION_COMMIT_MISSING | POSITION_SNAPSHOT)) === POSITION_COMMIT_MISSING && (snapshot & POSITION_SNAPSHOT) !== 0;
}

/** Order of such a change to the snapshot row: by commit time, equal meaning the change is later. Without times the numbers decide. */
function compareInFlight(changeTime: number, snapshotTime: number, byNumbers: number): number {
  if (Number.isNaN(changeTime) || Number.isNaN(snapshotTime)) return byNumbers;
  return changeTime >= snapshotTime ? ORDER_HIGHER : ORDER_LOWER;
}

function compareSnapshot(aHead: number, bHead: number): number {
  return compareNumbers(bHead & POSITION_SNAPSHOT, aHead & POSITION_SNAPSHOT);
}

function compareWords(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number, from: number, to: number): number {
  for (let word = from; word <= to; word++) {
    const left = a[aAt + word];
    const right = b[bAt + word];
    if (left !== right) return left < right ? ORDER_LOWER : ORDER_HIGHER;
  }
  return ORDER_EQUAL;
}

function compareNumbers(a: number, b: number): number {
  return a === b ? ORDER_EQUAL : a < b ? ORDER_LOWER : ORDER_HIGHER;
}
