import { createHash } from 'node:crypto';
import { createDice, DIARY_END, type DemoChange, type DemoRow, type DemoTable } from './demo-diary.ts';

/**
 * Renders a diary as Debezium 3.0 for Postgres writes it (JSON without schemas, decimals as text, dates as epoch days, replica
 * identity DEFAULT) and as `kcat -C -J` dumps it: a snapshot when the connector first starts, then transactions in commit order,
 * a tombstone behind each delete, a monthly heartbeat, and one restart after which a stretch is sent again.
 */

const CONNECTOR_START = '2024-03-04T06:00:00Z';
/** The connector was killed here before it could save how far it was, and repeated everything since RESENT_FROM. */
const CONNECTOR_RESTART = '2025-09-29T20:00:00Z';
const RESENT_FROM = '2025-09-10T00:00:00Z';

const TOPICS: Readonly<Record<DemoTable, { readonly topic: string; readonly partitions: number }>> = {
  properties: { topic: 'rental.public.properties', partitions: 1 },
  expenses: { topic: 'rental.public.expenses', partitions: 2 },
  rents: { topic: 'rental.public.rents', partitions: 2 },
};
const HEARTBEAT_TOPIC = '__debezium-heartbeat.rental';

/** What a delete's `before` holds besides the key under REPLICA IDENTITY DEFAULT: null, or a made-up value where null is not allowed. */
const BEFORE_DELETE: Readonly<Record<DemoTable, Readonly<Record<string, unknown>>>> = {
  properties: { user_id: '', display_name: '', cash_invested: null, down_payment: null, purchase_price: null, current_market_value: null },
  expenses: { property_id: '', unit_id: null, date: 0, amount: '0.00', expense_type: null, is_planned: false, notes: null },
  rents: { property_id: '', unit_id: null, payment_date: 0, amount: '0.00', revenue_description: null, is_non_irs_revenue: false },
};

type Operation = 'r' | 'c' | 'u' | 'd';

/** One event as the connector has it before it is sent; sending it again changes only `sequence` and the envelope's time. */
interface Event {
  readonly table: DemoTable;
  readonly id: string;
  readonly operation: Operation;
  readonly row: DemoRow | null;
  readonly commitMs: number;
  readonly snapshot: string;
  readonly lastCommit: number | null;
  readonly lsn: number;
  readonly transaction: number;
}

/** Topic dumps by file name. */
export function demoLogs(changes: readonly DemoChange[]): ReadonlyMap<string, string> {
  const broker = new Broker();
  const connector = new Connector(broker);
  const live = new Map<DemoTable, Map<string, DemoRow>>([['properties', new Map()], ['expenses', new Map()], ['rents', new Map()]]);
  const before = changes.filter((c) => c.at < CONNECTOR_START);
  for (const change of before) apply(live, change);
  connector.snapshot(live);
  let month = CONNECTOR_START.slice(0, 7);
  for (const transaction of transactionsOf(changes.slice(before.length))) {
    const at = transaction[0]!.at;
    if (at > CONNECTOR_RESTART) connector.restartOnce();
    while (month < at.slice(0, 7)) {
      month = nextMonth(month);
      connector.heartbeat(Date.parse(`${month}-01T00:00:05Z`));
    }
    const operations = transaction.map((change) => apply(live, change));
    connector.commit(transaction, operations);
  }
  connector.heartbeat(Date.parse(DIARY_END) + 60_000);
  return broker.files();
}

/** Changes of one instant are one transaction. */
function transactionsOf(changes: readonly DemoChange[]): DemoChange[][] {
  const transactions: DemoChange[][] = [];
  for (const change of changes) {
    const last = transactions.at(-1);
    if (last !== undefined && last[0]!.at === change.at) last.push(change);
    else transactions.push([change]);
  }
  return transactions;
}

