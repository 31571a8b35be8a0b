/** What the books are asked for. */
export interface FigureQuery {
  readonly propertyId: string;
  readonly unitId: string | null;
  /** Epoch day up to and including which rows count. */
  readonly asOf: number;
}

/** What they answer: figures, that no row of the property or unit is known, or that a total left the range of exact numbers. */
export type FigureAnswer =
  | { readonly kind: 'figures'; readonly figures: Figures }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'out-of-range' };

/** Totals of one span. Integers of 1/10 000. */
export interface Totals {
  readonly totalRevenue: number;
  readonly rent: number;
  readonly expenses: number;
  readonly profitLoss: number;
  readonly piti: number;
  readonly tax: number;
  readonly utilities: number;
  readonly maintenance: number;
  readonly capex: number;
  readonly insurance: number;
  readonly propertyManagement: number;
  readonly other: number;
}

/** All figures of a property or a unit as of a day. */
export interface Figures {
  readonly propertyId: string;
  readonly unitId: string | null;
  readonly asOf: number;
  readonly ytd: Totals;
  readonly cumulative: Totals;
  /** Units of 1/10 000 as on the property's row; null when null or when there is no property row. */
  readonly cashInvested: number | null;
  /** Percent in 1/10 000, rounded half-even (R7); null when nothing is invested. */
  readonly cashOnCash: number | null;
  /** Units of the property, by unit id; null when a unit was asked for or there are none. */
  readonly units: readonly UnitFigures[] | null;
  /** When the last change to the account was folded, milliseconds. */
  readonly lastCalculatedAt: number;
  /** False while a dead letter touches the property. */
  readonly complete: boolean;
}

/** A unit's share, as a property's answer lists it. */
export interface UnitFigures {
  readonly unitId: string;
  readonly ytdProfitLoss: number;
  readonly cumulativeProfitLoss: number;
}
