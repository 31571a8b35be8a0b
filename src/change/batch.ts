import type { BatchLetter, BatchPartition, BatchStop, ChangeBatch, DeadLetter, IncompletePieces, JoinedPieces, RecordPlace, SeenTables } from './change.ts';
import { Entries } from './entries.ts';
import type { ExpenseTypes } from './expense-types.ts';
import { ID_LONG } from './identifier.ts';

/** Gathers one `ChangeBatch`. */
export class BatchBuilder {
  /** Entries so far. */
  count = 0;
  entries: Entries;
  readonly types: ExpenseTypes;
  readonly #letters: BatchLetter[] = [];
  readonly #joined: JoinedPieces[] = [];
  #incomplete: readonly IncompletePieces[] = [];
  readonly #long: string[] = [];
  readonly #longIndex = new Map<string, number>();
  #capacity: number;

  /** Makes room for `records` entries; more is made when primary-key changes ask for it. */
  constructor(records: number, types: ExpenseTypes) {
    this.#capacity = Math.max(1, records);
    this.entries = new Entries(this.#capacity);
    this.types = types;
    types.begin();
  }

  /** Index of a long identifier's text; `finish` moves it behind the expense types. */
  readonly internLong = (text: string): number => {
    let index = this.#longIndex.get(text);
    if (index === undefined) this.#longIndex.set(text, (index = this.#long.push(text) - 1));
    return index;
  };

  /** Text of a long identifier of this batch. */
  readonly longText = (index: number): string => this.#long[index];

  /** Adds an entry and returns its index. */
  add(kind: number, partition: number, offset: number): number {
    if (this.count === this.#capacity) {
      const wider = new Entries(2 * this.#capacity);
      wider.copy(this.entries);
      this.entries = wider;
      this.#capacity *= 2;
    }
    const entry = this.count++;
    this.entries.kind[entry] = kind;
    this.entries.partitionOf[entry] = partition;
    this.entries.offset[entry] = offset;
    return entry;
  }

  /** Keeps the dead letter of an entry, or one that stands by. */
  addLetter(entry: number, letter: DeadLetter): void {
    this.#letters.push({ entry, letter });
  }

  /** Notes that the entry added last is an event joined from these pieces and its own record. */
  addJoined(event: string, pieces: readonly RecordPlace[]): void {
    this.#joined.push({ entry: this.count - 1, event, pieces });
  }

  /** Notes what is known now of events that are not whole. */
  setIncomplete(incomplete: readonly IncompletePieces[]): void {
    this.#incomplete = incomplete;
  }

  /** The batch. The builder is done with. */
  finish(records: number, partitions: readonly BatchPartition[], seenTables: SeenTables | null, stop: BatchStop | null): ChangeBatch {
    const types = this.types.texts;
    const { entries } = this;
    if (this.#long.length > 0) {
      for (let entry = 0; entry < this.count; entry++) {
        if (entries.keyKind[entry] === ID_LONG) entries.key[4 * entry] += types.length;
        if (entries.propertyKind[entry] === ID_LONG) entries.property[4 * entry] += types.length;
        if (entries.unitKind[entry] === ID_LONG) entries.unit[4 * entry] += types.length;
      }
    }
    return {
      records, count: this.count, partitions, strings: [...types, ...this.#long], letters: this.#letters, seenTables, stop,
      ...(this.#joined.length === 0 ? {} : { joined: this.#joined }), ...(this.#incomplete.length === 0 ? {} : { incomplete: this.#incomplete }),
      partitionOf: entries.partitionOf, offset: entries.offset, kind: entries.kind, detail: entries.detail, table: entries.table, flags: entries.flags, present: entries.present,
      keyKind: entries.keyKind, key: entries.key, propertyKind: entries.propertyKind, property: entries.property, unitKind: entries.unitKind, unit: entries.unit,
      day: entries.day, amount: entries.amount, amount2: entries.amount2, expenseType: entries.expenseType, position: entries.position, commitTime: entries.commitTime,
    };
  }
}
