import { createHash } from 'node:crypto';

/**
 * What happened at a landlord's, as a diary of row changes: who wrote what into which table, and when. The demo logs and the
 * demo's expected figures are both made from it, on separate ways.
 */

export type DemoTable = 'expenses' | 'rents' | 'properties';

/** A row as the rental application stores it. Dates are `YYYY-MM-DD`, amounts decimal text. */
export type DemoRow = Readonly<Record<string, string | boolean | null>>;

/** One row change, at an instant `YYYY-MM-DDTHH:MM:SSZ`. Changes of one instant are one transaction. A null row is a delete. */
export interface DemoChange {
  readonly at: string;
  readonly table: DemoTable;
  readonly id: string;
  readonly row: DemoRow | null;
}

export interface RentEntry {
  readonly property: string;
  readonly unit?: string | null;
  readonly date: string;
  readonly cents: number;
  readonly about?: string | null;
  readonly deposit?: boolean;
}

export interface ExpenseEntry {
  readonly property: string;
  readonly unit?: string | null;
  readonly date: string;
  /** Cents, or text that is no number, for the one bad row. */
  readonly amount: number | 'NaN';
  readonly type: string | null;
  readonly planned?: boolean | null;
  readonly notes?: string | null;
}

/** A UUID (version 4 in form) that always comes out the same for the same name. */
export function namedUuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Cents as decimal text with two places, as `numeric(12,2)` prints it. */
export function centsText(cents: number): string {
  const size = Math.abs(cents);
  return `${cents < 0 ? '-' : ''}${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}`;
}

/** Rising numbers in `[0, below)` that are the same on every run (mulberry32). */
export function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Last moment of the diary. Rows dated later are entered on this evening at the latest. */
export const DIARY_END = '2026-11-22T18:00:00Z';

export class Diary {
  readonly #changes: DemoChange[] = [];
  readonly #newest = new Map<string, DemoRow>();
  readonly #dice = createDice(20_241_123);
  #rows = 0;

  /** The diary in order of time; changes of one instant in the order they were written down. */
  changes(): readonly DemoChange[] {
    return [...this.#changes].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  }

  dice(below: number): number {
    return this.#dice(below);
  }

  property(at: string, id: string, columns: DemoRow): void {
    this.#put(at, 'properties', id, { id, ...columns });
  }

  rent(entry: RentEntry, at: string = this.#officeTime(entry.date)): string {
    const id = this.#nextId('rents');
    this.#put(at, 'rents', id, {
      id, property_id: entry.property, unit_id: entry.unit ?? null, payment_date: entry.date, amount: centsText(entry.cents),
      revenue_description: entry.about ?? null, is_non_irs_revenue: entry.deposit ?? false,
    });
    return id;
  }

  expense(entry: ExpenseEntry, at: string = this.#officeTime(entry.date)): string {
    const id = this.#nextId('expenses');
    this.#put(at, 'expenses', id, {
      id, property_id: entry.property, unit_id: entry.unit ?? null, date: entry.date,
      amount: entry.amount === 'NaN' ? 'NaN' : centsText(entry.amount), expense_type: entry.type,
      is_planned: entry.planned === undefined ? false : entry.planned, notes: entry.notes ?? null,
    });
    return id;
  }

  /** A correction: some columns of a row get other values. */
  correct(at: string, table: DemoTable, id: string, columns: DemoRow): void {
    const known = this.#newest.get(`${table} ${id}`);
    if (known === undefined) throw new Error(`the diary has no row ${id} in ${table} to correct`);
    this.#put(at, table, id, { ...known, ...columns });
  }

  remove(at: string, table: DemoTable, id: string): void {
    this.#changes.push({ at, table, id, row: null });
  }

  #put(at: string, table: DemoTable, id: string, row: DemoRow): void {
    this.#newest.set(`${table} ${id}`, row);
    this.#changes.push({ at, table, id, row });
  }

  #nextId(table: DemoTable): string {
    this.#rows += 1;
    return namedUuid(`${table} ${this.#rows}`);
  }

  /** When somebody in the office types a row in: some working hour of its day, never after the diary's end. */
  #officeTime(date: string): string {
    const two = (n: number): string => String(n).padStart(2, '0');
    const at = `${date}T${two(8 + this.#dice(9))}:${two(this.#dice(60))}:${two(this.#dice(60))}Z`;
    return at < DIARY_END ? at : DIARY_END;
  }
}
