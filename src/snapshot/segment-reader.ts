import type { RecordBatch, Schema } from 'apache-arrow';
import { RentfoldError } from '../errors.ts';
import { ID_LONG } from '../change/identifier.ts';
import type { AccountColumns, RowColumns } from '../ledger/ledger.ts';
import { NO_ACCOUNT } from '../ledger/row-layout.ts';
import { messageOf } from '../runtime/message-of.ts';
import { createColumns } from './account-table.ts';
import { batchesOf, schemaOf } from './arrow-file.ts';
import { Damage } from './damage.ts';
import { verifiedPieces, type FileEntry } from './file-entry.ts';
import { decodeAccounts, decodeRows } from './rows-codec.ts';
import { ACCOUNT_FIELDS, ACCOUNTS_FORMAT, fieldsText, ROW_FIELDS, ROWS_FORMAT, SEGMENT_VERSION } from './segment-schema.ts';
import type { SegmentEntry } from './segment.ts';
import type { Store } from './store.ts';

/**
 * Reads a segment back, one verified piece at a time: the blocks of a piece, self-contained, whose arrays are views into that piece's one
 * buffer. Accounts that no row names come last, in a block without rows. Throws `Damage`, or STORE_FOREIGN for a newer format.
 */
export async function* readSegment(store: Store, folder: string, entry: SegmentEntry): AsyncGenerator<RowColumns[]> {
  const accounts = new AccountPicker(entry.accounts.name, await readAccounts(store, folder, entry.accounts));
  const file = folder + entry.rows.name;
  let header: Uint8Array | null = null;
  let partitions: RowColumns['partitions'] = [];
  let rows = 0;
  for await (const piece of verifiedPieces(store, folder, entry.rows)) {
    if (header === null) {
      header = piece;
      partitions = partitionsOf(file, checkedSchema(file, header, ROWS_FORMAT, fieldsText(ROW_FIELDS)));
      continue;
    }
    const head = header;
    const blocks = orDamage(file, () => batchesOf(head, piece).filter((batch) => batch.numRows > 0)
      .flatMap((batch) => decodeRows(batch, partitions, NO_ACCOUNTS).map((block) => accounts.localise(file, block))));
    for (const block of blocks) rows += block.count;
    if (blocks.length > 0) yield blocks;
  }
  if (rows !== entry.rows.rows) throw new Damage(file, `the file holds ${rows} rows, the manifest says ${entry.rows.rows}`);
  const unnamed = accounts.unnamed(partitions);
  if (unnamed !== null) yield [unnamed];
}

async function readAccounts(store: Store, folder: string, entry: FileEntry): Promise<{ accounts: AccountColumns; strings: string[] }> {
  const file = folder + entry.name;
  let header: Uint8Array | null = null;
  const batches: RecordBatch[] = [];
  for await (const piece of verifiedPieces(store, folder, entry)) {
    const head = header;
    if (head !== null) batches.push(...orDamage(file, () => batchesOf(head, piece).filter((batch) => batch.numRows > 0)));
    else checkedSchema(file, header = piece, ACCOUNTS_FORMAT, fieldsText(ACCOUNT_FIELDS));
  }
  const read = orDamage(file, () => decodeAccounts(batches));
  if (read.accounts.count !== entry.rows) throw new Damage(file, `the file holds ${read.accounts.count} accounts, the manifest says ${entry.rows}`);
  return read;
}

/** The header's schema when it is the one this version writes. */
function checkedSchema(file: string, header: Uint8Array, format: string, fields: string): Schema {
  const schema = orDamage(file, () => schemaOf(header));
  const found = schema.metadata.get('rentfold.format');
  if (found !== format) throw new Damage(file, `the file is of kind ${found ?? 'unknown'} where ${format} is named`);
  const version = Number(schema.metadata.get('rentfold.version'));
  if (version > SEGMENT_VERSION) {
    throw new RentfoldError('STORE_FOREIGN', `${file} has format version ${version}, this rentfold reads up to ${SEGMENT_VERSION}: use the version that wrote it`);
  }
  if (fieldsText(schema.fields) !== fields) throw new Damage(file, `its columns are "${fieldsText(schema.fields)}", expected "${fields}"`);
  return schema;
}

