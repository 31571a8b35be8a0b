import type { SchemaDefinition } from '@dsnp/parquetjs';
import { TOTAL_NAMES } from '../ledger/figure-columns.ts';

/** Columns of the parquet file, in order: names and types that its readers rely on. */

/** How money and percentages are written: as exact DECIMAL(18,4), or as the nearest DOUBLE. */
export type ParquetMoney = 'decimal' | 'double';

export const MONEY_PRECISION = 18;
export const MONEY_SCALE = 4;

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** By TOTAL_NAMES. */
export const YTD_COLUMNS: readonly string[] = TOTAL_NAMES.map((name) => `ytd_${snake(name)}`);
export const CUMULATIVE_COLUMNS: readonly string[] = TOTAL_NAMES.map((name) => `cumulative_${snake(name)}`);
/** Columns that hold units of 1/10 000. */
export const MONEY_COLUMNS: readonly string[] = [...YTD_COLUMNS, ...CUMULATIVE_COLUMNS, 'cash_on_cash'];

/**
 * The file's fields. Decimals are declared as the INT64 they are stored in and get their annotation in the footer: a DECIMAL field of
 * parquetjs would divide and floor. No statistics: a file is read whole, and its rows are in no order that they could help with.
 */
export function parquetFields(money: ParquetMoney): SchemaDefinition {
  const common = { compression: 'SNAPPY', statistics: false } as const;
  const amount = { ...common, type: money === 'decimal' ? 'INT64' : 'DOUBLE', optional: true } as const;
  return {
    property_id: { ...common, type: 'UTF8' },
    unit_id: { ...common, type: 'UTF8', optional: true },
    ...Object.fromEntries(MONEY_COLUMNS.map((name) => [name, { ...amount }])),
    last_calculated_at: { ...common, type: 'TIMESTAMP_MICROS', optional: true },
    _cdc_timestamp: { ...common, type: 'TIMESTAMP_MICROS' },
  };
}
