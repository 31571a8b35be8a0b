import { FLAG_ROW, NO_STRING, POSITION_WORDS, TABLE_PROPERTIES } from '../change/change.ts';
import { ID_LONG, ID_NONE } from '../change/identifier.ts';
import type { Core } from './core.ts';
import { keyOfLetter } from './dead-letters.ts';
import { countRow, postRow } from './images.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';
import type { AccountColumns, BooksLoader, OpenDeadLetter, RowColumns, TruncateMark } from './ledger.ts';
import { linkAll } from './row-chain.ts';
import { hashRow } from './row-index.ts';
import { NO_ACCOUNT, NO_TYPE } from './row-layout.ts';
import { keyBits } from './row-store.ts';
import { SegmentNumbers } from './segment-numbers.ts';

/** Rows whose places in the index are fetched side by side. */
const ROWS_PREFETCHED = 1_024;

/** Segments' rows go straight into store and index; chains and accounts are made once, at the end, from the rows that are left. */
export class Loader implements BooksLoader {
  readonly #core: Core;
  readonly #finished: () => void;
  readonly #read = new SegmentNumbers();
  /** Own accounts of the cut the last block was drawn from, by their number in it. */
  #ofCut: number[] = [];

  /** `core` must be empty. `finished` is called when the books are usable. */
  constructor(core: Core, finished: () => void) {
    this.#core = core;
    this.#finished = finished;
  }

  reserve(rows: number): void {
    this.#core.index.reserve(rows);
  }

  rows(columns: RowColumns): void {
    const core = this.#core;
    const block = new LoadedBlock(core, columns, this.#read, this.#accountsBefore(columns.accounts));
    for (let at = 0; at < columns.count; at += ROWS_PREFETCHED) block.load(at, Math.min(columns.count, at + ROWS_PREFETCHED));
  }

  #accountsBefore({ earlier }: AccountColumns): number[] {
    if (earlier === undefined) return [];
    if (earlier === 0) this.#ofCut = [];
    if (earlier !== this.#ofCut.length) throw new Error(`a block goes on from ${earlier} accounts of its cut where ${this.#ofCut.length} were loaded`);
    return this.#ofCut;
  }

  marks(marks: readonly TruncateMark[]): void {
    this.#core.marks.load(marks, this.#core.partitions);
  }

  deadLetters(letters: readonly OpenDeadLetter[]): void {
    const { letters: register, longIds, partitions } = this.#core;
    for (const open of letters) register.open(open, keyOfLetter(open.letter, longIds), partitions.intern(open.letter));
  }

  finish(): void {
    const core = this.#core;
    const { rows } = core;
    const deleted: number[] = [];
    linkAll(rows, core.accounts, (row) => (rows.state(row) === ROW_LIVE ? core.accounts.propertyOf(rows.account(row)) : -1));
    for (let row = 0; row < rows.size; row++) {
      const state = rows.state(row);
      if (state === ROW_LIVE) {
        countRow(core, row, 1);
        postRow(core, row, 1);
      } else if (state === ROW_DELETED) deleted.push(row);
    }
    deleted.sort((a, b) => rows.foldedAt(a) - rows.foldedAt(b));
    for (const row of deleted) core.deletes.push(row, rows.foldedAt(row));
    core.deletes.count = deleted.length;
    this.#finished();
  }
}

/** One block with its numbers translated to the books' own, once for all its rows. */
class LoadedBlock {
  readonly #core: Core;
  readonly #columns: RowColumns;
  readonly #accounts: number[];
  readonly #partitions: number[];
  readonly #types: Uint32Array;
  readonly #longIds: Uint32Array;
  readonly #hashes = new Uint32Array(ROWS_PREFETCHED);

  /** `accounts`: own accounts by the number that rows name them by; the block's are added. */
  constructor(core: Core, columns: RowColumns, read: SegmentNumbers, accounts: number[]) {
    this.#core = core;
    this.#columns = columns;
    this.#longIds = new Uint32Array(columns.strings.length).fill(NO_TYPE);
    this.#types = new Uint32Array(columns.strings.length).fill(NO_TYPE);
    this.#partitions = columns.partitions.map((partition) => core.partitions.intern(partition));
    this.#accounts = accounts;
    this.#loadAccounts(columns.accounts, read);
  }

