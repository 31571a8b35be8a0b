import { DateDay, Field, FixedSizeList, Float64, makeData, Uint16, Uint32, Uint8, Utf8, type Data } from 'apache-arrow';
import { NO_DAY, NO_STRING, POSITION_WORDS } from '../change/change.ts';
import type { RowColumns } from '../ledger/ledger.ts';
import { NO_ACCOUNT } from '../ledger/row-layout.ts';
import { assertWritten } from './file-entry.ts';
import { validity } from './rows-codec.ts';
import { TextColumn } from './text-column.ts';

const KEY_BYTES = 36;
const TYPE_BYTES = 12;
/** Types and long keys have no length of their own that is common: a batch of them ends here. */
const TEXT_BYTES_MAX = 4 << 20;

/** A block with what its own numbers mean in the segment. */
export interface EncodedBlock {
  readonly rows: RowColumns;
  /** Numbers of accounts by the block's; null: they are the same. */
  readonly accounts: Uint32Array | null;
  /** Accounts that the block's rows may name. */
  readonly accountsNamed: number;
  /** Indexes into the file's list by the block's; -1 for a partition that is not in it. */
  readonly partitions: readonly number[];
  /** Bytes of a text of the block. */
  readonly text: (index: number) => Uint8Array;
}

/** Rows of blocks gathered into the columns of one record batch of a rows file, as Arrow keeps them. The memory serves one batch after the other. */
export class RowBatch {
  count = 0;
  readonly #capacity: number;
  readonly #columns: ReturnType<typeof createColumns>;
  readonly #keys: TextColumn;
  readonly #types: TextColumn;

  /** For at most so many rows. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#columns = createColumns(capacity);
    this.#keys = new TextColumn(capacity, KEY_BYTES);
    this.#types = new TextColumn(capacity, TYPE_BYTES);
  }

  /** No room for another row: enough rows, or enough text. */
  get isFull(): boolean {
    return this.count === this.#capacity || this.#keys.length + this.#types.length >= TEXT_BYTES_MAX;
  }

  /** Adds as many rows of a block, from row `from` on, as there is room for; answers where it stopped. It must not be full. */
  add(block: EncodedBlock, from: number): number {
    const { rows } = block;
    const to = Math.min(rows.count, from + this.#capacity - this.count);
    const columns = this.#columns;
    const at = this.count;
    for (const name of COPIED) columns[name].set(rows[name].subarray(from, to), at);
    columns.position.set(rows.position.subarray(from * POSITION_WORDS, to * POSITION_WORDS), at * POSITION_WORDS);
    this.#number(block, from, to);
    for (let i = from; i < to; i++) {
      this.#keys.appendIdentifier(rows.keyKind[i], rows.key, i * 4, block.text);
      const type = rows.expenseType[i];
      columns.hasType[at + i - from] = type === NO_STRING ? 0 : 1;
      if (type === NO_STRING) this.#types.appendNothing();
      else this.#types.append(block.text(type));
      this.count++;
      if (this.isFull) return i + 1;
    }
    return to;
  }

  /** Arrow's columns, views that last until `clear`. */
  data(): Data[] {
    const n = this.count;
    const { table, state, account, day, amount, amount2, flags, partition, offset, position, commitTime, foldedAt, hasType } = this.#columns;
    const keys = this.#keys;
    const types = this.#types;
    const words = makeData({ type: new Uint32(), length: n * POSITION_WORDS, nullCount: 0, data: position.subarray(0, n * POSITION_WORDS) });
    return [
      makeData({ type: new Uint8(), length: n, nullCount: 0, data: table.subarray(0, n) }),
      makeData({ type: new Uint8(), length: n, nullCount: 0, data: state.subarray(0, n) }),
      makeData({ type: new Utf8(), length: n, nullCount: 0, valueOffsets: keys.offsets.subarray(0, n + 1), data: keys.bytes }),
      makeData({ type: new Uint32(), length: n, ...validity(n, (i) => account[i] !== NO_ACCOUNT), data: account.subarray(0, n) }),
      makeData({ type: new DateDay(), length: n, ...validity(n, (i) => day[i] !== NO_DAY), data: day.subarray(0, n) }),
      float(amount, n),
      float(amount2, n),
      makeData({ type: new Utf8(), length: n, ...validity(n, (i) => hasType[i] === 1), valueOffsets: types.offsets.subarray(0, n + 1), data: types.bytes }),
      makeData({ type: new Uint8(), length: n, nullCount: 0, data: flags.subarray(0, n) }),
      makeData({ type: new Uint16(), length: n, nullCount: 0, data: partition.subarray(0, n) }),
      makeData({ type: new Float64(), length: n, nullCount: 0, data: offset.subarray(0, n) }),
      makeData({ type: new FixedSizeList(POSITION_WORDS, new Field('word', new Uint32(), false)), length: n, nullCount: 0, child: words }),
      float(commitTime, n),
      float(foldedAt, n),
    ];
  }

  /** Begins the next batch, in the same memory. */
  clear(): void {
    this.count = 0;
    this.#keys.clear();
    this.#types.clear();
  }

  #number({ rows, accounts, accountsNamed, partitions }: EncodedBlock, from: number, to: number): void {
    const columns = this.#columns;
    for (let i = from, at = this.count; i < to; i++, at++) {
      const account = rows.account[i];
      assertWritten(account < accountsNamed || account === NO_ACCOUNT, `row ${i} names account ${account} of ${accountsNamed}`);
      columns.account[at] = accounts === null || account === NO_ACCOUNT ? account : accounts[account];
      const partition = partitions[rows.partition[i]] ?? -1;
      assertWritten(partition >= 0, `row ${i} came from a partition without a position`);
      columns.partition[at] = partition;
    }
  }
}

/** Columns that hold what the block's do. */
const COPIED = ['table', 'state', 'day', 'amount', 'amount2', 'flags', 'offset', 'commitTime', 'foldedAt'] as const;

function createColumns(rows: number) {
  return {
    table: new Uint8Array(rows), state: new Uint8Array(rows), account: new Uint32Array(rows), day: new Int32Array(rows), amount: new Float64Array(rows), amount2: new Float64Array(rows),
    hasType: new Uint8Array(rows), flags: new Uint8Array(rows), partition: new Uint16Array(rows), offset: new Float64Array(rows), position: new Uint32Array(rows * POSITION_WORDS),
    commitTime: new Float64Array(rows), foldedAt: new Float64Array(rows),
  };
}

function float(column: Float64Array, count: number): Data<Float64> {
  return makeData({ type: new Float64(), length: count, ...validity(count, (i) => !Number.isNaN(column[i])), data: column.subarray(0, count) });
}
