import { RentfoldError } from '../errors.ts';
import type { FigureColumns } from '../ledger/figure-columns.ts';
import { encodeParquet, noSums } from './parquet-encode.ts';
import { markWritten } from './parquet-copies.ts';
import type { ParquetLabels } from './parquet-labels.ts';
import type { ParquetMoney } from './parquet-schema.ts';
import type { Store } from './store.ts';

export interface ParquetJob {
  readonly name: string;
  /** Name of what says that rentfold has written the file. */
  readonly marker: string;
  /** Version tag that the file must still have; null: there must still be none. */
  readonly tag: string | null;
  readonly labels: ParquetLabels;
  readonly money: ParquetMoney;
}

export type ParquetWritten =
  | { readonly kind: 'written'; readonly bytes: number; readonly outOfRange: number; readonly cashOnCashOutOfRange: number }
  /** Somebody wrote the file since it was looked at; nothing is changed. */
  | { readonly kind: 'raced' };

/**
 * Writes the file in one conditional upload of the blocks as they come. It is in its place only when all of it is there: an error of the blocks, or
 * one account more or less than the labels say, leaves what was there.
 */
export async function writeParquet(store: Store, job: ParquetJob, blocks: AsyncIterable<FigureColumns>): Promise<ParquetWritten> {
  const sums = noSums();
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of encodeParquet(checked(blocks, job.labels.accounts), job.labels, job.money, sums)) {
      bytes += piece.length;
      yield piece;
    }
  }
  const tag = await store.replace(job.name, counted(), job.tag);
  if (tag === null) return { kind: 'raced' };
  // The file is there; whoever finds it there marks it, too.
  await markWritten(store, job).catch(() => undefined);
  return { kind: 'written', bytes, outOfRange: sums.outOfRange, cashOnCashOutOfRange: sums.cashOnCashOutOfRange };
}

async function* checked(blocks: AsyncIterable<FigureColumns>, accounts: number): AsyncGenerator<FigureColumns> {
  let count = 0;
  for await (const block of blocks) {
    count += block.count;
    yield block;
  }
  if (count !== accounts) throw new RentfoldError('UNEXPECTED', `the parquet file would hold ${count} accounts where ${accounts} are known`);
}
