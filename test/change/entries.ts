/** Entries of a decoded batch as plain objects, for assertions. */
import { ENTRY_DEAD_LETTER, ENTRY_DELETE, ENTRY_PASSED_OVER, ENTRY_TOMBSTONE, ENTRY_TRUNCATE, ENTRY_UPSERT, FLAG_CONTINUED, FLAG_PARTIAL, FLAG_ROW, FLAG_SNAPSHOT, NO_DAY, NO_STRING, PASSED_OVER, POSITION_WORDS, TABLE_NAMES } from '../../src/change/change.ts';
import type { ChangeBatch } from '../../src/change/change.ts';
import { dateText } from '../../src/change/dates.ts';
import { identifierText } from '../../src/change/identifier.ts';
import { decodeAll } from './records.ts';
import type { TestRecord } from './records.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';

const KINDS: Record<number, string> = {
  [ENTRY_UPSERT]: 'upsert', [ENTRY_DELETE]: 'delete', [ENTRY_TRUNCATE]: 'truncate', [ENTRY_TOMBSTONE]: 'tombstone', [ENTRY_PASSED_OVER]: 'passed over', [ENTRY_DEAD_LETTER]: 'dead letter',
};

export interface PlainEntry {
  readonly kind: string;
  readonly reason: string | null;
  readonly code: string | null;
  readonly table: string | null;
  readonly key: string | null;
  readonly property: string | null;
  readonly unit: string | null;
  readonly day: string | null;
  readonly amount: number | null;
  readonly amount2: number | null;
  readonly type: string | null;
  readonly flag: boolean;
  readonly flags: readonly string[];
  readonly present: number;
  readonly position: readonly number[];
  readonly commitTime: number | null;
}

/** All entries of a batch. */
export function entriesOf(batch: ChangeBatch): PlainEntry[] {
  const text = (index: number): string => batch.strings[index];
  return Array.from({ length: batch.count }, (_, e) => {
    const letter = batch.letters.find((l) => l.entry === e);
    const flag = batch.flags[e];
    return {
      kind: KINDS[batch.kind[e]] ?? '?',
      reason: batch.kind[e] === ENTRY_PASSED_OVER ? PASSED_OVER[batch.detail[e]] : null,
      code: letter?.letter.code ?? null,
      table: batch.table[e] === 255 ? null : TABLE_NAMES[batch.table[e]],
      key: identifierText(batch.keyKind[e], batch.key, 4 * e, text),
      property: identifierText(batch.propertyKind[e], batch.property, 4 * e, text),
      unit: identifierText(batch.unitKind[e], batch.unit, 4 * e, text),
      day: batch.day[e] === NO_DAY ? null : dateText(batch.day[e]),
      amount: Number.isNaN(batch.amount[e]) ? null : batch.amount[e],
      amount2: Number.isNaN(batch.amount2[e]) ? null : batch.amount2[e],
      type: batch.expenseType[e] === NO_STRING ? null : batch.strings[batch.expenseType[e]],
      flag: (flag & FLAG_ROW) !== 0,
      flags: [[FLAG_CONTINUED, 'continued'], [FLAG_SNAPSHOT, 'snapshot'], [FLAG_PARTIAL, 'partial']].filter(([bit]) => (flag & (bit as number)) !== 0).map(([, name]) => name as string),
      present: batch.present[e],
      position: [...batch.position.subarray(POSITION_WORDS * e, POSITION_WORDS * (e + 1))],
      commitTime: Number.isNaN(batch.commitTime[e]) ? null : batch.commitTime[e],
    };
  });
}

/** Entries of records decoded by a new decoder. */
export function entriesFrom(records: readonly TestRecord[], options: Partial<DecodeOptions> = {}): PlainEntry[] {
  return entriesOf(decodeAll(records, options));
}

/** The one entry of one record. */
export function entryFrom(value: TestRecord['value'], record: Omit<TestRecord, 'value'> = {}, options: Partial<DecodeOptions> = {}): PlainEntry {
  const entries = entriesFrom([{ ...record, value }], options);
  if (entries.length !== 1) throw new Error(`${entries.length} entries`);
  return entries[0];
}

export const RENT_ID = '7b0f1c52-6d8b-4f5e-9b53-0d3c4e0a1b2c';
export const PROPERTY_ID = 'd327c45d-02d5-43ad-8dca-59901b1b1b90';
export const UNIT_ID = '9849DC9D-7868-4FD6-88B7-FD199B453C6D';

/** A rent's row, with changes; undefined leaves a column out. */
export function rent(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: RENT_ID, property_id: PROPERTY_ID, unit_id: UNIT_ID, amount: '1234.50', payment_date: 20_484, is_non_irs_revenue: false, memo: 'x', ...changes };
}

/** A Postgres source block of Debezium, with changes. */
export function source(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { version: '3.6.1.Final', connector: 'postgresql', name: 'pg', ts_ms: 1_735_689_600_000, snapshot: 'false', db: 'rental', sequence: '["100","108"]', schema: 'public', table: 'rents', lsn: 108, ...changes };
}

/** A Debezium envelope. */
export function debezium(op: string, after: unknown, before: unknown = null, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { before, after, source: source(changes), transaction: null, op, ts_ms: 9 };
}
