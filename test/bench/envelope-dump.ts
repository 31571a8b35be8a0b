import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** How many properties the rows belong to. */
export const PROPERTIES = 20_000;

const TABLES = ['rents', 'expenses'] as const;
const uuid = (prefix: string, n: number): string => `${prefix}-7e02-4a2f-9c20-${n.toString(16).padStart(12, '0')}`;
const rowOf = (i: number, rows: number): number => (Math.imul(i, 0x9e3779b1) >>> 0) % rows;

/** All of a property's id but its number, which is 12 hexadecimal digits. */
export const PROPERTY_PREFIX = uuid('c2ea0f1e', 0).slice(0, -13);

/** A whole envelope, an expense or a rent, about 900 bytes of payload; each row is changed twice on average, at random. */
function lineOf(i: number, offset: number, rows: number): string {
  const row = rowOf(i, rows);
  const isRent = row % 4 === 0;
  const table = isRent ? 'rents' : 'expenses';
  const id = uuid(isRent ? '5e3b34e6' : '0af1b5a4', row);
  const amount = `${(row * 37 + i) % 5000}.${String(i % 100).padStart(2, '0')}`;
  const shared = { id, property_id: uuid('c2ea0f1e', row % PROPERTIES), unit_id: uuid('32834572', row % (3 * PROPERTIES)), amount };
  const after = isRent
    ? { ...shared, payment_date: 19_800 + (row % 900), revenue_description: 'Monthly rent for the apartment', is_non_irs_revenue: row % 40 === 0, created_at: '2024-11-05T09:30:00.000000Z', updated_at: '2024-11-05T09:30:00.000000Z' }
    : { ...shared, date: 19_800 + (row % 900), description: 'Replacement of the boiler, second floor', expense_type: ['tax', 'utilities', 'maintenance', 'pandi', 'capex'][row % 5], is_planned: false, created_at: '2024-11-05T09:30:00.000000Z', updated_at: '2024-11-05T09:30:00.000000Z' };
  const lsn = 23_002_011 + 8 * i;
  const source = { version: '3.6.1.Final', connector: 'postgresql', name: 'pg', ts_ms: 1_735_689_608_728 + i, snapshot: 'false', db: 'rental', sequence: `["${lsn - 8}","${lsn}"]`, ts_us: 1_735_689_608_728_000, ts_ns: 1_735_689_608_728_000_000, schema: 'public', table, txId: 705 + i, lsn, xmin: null };
  const payload = JSON.stringify({ before: null, after, source, transaction: null, op: 'c', ts_ms: 1_735_689_608_768 + i, ts_us: 1_735_689_608_768_000, ts_ns: 1_735_689_608_768_000_000 });
  return `${JSON.stringify({ topic: `pg.public.${table}`, partition: i % 4, offset, tstype: 'create', ts: 1_735_689_608_728 + i, broker: 1, key: JSON.stringify({ id }), payload })}\n`;
}

/** Dumps of Debezium envelopes with random changes of rows; each `write` goes on where the one before ended. */
export class EnvelopeDump {
  readonly #rows: number;
  readonly #offsets = new Map<string, number>();
  #next = 0;

  /** As many rows as half the events: each is changed twice on average. */
  constructor(events: number) {
    this.#rows = Math.max(1, events >> 1);
  }

  /** Appends so many events to a file of each table; answers the bytes written. */
  async write(events: number, path: (table: string) => string): Promise<number> {
    const files = new Map(TABLES.map((table) => [table, createWriteStream(path(table), { flags: 'a', highWaterMark: 1 << 22 })]));
    const end = this.#next + events;
    for (; this.#next < end; this.#next++) {
      const i = this.#next;
      const table = rowOf(i, this.#rows) % 4 === 0 ? 'rents' : 'expenses';
      const partition = `${table}/${i % 4}`;
      const offset = this.#offsets.get(partition) ?? 0;
      this.#offsets.set(partition, offset + 1);
      const file = files.get(table)!;
      if (!file.write(lineOf(i, offset, this.#rows))) await once(file, 'drain');
    }
    let bytes = 0;
    for (const file of files.values()) {
      file.end();
      await once(file, 'close');
      bytes += file.bytesWritten;
    }
    return bytes;
  }
}
