import type { Random } from './history-random.ts';
import { rowKey } from './history-changes.ts';
import type { Change, Transaction } from './history-changes.ts';
import type { Row, Table } from './history-rows.ts';

/**
 * A tiny Postgres: committed tables, sessions that overlap, row and table locks, and a write-ahead log whose positions (LSN) are
 * given when a change is made while the order of transactions is given by their commits. Two facts of the real one matter most:
 * a transaction that changed first may commit last, so LSNs fall in commit order; and a commit's end can equal the next change's LSN.
 */

interface Session {
  readonly id: number;
  readonly changes: Change[];
  /** What the session sees of the keys it touched; null is deleted. */
  readonly overlay: Map<string, Row | null>;
  readonly truncated: Set<Table>;
  /** Holds an insert that was logged before the delete it waited for. */
  waited: boolean;
}

export class Database {
  readonly #random: Random;
  readonly #rows: Record<Table, Map<string, Row>> = { expenses: new Map(), rents: new Map(), properties: new Map() };
  readonly #sessions: (Session | null)[] = [null, null, null];
  readonly #keyTime = new Map<string, number>();
  readonly #tableTime = new Map<Table, number>();
  readonly #truncateTime = new Map<Table, number>();
  #timeFloor = 0;
  #nextTransaction = 700;
  #lsn: number;
  #lastCommit: number;
  #now: number;
  /** End of the newest log record, and who wrote it: only then may the next row of a multi-row insert share its position. */
  #newest: { readonly session: Session; readonly end: number } | null = null;

