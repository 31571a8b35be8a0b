import { DateDay, Field, FixedSizeList, Float64, Schema, Uint16, Uint32, Uint8, Utf8, type DataType } from 'apache-arrow';
import { POSITION_WORDS } from '../change/change.ts';
import type { TopicPartition } from '../source/positions.ts';

/**
 * What a segment's two Arrow files hold. A segment is a set of rows (with the remembered deletes among them) and the accounts they belong to.
 * Any tool that reads Arrow files can show both: ids and expense types are text, days are dates; an amount is a whole number of 1/10 000,
 * exact in a float64. `account` is the row number in the accounts file, `partition` an index into the list in the schema's metadata.
 *
 * Null values keep the sentinel of `RowColumns` under them (NaN, `NO_DAY`, 0xFFFFFFFF), so that reading copies nothing.
 */

/** Raised when a column's name, type or meaning changes; a file of a higher version is refused. */
export const SEGMENT_VERSION = 1;

export const ROWS_FORMAT = 'rentfold-rows';
export const ACCOUNTS_FORMAT = 'rentfold-accounts';

/** Columns of the rows file, in order. */
export const ROW_FIELDS: readonly Field[] = [
  field('table', new Uint8(), false, '0 expenses, 1 rents, 2 properties'),
  field('state', new Uint8(), false, '0 live, 1 deleted, 2 forgotten'),
  field('key', new Utf8(), false, 'primary key'),
  field('account', new Uint32(), true, 'row number in the accounts file'),
  field('day', new DateDay(), true, 'day the row counts from'),
  field('amount', new Float64(), true, '1/10000 units; cash_invested of a property'),
  field('amount2', new Float64(), true, '1/10000 units; down_payment of a property'),
  field('expense_type', new Utf8(), true, 'as it came'),
  field('flags', new Uint8(), false, 'bit 3: is_planned or is_non_irs_revenue; other bits are internal'),
  field('partition', new Uint16(), false, 'index into rentfold.partitions'),
  field('offset', new Float64(), false, 'offset of the record that made the row'),
  field('position', new FixedSizeList(POSITION_WORDS, new Field('word', new Uint32(), false)), false, 'highest source position, packed'),
  field('commit_time', new Float64(), true, 'latest commit time at the source, milliseconds'),
  field('folded_at', new Float64(), true, 'when a delete was folded, milliseconds'),
];

/** Columns of the accounts file, in order. */
export const ACCOUNT_FIELDS: readonly Field[] = [
  field('property_id', new Utf8(), true, 'null: none'),
  field('unit_id', new Utf8(), true, 'null: the property itself'),
  field('last_changed_at', new Float64(), false, 'milliseconds'),
  field('property_last_changed_at', new Float64(), false, 'milliseconds'),
];

function field(name: string, type: DataType, nullable: boolean, about: string): Field {
  return new Field(name, type, nullable, new Map([['about', about]]));
}

/** Schema of the rows file of a segment whose rows came from these partitions. */
export function rowsSchema(partitions: readonly TopicPartition[]): Schema {
  const list = partitions.map(({ topic, partition }) => ({ topic, partition }));
  return new Schema([...ROW_FIELDS], new Map([...metadata(ROWS_FORMAT), ['rentfold.partitions', JSON.stringify(list)]]));
}

/** Schema of the accounts file of a segment. */
export function accountsSchema(): Schema {
  return new Schema([...ACCOUNT_FIELDS], metadata(ACCOUNTS_FORMAT));
}

function metadata(format: string): Map<string, string> {
  return new Map([['rentfold.format', format], ['rentfold.version', String(SEGMENT_VERSION)]]);
}

/** The schema's columns as one line of text, for comparing. */
export function fieldsText(fields: readonly Field[]): string {
  return fields.map((f) => `${f.name}:${String(f.type)}${f.nullable ? '?' : ''}`).join(' ');
}
