import { FLAG_PARTIAL, FLAG_ROW, HAS_PROPERTY, NO_DAY, NO_STRING, TABLE_NAMES, TABLE_PROPERTIES } from './change.ts';
import type { BatchBuilder } from './batch.ts';
import type { DecodeOptions } from './decoder.ts';
import type { Envelope } from './envelope.ts';
import { ID_NONE } from './identifier.ts';
import type { KeyReader } from './keys.ts';
import { ROW_AMOUNT, ROW_AMOUNT2, ROW_DATE, ROW_FLAG_COLUMN, ROW_KEY, ROW_PROPERTY, ROW_TYPE, ROW_UNIT, presentBit } from './layout.ts';
import type { TableLayout } from './layout.ts';
import { Members, NO_SLOTS } from './members.ts';
import { MONEY_OUT_OF_BOUNDS } from './money.ts';
import { TOKEN_NULL, TOKEN_STRING } from './token.ts';
import { TYPE_UNTYPED } from './schema-block.ts';
import { FLAG_INVALID, IDENTIFIER_TOO_LONG } from './values.ts';
import type { ValueReader } from './values.ts';
import { SLOTS_MAX } from './vocabulary.ts';

/**
 * The third step of decoding: a table's row becomes an entry of the batch. Columns are found by their configured names, unknown
 * ones are ignored. What is wrong is noted in the event; `name` then leaves in the entry no more than which row it was.
 */
export class RowReader {
  readonly #values: ValueReader;
  readonly #keys: KeyReader;
  readonly #decimals: string;
  readonly #members = new Members();
  readonly #changed = new Int32Array(SLOTS_MAX);
  #slots: Readonly<Int32Array> = NO_SLOTS;

  constructor(values: ValueReader, keys: KeyReader, options: DecodeOptions) {
    this.#values = values;
    this.#keys = keys;
    this.#decimals = options.decimals.kind === 'text' ? 'text' : `base64:${options.decimals.scale}`;
  }