  constructor(random: Random, lsn: number, now: number) {
    this.#random = random;
    this.#lsn = lsn;
    this.#lastCommit = lsn;
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  /** The log's end: what a snapshot begun now is consistent with. */
  get lsn(): number {
    return this.#lsn;
  }

  tick(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Every later commit is timed at or after now, as for a snapshot that states its own time. */
  raiseTimeFloor(): void {
    this.#timeFloor = this.#now;
  }

  committedRows(table: Table): readonly Row[] {
    return [...this.#rows[table].values()];
  }

  isTruncatedByOpenSession(table: Table): boolean {
    return this.#sessions.some((session) => session?.truncated.has(table));
  }

  /** Committed rows that a session could change now and has not touched. */
  untouchedRows(session: number, table: Table): readonly Row[] {
    const own = this.#sessions[session];
    if (own?.truncated.has(table) || this.#isTableLocked(session, table)) return [];
    const isFree = (key: string): boolean => own?.overlay.has(key) !== true && !this.#isLocked(session, key);
    return this.committedRows(table).filter((row) => isFree(rowKey(table, row.id)));
  }

  /** Rows that a session could change now, as it sees them. */
  changeableRows(session: number, table: Table): readonly Row[] {
    const own = [...(this.#sessions[session]?.overlay ?? [])].filter(([key]) => key.startsWith(`${table}:`)).map(([, row]) => row);
    return [...this.untouchedRows(session, table), ...own.filter((row) => row !== null)];
  }

  /** True when the session could insert a row under this key. */
  isFree(session: number, table: Table, id: string | number): boolean {
    const key = rowKey(table, id);
    if (this.#isTableLocked(session, table) || this.#isLocked(session, key)) return false;
    const own = this.#sessions[session];
    const seen = own?.overlay.get(key);
    if (seen !== undefined) return seen === null;
    return own?.truncated.has(table) === true || !this.#rows[table].has(String(id));
  }

  insert(session: number, table: Table, after: Row): void {
    const own = this.#open(session);
    own.changes.push({ kind: 'insert', table, lsn: this.#advance(own, true), after });
    own.overlay.set(rowKey(table, after.id), after);
  }

  /** An update; the key may change. */
  update(session: number, table: Table, before: Row, after: Row): void {
    const own = this.#open(session);
    own.changes.push({ kind: 'update', table, lsn: this.#advance(own, false), before, after });
    own.overlay.set(rowKey(table, before.id), null);
    own.overlay.set(rowKey(table, after.id), after);
  }

  delete(session: number, table: Table, before: Row): void {
    const own = this.#open(session);
    own.changes.push({ kind: 'delete', table, lsn: this.#advance(own, false), before });
    own.overlay.set(rowKey(table, before.id), null);
  }

  /** True when no other session holds anything in the table. */
  canTruncate(session: number, table: Table): boolean {
    return !this.#sessions.some((other, index) => {
      if (other === null || index === session) return false;
      return other.truncated.has(table) || [...other.overlay.keys()].some((key) => key.startsWith(`${table}:`));
    });
  }

  truncate(session: number, table: Table): void {
    const own = this.#open(session);
    own.changes.push({ kind: 'truncate', table, lsn: this.#advance(own, false) });
    for (const key of own.overlay.keys()) if (key.startsWith(`${table}:`)) own.overlay.set(key, null);
    own.truncated.add(table);
  }

  /**
   * An insert that waits in a unique index while another session deletes the row of that key and commits first: the insert's LSN is
   * lower than the delete's although it comes later. Answers the delete's transaction; the insert stays open in its session.
   */
  insertWaitingForDelete(session: number, table: Table, existing: Row, after: Row): Transaction {
    this.insert(session, table, after);
    this.#open(session).waited = true;
    this.#lsn += 64;
    const deletion = this.#begin();
    deletion.changes.push({ kind: 'delete', table, lsn: this.#advance(deletion, false), before: existing });
    return this.#commit(deletion);
  }

  /** Commits a session; null when it has nothing to commit. */
  commit(session: number): Transaction | null {
    const own = this.#sessions[session];
    this.#sessions[session] = null;
    return own === null ? null : this.#commit(own);
  }

  rollback(session: number): void {
    this.#sessions[session] = null;
  }

  /** Rolls back every session for which the answer is true. */
  rollbackIf(refused: (changes: readonly Change[], waited: boolean) => boolean): void {
    this.#sessions.forEach((session, index) => {
      if (session !== null && refused(session.changes, session.waited)) this.#sessions[index] = null;
    });
  }

  get sessionCount(): number {
    return this.#sessions.length;
  }

  /** A commit that holds nothing of our tables: a watermark of an incremental snapshot, for instance. */
  commitElsewhere(): { readonly own: number; readonly previousCommit: number } {
    const own = this.#lsn;
    const previousCommit = this.#lastCommit;
    this.#lsn += 8 * (1 + this.#random.below(20));
    this.#lastCommit = this.#lsn;
    return { own, previousCommit };
  }

  /** Another server takes over: what was open is lost, and positions start again from the given one. */
  failOver(lsn: number): void {
    this.#sessions.fill(null);
    this.#lsn = lsn;
    this.#lastCommit = lsn;
  }

  #commit(session: Session): Transaction {
    const previousCommit = this.#lastCommit;
    for (const change of session.changes) this.#apply(change);
    this.#lsn += 8 * (1 + this.#random.below(6));
    this.#lastCommit = this.#lsn;
    const time = this.#commitTime(session.changes);
    return { id: session.id, changes: session.changes, previousCommit, time };
  }

  #apply(change: Change): void {
    const rows = this.#rows[change.table];
    if (change.kind === 'truncate') rows.clear();
    if (change.kind === 'update' || change.kind === 'delete') rows.delete(String(change.before.id));
    if (change.kind === 'update' || change.kind === 'insert') rows.set(String(change.after.id), change.after);
  }

  /** Commit times are taken just before the commit is logged, so those of unrelated transactions may swap. */
  #commitTime(changes: readonly Change[]): number {
    let floor = this.#timeFloor;
    const keys: string[] = [];
    for (const change of changes) {
      const tableFloor = change.kind === 'truncate' ? this.#tableTime.get(change.table) : this.#truncateTime.get(change.table);
      floor = Math.max(floor, tableFloor ?? 0);
      if (change.kind === 'update' || change.kind === 'delete') keys.push(rowKey(change.table, change.before.id));
      if (change.kind === 'update' || change.kind === 'insert') keys.push(rowKey(change.table, change.after.id));
    }
    for (const key of keys) floor = Math.max(floor, this.#keyTime.get(key) ?? 0);
    const time = Math.max(floor, this.#now - this.#random.pick([0, 0, 0, 1, 3]));
    for (const key of keys) this.#keyTime.set(key, time);
    for (const { table, kind } of changes) {
      this.#tableTime.set(table, Math.max(time, this.#tableTime.get(table) ?? 0));
      if (kind === 'truncate') this.#truncateTime.set(table, time);
    }
    return time;
  }

  #open(session: number): Session {
    const own = this.#sessions[session] ?? this.#begin();
    this.#sessions[session] = own;
    return own;
  }

  #begin(): Session {
    return { id: this.#nextTransaction++, changes: [], overlay: new Map(), truncated: new Set(), waited: false };
  }

  /** LSN of the next change. Rows of one multi-row insert share it. */
  #advance(session: Session, mayShare: boolean): number {
    const last = session.changes.at(-1);
    const isNewest = this.#newest?.session === session && this.#newest.end === this.#lsn;
    if (mayShare && isNewest && last?.kind === 'insert' && this.#random.chance(0.3)) return last.lsn;
    const own = this.#lsn;
    this.#lsn += 8 * (1 + this.#random.below(30));
    this.#newest = { session, end: this.#lsn };
    return own;
  }

  #isLocked(session: number, key: string): boolean {
    return this.#sessions.some((other, index) => index !== session && other?.overlay.has(key));
  }

  #isTableLocked(session: number, table: Table): boolean {
    return this.#sessions.some((other, index) => index !== session && other?.truncated.has(table));
  }
}