  /** Loads the rows `start` … `end` − 1. */
  load(start: number, end: number): void {
    const { table, keyKind, key } = this.#columns;
    for (let at = start; at < end; at++) {
      const first = this.#firstWord(keyKind[at], key, at);
      this.#hashes[at - start] = hashRow(table[at], keyKind[at], first, key[at * 4 + 1], key[at * 4 + 2], key[at * 4 + 3]);
    }
    this.#core.index.prefetch(this.#hashes, end - start);
    for (let at = start; at < end; at++) this.#load(at, this.#hashes[at - start]);
  }

  #load(at: number, hash: number): void {
    const { rows, index } = this.#core;
    const columns = this.#columns;
    const table = columns.table[at];
    const kind = columns.keyKind[at];
    const state = columns.state[at];
    const a = this.#firstWord(kind, columns.key, at);
    const b = columns.key[at * 4 + 1];
    const c = columns.key[at * 4 + 2];
    const d = columns.key[at * 4 + 3];
    let row = index.find(table, kind, a, b, c, d, hash);
    if (state === ROW_FORGOTTEN) {
      if (row < 0) return;
      index.remove(row, hash);
      rows.release(row);
      return;
    }
    if (row < 0) {
      row = rows.allocate();
      rows.setKey(row, keyBits(table, kind), a, b, c, d, ROW_LIVE);
      index.insert(row, hash);
      rows.setExported(row);
    }
    this.#write(row, at, table, state === ROW_LIVE);
  }

  #write(row: number, at: number, table: number, isLive: boolean): void {
    const { rows, accounts } = this.#core;
    const columns = this.#columns;
    rows.setState(row, isLive ? ROW_LIVE : ROW_DELETED);
    const account = isLive ? this.#accounts[columns.account[at]] : NO_ACCOUNT;
    const type = columns.expenseType[at] === NO_STRING ? NO_TYPE : this.#typeOf(columns.expenseType[at]);
    rows.setImage(row, account, columns.day[at], isLive ? columns.amount[at] : columns.foldedAt[at], type, (columns.flags[at] & FLAG_ROW) !== 0);
    if (isLive && table === TABLE_PROPERTIES) accounts.setDownPayment(account, columns.amount2[at]);
    rows.setPlace(row, this.#partitions[columns.partition[at]], columns.offset[at]);
    rows.storePosition(row, columns.position, at * POSITION_WORDS);
    rows.setCommitTime(row, columns.commitTime[at]);
  }

  #loadAccounts(columns: AccountColumns, read: SegmentNumbers): void {
    const { accounts } = this.#core;
    read.forEach(columns, (at) => this.#intern(columns, at), (account, at) => {
      this.#accounts.push(account);
      const owner = accounts.propertyOf(account);
      accounts.setChangedAt(owner, Math.max(accounts.changedAt(owner), columns.propertyLastChangedAt[at]));
      accounts.setChangedAt(account, Math.max(accounts.changedAt(account), columns.lastChangedAt[at]));
    });
  }

  #intern({ propertyKind, property, unitKind, unit }: AccountColumns, at: number): number {
    const { accounts } = this.#core;
    const owner = accounts.property(
      propertyKind[at], this.#firstWord(propertyKind[at], property, at), property[at * 4 + 1], property[at * 4 + 2], property[at * 4 + 3],
    );
    return unitKind[at] === ID_NONE ? owner : accounts.unit(
      owner, unitKind[at], this.#firstWord(unitKind[at], unit, at), unit[at * 4 + 1], unit[at * 4 + 2], unit[at * 4 + 3],
    );
  }

  #firstWord(kind: number, words: Uint32Array, at: number): number {
    const word = words[at * 4];
    if (kind !== ID_LONG) return word;
    if (this.#longIds[word] === NO_TYPE) this.#longIds[word] = this.#core.longIds.intern(this.#columns.strings[word]);
    return this.#longIds[word];
  }

  #typeOf(string: number): number {
    if (this.#types[string] === NO_TYPE) this.#types[string] = this.#core.types.intern(this.#columns.strings[string]);
    return this.#types[string];
  }
}
