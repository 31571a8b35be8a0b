import {
  FLAG_PARTIAL, FLAG_ROW, FLAG_SNAPSHOT, NO_DAY, NO_STRING, POSITION_WORDS, TABLE_EXPENSES, TABLE_PROPERTIES,
} from '../change/change.ts';
import type { ChangeBatch } from '../change/change.ts';
import { ID_LONG } from '../change/identifier.ts';
import { AccountLookahead, LOOKAHEAD_ENTRIES } from './account-lookahead.ts';
import type { Core } from './core.ts';
import type { RowKey } from './dead-letters.ts';
import type { RowImage } from './images.ts';
import type { Place } from './order.ts';
import { hashRow } from './row-index.ts';
import { NO_ACCOUNT, NO_TYPE } from './row-layout.ts';

const UNKNOWN = 0xffffffff;

/**
 * One entry of a batch in the books' own numbers: long identifiers, expense types and partitions are translated once per batch. One
 * object serves all entries: `read` moves it on.
 */
export class Entry implements RowKey, Place, RowImage {
  index = 0;
  batchPartition = 0;
  offset = 0;
  flags = 0;
  table = 0;
  keyKind = 0;
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  hash = 0;
  partition = 0;
  position: Uint32Array;
  positionAt = 0;
  commitTime = Number.NaN;
  account = NO_ACCOUNT;
  day = NO_DAY;
  amount = Number.NaN;
  amount2 = Number.NaN;
  type = NO_TYPE;
  flag = false;
  readonly batch: ChangeBatch;
  readonly #core: Core;
  readonly #partitions: number[];
  readonly #types: Uint32Array;
  readonly #longIds: Uint32Array;
  /** Of the keys of the group that is prepared, whose first entry is `#first`. */
  readonly #hashes = new Uint32Array(LOOKAHEAD_ENTRIES);
  #first = 0;
  readonly #accounts: AccountLookahead;

  constructor(core: Core, batch: ChangeBatch) {
    this.batch = batch;
    this.position = batch.position;
    this.#core = core;
    this.#partitions = batch.partitions.map((partition) => core.partitions.intern(partition));
    this.#types = new Uint32Array(batch.strings.length).fill(UNKNOWN);
    this.#longIds = new Uint32Array(batch.strings.length).fill(UNKNOWN);
    this.#accounts = new AccountLookahead(core, batch);
  }

  /** To be called before entries `first` … `end` − 1 are read, at most LOOKAHEAD_ENTRIES: has all they lead to fetched. */
  prepare(first: number, end: number): void {
    this.#first = first;
    this.#hashKeys(first, end);
    this.#accounts.look(first, end);
  }

  /** Moves on to entry `index`: its key, place and flags. */
  read(index: number): void {
    const batch = this.batch;
    this.index = index;
    this.batchPartition = batch.partitionOf[index];
    this.partition = this.#partitions[this.batchPartition];
    this.offset = batch.offset[index];
    this.flags = batch.flags[index];
    this.positionAt = index * POSITION_WORDS;
    this.commitTime = batch.commitTime[index];
    this.table = batch.table[index];
    this.keyKind = batch.keyKind[index];
    const at = index * 4;
    this.a = this.#firstWord(this.keyKind, batch.key, index);
    this.b = batch.key[at + 1];
    this.c = batch.key[at + 2];
    this.d = batch.key[at + 3];
    this.hash = this.#hashes[index - this.#first];
  }

  /** Reads the image too; its accounts are made if need be. A property's account is that of its own key. */
  readImage(): void {
    this.readColumns();
    this.account = this.table === TABLE_PROPERTIES
      ? this.#core.accounts.property(this.keyKind, this.a, this.b, this.c, this.d)
      : this.readUnit(this.readProperty());
  }

  /** Reads the image's columns without its account. Columns that the table does not have are as in a row without them. */
  readColumns(): void {
    const batch = this.batch;
    const index = this.index;
    const isProperty = this.table === TABLE_PROPERTIES;
    const type = this.table === TABLE_EXPENSES ? batch.expenseType[index] : NO_STRING;
    this.day = isProperty ? NO_DAY : batch.day[index];
    this.amount = batch.amount[index];
    this.amount2 = isProperty ? batch.amount2[index] : Number.NaN;
    this.type = type === NO_STRING ? NO_TYPE : this.#typeOf(type);
    this.flag = !isProperty && (this.flags & FLAG_ROW) !== 0;
  }

  /** The account of the property the entry names. */
  readProperty(): number {
    const known = this.#accounts.property(this.index);
    if (known >= 0) return known;
    const { propertyKind, property } = this.batch;
    const at = this.index * 4;
    const kind = propertyKind[this.index];
    return this.#core.accounts.property(kind, this.#firstWord(kind, property, this.index), property[at + 1], property[at + 2], property[at + 3]);
  }

  /** The account of the unit the entry names, within a property. */
  readUnit(property: number): number {
    const known = this.#accounts.unit(this.index, property);
    if (known >= 0) return known;
    const { unitKind, unit } = this.batch;
    const at = this.index * 4;
    const kind = unitKind[this.index];
    return this.#core.accounts.unit(property, kind, this.#firstWord(kind, unit, this.index), unit[at + 1], unit[at + 2], unit[at + 3]);
  }

  get isPartial(): boolean {
    return (this.flags & FLAG_PARTIAL) !== 0;
  }

  get isSnapshot(): boolean {
    return (this.flags & FLAG_SNAPSHOT) !== 0;
  }

  /** Hashes keys ahead, and has the rows they lead to fetched. */
  #hashKeys(first: number, end: number): void {
    const { table, keyKind, key } = this.batch;
    for (let index = first; index < end; index++) {
      const word = this.#firstWord(keyKind[index], key, index);
      this.#hashes[index - first] = hashRow(table[index], keyKind[index], word, key[index * 4 + 1], key[index * 4 + 2], key[index * 4 + 3]);
    }
    this.#core.index.prefetch(this.#hashes, end - first);
  }

  #firstWord(kind: number, words: Uint32Array, index: number): number {
    return kind === ID_LONG ? this.#longId(words[index * 4]) : words[index * 4];
  }

  #longId(string: number): number {
    if (this.#longIds[string] === UNKNOWN) this.#longIds[string] = this.#core.longIds.intern(this.batch.strings[string]);
    return this.#longIds[string];
  }

  #typeOf(string: number): number {
    if (this.#types[string] === UNKNOWN) this.#types[string] = this.#core.types.intern(this.batch.strings[string]);
    return this.#types[string];
  }
}
