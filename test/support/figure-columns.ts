import { encodeIdentifierText } from '../../src/change/identifier.ts';
import { TOTAL_NAMES, type FigureColumns } from '../../src/ledger/figure-columns.ts';

/** An account with the same number in all its totals; NaN or null for none. */
export interface TestAccount {
  readonly property: string;
  readonly unit?: string | null;
  /** Units, by place in TOTAL_NAMES for both spans; one number stands for all. */
  readonly units: number | readonly number[];
  readonly cashOnCash?: number | null;
  readonly lastChangedAt?: number;
}

/** A block of figures made by hand. */
export function figureColumns(accounts: readonly TestAccount[]): FigureColumns {
  const count = accounts.length;
  const strings: string[] = [];
  const ids = (texts: (string | null)[]): { kinds: Uint8Array; words: Uint32Array } => {
    const [kinds, words] = [new Uint8Array(count), new Uint32Array(count * 4)];
    texts.forEach((text, i) => { if (text !== null) kinds[i] = encodeIdentifierText(text, words, i * 4, (long) => strings.push(long) - 1); });
    return { kinds, words };
  };
  const property = ids(accounts.map((account) => account.property));
  const unit = ids(accounts.map((account) => account.unit ?? null));
  const totals = (): Float64Array[] => TOTAL_NAMES.map((_, total) => Float64Array.from(accounts, ({ units }) => (typeof units === 'number' ? units : units[total])));
  return {
    count, outOfRange: 0, cashOnCashOutOfRange: 0, propertyKind: property.kinds, property: property.words, unitKind: unit.kinds, unit: unit.words, ytd: totals(), cumulative: totals(),
    cashOnCash: Float64Array.from(accounts, ({ cashOnCash }) => cashOnCash ?? Number.NaN), lastChangedAt: Float64Array.from(accounts, ({ lastChangedAt }) => lastChangedAt ?? 1_700_000_000_123), strings,
  };
}
