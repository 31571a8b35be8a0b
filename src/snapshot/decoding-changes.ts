import type { DecodeOptions } from '../change/decoder.ts';
import { TABLE_NAMES } from '../change/change.ts';

/** An option that decides what a record means and differs from the one a lineage was read with. */
export interface DecodingChange {
  /** Environment name of the option. */
  readonly option: string;
  readonly recorded: string;
  readonly now: string;
}

/**
 * Every option that would give other rows for the records already folded. Epochs are compared as far as they concern those: one later than
 * `newestChangeAt`, the latest commit time folded, may be added or taken away.
 */
export function decodingChanges(recorded: DecodeOptions, now: DecodeOptions, newestChangeAt: number | null): DecodingChange[] {
  const changes: DecodingChange[] = [];
  const compare = (option: string, before: unknown, after: unknown): void => {
    const [recordedText, nowText] = [canonical(before), canonical(after)];
    if (recordedText !== nowText) changes.push({ option, recorded: recordedText, now: nowText });
  };
  compare('RENTFOLD_TIME_ZONE', recorded.timeZone, now.timeZone);
  compare('RENTFOLD_DECIMALS', recorded.decimals, now.decimals);
  for (const table of TABLE_NAMES) {
    compare(`RENTFOLD_TABLE_${table.toUpperCase()}`, recorded.tables[table], now.tables[table]);
    compare(`RENTFOLD_COLUMNS_${table.toUpperCase()}`, recorded.columns[table], now.columns[table]);
  }
  const past = (epochs: readonly number[]): string[] => epochs.filter((epoch) => epoch <= (newestChangeAt ?? -Infinity)).map((epoch) => new Date(epoch).toISOString());
  compare('RENTFOLD_SOURCE_EPOCHS', past(recorded.epochs), past(now.epochs));
  return changes;
}

/** JSON with names in order, so that only meaning is compared. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
