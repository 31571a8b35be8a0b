import { BitSet, IndexList } from './index-list.ts';

/** Is told of every write of a row before it happens, so that it can keep what it still has to draw. An open cut is one. */
export interface WriteWatcher {
  beforeRow(row: number): void;
}

/** Is told of every property whose rows, sums or investment are about to change. An open cut of accounts is one. */
export interface FigureWatcher {
  beforeFigures(property: number): void;
}

/** Numbers of what changed since the last cut, each once. */
export class ChangeSet {
  readonly list = new IndexList();
  readonly #members = new BitSet();

  add(index: number): void {
    if (this.#members.add(index)) this.list.push(index);
  }

  has(index: number): boolean {
    return this.#members.has(index);
  }

  addAll(other: ChangeSet): void {
    for (let i = 0; i < other.list.length; i++) this.add(other.list.at(i));
  }

  get bytes(): number {
    return this.list.bytes + this.#members.bytes;
  }
}

/** What changed since the last cut: rows, accounts, and how many truncate marks are new. */
export class Changes {
  rows = new ChangeSet();
  accounts = new ChangeSet();
  marks = 0;
  /** Rows and marks that an open cut has taken: not durable, and no longer among those above. */
  inOpenCut = 0;
  watcher: WriteWatcher | null = null;
  figureWatcher: FigureWatcher | null = null;

  /** To be called before anything of a row is written. */
  row(row: number): void {
    this.watcher?.beforeRow(row);
    this.rows.add(row);
  }

  /** Notes that something of an account that is exported changes. */
  account(account: number): void {
    this.accounts.add(account);
  }

  get bytes(): number {
    return this.rows.bytes + this.accounts.bytes;
  }

  /** Hands over what changed and starts anew. */
  take(): TakenChanges {
    const taken = { rows: this.rows, accounts: this.accounts, marks: this.marks };
    this.rows = new ChangeSet();
    this.accounts = new ChangeSet();
    this.marks = 0;
    this.inOpenCut = taken.rows.list.length + taken.marks;
    return taken;
  }

  /** Counts taken changes as changed again: the cut that took them came to nothing. */
  putBack(taken: TakenChanges): void {
    this.rows.addAll(taken.rows);
    this.accounts.addAll(taken.accounts);
    this.marks += taken.marks;
  }
}

export interface TakenChanges {
  readonly rows: ChangeSet;
  readonly accounts: ChangeSet;
  readonly marks: number;
}
