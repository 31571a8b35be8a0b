import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import { partitionName } from '../source/positions.ts';
import type { Core } from './core.ts';
import type { Entry } from './entry.ts';
import { isSameImage, putImage, rememberDelete, removeImage, replaceImage, touch } from './images.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';
import type { PartitionOutcome } from './ledger.ts';
import {
  VERDICT_ACCEPTED, VERDICT_AMBIGUOUS, VERDICT_FELL, VERDICT_HIGHEST, VERDICT_SAME, isAmbiguous, judge,
} from './order.ts';
import type { Place } from './order.ts';
import { APPLIED, DEAD_LETTER, SUPERSEDED, UNCHANGED } from './outcome.ts';
import type { Fall, Outcome } from './outcome.ts';
import { mergeImage } from './partial.ts';
import { keyBits } from './row-store.ts';

/** Folds entries that concern one row: upserts, deletes, tombstones. One object serves a batch. */
export class RowFold {
  /** Account the entry took a row out of, or -1: the old row of a changed primary key. */
  removedFrom = -1;
  /** Property accounts whose figures changed, when traced. */
  readonly touched: Set<number> | null;
  readonly falls: (Fall | undefined)[] = [];
  readonly #core: Core;
  readonly #entry: Entry;
  readonly #now: number;
  readonly #counters: readonly PartitionOutcome[];
  readonly #known: Place = { partition: 0, position: new Uint32Array(POSITION_WORDS), positionAt: 0, commitTime: Number.NaN };

  constructor(core: Core, entry: Entry, now: number, counters: readonly PartitionOutcome[], traces: boolean) {
    this.#core = core;
    this.#entry = entry;
    this.#now = now;
    this.#counters = counters;
    this.touched = traces ? new Set() : null;
  }