  /** Reads the event's row into `entry`. True when the entry is complete; else `event.problem` says why not. */
  read(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): boolean {
    const { slots, twice } = event.row.collect(event.rowToken, layout.slots, this.#members);
    this.#slots = slots;
    if (layout.sameAs.length > 0) for (const [slot, other] of layout.sameAs) this.#setSlot(slot, slots[other]);
    if (twice !== 0) this.#fail(event, layout, 31 - Math.clz32(twice), 'JSON_DUPLICATE_KEY', 'stands twice in the row');
    else if (this.#readKey(event, layout, batch, entry)) this.#readValues(event, layout, batch, entry);
    return event.problem === null;
  }

  /** What was collected is the tape's: changes are made to a copy. */
  #setSlot(slot: number, token: number): void {
    if (this.#slots !== this.#changed) {
      this.#changed.set(this.#slots);
      this.#slots = this.#changed;
    }
    this.#changed[slot] = token;
  }

  #readKey(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): boolean {
    const { entries } = batch;
    let token = this.#slots[ROW_KEY];
    if (token >= 0 && this.#values.isUnavailable(event.row, token)) token = -1;
    const kind = token >= 0 ? this.#values.identifier(event.row, token, entries.key, 4 * entry, batch.internLong)
      : this.#keys.fromList(event, layout, entries.key, 4 * entry, batch.internLong);
    if (kind > ID_NONE) {
      entries.keyKind[entry] = kind;
      return true;
    }
    if (kind === ID_NONE) this.#fail(event, layout, ROW_KEY, 'KEY_MISSING', token < 0 ? 'is not in the row' : 'is null');
    else this.#failIdentifier(event, layout, ROW_KEY, kind);
    return false;
  }

  #readValues(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): void {
    const { entries } = batch;
    const present = this.#present(event, layout);
    if (event.problem !== null) return;
    entries.present[entry] = present;
    if (present !== layout.full) entries.flags[entry] |= FLAG_PARTIAL;
    if (layout.table === TABLE_PROPERTIES) {
      entries.propertyKind[entry] = entries.keyKind[entry];
      for (let word = 4 * entry; word < 4 * entry + 4; word++) entries.property[word] = entries.key[word];
      this.#readAmount(event, layout, ROW_AMOUNT, entries.amount, entry);
      this.#readAmount(event, layout, ROW_AMOUNT2, entries.amount2, entry);
      return;
    }
    if ((present & HAS_PROPERTY) !== 0 && !this.#readProperty(event, layout, batch, entry)) return;
    if (!this.#readUnit(event, layout, batch, entry)) return;
    if ((present & presentBit(ROW_DATE)) !== 0 && !this.#readDay(event, layout, entries.day, entry)) return;
    if ((present & presentBit(ROW_AMOUNT)) !== 0) {
      if (!this.#readAmount(event, layout, ROW_AMOUNT, entries.amount, entry)) return;
      if (Number.isNaN(entries.amount[entry])) return this.#fail(event, layout, ROW_AMOUNT, 'AMOUNT_MISSING', 'is null');
    }
    if (!this.#readType(event, layout, batch, entry)) return;
    const flag = this.#slots[ROW_FLAG_COLUMN];
    if (flag < 0 || (present & presentBit(ROW_FLAG_COLUMN)) === 0) return;
    const value = this.#values.flag(event.row, flag);
    if (value === FLAG_INVALID) return this.#fail(event, layout, ROW_FLAG_COLUMN, 'FLAG_INVALID', 'is none of true, false, 0, 1, t, f or null');
    if (value === 1) entries.flags[entry] |= FLAG_ROW;
  }

  /** Bits of the columns the row carries. A column that should be there and is not makes a problem, unless the image may be partial. */
  #present(event: Envelope, layout: TableLayout): number {
    let present = layout.full;
    for (let slot = ROW_PROPERTY; slot <= ROW_FLAG_COLUMN; slot++) {
      const bit = presentBit(slot);
      if ((layout.wanted & bit) === 0) continue;
      const token = this.#slots[slot];
      if (token >= 0) {
        if (!this.#values.isUnavailable(event.row, token)) continue;
        present &= ~bit;
        this.#setSlot(slot, -1);
      } else if (event.mayBePartial) present &= ~bit;
      else if ((layout.required & bit) !== 0) {
        this.#fail(event, layout, slot, 'COLUMN_MISSING', 'is not in the row');
        return present;
      }
    }
    return present;
  }

  #readProperty(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): boolean {
    const { entries } = batch;
    const token = this.#slots[ROW_PROPERTY];
    const kind = token < 0 ? ID_NONE : this.#values.identifier(event.row, token, entries.property, 4 * entry, batch.internLong);
    if (kind > ID_NONE) {
      entries.propertyKind[entry] = kind;
      return true;
    }
    if (kind === ID_NONE) this.#fail(event, layout, ROW_PROPERTY, 'PROPERTY_MISSING', 'is null');
    else this.#failIdentifier(event, layout, ROW_PROPERTY, kind);
    return false;
  }

  #readUnit(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): boolean {
    const { entries } = batch;
    const token = this.#slots[ROW_UNIT];
    const kind = token < 0 ? ID_NONE : this.#values.identifier(event.row, token, entries.unit, 4 * entry, batch.internLong);
    if (kind < ID_NONE) {
      this.#failIdentifier(event, layout, ROW_UNIT, kind);
      return false;
    }
    entries.unitKind[entry] = kind;
    return true;
  }

  #readDay(event: Envelope, layout: TableLayout, out: Int32Array, entry: number): boolean {
    const token = this.#slots[ROW_DATE];
    if (token < 0 || event.row.kind(token) === TOKEN_NULL) {
      this.#fail(event, layout, ROW_DATE, 'DATE_MISSING', 'is null');
      return false;
    }
    const day = this.#values.day(event.row, token, this.#type(event, layout, ROW_DATE));
    if (day === NO_DAY) this.#fail(event, layout, ROW_DATE, 'DATE_INVALID', 'is no calendar date or instant of the years 1 to 9999');
    out[entry] = day;
    return day !== NO_DAY;
  }

  /** Reads an amount; null stays NaN. */
  #readAmount(event: Envelope, layout: TableLayout, slot: number, out: Float64Array, entry: number): boolean {
    const token = this.#slots[slot];
    if (token < 0 || event.row.kind(token) === TOKEN_NULL) return true;
    const scale = event.columns === null ? 0 : event.columns.scale[layout.nameIds[slot]];
    const units = this.#values.amount(event.row, token, this.#type(event, layout, slot), scale);
    if (units === MONEY_OUT_OF_BOUNDS) this.#fail(event, layout, slot, 'AMOUNT_OUT_OF_BOUNDS', 'needs more than four decimals or reaches 10¹¹');
    else if (Number.isNaN(units)) this.#fail(event, layout, slot, 'AMOUNT_INVALID', `is not a decimal number in the form expected (${this.#form(event, layout, slot)})`);
    out[entry] = units;
    return event.problem === null;
  }

  #readType(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): boolean {
    const token = this.#slots[ROW_TYPE];
    if (token < 0 || event.row.kind(token) === TOKEN_NULL) return true;
    const { view } = this.#values;
    if (event.row.kind(token) !== TOKEN_STRING || !view.see(event.row, token)) {
      this.#fail(event, layout, ROW_TYPE, 'TYPE_INVALID', 'is not text');
      return false;
    }
    const index = batch.types.index(view.bytes, view.start, view.end);
    if (index === NO_STRING) this.#fail(event, layout, ROW_TYPE, 'TYPE_INVALID', 'has more different values in one batch than there are numbers for them');
    batch.entries.expenseType[entry] = index;
    return index !== NO_STRING;
  }

