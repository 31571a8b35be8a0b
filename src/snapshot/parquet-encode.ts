import { ExactSum } from '../ledger/exact.ts';
import { TOTAL_NAMES, type FigureColumns } from '../ledger/figure-columns.ts';
import { groupColumns } from './parquet-columns.ts';
import { labelsToMetadata, type ParquetLabels, type ParquetSums } from './parquet-labels.ts';
import type { ParquetMoney } from './parquet-schema.ts';
import { ColumnarParquetWriter } from './parquet-writer.ts';

/** Most accounts in a row group: parquetjs joins the columns of a group one by one, which costs the square of its size. */
const GROUP_ACCOUNTS = 5_000;

const REVENUE = TOTAL_NAMES.indexOf('totalRevenue');
const RENT = TOTAL_NAMES.indexOf('rent');
const EXPENSES = TOTAL_NAMES.indexOf('expenses');

/**
 * The file, piece by piece as blocks come: memory is bounded by one row group, and the footer's entries (about 2 kB a group). `sums` are filled on
 * the way. Waits for the next block only when the last piece was taken.
 */
export async function* encodeParquet(blocks: AsyncIterable<FigureColumns>, labels: ParquetLabels, money: ParquetMoney, sums: ParquetSums): AsyncGenerator<Uint8Array> {
  const writer = new ColumnarParquetWriter(money);
  const counted = new BlockSums(sums);
  for await (const block of blocks) {
    counted.add(block);
    for (let from = 0; from < block.count; from += GROUP_ACCOUNTS) {
      const to = Math.min(block.count, from + GROUP_ACCOUNTS);
      yield await writer.group(to - from, groupColumns(block, from, to, money, labels.cutAt));
    }
  }
  counted.finish();
  yield writer.end(labelsToMetadata(labels, sums, money));
}

/** Nothing counted yet. */
export function noSums(): ParquetSums {
  return { accounts: 0, outOfRange: 0, cashOnCashOutOfRange: 0, totalRevenue: 0n, rent: 0n, expenses: 0n };
}

class BlockSums {
  readonly #sums: ParquetSums;
  readonly #revenue = new ExactSum();
  readonly #rent = new ExactSum();
  readonly #expenses = new ExactSum();

  constructor(sums: ParquetSums) {
    this.#sums = sums;
  }

  add({ count, outOfRange, cashOnCashOutOfRange, unitKind, cumulative }: FigureColumns): void {
    this.#sums.accounts += count;
    this.#sums.outOfRange += outOfRange;
    this.#sums.cashOnCashOutOfRange += cashOnCashOutOfRange;
    for (let i = 0; i < count; i++) {
      if (unitKind[i] !== 0 || Number.isNaN(cumulative[REVENUE][i])) continue;
      this.#revenue.add(cumulative[REVENUE][i]);
      this.#rent.add(cumulative[RENT][i]);
      this.#expenses.add(cumulative[EXPENSES][i]);
    }
  }

  finish(): void {
    this.#sums.totalRevenue = this.#revenue.value;
    this.#sums.rent = this.#rent.value;
    this.#sums.expenses = this.#expenses.value;
  }
}
