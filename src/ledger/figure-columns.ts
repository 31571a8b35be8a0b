import type { ControlTotals } from './ledger.ts';

/** Totals of a span, in the order of the columns: `Totals` by name. */
export const TOTAL_NAMES = [
  'totalRevenue', 'rent', 'expenses', 'profitLoss', 'piti', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'propertyManagement', 'other',
] as const;

/** Figures of accounts as columns: self-contained, long identifiers index `strings`. Transferable buffers; columns may be longer than `count`. */
export interface FigureColumns {
  readonly count: number;
  /** Accounts without figures because a total is out of range, and those without `cashOnCash` because that alone is. */
  readonly outOfRange: number;
  readonly cashOnCashOutOfRange: number;
  readonly propertyKind: Uint8Array;
  /** 4 words an account, as all identifiers. */
  readonly property: Uint32Array;
  /** ID_NONE: the property's own account. */
  readonly unitKind: Uint8Array;
  readonly unit: Uint32Array;
  /** By TOTAL_NAMES, units of 1/10 000; NaN where the account's totals are out of range. */
  readonly ytd: readonly Float64Array[];
  readonly cumulative: readonly Float64Array[];
  /** Percent in 1/10 000 (R7); NaN when nothing is invested, or out of range. */
  readonly cashOnCash: Float64Array;
  /** Milliseconds: when the last change to the account was folded. */
  readonly lastChangedAt: Float64Array;
  readonly strings: readonly string[];
}

/**
 * The figures of every known account as of one day, all as they stood at the moment `beginAccountsCut` was called. It is drawn slice by slice
 * while folding goes on: a property that is about to change is drawn first. What is drawn ahead waits in memory, about 250 bytes an account.
 */
export interface AccountsCut {
  /** Epoch day. */
  readonly asOf: number;
  readonly controlTotals: ControlTotals;
  /** Accounts and properties known at the moment of the cut, and properties that a dead letter marks. */
  readonly accounts: number;
  readonly properties: number;
  readonly incompleteProperties: number;
  /** Draws some accounts; false once all are drawn. A slice of work short enough that reads do not notice it. */
  draw(): boolean;
  /** The next block that is full, or, once all are drawn, what is left; null when there is none. A property and its units stand together. */
  take(): FigureColumns | null;
  /** Ends the cut, drawn to its end or not; nothing is drawn ahead any more. */
  end(): void;
}