  #type(event: Envelope, layout: TableLayout, slot: number): number {
    return event.columns === null ? TYPE_UNTYPED : event.columns.type[layout.nameIds[slot]];
  }

  #form(event: Envelope, layout: TableLayout, slot: number): string {
    return this.#type(event, layout, slot) === TYPE_UNTYPED ? `RENTFOLD_DECIMALS=${this.#decimals}` : 'by the schema';
  }

  #failIdentifier(event: Envelope, layout: TableLayout, slot: number, answer: number): void {
    if (answer === IDENTIFIER_TOO_LONG) this.#fail(event, layout, slot, 'IDENTIFIER_TOO_LONG', 'is longer than 512 bytes');
    else this.#fail(event, layout, slot, 'IDENTIFIER_INVALID', 'is neither text nor a whole number');
  }

  #fail(event: Envelope, layout: TableLayout, slot: number, code: NonNullable<Envelope['problem']>, what: string): void {
    event.fail(code, `The column ${layout.columns[slot] ?? '(none)'} of ${TABLE_NAMES[layout.table]} ${what}.`);
  }

  /** Leaves in the entry of a row that failed nothing but its key and the property it names, as far as they can be read. */
  name(event: Envelope, layout: TableLayout, batch: BatchBuilder, entry: number): void {
    const { entries } = batch;
    entries.clearValues(entry);
    if (event.rowToken < 0) return;
    const { slots, twice } = event.row.collect(event.rowToken, layout.slots, this.#members);
    if (entries.keyKind[entry] === ID_NONE && slots[ROW_KEY] >= 0 && (twice & (1 << ROW_KEY)) === 0) {
      entries.keyKind[entry] = Math.max(ID_NONE, this.#values.identifier(event.row, slots[ROW_KEY], entries.key, 4 * entry, batch.internLong));
    }
    if (entries.propertyKind[entry] === ID_NONE && slots[ROW_PROPERTY] >= 0) {
      entries.propertyKind[entry] = Math.max(ID_NONE, this.#values.identifier(event.row, slots[ROW_PROPERTY], entries.property, 4 * entry, batch.internLong));
    }
  }
}
