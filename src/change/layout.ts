import {
  HAS_AMOUNT, HAS_DATE, HAS_DOWN_PAYMENT, HAS_FLAG, HAS_PROPERTY, HAS_TYPE, HAS_UNIT, TABLE_NAMES, TABLE_PROPERTIES,
} from './change.ts';
import type { DecodeOptions } from './decoder.ts';
import { NAME_UNKNOWN, NAMES_MAX } from './names.ts';
import type { Names, SlotMap } from './names.ts';

/** Slots of a row's columns. A property's `cash_invested` is in AMOUNT, its `down_payment` in AMOUNT2. */
export const ROW_KEY = 0;
export const ROW_PROPERTY = 1;
export const ROW_UNIT = 2;
export const ROW_DATE = 3;
export const ROW_AMOUNT = 4;
export const ROW_AMOUNT2 = 5;
export const ROW_TYPE = 6;
export const ROW_FLAG_COLUMN = 7;
const ROW_SLOTS = 8;

/** Bit in `present` per slot; the key has none. */
const PRESENT = [0, HAS_PROPERTY, HAS_UNIT, HAS_DATE, HAS_AMOUNT, HAS_DOWN_PAYMENT, HAS_TYPE, HAS_FLAG];

const EXPENSE_SLOTS = { id: ROW_KEY, property_id: ROW_PROPERTY, unit_id: ROW_UNIT, date: ROW_DATE, amount: ROW_AMOUNT, expense_type: ROW_TYPE, is_planned: ROW_FLAG_COLUMN };
const RENT_SLOTS = { id: ROW_KEY, property_id: ROW_PROPERTY, unit_id: ROW_UNIT, payment_date: ROW_DATE, amount: ROW_AMOUNT, is_non_irs_revenue: ROW_FLAG_COLUMN };
const PROPERTY_SLOTS = { id: ROW_KEY, cash_invested: ROW_AMOUNT, down_payment: ROW_AMOUNT2 };

/** Where a logical table's columns are found in a row, by the configured names. */
export interface TableLayout {
  /** TABLE_EXPENSES, TABLE_RENTS or TABLE_PROPERTIES. */
  readonly table: number;
  readonly slots: SlotMap;
  /** Slots that take another slot's column: the configuration names one column twice. */
  readonly sameAs: readonly (readonly [slot: number, other: number])[];
  /** Configured column name per slot; null where the table has no such column. */
  readonly columns: readonly (string | null)[];
  /** Name id per slot. */
  readonly nameIds: Int32Array;
  /** Bits in `present` of the columns to be read, and of those a whole row must carry. */
  readonly wanted: number;
  readonly required: number;
  /** All bits of this table. */
  readonly full: number;
}

/** Bit in `present` for a slot. */
export function presentBit(slot: number): number {
  return PRESENT[slot];
}

/** Layouts of the three logical tables, by table number. */
export function tableLayouts(columns: DecodeOptions['columns'], names: Names): readonly TableLayout[] {
  return [EXPENSE_SLOTS, RENT_SLOTS, PROPERTY_SLOTS].map((slots, table) => layout(table, slots, columns[TABLE_NAMES[table]], names));
}

function layout(table: number, slotOf: Readonly<Record<string, number>>, configured: Readonly<Record<string, string | null>>, names: Names): TableLayout {
  const slots = new Int8Array(NAMES_MAX).fill(-1);
  const columns: (string | null)[] = new Array<string | null>(ROW_SLOTS).fill(null);
  const nameIds = new Int32Array(ROW_SLOTS).fill(NAME_UNKNOWN);
  const sameAs: [number, number][] = [];
  let wanted = 0;
  let full = 0;
  for (const [column, slot] of Object.entries(slotOf)) {
    const physical = configured[column] === undefined ? column : configured[column];
    full |= PRESENT[slot];
    columns[slot] = physical;
    if (physical === null) continue;
    const id = names.add(physical);
    nameIds[slot] = id;
    wanted |= PRESENT[slot];
    if (slots[id] >= 0) sameAs.push([slot, slots[id]]);
    else slots[id] = slot;
  }
  return { table, slots, sameAs, columns, nameIds, wanted, full, required: table === TABLE_PROPERTIES ? 0 : wanted };
}
