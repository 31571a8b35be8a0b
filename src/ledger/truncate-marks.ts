import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import { ORDER_HIGHER, ORDER_INCOMPARABLE } from '../change/position-order.ts';
import type { TruncateMark } from './ledger.ts';
import { compareWith, isCovered } from './order.ts';
import type { Place } from './order.ts';
import type { PartitionTable } from './partition-table.ts';

/** A truncate that was folded: its table, place and offset. */
export interface Mark extends Place {
  readonly table: number;
  readonly offset: number;
}

/**
 * Truncates, kept for good: what stands at or below one is dropped whenever it is read. A mark that another one of its table covers
 * altogether (its position not higher, its commit time not later) says nothing more and is not kept, so a table that is truncated
 * daily has one.
 */
export class TruncateMarks {
  readonly #byTable: Mark[][] = TABLE_NAMES.map(() => []);

  get count(): number {
    return this.#byTable.reduce((sum, marks) => sum + marks.length, 0);
  }

  /** The mark that covers a record, or null. */
  covering(table: number, record: Place): Mark | null {
    const marks = this.#byTable[table];
    for (let i = 0; i < marks.length; i++) if (isCovered(record, marks[i])) return marks[i];
    return null;
  }

  /** A kept mark that covers all a truncate would, or null. */
  knownFor(mark: Mark): Mark | null {
    return this.#byTable[mark.table].find((known) => includes(known, mark)) ?? null;
  }

  /** Keeps a truncate; drops the marks it covers altogether. */
  add(mark: Mark): void {
    const marks = this.#byTable[mark.table];
    this.#byTable[mark.table] = [...marks.filter((known) => !includes(mark, known)), { ...mark, position: copyOf(mark), positionAt: 0 }];
  }

  export(partitions: PartitionTable): TruncateMark[] {
    return this.#byTable.flat().map((mark) => ({
      table: TABLE_NAMES[mark.table],
      ...partitions.get(mark.partition),
      offset: mark.offset,
      position: [...copyOf(mark)],
      commitTime: Number.isNaN(mark.commitTime) ? null : mark.commitTime,
    }));
  }

  /** Replaces all marks by those of a segment. */
  load(marks: readonly TruncateMark[], partitions: PartitionTable): void {
    for (const list of this.#byTable) list.length = 0;
    for (const mark of marks) {
      const table = TABLE_NAMES.indexOf(mark.table);
      this.#byTable[table].push({
        table, partition: partitions.intern(mark), offset: mark.offset, position: Uint32Array.from(mark.position), positionAt: 0,
        commitTime: mark.commitTime ?? Number.NaN,
      });
    }
  }
}

/** Whether every record that `other` covers is covered by `mark` too. */
function includes(mark: Mark, other: Mark): boolean {
  const order = compareWith(other, mark);
  if (order === ORDER_HIGHER || order === ORDER_INCOMPARABLE) return false;
  return Number.isNaN(mark.commitTime) || other.commitTime <= mark.commitTime;
}

function copyOf(mark: Mark): Uint32Array {
  return mark.position.slice(mark.positionAt, mark.positionAt + POSITION_WORDS);
}
