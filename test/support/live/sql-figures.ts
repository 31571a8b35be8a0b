import type { SqlDatabase, SqlRow } from '../services/service.ts';

/** What the tables say, by SQL that was written from the rules R1–R8 alone. */

/** The twelve totals of a period, as columns are named. */
export const TOTALS = ['total_revenue', 'rent', 'expenses', 'profit_loss', 'piti', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'other'] as const;
const CATEGORIES = TOTALS.slice(4);

/** One account at one day: a property, or a unit of it. Money is decimal text. */
export type SqlAccount = Readonly<Record<string, string | null>> & { readonly property_id: string; readonly unit_id: string | null };

/** Every account that is known, with its figures as of a day. `fiscalMonth`: the month in which the fiscal year begins. */
export async function sqlFigures(database: SqlDatabase, asOf: string, fiscalMonth: number): Promise<SqlAccount[]> {
  const rows = await database.query(figuresSql(asOf, firstDay(asOf, fiscalMonth)));
  return rows.map((row: SqlRow) => row as SqlAccount);
}

/** First day of the fiscal year that holds the day. */
function firstDay(asOf: string, fiscalMonth: number): string {
  const [year, month] = asOf.split('-').map(Number) as [number, number];
  return `${month >= fiscalMonth ? year : year - 1}-${String(fiscalMonth).padStart(2, '0')}-01`;
}

function figuresSql(asOf: string, from: string): string {
  const sum = (condition: string, period: string): string => `SUM(CASE WHEN ${condition} AND m.day <= DATE '${asOf}'${period} THEN m.amount ELSE 0 END)`;
  const totals = (prefix: string, period: string): string => [
    `${sum("m.kind = 'rent'", period)} AS ${prefix}total_revenue`,
    `${sum("m.kind = 'rent' AND m.deposit = 0", period)} AS ${prefix}rent`,
    `${sum("m.kind = 'expense'", period)} AS ${prefix}expenses`,
    ...CATEGORIES.map((name) => `${sum(`m.kind = 'expense' AND m.category = '${name}'`, period)} AS ${prefix}${name}`),
  ].join(', ');
  const unit = "NULLIF(NULLIF(unit_id, ''), 'None')";
  const nothing = "NULLIF('x', 'x')";
  const days = Math.round((Date.parse(asOf) - Date.parse(from)) / 86_400_000);
  return `
WITH movement AS (
  SELECT property_id, ${unit} AS unit_id, payment_date AS day, amount, 'rent' AS kind, CASE WHEN is_non_irs_revenue THEN 1 ELSE 0 END AS deposit, '' AS category FROM rents
  UNION ALL
  SELECT property_id, ${unit}, date, amount, CASE WHEN is_planned OR expense_type = 'rehab' THEN 'left out' ELSE 'expense' END, 0,
    CASE expense_type WHEN 'pandi' THEN 'piti' WHEN 'tax' THEN 'tax' WHEN 'utilities' THEN 'utilities' WHEN 'maintenance' THEN 'maintenance' WHEN 'capex' THEN 'capex'
      WHEN 'insurance' THEN 'insurance' WHEN 'property_management' THEN 'property_management' ELSE 'other' END FROM expenses
), account AS (
  SELECT id AS property_id, ${nothing} AS unit_id FROM properties
  UNION SELECT property_id, ${nothing} FROM movement
  UNION SELECT property_id, unit_id FROM movement WHERE unit_id IS NOT NULL
), summed AS (
  SELECT a.property_id, a.unit_id, ${totals('ytd_', ` AND m.day >= DATE '${from}'`)}, ${totals('cumulative_', '')}
  FROM account a LEFT JOIN movement m ON m.property_id = a.property_id AND (a.unit_id IS NULL OR m.unit_id = a.unit_id)
  GROUP BY a.property_id, a.unit_id
)
SELECT s.*, s.ytd_rent - s.ytd_expenses AS ytd_profit_loss, s.cumulative_rent - s.cumulative_expenses AS cumulative_profit_loss, p.cash_invested,
  ROUND((s.ytd_rent - s.ytd_expenses) * ${days === 0 ? 100 : 36_500} / (${Math.max(1, days)} * CASE WHEN p.cash_invested > 0 THEN p.cash_invested WHEN p.down_payment > 0 THEN p.down_payment END), 4) AS cash_on_cash
FROM summed s LEFT JOIN properties p ON p.id = s.property_id ORDER BY 1, 2`;
}
