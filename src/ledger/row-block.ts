import { ColumnMemory } from '../change/column-memory.ts';
import { FLAG_ROW, NO_DAY, NO_STRING, POSITION_WORDS, TABLE_PROPERTIES } from '../change/change.ts';
import { ID_LONG } from '../change/identifier.ts';
import type { TopicPartition } from '../source/positions.ts';
import type { Core } from './core.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';
import type { AccountColumns, RowColumns } from './ledger.ts';
import { NO_ACCOUNT, NO_TYPE } from './row-layout.ts';
import type { RowStore } from './row-store.ts';

/** A block that has this many texts takes no more rows: a type's number must fit sixteen bits. */
const STRINGS_MAX = 60_000;

/** Two times, two identifiers with their kinds. */
const BYTES_PER_ACCOUNT = 2 * 8 + 2 * (4 * 4 + 1);

/** Gathers rows, and the accounts that no earlier block of the cut holds, into one block of columns. */
export class RowBlock {
  count = 0;
  readonly #core: Core;
  readonly #times: Float64Array;
  readonly #rowsMax: number;
  readonly #columns: ReturnType<typeof createColumns>;
  readonly #accounts: AccountNumbers;
  readonly #partitions = new LocalNumbers<number>();
  readonly #strings = new LocalNumbers<string>();

  /** `times`: when each account was last changed, as it was when the cut began. `accounts` serves the cut's blocks one after the other; what is numbered until `finish` comes with the block. */
  constructor(core: Core, times: Float64Array, accounts: AccountNumbers, rowsMax: number) {
    this.#core = core;
    this.#times = times;
    this.#accounts = accounts;
    accounts.begin();
    this.#rowsMax = rowsMax;
    this.#columns = createColumns(rowsMax);
  }

  /** No further row fits: enough rows, or so many texts that a type's number might not fit its column. */
  get isFull(): boolean {
    return this.count === this.#rowsMax || this.#strings.items.length > STRINGS_MAX;
  }

  /** Adds row `row` of `store`, which is the books' own or holds copies; `amount2` is a property's down payment. */
  add(store: RowStore, row: number, amount2: number): void {
    const columns = this.#columns;
    const at = this.count++;
    const state = store.state(row);
    const isLive = state === ROW_LIVE;
    const type = isLive ? store.type(row) : NO_TYPE;
    columns.table[at] = store.table(row);
    columns.state[at] = state;
    columns.keyKind[at] = store.keyKind(row);
    for (let word = 0; word < 4; word++) columns.key[at * 4 + word] = store.keyWord(row, word);
    if (columns.keyKind[at] === ID_LONG) columns.key[at * 4] = this.#strings.of(this.#core.longIds.text(store.keyWord(row, 0)));
    columns.account[at] = isLive ? this.#accounts.of(store.account(row)) : NO_ACCOUNT;
    columns.day[at] = isLive ? store.day(row) : NO_DAY;
    columns.amount[at] = isLive ? store.amount(row) : Number.NaN;
    columns.amount2[at] = isLive && columns.table[at] === TABLE_PROPERTIES ? amount2 : Number.NaN;
    columns.expenseType[at] = type === NO_TYPE ? NO_STRING : this.#strings.of(this.#core.types.text(type) ?? '');
    columns.flags[at] = isLive && store.flag(row) ? FLAG_ROW : 0;
    columns.partition[at] = this.#partitions.of(store.partition(row));
    columns.foldedAt[at] = state === ROW_DELETED ? store.foldedAt(row) : Number.NaN;
    if (state === ROW_FORGOTTEN) {
      columns.commitTime[at] = Number.NaN;
      return;
    }
    columns.offset[at] = store.offset(row);
    columns.commitTime[at] = store.commitTime(row);
    store.loadPosition(row, columns.position, at * POSITION_WORDS);
  }

