import type { RowColumns } from '../ledger/ledger.ts';
import { partitionName, type TopicPartition } from '../source/positions.ts';
import { AccountTable } from './account-table.ts';
import { ArrowFileWriter } from './arrow-file.ts';
import { assertWritten, createOwn, FileSummary, type FileEntry } from './file-entry.ts';
import { BLOCK_ROWS_MAX, encodeAccounts, encodeRows, NO_ACCOUNT } from './rows-codec.ts';
import { accountsSchema, rowsSchema } from './segment-schema.ts';
import type { Store } from './store.ts';

/** A segment of the ledger: rows changed in one checkpoint (`delta`), or all of them (`base`), and their accounts. Immutable. */
export interface SegmentEntry {
  readonly kind: 'base' | 'delta';
  readonly rows: FileEntry;
  readonly accounts: FileEntry;
}

/** Where a segment goes. */
export interface SegmentTarget {
  readonly kind: SegmentEntry['kind'];
  /** Folder of the lineage, ending in `/`. */
  readonly folder: string;
  readonly rowsName: string;
  readonly accountsName: string;
  /** Every partition that a row may have come from. */
  readonly partitions: readonly TopicPartition[];
}

/** Record batches are gathered to pieces of about this size. */
const PIECE_BYTES = 8 << 20;
const ACCOUNTS_PER_BATCH = 65_536;

/**
 * Writes the rows of all blocks as they come, then their accounts, and answers both files once they are durable. Memory is bounded by one
 * piece and the accounts. The blocks' arrays are used up.
 */
export async function writeSegment(store: Store, target: SegmentTarget, blocks: AsyncIterable<RowColumns>): Promise<SegmentEntry> {
  const accounts = new AccountTable();
  const summary = new FileSummary();
  let rows = 0;
  async function* rowsContent(): AsyncGenerator<Uint8Array> {
    const file = new ArrowFileWriter(rowsSchema(target.partitions));
    yield summary.piece(file.header());
    const piece = new PieceBuffer();
    const partitionNumbers = new Map(target.partitions.map((p, i) => [partitionName(p), i]));
    for await (const block of blocks) {
      assertWritten(block.count <= BLOCK_ROWS_MAX, `a block of ${block.count} rows is longer than ${BLOCK_ROWS_MAX}`);
      rows += block.count;
      const fitted = fitToCount(block);
      const data = encodeRows(fitted, segmentAccounts(fitted, accounts), segmentPartitions(fitted, partitionNumbers));
      if (block.count > 0) piece.add(file.batch(block.count, data));
      if (piece.bytes >= PIECE_BYTES) yield summary.piece(piece.take());
    }
    if (piece.bytes > 0) yield summary.piece(piece.take());
    yield summary.piece(file.footer());
  }
  const rowsEntry = await createOwn(store, target.folder, rowsContent(), target.rowsName, () => summary.entry(target.rowsName, rows));
  return { kind: target.kind, rows: rowsEntry, accounts: await writeAccounts(store, target, accounts) };
}

async function writeAccounts(store: Store, target: SegmentTarget, table: AccountTable): Promise<FileEntry> {
  const summary = new FileSummary();
  const { accounts, strings } = table;
  async function* content(): AsyncGenerator<Uint8Array> {
    const file = new ArrowFileWriter(accountsSchema());
    yield summary.piece(file.header());
    for (let from = 0; from < accounts.count; from += ACCOUNTS_PER_BATCH) {
      const to = Math.min(accounts.count, from + ACCOUNTS_PER_BATCH);
      yield summary.piece(file.batch(to - from, encodeAccounts({
        count: to - from,
        propertyKind: accounts.propertyKind.subarray(from, to), property: accounts.property.subarray(from * 4, to * 4),
        unitKind: accounts.unitKind.subarray(from, to), unit: accounts.unit.subarray(from * 4, to * 4),
        lastChangedAt: accounts.lastChangedAt.subarray(from, to), propertyLastChangedAt: accounts.propertyLastChangedAt.subarray(from, to),
      }, strings)));
    }
    yield summary.piece(file.footer());
  }
  return createOwn(store, target.folder, content(), target.accountsName, () => summary.entry(target.accountsName, accounts.count));
}

/** The block with arrays of exactly its length. */
function fitToCount(block: RowColumns): RowColumns {
  const n = block.count;
  if (block.table.length === n) return block;
  return {
    ...block, table: block.table.subarray(0, n), state: block.state.subarray(0, n), keyKind: block.keyKind.subarray(0, n), account: block.account.subarray(0, n),
    day: block.day.subarray(0, n), amount: block.amount.subarray(0, n), amount2: block.amount2.subarray(0, n), expenseType: block.expenseType.subarray(0, n),
    flags: block.flags.subarray(0, n), partition: block.partition.subarray(0, n), offset: block.offset.subarray(0, n),
    commitTime: block.commitTime.subarray(0, n), foldedAt: block.foldedAt.subarray(0, n), position: block.position.subarray(0, n * 7), key: block.key.subarray(0, n * 4),
  };
}

/** Numbers all accounts of the block in the segment, also those that no row names; answers the number per row. */
function segmentAccounts(block: RowColumns, table: AccountTable): Uint32Array {
  const numbers = new Uint32Array(block.accounts.count);
  for (let i = 0; i < numbers.length; i++) numbers[i] = table.add(block.accounts, i, block.strings);
  const perRow = new Uint32Array(block.count);
  for (let i = 0; i < perRow.length; i++) {
    const account = block.account[i];
    assertWritten(account === NO_ACCOUNT || account < numbers.length, `row ${i} names account ${account} of ${numbers.length}`);
    perRow[i] = account === NO_ACCOUNT ? NO_ACCOUNT : numbers[account];
  }
  return perRow;
}

function segmentPartitions(block: RowColumns, numbers: ReadonlyMap<string, number>): Uint16Array {
  const perBlock = block.partitions.map((p) => numbers.get(partitionName(p)) ?? -1);
  const perRow = new Uint16Array(block.count);
  for (let i = 0; i < perRow.length; i++) {
    const number = perBlock[block.partition[i]] ?? -1;
    assertWritten(number >= 0, `row ${i} came from a partition without a position`);
    perRow[i] = number;
  }
  return perRow;
}

/** Batches on their way into one piece. */
class PieceBuffer {
  bytes = 0;
  #batches: Uint8Array[] = [];

  add(batch: Uint8Array): void {
    this.#batches.push(batch);
    this.bytes += batch.length;
  }

  take(): Uint8Array {
    const bytes = this.#batches.length === 1 ? this.#batches[0] : new Uint8Array(Buffer.concat(this.#batches));
    this.#batches = [];
    this.bytes = 0;
    return bytes;
  }
}
