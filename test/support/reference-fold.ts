import type { LogRecord } from './history-log.ts';
import type { Table } from './history-rows.ts';

/**
 * The rules of order, written as plainly as they are stated: one object per row, JSON.parse, no regard for speed. It tells a wrong rule from
 * wrong code, and gives the expected outcome of every single record. Debezium on Postgres only.
 */

/** Rules that can be left out, to see that the histories need each of them. */
export const RULES = [
  'position decides between partitions', 'a delete loses on equality', 'the log decides inside a partition', 'a re-send is refused',
  'an equal delete is a re-send', 'a fall is followed', 'a missing commit is the own position',
  'a snapshot row stands first', 'changes in flight follow the snapshot', 'epochs count', 'deletes are remembered',
  'truncates reach every partition', 'a truncate is remembered', 'a later commit passes a truncate', 'reading time is no commit time',
  'a tombstone belongs to its delete', 'a changed key deletes the old one',
] as const;
export type Rule = (typeof RULES)[number];

export type Outcome = 'applied' | 'unchanged' | 'superseded' | 'passedOver';

interface Position {
  readonly epoch: number;
  readonly first: bigint;
  readonly own: bigint;
  readonly isSnapshot: boolean;
  readonly lacksCommit: boolean;
  readonly time: number;
  /** An incremental snapshot's row states when it was read, not when it was committed. */
  readonly isReadingTime: boolean;
}

interface RowState {
  /** Normalised columns as text, or null once deleted. */
  image: string | null;
  /** Highest position and latest commit time the row has seen. */
  position: Position;
  time: number;
  /** Where the newest image came from, and that image's own commit time. */
  partition: string;
  imageTime: number;
}

interface Image {
  readonly [column: string]: unknown;
}

interface Envelope {
  readonly op: string;
  readonly before: Image | null;
  readonly after: Image | null;
  readonly source: { readonly table: string; readonly ts_ms: number; readonly snapshot: string; readonly sequence: string };
}

export class ReferenceFold {
  readonly #epochs: readonly number[];
  readonly #without: Rule | null;
  readonly #rows: Record<Table, Map<string, RowState>> = { expenses: new Map(), rents: new Map(), properties: new Map() };
  readonly #marks: Record<Table, Position[]> = { expenses: [], rents: [], properties: [] };
  /** Per partition, the key of the delete event right before. */
  readonly #deletedKey = new Map<string, string | null>();

  constructor(epochs: readonly number[], without: Rule | null = null) {
    this.#epochs = epochs;
    this.#without = without;
  }