function nextMonth(month: string): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`;
}

/** Applies a change to the tables and says which operation it is. */
function apply(live: Map<DemoTable, Map<string, DemoRow>>, change: DemoChange): Operation {
  const table = live.get(change.table)!;
  const known = table.has(change.id);
  if (change.row !== null) {
    table.set(change.id, change.row);
    return known ? 'u' : 'c';
  }
  if (!table.delete(change.id)) throw new Error(`the diary deletes ${change.id} from ${change.table}, where it is not`);
  return 'd';
}

class Connector {
  readonly #broker: Broker;
  readonly #dice = createDice(1_701);
  readonly #sent: Event[] = [];
  #lsn = 24_118_104;
  #transaction = 742;
  #lastCommit: number | null = null;
  #restarted = false;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  snapshot(live: ReadonlyMap<DemoTable, ReadonlyMap<string, DemoRow>>): void {
    const commitMs = Date.parse(CONNECTOR_START) + 118;
    const tables = [...live].map(([table, rows]) => ({ table, rows: [...rows] }));
    tables.forEach(({ table, rows }, t) => rows.forEach(([id, row], i) => {
      const last = i === rows.length - 1;
      const marker = i === 0 ? (t === 0 ? 'first' : 'first_in_data_collection') : last ? (t === tables.length - 1 ? 'last' : 'last_in_data_collection') : 'true';
      this.#send({ table, id, row, operation: 'r', commitMs, snapshot: marker, lastCommit: null, lsn: this.#lsn, transaction: this.#transaction }, commitMs + 240 + i);
    }));
  }

  commit(changes: readonly DemoChange[], operations: readonly Operation[]): void {
    this.#transaction += 1 + this.#dice(4);
    this.#lsn += 56 + 8 * this.#dice(60);
    const commitMs = Date.parse(changes[0]!.at) + this.#dice(1_000);
    changes.forEach((change, i) => {
      const event: Event = {
        table: change.table, id: change.id, row: change.row, operation: operations[i]!, commitMs, snapshot: 'false',
        lastCommit: this.#lastCommit, lsn: this.#lsn, transaction: this.#transaction,
      };
      this.#sent.push(event);
      this.#send(event, commitMs + 150 + this.#dice(500) + i);
      this.#lsn += 96 + 8 * this.#dice(30);
    });
    this.#lastCommit = this.#lsn;
    this.#lsn += 48;
  }

  /** Repeats what was sent since RESENT_FROM: new offsets, old commit times and positions, the first transaction without a last commit. */
  restartOnce(): void {
    if (this.#restarted) return;
    this.#restarted = true;
    const again = this.#sent.filter((event) => event.commitMs >= Date.parse(RESENT_FROM));
    again.forEach((event, i) => {
      const lastCommit = event.transaction === again[0]!.transaction ? null : event.lastCommit;
      this.#send({ ...event, lastCommit }, Date.parse(CONNECTOR_RESTART) + 4_000 + 3 * i);
    });
  }

  heartbeat(ms: number): void {
    this.#broker.append(HEARTBEAT_TOPIC, 1, ms + 40, '{"serverName":"rental"}', JSON.stringify({ ts_ms: ms }));
  }

  #send(event: Event, ms: number): void {
    const { topic, partitions } = TOPICS[event.table];
    const key = JSON.stringify({ id: event.id });
    this.#broker.append(topic, partitions, ms + 12, key, JSON.stringify(envelope(event, ms)));
    if (event.operation === 'd') this.#broker.append(topic, partitions, ms + 12, key, null);
  }
}

function envelope(event: Event, ms: number): Readonly<Record<string, unknown>> {
  const quoted = (lsn: number | null): string | null => (lsn === null ? null : String(lsn));
  return {
    before: event.operation === 'd' ? { id: event.id, ...BEFORE_DELETE[event.table] } : null,
    after: event.row === null ? null : physicalRow(event.row),
    source: {
      version: '3.0.8.Final', connector: 'postgresql', name: 'rental', ts_ms: event.commitMs, snapshot: event.snapshot, db: 'rental',
      sequence: JSON.stringify([quoted(event.lastCommit), quoted(event.lsn)]), schema: 'public', table: event.table,
      txId: event.transaction, lsn: event.lsn, xmin: null,
    },
    transaction: null,
    op: event.operation,
    ts_ms: ms,
  };
}

/** Dates as Debezium's default sends them: days since 1970. */
function physicalRow(row: DemoRow): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => (
    (name === 'date' || name === 'payment_date') && typeof value === 'string' ? [name, Date.parse(`${value}T00:00:00Z`) / 86_400_000] : [name, value]
  )));
}

/** Keeps the lines of each topic and counts offsets. A key always goes to the same partition. */
class Broker {
  readonly #lines = new Map<string, string[]>();
  readonly #offsets = new Map<string, number>();

  append(topic: string, partitions: number, ts: number, key: string, payload: string | null): void {
    const partition = createHash('sha256').update(key).digest()[0]! % partitions;
    const name = `${topic}/${partition}`;
    const offset = this.#offsets.get(name) ?? 0;
    this.#offsets.set(name, offset + 1);
    const lines = this.#lines.get(topic) ?? [];
    lines.push(JSON.stringify({ topic, partition, offset, tstype: 'create', ts, broker: 1, key, payload }));
    this.#lines.set(topic, lines);
  }

  files(): ReadonlyMap<string, string> {
    return new Map([...this.#lines].map(([topic, lines]) => [`${topic}.jsonl`, `${lines.join('\n')}\n`]));
  }
}
