import type { Row, Table } from './history-rows.ts';

/** What a transaction did to one row, with the log position (LSN) it was written at. */
export type Change =
  | { readonly kind: 'insert'; readonly table: Table; readonly lsn: number; readonly after: Row }
  | { readonly kind: 'update'; readonly table: Table; readonly lsn: number; readonly before: Row; readonly after: Row }
  | { readonly kind: 'delete'; readonly table: Table; readonly lsn: number; readonly before: Row }
  | { readonly kind: 'truncate'; readonly table: Table; readonly lsn: number };

/** A committed transaction. `previousCommit` is the end of the commit before it in commit order. */
export interface Transaction {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly previousCommit: number;
  /** Commit time, milliseconds since 1970. Follows commit order wherever two transactions touch the same row. */
  readonly time: number;
}

/** The source's own key of a row, unique over all tables. */
export function rowKey(table: Table, id: string | number): string {
  return `${table}:${id}`;
}