  fold(record: LogRecord): Outcome {
    const partition = `${record.topic}/${record.partition}`;
    const deletedKey = this.#deletedKey.get(partition) ?? null;
    this.#deletedKey.set(partition, null);
    if (record.value === null) return this.#tombstone(record, partition, deletedKey);
    const envelope = unwrap(JSON.parse(record.value)) as Envelope;
    const table = envelope.source.table as Table;
    if (!(table in this.#rows)) return 'passedOver';
    const position = this.#position(envelope);
    if (envelope.op === 't') return this.#truncate(table, position, partition);
    if (envelope.op === 'd') {
      this.#deletedKey.set(partition, record.key);
      return this.#change(table, String(envelope.before?.id), null, position, partition);
    }
    const after = envelope.after ?? {};
    const oldId = envelope.before?.id;
    const isRekeyed = envelope.op === 'u' && oldId !== undefined && oldId !== null && oldId !== '' && oldId !== 0 && oldId !== after.id;
    const removes = isRekeyed && this.#has('a changed key deletes the old one');
    const removed = removes ? this.#change(table, String(oldId), null, position, partition) : 'unchanged';
    const outcome = this.#change(table, String(after.id), imageText(after), position, partition);
    return removed === 'applied' ? 'applied' : outcome;
  }

  /** Live rows of a table by key. */
  liveRows(table: Table): ReadonlyMap<string, string> {
    const live = new Map<string, string>();
    for (const [id, row] of this.#rows[table]) if (row.image !== null) live.set(id, row.image);
    return live;
  }

  #has(rule: Rule): boolean {
    return this.#without !== rule;
  }

  #position({ source }: Envelope): Position {
    const [commit, own] = JSON.parse(source.sequence) as [string | null, string];
    return {
      epoch: this.#has('epochs count') ? this.#epochs.filter((instant) => instant <= source.ts_ms).length : 0,
      first: BigInt(commit ?? (this.#has('a missing commit is the own position') ? own : 0)),
      own: BigInt(own),
      isSnapshot: source.snapshot !== 'false',
      lacksCommit: commit === null,
      time: source.ts_ms,
      isReadingTime: source.snapshot === 'incremental' && this.#has('reading time is no commit time'),
    };
  }

  /** Positive when `a` stands after `b`. */
  #compare(a: Position, b: Position): number {
    if (a.epoch !== b.epoch) return a.epoch - b.epoch;
    if (this.#has('changes in flight follow the snapshot')) {
      if (isInFlight(a, b)) return a.time - b.time || 1;
      if (isInFlight(b, a)) return a.time - b.time || -1;
    }
    if (a.first !== b.first) return a.first > b.first ? 1 : -1;
    if (a.isSnapshot !== b.isSnapshot && this.#has('a snapshot row stands first')) return a.isSnapshot ? -1 : 1;
    return a.own === b.own ? 0 : a.own > b.own ? 1 : -1;
  }

  #change(table: Table, id: string, image: string | null, position: Position, partition: string): Outcome {
    const rows = this.#rows[table];
    if (this.#isTruncated(table, position)) return 'superseded';
    const row = rows.get(id);
    if (row === undefined) {
      if (image !== null || this.#has('deletes are remembered')) rows.set(id, { image, position, time: position.time, partition, imageTime: position.time });
      return image === null ? 'unchanged' : 'applied';
    }
    const order = this.#compare(position, row.position);
    const isRefused = this.#isRefused(row, order, image === null, position, partition);
    const isSame = row.image === image;
    const fell = order < 0 && row.partition === partition && position.time > row.time && this.#has('a fall is followed');
    if (order > 0 || fell) row.position = position;
    row.time = Math.max(row.time, position.time);
    if (isRefused) return isSame ? 'unchanged' : 'superseded';
    if (image === null && !this.#has('deletes are remembered')) rows.delete(id);
    Object.assign(row, { image, partition, imageTime: position.time });
    return isSame ? 'unchanged' : 'applied';
  }

  #isRefused(row: RowState, order: number, isDelete: boolean, position: Position, partition: string): boolean {
    if (row.partition !== partition) {
      if (!this.#has('position decides between partitions')) return false;
      return order < 0 || (order === 0 && isDelete && this.#has('a delete loses on equality'));
    }
    if (!this.#has('a re-send is refused')) return false;
    const isLower = order < 0 || (order === 0 && isDelete && this.#has('an equal delete is a re-send'));
    return isLower && (position.time <= row.time || !this.#has('the log decides inside a partition'));
  }

  #isTruncated(table: Table, position: Position): boolean {
    if (!this.#has('a truncate is remembered')) return false;
    return this.#marks[table].some((mark) => {
      const passes = this.#has('a later commit passes a truncate') && !position.isReadingTime && position.time > mark.time;
      return this.#compare(position, mark) <= 0 && !passes;
    });
  }

  #truncate(table: Table, position: Position, partition: string): Outcome {
    this.#marks[table].push(position);
    for (const row of this.#rows[table].values()) {
      const isReached = row.partition === partition || this.#has('truncates reach every partition');
      const isOlder = isReached && this.#compare(row.position, position) <= 0;
      if (isOlder || (row.partition === partition && row.imageTime < position.time)) row.image = null;
    }
    return 'applied';
  }

  #tombstone(record: LogRecord, partition: string, deletedKey: string | null): Outcome {
    if (record.key === null) return 'passedOver';
    if (record.key === deletedKey && this.#has('a tombstone belongs to its delete')) return 'passedOver';
    const id = (unwrap(JSON.parse(record.key)) as Image).id;
    if (id === undefined) return 'passedOver';
    for (const table of ['expenses', 'rents', 'properties'] as const) {
      if (record.topic !== `pg.public.${table}`) continue;
      const row = this.#rows[table].get(String(id));
      if (row === undefined || row.image === null || row.partition !== partition) return 'unchanged';
      row.image = null;
      return 'applied';
    }
    return 'passedOver';
  }
}

function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'payload' in value ? value.payload : value;
}

/** A change that knows no commit, begun below the snapshot: it may have been under way when the snapshot was taken. */
function isInFlight(change: Position, snapshot: Position): boolean {
  return snapshot.isSnapshot && !change.isSnapshot && change.lacksCommit && change.own < snapshot.own;
}

/** A row image as one comparable text. */
export function imageText(image: Image): string {
  return JSON.stringify(Object.entries(image).sort(([a], [b]) => (a < b ? -1 : 1)));
}
