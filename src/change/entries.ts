import { ColumnMemory } from './column-memory.ts';
import { NO_DAY, NO_STRING, POSITION_WORDS, TABLE_NONE } from './change.ts';

/** Four doubles, thirteen words and the position, two shorts, eight bytes. */
const BYTES_PER_ENTRY = 4 * 8 + (13 + POSITION_WORDS) * 4 + 2 * 2 + 8;

/** The columns of a `ChangeBatch` while it is being filled (see there for what they mean). An entry not yet written has no table, key or values. */
export class Entries {
  readonly partitionOf: Uint16Array;
  readonly offset: Float64Array;
  readonly kind: Uint8Array;
  readonly detail: Uint8Array;
  readonly table: Uint8Array;
  readonly flags: Uint8Array;
  readonly present: Uint8Array;
  readonly keyKind: Uint8Array;
  readonly key: Uint32Array;
  readonly propertyKind: Uint8Array;
  readonly property: Uint32Array;
  readonly unitKind: Uint8Array;
  readonly unit: Uint32Array;
  readonly day: Int32Array;
  readonly amount: Float64Array;
  readonly amount2: Float64Array;
  readonly expenseType: Uint16Array;
  readonly position: Uint32Array;
  readonly commitTime: Float64Array;

  constructor(size: number) {
    const memory = new ColumnMemory(size, BYTES_PER_ENTRY);
    this.offset = memory.doubles();
    this.amount = memory.doubles().fill(Number.NaN);
    this.amount2 = memory.doubles().fill(Number.NaN);
    this.commitTime = memory.doubles().fill(Number.NaN);
    this.key = memory.words(4);
    this.property = memory.words(4);
    this.unit = memory.words(4);
    this.position = memory.words(POSITION_WORDS);
    this.day = memory.integers().fill(NO_DAY);
    this.partitionOf = memory.shorts();
    this.expenseType = memory.shorts().fill(NO_STRING);
    this.kind = memory.bytes();
    this.detail = memory.bytes();
    this.table = memory.bytes().fill(TABLE_NONE);
    this.flags = memory.bytes();
    this.present = memory.bytes();
    this.keyKind = memory.bytes();
    this.propertyKind = memory.bytes();
    this.unitKind = memory.bytes();
  }

  /** Copies all entries of a smaller one. */
  copy(from: Entries): void {
    this.partitionOf.set(from.partitionOf);
    this.offset.set(from.offset);
    this.kind.set(from.kind);
    this.detail.set(from.detail);
    this.table.set(from.table);
    this.flags.set(from.flags);
    this.present.set(from.present);
    this.keyKind.set(from.keyKind);
    this.key.set(from.key);
    this.propertyKind.set(from.propertyKind);
    this.property.set(from.property);
    this.unitKind.set(from.unitKind);
    this.unit.set(from.unit);
    this.day.set(from.day);
    this.amount.set(from.amount);
    this.amount2.set(from.amount2);
    this.expenseType.set(from.expenseType);
    this.position.set(from.position);
    this.commitTime.set(from.commitTime);
  }

  /** Copies an entry to another place. */
  move(from: number, to: number): void {
    this.partitionOf[to] = this.partitionOf[from];
    this.offset[to] = this.offset[from];
    this.kind[to] = this.kind[from];
    this.detail[to] = this.detail[from];
    this.table[to] = this.table[from];
    this.flags[to] = this.flags[from];
    this.present[to] = this.present[from];
    this.keyKind[to] = this.keyKind[from];
    this.key.copyWithin(4 * to, 4 * from, 4 * (from + 1));
    this.propertyKind[to] = this.propertyKind[from];
    this.property.copyWithin(4 * to, 4 * from, 4 * (from + 1));
    this.unitKind[to] = this.unitKind[from];
    this.unit.copyWithin(4 * to, 4 * from, 4 * (from + 1));
    this.day[to] = this.day[from];
    this.amount[to] = this.amount[from];
    this.amount2[to] = this.amount2[from];
    this.expenseType[to] = this.expenseType[from];
    this.position.copyWithin(POSITION_WORDS * to, POSITION_WORDS * from, POSITION_WORDS * (from + 1));
    this.commitTime[to] = this.commitTime[from];
  }

  /** Takes an entry's values away again; table, key and property stay for whoever asks which row it was. */
  clearValues(entry: number): void {
    this.flags[entry] = 0;
    this.present[entry] = 0;
    this.unitKind[entry] = 0;
    this.unit.fill(0, 4 * entry, 4 * entry + 4);
    this.day[entry] = NO_DAY;
    this.amount[entry] = Number.NaN;
    this.amount2[entry] = Number.NaN;
    this.expenseType[entry] = NO_STRING;
  }
}
