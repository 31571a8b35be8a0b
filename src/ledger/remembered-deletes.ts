import { MILLISECONDS_PER_DAY } from '../change/dates.ts';
import type { Core } from './core.ts';
import { forgetRow } from './images.ts';
import { IndexQueue } from './index-list.ts';
import { ROW_DELETED } from './ledger.ts';

/** Fewest queue entries looked at per batch, and how many more per entry of the batch: forgetting keeps pace with deleting. */
const LOOKED_AT_MIN = 64;
const LOOKED_AT_PER_ENTRY = 2;

/**
 * Remembered deletes in the order they were folded. A row deleted again stands in the queue more than once; an entry counts only
 * when its row is still the delete it was made for.
 */
export class RememberedDeletes {
  /** Rows that are remembered deletes now. */
  count = 0;
  /** Rows whose key is forgotten and told to no committed cut yet. */
  forgotten = 0;
  /** Pairs of row and second of folding. */
  readonly #queue = new IndexQueue();

  push(row: number, foldedAt: number): void {
    this.#queue.push(row);
    this.#queue.push(secondOf(foldedAt));
  }

  /** Drops deletes folded `deletedKeysDays` ago or earlier; a bounded number per batch. */
  forget(core: Core, now: number, entries: number): void {
    const oldest = now - core.definitions.deletedKeysDays * MILLISECONDS_PER_DAY;
    for (let left = LOOKED_AT_MIN + entries * LOOKED_AT_PER_ENTRY; this.#queue.length > 0 && left > 0; left--) {
      const row = this.#queue.at(0);
      const stands = core.rows.state(row) === ROW_DELETED && secondOf(core.rows.foldedAt(row)) === this.#queue.at(1);
      if (stands && core.rows.foldedAt(row) > oldest) return;
      this.#queue.shift();
      this.#queue.shift();
      if (stands) forgetRow(core, row);
    }
  }

  get bytes(): number {
    return this.#queue.bytes;
  }
}

function secondOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) >>> 0;
}