  /** A row's new image, whole or in part. DEAD_LETTER: a partial one that cannot be merged. */
  upsert(): Outcome {
    const { rows } = this.#core;
    const entry = this.#entry;
    const row = this.#find();
    if (this.#isTruncated()) return SUPERSEDED;
    const state = row < 0 ? ROW_FORGOTTEN : rows.state(row);
    if (state === ROW_FORGOTTEN) {
      if (entry.isPartial) return DEAD_LETTER;
      entry.readImage();
      this.#putFirst(this.#claim(row));
      return APPLIED;
    }
    const verdict = this.#judge(row, false);
    if (entry.isPartial && state === ROW_LIVE && rows.partition(row) !== entry.partition) {
      return (verdict & VERDICT_SAME) !== 0 ? UNCHANGED : DEAD_LETTER;
    }
    this.#countVerdict(verdict);
    if ((verdict & VERDICT_ACCEPTED) === 0) return this.#supersede(row);
    if (state === ROW_DELETED) {
      if (entry.isPartial) return DEAD_LETTER;
      entry.readImage();
      this.#core.changes.row(row);
      this.#accept(row, verdict);
      this.#core.rows.setPlace(row, entry.partition, entry.offset);
      putImage(this.#core, row, entry);
      this.#touch(entry.account);
      return APPLIED;
    }
    return this.#update(row, verdict);
  }

  /** A delete with a position. It is remembered, also for a row never seen. */
  remove(): Outcome {
    const entry = this.#entry;
    const row = this.#find();
    if (this.#isTruncated()) return SUPERSEDED;
    const state = row < 0 ? ROW_FORGOTTEN : this.#core.rows.state(row);
    if (state === ROW_FORGOTTEN) {
      const claimed = this.#claim(row);
      this.#placeFirst(claimed);
      rememberDelete(this.#core, claimed, this.#now);
      return APPLIED;
    }
    const verdict = this.#judge(row, state === ROW_LIVE);
    this.#countVerdict(verdict);
    if ((verdict & VERDICT_ACCEPTED) === 0) return this.#supersede(row);
    if (state === ROW_LIVE) {
      this.#core.changes.row(row);
      this.#accept(row, verdict);
      this.#core.rows.setPlace(row, entry.partition, entry.offset);
      this.#removeLive(row);
      return APPLIED;
    }
    if (this.#accept(row, verdict)) rememberDelete(this.#core, row, this.#now);
    return UNCHANGED;
  }

  /** A delete without position: it speaks only for a row whose newest image came from its own partition. */
  tombstone(): Outcome {
    const { rows, changes } = this.#core;
    const row = this.#find();
    if (row < 0 || rows.state(row) === ROW_FORGOTTEN) return UNCHANGED;
    if (rows.partition(row) !== this.#entry.partition) return SUPERSEDED;
    if (rows.state(row) === ROW_DELETED) return UNCHANGED;
    changes.row(row);
    rows.setPlace(row, this.#entry.partition, this.#entry.offset);
    this.#removeLive(row);
    return APPLIED;
  }

  #update(row: number, verdict: number): Outcome {
    const entry = this.#entry;
    const before = this.#core.rows.account(row);
    if (entry.isPartial) mergeImage(this.#core, row, entry);
    else entry.readImage();
    if (isSameImage(this.#core, row, entry)) {
      this.#accept(row, verdict);
      return UNCHANGED;
    }
    this.#core.changes.row(row);
    this.#accept(row, verdict);
    this.#core.rows.setPlace(row, entry.partition, entry.offset);
    replaceImage(this.#core, row, entry);
    this.#touch(entry.account);
    if (before !== entry.account) this.#touch(before);
    return APPLIED;
  }

  #find(): number {
    const { table, keyKind, a, b, c, d, hash } = this.#entry;
    return this.#core.index.find(table, keyKind, a, b, c, d, hash);
  }

  #isTruncated(): boolean {
    const entry = this.#entry;
    const mark = this.#core.marks.covering(entry.table, entry);
    if (mark !== null && isAmbiguous(entry, mark)) this.#counters[entry.batchPartition].orderAmbiguous++;
    return mark !== null;
  }

  /** The slot of a key that nothing is known of: its forgotten one, or a new one. The change is announced. */
  #claim(known: number): number {
    const { rows, index, changes } = this.#core;
    const { table, keyKind, a, b, c, d, hash } = this.#entry;
    if (known >= 0) {
      changes.row(known);
      this.#core.deletes.forgotten--;
      return known;
    }
    const row = rows.allocate();
    changes.row(row);
    rows.setKey(row, keyBits(table, keyKind), a, b, c, d, ROW_FORGOTTEN);
    index.insert(row, hash);
    return row;
  }

  #putFirst(row: number): void {
    this.#placeFirst(row);
    putImage(this.#core, row, this.#entry);
    this.#touch(this.#entry.account);
  }

  #placeFirst(row: number): void {
    const entry = this.#entry;
    this.#core.rows.storePosition(row, entry.position, entry.positionAt);
    this.#core.rows.setCommitTime(row, entry.commitTime);
    this.#core.rows.setPlace(row, entry.partition, entry.offset);
  }

  #judge(row: number, deletes: boolean): number {
    const rows = this.#core.rows;
    const known = this.#known;
    known.partition = rows.partition(row);
    known.commitTime = rows.commitTime(row);
    rows.loadPosition(row, known.position, 0);
    return judge(this.#entry, known, deletes);
  }

  #countVerdict(verdict: number): void {
    const entry = this.#entry;
    if ((verdict & VERDICT_AMBIGUOUS) !== 0) this.#counters[entry.batchPartition].orderAmbiguous++;
    if ((verdict & VERDICT_FELL) === 0 || entry.isSnapshot) return;
    const fall = this.falls[entry.batchPartition];
    if (fall !== undefined) fall.count++;
    else {
      const where = `${partitionName(entry.batch.partitions[entry.batchPartition])} at offset ${entry.offset}, a row of ${TABLE_NAMES[entry.table]}`;
      this.falls[entry.batchPartition] = { where, commitTime: entry.commitTime, count: 1 };
    }
  }

  #supersede(row: number): Outcome {
    if (this.#isTimeNewer(row)) {
      this.#core.changes.row(row);
      this.#core.rows.setCommitTime(row, this.#entry.commitTime);
    }
    return SUPERSEDED;
  }

  #isTimeNewer(row: number): boolean {
    const known = this.#core.rows.commitTime(row);
    return this.#entry.commitTime > known || (Number.isNaN(known) && !Number.isNaN(this.#entry.commitTime));
  }

  /**
   * Takes over what an accepted record says of order: the highest position, the latest commit time, and the partition. Answers
   * whether anything changed; an exact repetition changes nothing, so that a repeated log makes no delta.
   */
  #accept(row: number, verdict: number): boolean {
    const { rows, changes } = this.#core;
    const entry = this.#entry;
    const rises = (verdict & VERDICT_HIGHEST) !== 0;
    const newer = this.#isTimeNewer(row);
    const moves = rows.partition(row) !== entry.partition;
    if (!rises && !newer && !moves) return false;
    changes.row(row);
    if (rises) rows.storePosition(row, entry.position, entry.positionAt);
    if (newer) rows.setCommitTime(row, entry.commitTime);
    rows.setPlace(row, entry.partition, entry.offset);
    return true;
  }

  #removeLive(row: number): void {
    this.removedFrom = removeImage(this.#core, row, this.#now);
    this.#touch(this.removedFrom);
  }

  #touch(account: number): void {
    touch(this.#core, account, this.#now);
    this.touched?.add(this.#core.accounts.propertyOf(account));
  }
}