  finish(): RowColumns {
    const count = this.count;
    const accounts = this.#finishAccounts();
    const columns = this.#columns;
    const trim = <T extends { slice(start: number, end: number): T }>(column: T, width: number): T =>
      count === this.#rowsMax ? column : column.slice(0, count * width);
    return {
      count,
      table: trim(columns.table, 1), state: trim(columns.state, 1), keyKind: trim(columns.keyKind, 1), key: trim(columns.key, 4),
      account: trim(columns.account, 1), day: trim(columns.day, 1), amount: trim(columns.amount, 1), amount2: trim(columns.amount2, 1),
      expenseType: trim(columns.expenseType, 1), flags: trim(columns.flags, 1), partition: trim(columns.partition, 1),
      offset: trim(columns.offset, 1), position: trim(columns.position, POSITION_WORDS), commitTime: trim(columns.commitTime, 1),
      foldedAt: trim(columns.foldedAt, 1),
      accounts,
      partitions: this.#partitions.items.map((partition): TopicPartition => this.#core.partitions.get(partition)),
      strings: this.#strings.items,
    };
  }

  #finishAccounts(): AccountColumns {
    const { accounts } = this.#core;
    const { items, earlier } = this.#accounts;
    const count = items.length;
    const memory = new ColumnMemory(count, BYTES_PER_ACCOUNT);
    const columns = {
      count, earlier, lastChangedAt: memory.doubles(), propertyLastChangedAt: memory.doubles(), property: memory.words(4), unit: memory.words(4),
      propertyKind: memory.bytes(), unitKind: memory.bytes(),
    };
    for (let at = 0; at < count; at++) {
      const account = items[at];
      const property = accounts.propertyOf(account);
      columns.propertyKind[at] = this.#copyIdentifier(property, columns.property, at);
      if (account !== property) columns.unitKind[at] = this.#copyIdentifier(account, columns.unit, at);
      columns.lastChangedAt[at] = this.#times[account];
      columns.propertyLastChangedAt[at] = this.#times[property];
    }
    return columns;
  }

  /** Copies the identifier of an account into words; answers its kind. */
  #copyIdentifier(account: number, words: Uint32Array, at: number): number {
    const kind = this.#core.accounts.identifier(account, words, at * 4);
    if (kind === ID_LONG) words[at * 4] = this.#strings.of(this.#core.longIds.text(words[at * 4]));
    return kind;
  }
}

/** Five doubles, two words besides key and position, two shorts, four bytes. */
const BYTES_PER_ROW = 5 * 8 + (2 + 4 + POSITION_WORDS) * 4 + 2 * 2 + 4;

function createColumns(rowsMax: number) {
  const memory = new ColumnMemory(rowsMax, BYTES_PER_ROW);
  return {
    amount: memory.doubles(), amount2: memory.doubles(), offset: memory.doubles(), commitTime: memory.doubles(), foldedAt: memory.doubles(),
    key: memory.words(4), account: memory.words(1), position: memory.words(POSITION_WORDS), day: memory.integers(), expenseType: memory.shorts(), partition: memory.shorts(),
    table: memory.bytes(), state: memory.bytes(), keyKind: memory.bytes(), flags: memory.bytes(),
  };
}

/** Numbers the accounts of a cut in order of arrival: nearly every row names another one, so they stand in an array and not in a map. */
export class AccountNumbers {
  /** The accounts that came with the block at hand. */
  items: number[] = [];
  /** Accounts of the blocks before it. */
  earlier = 0;
  /** Number plus one, by account. */
  readonly #given: Uint32Array;

  /** For accounts 0 … `accounts` − 1. */
  constructor(accounts: number) {
    this.#given = new Uint32Array(accounts);
  }

  /** Begins a block. */
  begin(): void {
    this.earlier += this.items.length;
    this.items = [];
  }

  /** The account's number in the cut. */
  of(account: number): number {
    if (this.#given[account] === 0) this.#given[account] = this.earlier + this.items.push(account);
    return this.#given[account] - 1;
  }
}

/** Numbers within one block, in order of arrival. */
class LocalNumbers<T> {
  readonly items: T[] = [];
  readonly #numbers = new Map<T, number>();

  of(item: T): number {
    const known = this.#numbers.get(item);
    if (known !== undefined) return known;
    this.#numbers.set(item, this.items.length);
    return this.items.push(item) - 1;
  }
}
