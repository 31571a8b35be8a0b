import { dateText } from '../change/dates.ts';
import { jsonNumber } from '../change/money.ts';
import { caughtUp, lagRecords, type ControlState } from '../control-state.ts';
import type { Figures, Totals, UnitFigures } from '../ledger/figure.ts';
import { isoText } from './text.ts';

/** What an answer says besides the figures. */
export interface AnswerContext {
  readonly control: ControlState;
  /** Newest commit time folded, milliseconds, or null. */
  readonly newestChangeAt: number | null;
}

/** Writes answers. It keeps the last texts of what seldom changes between two requests. */
export interface FiguresWriter {
  /** JSON text of an answer. Every amount is written from its integer: no number passes through a division or a float. */
  write(figures: Figures, context: AnswerContext): string;
}

/** Makes a writer of figure answers. */
export function createFiguresWriter(): FiguresWriter {
  let day = Number.NaN;
  let dayText = '';
  let control: ControlState | null = null;
  let newestChangeAt: number | null = null;
  let tail = '';
  const tailOf = (context: AnswerContext): string => {
    if (context.control !== control || context.newestChangeAt !== newestChangeAt) {
      control = context.control;
      newestChangeAt = context.newestChangeAt;
      tail = freshnessText(control, newestChangeAt);
    }
    return tail;
  };
  return {
    write(figures, context) {
      if (figures.asOf !== day) {
        day = figures.asOf;
        dayText = dateText(day);
      }
      const complete = figures.complete && context.control.incompleteHistory.length === 0;
      return `{"property_id":${JSON.stringify(figures.propertyId)},"unit_id":${JSON.stringify(figures.unitId)},"as_of":"${dayText}",`
        + `${totalsText('ytd_', figures.ytd)},${totalsText('cumulative_', figures.cumulative)},`
        + `"cash_invested":${nullableNumber(figures.cashInvested)},"cash_on_cash":${nullableNumber(figures.cashOnCash)},`
        + `"units":${unitsText(figures.units)},"last_calculated_at":${JSON.stringify(isoText(figures.lastCalculatedAt))},`
        + `"complete":${complete},"freshness":${tailOf(context)}}`;
    },
  };
}

function totalsText(prefix: string, totals: Totals): string {
  return `"${prefix}total_revenue":${jsonNumber(totals.totalRevenue)},"${prefix}rent":${jsonNumber(totals.rent)},`
    + `"${prefix}expenses":${jsonNumber(totals.expenses)},"${prefix}profit_loss":${jsonNumber(totals.profitLoss)},`
    + `"${prefix}piti":${jsonNumber(totals.piti)},"${prefix}tax":${jsonNumber(totals.tax)},`
    + `"${prefix}utilities":${jsonNumber(totals.utilities)},"${prefix}maintenance":${jsonNumber(totals.maintenance)},`
    + `"${prefix}capex":${jsonNumber(totals.capex)},"${prefix}insurance":${jsonNumber(totals.insurance)},`
    + `"${prefix}property_management":${jsonNumber(totals.propertyManagement)},"${prefix}other":${jsonNumber(totals.other)}`;
}

function nullableNumber(units: number | null): string {
  return units === null ? 'null' : jsonNumber(units);
}

function unitsText(units: readonly UnitFigures[] | null): string {
  if (units === null) return 'null';
  return `[${units.map((unit) => `{"unit_id":${JSON.stringify(unit.unitId)},"ytd_profit_loss":${jsonNumber(unit.ytdProfitLoss)},`
    + `"cumulative_profit_loss":${jsonNumber(unit.cumulativeProfitLoss)}}`).join(',')}]`;
}

function freshnessText(control: ControlState, newestChangeAt: number | null): string {
  return JSON.stringify({ caught_up: caughtUp(control), newest_change_at: isoText(newestChangeAt), lag_records: lagRecords(control) });
}