function partitionsOf(file: string, schema: Schema): RowColumns['partitions'] {
  return orDamage(file, () => JSON.parse(schema.metadata.get('rentfold.partitions') ?? '') as RowColumns['partitions']);
}

function orDamage<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Damage) throw error;
    throw new Damage(file, `not readable as an Arrow file (${messageOf(error)})`);
  }
}

const NO_ACCOUNTS: AccountColumns = { count: 0, ...createColumns(0) };

/** Gives every block the accounts its rows name, numbered inside the block. */
class AccountPicker {
  readonly #segment: string;
  readonly #all: AccountColumns;
  readonly #strings: readonly string[];
  readonly #local: Int32Array;
  readonly #named: Uint8Array;

  constructor(segment: string, read: { accounts: AccountColumns; strings: string[] }) {
    this.#segment = segment;
    this.#all = read.accounts;
    this.#strings = read.strings;
    this.#local = new Int32Array(read.accounts.count).fill(-1);
    this.#named = new Uint8Array(read.accounts.count);
  }

  /** Replaces the segment's account numbers in `block.account`, in place. */
  localise(file: string, block: RowColumns): RowColumns {
    const picked: number[] = [];
    for (let i = 0; i < block.count; i++) {
      const account = block.account[i];
      if (account === NO_ACCOUNT) continue;
      if (account >= this.#all.count) throw new Damage(file, `row ${i} names account ${account} of ${this.#all.count}`);
      if (this.#local[account] < 0) this.#local[account] = picked.push(account) - 1;
      block.account[i] = this.#local[account];
    }
    for (const account of picked) this.#local[account] = -1;
    return this.#withAccounts(block, picked);
  }

  /** A block of the accounts that no row named, or null when there are none. */
  unnamed(partitions: RowColumns['partitions']): RowColumns | null {
    const picked: number[] = [];
    for (let i = 0; i < this.#all.count; i++) if (this.#named[i] === 0) picked.push(i);
    return picked.length === 0 ? null : this.#withAccounts(emptyBlock(partitions), picked);
  }

  #withAccounts(block: RowColumns, picked: readonly number[]): RowColumns {
    const columns = createColumns(picked.length);
    const strings = [...block.strings];
    const all = this.#all;
    picked.forEach((account, i) => {
      this.#named[account] = 1;
      columns.propertyKind[i] = all.propertyKind[account];
      columns.unitKind[i] = all.unitKind[account];
      columns.lastChangedAt[i] = all.lastChangedAt[account];
      columns.propertyLastChangedAt[i] = all.propertyLastChangedAt[account];
      this.#copyId(all.propertyKind[account], all.property, account * 4, columns.property, i * 4, strings);
      this.#copyId(all.unitKind[account], all.unit, account * 4, columns.unit, i * 4, strings);
    });
    const numbered = { segment: this.#segment, size: all.count, numbers: Uint32Array.from(picked) };
    return { ...block, accounts: { count: picked.length, ...columns, numbered }, strings };
  }

  #copyId(kind: number, from: Uint32Array, at: number, to: Uint32Array, toAt: number, strings: string[]): void {
    for (let k = 0; k < 4; k++) to[toAt + k] = from[at + k];
    if (kind === ID_LONG) to[toAt] = strings.push(this.#strings[from[at]]) - 1;
  }
}

/** A block without rows. */
function emptyBlock(partitions: RowColumns['partitions']): RowColumns {
  return {
    count: 0, table: new Uint8Array(0), state: new Uint8Array(0), keyKind: new Uint8Array(0), key: new Uint32Array(0), account: new Uint32Array(0), day: new Int32Array(0),
    amount: new Float64Array(0), amount2: new Float64Array(0), expenseType: new Uint16Array(0), flags: new Uint8Array(0), partition: new Uint16Array(0),
    offset: new Float64Array(0), position: new Uint32Array(0), commitTime: new Float64Array(0), foldedAt: new Float64Array(0), accounts: NO_ACCOUNTS, partitions, strings: [],
  };
}
