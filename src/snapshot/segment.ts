import type { RowColumns } from '../ledger/ledger.ts';
import { partitionName, type TopicPartition } from '../source/positions.ts';
import { AccountTable } from './account-table.ts';
import { ArrowFileWriter } from './arrow-file.ts';
import { createOwn, FileSummary, type FileEntry } from './file-entry.ts';
import { RowBatch, type EncodedBlock } from './row-batch.ts';
import { encodeAccounts } from './rows-codec.ts';
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

/** Rows of a record batch: as many as a small checkpoint needs, then twice as many each time. A batch is a piece of the file, of about 4 MB at most. */
const BATCH_ROWS_FIRST = 4_096;
const BATCH_ROWS_MAX = 32_768;
const ACCOUNTS_PER_BATCH = 65_536;

const encoder = new TextEncoder();

/**
 * Writes the rows of all blocks as they come, then their accounts, and answers both files once they are durable. Memory is bounded by one
 * piece and the accounts. A block's arrays are no longer used once the next block is asked for.
 */
export async function writeSegment(store: Store, target: SegmentTarget, blocks: AsyncIterable<RowColumns>): Promise<SegmentEntry> {
  const accounts = new AccountTable();
  const summary = new FileSummary();
  let rows = 0;
  async function* rowsContent(): AsyncGenerator<Uint8Array> {
    const file = new ArrowFileWriter(rowsSchema(target.partitions));
    yield summary.piece(file.header());
    const partitions = new Map(target.partitions.map((p, i) => [partitionName(p), i]));
    let capacity = BATCH_ROWS_FIRST;
    let batch = new RowBatch(capacity);
    for await (const block of blocks) {
      rows += block.count;
      const encoded = encodedBlock(block, accounts, partitions);
      for (let at = 0; at < block.count;) {
        at = batch.add(encoded, at);
        if (!batch.isFull) continue;
        yield summary.piece(file.batch(batch.count, batch.data()));
        if (capacity < BATCH_ROWS_MAX) batch = new RowBatch(capacity *= 2);
        else batch.clear();
      }
    }
    if (batch.count > 0) yield summary.piece(file.batch(batch.count, batch.data()));
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

/** Numbers all accounts of the block in the segment, also those that no row names. */
function encodedBlock(block: RowColumns, table: AccountTable, partitions: ReadonlyMap<string, number>): EncodedBlock {
  const accounts = table.add(block.accounts, block.strings);
  const texts: (Uint8Array | undefined)[] = [];
  return {
    rows: block, accounts, accountsNamed: accounts?.length ?? table.count, partitions: block.partitions.map((p) => partitions.get(partitionName(p)) ?? -1),
    text: (index) => texts[index] ??= encoder.encode(block.strings[index]),
  };
}
