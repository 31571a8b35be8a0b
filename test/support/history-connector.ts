import type { Change, Transaction } from './history-changes.ts';
import type { Random } from './history-random.ts';
import type { Row, Table } from './history-rows.ts';

/**
 * A change-capture connector as Debezium is one: it sends transactions in commit order, keeps the end of the commit before in
 * `first`, saves its place now and then, and after a restart sends everything since that place again.
 */

/** What one change looks like to the log writer. */
export interface StreamEvent {
  readonly operation: 'r' | 'c' | 'u' | 'd' | 't';
  readonly table: Table;
  readonly before: Row | null;
  readonly after: Row | null;
  /** Last commit LSN, or null where the connector does not know it. */
  readonly first: number | null;
  readonly own: number;
  readonly time: number;
  readonly transaction: number | null;
  readonly snapshot: string;
}

export interface EventSink {
  /** Writes one event as one or several records. `recordsMax` cuts it off: the connector died between two records. */
  write(event: StreamEvent, recordsMax?: number): void;
  /** A new process begins to write. */
  begin(): void;
}

/** How the first transaction after a restart gives its last commit. */
export const COMMIT_MEMORY = ['same', 'missing', 'stale'] as const;
export type CommitMemory = (typeof COMMIT_MEMORY)[number];

export class Connector {
  readonly #random: Random;
  readonly #sink: EventSink;
  /** Everything sent since the last full snapshot or failover: what a restart may send again. */
  #sent: Transaction[] = [];
  /** Saved place: index of the transaction a restart begins with (perhaps one not sent yet), and the commit it then remembers. */
  #saved = 0;
  #savedFirst: number | null | undefined;
  /** False when the stream began without a commit: its first transaction knows none, however often it is sent. */
  #knowsCommit: boolean;

  constructor(random: Random, sink: EventSink, knowsCommit: boolean) {
    this.#random = random;
    this.#sink = sink;
    this.#knowsCommit = knowsCommit;
  }

  /** Sends a transaction for the first time. */
  send(transaction: Transaction): void {
    this.#stream(transaction, this.#remember(transaction));
  }

  /** Dies after some records of a transaction, starts again, and sends it whole. */
  sendBroken(transaction: Transaction): void {
    this.#stream(transaction, this.#remember(transaction), 1 + this.#random.below(transaction.changes.length + 1));
    this.#start(overlaps(transaction) ? ['same'] : ['same', 'missing'], this.#sent.length - 1);
  }

  /** Starts again from the saved place, perhaps dying once more on the way. */
  restart(): void {
    this.#start(COMMIT_MEMORY, this.#sent.length);
  }

  /** A full snapshot: rows carry the log's end, and the first transaction after it knows no commit. */
  snapshot(rows: readonly { readonly table: Table; readonly row: Row }[], lsn: number, time: number, transaction: number): void {
    rows.forEach(({ table, row }, index) => {
      const snapshot = index === 0 ? 'first' : index === rows.length - 1 ? 'last' : 'true';
      this.#sink.write({ operation: 'r', table, before: null, after: row, first: null, own: lsn, time, transaction, snapshot });
    });
    this.forget(false);
  }

  /** Rows of an incremental snapshot: they carry the place of the window's closing mark, a commit of its own in the stream. */
  incremental(table: Table, rows: readonly Row[], previousCommit: number, own: number, time: () => number): void {
    const first = this.#sent.length === 0 && !this.#knowsCommit ? null : previousCommit;
    this.#knowsCommit = this.#knowsCommit || this.#sent.length === 0;
    for (const row of rows) {
      this.#sink.write({
        operation: 'r', table, before: null, after: row, first, own, time: time(), transaction: null, snapshot: 'incremental',
      });
    }
  }

  /** Nothing sent so far can be sent again. */
  forget(knowsCommit: boolean): void {
    this.#sent = [];
    this.#saved = 0;
    this.#savedFirst = undefined;
    this.#knowsCommit = knowsCommit;
  }

  /** A new process: it begins at the saved place, at `latest` at the given transaction. */
  #start(memories: readonly CommitMemory[], latest: number): void {
    this.#sink.begin();
    this.#save(memories, latest);
    if (this.#saved < this.#sent.length && this.#random.chance(0.3)) {
      this.#resend(1 + this.#random.below(12));
      this.#sink.begin();
    }
    this.#resend(Infinity);
  }

  #remember(transaction: Transaction): number | null {
    const index = this.#sent.push(transaction) - 1;
    // A transaction that is sent for the first time without its commit must not have begun before that commit: nothing would order it.
    if (index === this.#saved && overlaps(transaction)) this.#savedFirst = undefined;
    return this.#first(index);
  }

  #first(index: number): number | null {
    if (index === this.#saved && this.#savedFirst !== undefined) return this.#savedFirst;
    return index === 0 && !this.#knowsCommit ? null : this.#sent[index].previousCommit;
  }

  /** The saved place only moves forward; while it stays, what it remembers stays too. */
  #save(memories: readonly CommitMemory[], latest: number): void {
    const place = this.#saved + (this.#random.chance(0.3) ? 0 : this.#random.below(latest - this.#saved + 1));
    if (place === this.#saved && this.#savedFirst !== undefined) return;
    this.#saved = place;
    this.#savedFirst = undefined;
    const isSent = place < this.#sent.length;
    const memory = this.#random.pick(memories);
    if (memory === 'missing' || (isSent && this.#first(place) === null)) this.#savedFirst = null;
    else if (isSent) this.#savedFirst = memory === 'same' ? this.#first(place) : this.#staleCommit(place);
  }

  /** A commit before the right one: that of an earlier transaction, or any lower number. */
  #staleCommit(place: number): number | null {
    if (place > 0 && this.#random.chance(0.6)) return this.#first(this.#random.below(place));
    return this.#sent[place].previousCommit - 1 - this.#random.below(60);
  }

  #resend(changesMax: number): void {
    let left = changesMax;
    for (let index = this.#saved; index < this.#sent.length && left > 0; index++) {
      left -= this.#stream(this.#sent[index], this.#first(index), left);
    }
  }

  /** Writes at most `changesMax` changes of a transaction, the last of them perhaps cut between two records. */
  #stream(transaction: Transaction, first: number | null, changesMax = Infinity): number {
    const changes = transaction.changes.slice(0, Math.min(changesMax, transaction.changes.length));
    changes.forEach((change, index) => {
      const isCut = changesMax <= changes.length && index === changes.length - 1;
      this.#sink.write(eventOf(change, transaction, first), isCut ? 1 + this.#random.below(2) : undefined);
    });
    return changes.length;
  }
}

/** True when the transaction changed something before the commit ahead of it. */
function overlaps(transaction: Transaction): boolean {
  return transaction.changes.some((change) => change.lsn < transaction.previousCommit);
}

function eventOf(change: Change, transaction: Transaction, first: number | null): StreamEvent {
  const common = {
    table: change.table, first, own: change.lsn, time: transaction.time,
    transaction: transaction.id, snapshot: 'false',
  };
  switch (change.kind) {
    case 'insert': return { ...common, operation: 'c', before: null, after: change.after };
    case 'update': return { ...common, operation: 'u', before: change.before, after: change.after };
    case 'delete': return { ...common, operation: 'd', before: change.before, after: null };
    case 'truncate': return { ...common, operation: 't', before: null, after: null };
  }
}
