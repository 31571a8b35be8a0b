import { TABLE_PROPERTIES } from '../change/change.ts';
import type { TakenChanges, WriteWatcher } from './changes.ts';
import { controlTotalsOf } from './control-totals.ts';
import type { Core } from './core.ts';
import { releaseRow } from './images.ts';
import { BitSet } from './index-list.ts';
import { ROW_FORGOTTEN } from './ledger.ts';
import type { BooksCut, ControlTotals, OpenDeadLetter, RowColumns, TruncateMark } from './ledger.ts';
import { NO_ACCOUNT, ROW_FREE } from './row-layout.ts';
import { AccountNumbers, RowBlock } from './row-block.ts';
import { RowStore } from './row-store.ts';

/** Touched accounts looked at in a slice: nearly all of them have been named by a row. */
const ACCOUNTS_LOOKED_AT = 65_536;

/**
 * A picture of the books at one moment. Rows still to be drawn are marked in a bit set; a row about to be written is copied aside
 * first, so drawing late shows it as it was. The times of accounts, eight bytes each, are copied at once.
 */
export class Cut implements BooksCut, WriteWatcher {
  readonly kind: 'delta' | 'full';
  readonly controlTotals: ControlTotals;
  readonly marks: readonly TruncateMark[];
  readonly deadLetters: readonly OpenDeadLetter[];
  remaining = 0;
  readonly #core: Core;
  readonly #taken: TakenChanges;
  readonly #pending = new BitSet();
  readonly #saved = new RowStore();
  readonly #savedAmount2: number[] = [];
  readonly #times: Float64Array;
  readonly #accounts: AccountNumbers;
  /** Rows of the store at the moment of the cut. */
  readonly #size: number;
  #nextRow = 0;
  #nextSaved = 0;
  #nextAccount = 0;
  #isOpen = true;

  constructor(core: Core, kind: 'delta' | 'full') {
    this.kind = kind;
    this.#core = core;
    this.controlTotals = controlTotalsOf(core);
    this.marks = core.marks.export(core.partitions);
    this.deadLetters = core.letters.all();
    this.#taken = core.changes.take();
    this.#size = core.rows.size;
    this.#times = core.accounts.changeTimes();
    this.#accounts = new AccountNumbers(core.accounts.count);
    if (kind === 'full') {
      this.#pending.addUpTo(this.#size);
      this.remaining = this.#size - core.rows.freeCount - core.deletes.forgotten;
    } else this.#markChanged();
    core.changes.watcher = this;
  }

  beforeRow(row: number): void {
    if (!this.#takePending(row)) return;
    const { rows } = this.#core;
    const copy = this.#saved.allocate();
    this.#saved.copyFrom(rows, row, copy);
    this.#savedAmount2[copy] = this.#amount2(row);
    rows.setExported(row);
  }

  next(rowsMax: number): RowColumns | null {
    this.#checkOpen();
    const block = new RowBlock(this.#core, this.#times, this.#accounts, Math.min(rowsMax, this.remaining));
    this.#drawRows(block);
    this.#drawSaved(block);
    if (this.remaining === 0) this.#drawAccounts(rowsMax);
    return block.count === 0 && this.#accounts.items.length === 0 && this.#nextAccount === this.#taken.accounts.list.length ? null : block.finish();
  }

  commit(): void {
    this.#close();
    const { rows, changes, deletes } = this.#core;
    if (deletes.forgotten === 0) return;
    for (let i = 0; i < this.#taken.rows.list.length; i++) {
      const row = this.#taken.rows.list.at(i);
      if (rows.state(row) !== ROW_FORGOTTEN || changes.rows.has(row)) continue;
      deletes.forgotten--;
      releaseRow(this.#core, row);
    }
  }

  abort(): void {
    this.#close();
    this.#core.changes.putBack(this.#taken);
  }

  #markChanged(): void {
    const { list } = this.#taken.rows;
    for (let i = 0; i < list.length; i++) this.#pending.add(list.at(i));
    this.remaining = list.length;
  }

  /** Takes a row out of what is pending; false when it was not, or is not part of the picture. */
  #takePending(row: number): boolean {
    if (!this.#pending.remove(row)) return false;
    if (this.#isDrawn(row)) return true;
    if (this.kind === 'delta') this.remaining--;
    return false;
  }

  /** Whether a pending row is part of the picture: a full one needs no forgotten keys. */
  #isDrawn(row: number): boolean {
    const state = this.#core.rows.state(row);
    return state !== ROW_FREE && (this.kind === 'delta' || state !== ROW_FORGOTTEN);
  }

  #drawRows(block: RowBlock): void {
    const { rows } = this.#core;
    const { list } = this.#taken.rows;
    const end = this.kind === 'full' ? this.#size : list.length;
    while (this.#nextRow < end && !block.isFull) {
      const row = this.kind === 'full' ? this.#nextRow : list.at(this.#nextRow);
      this.#nextRow++;
      if (!this.#takePending(row)) continue;
      block.add(rows, row, this.#amount2(row));
      rows.setExported(row);
      this.remaining--;
    }
  }

  #drawSaved(block: RowBlock): void {
    while (this.#nextSaved < this.#saved.size && !block.isFull) {
      block.add(this.#saved, this.#nextSaved, this.#savedAmount2[this.#nextSaved]);
      this.#nextSaved++;
      this.remaining--;
    }
  }

  /** Accounts that were touched and that no row drawn names, at most so many. */
  #drawAccounts(accountsMax: number): void {
    const touched = this.#taken.accounts.list;
    const end = Math.min(touched.length, this.#nextAccount + ACCOUNTS_LOOKED_AT);
    while (this.#nextAccount < end && this.#accounts.items.length < accountsMax) this.#accounts.of(touched.at(this.#nextAccount++));
  }

  #amount2(row: number): number {
    const { rows, accounts } = this.#core;
    const account = rows.account(row);
    return rows.table(row) === TABLE_PROPERTIES && account !== NO_ACCOUNT ? accounts.downPayment(account) : Number.NaN;
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Error('the cut was committed or aborted already');
  }

  #close(): void {
    this.#checkOpen();
    this.#isOpen = false;
    this.#core.changes.watcher = null;
    this.#core.changes.inOpenCut = 0;
  }
}
