/** Change events for benches of whole processes: an expense or a rent as Debezium sends it, about 900 bytes; each row is changed twice on average, at random. */

/** How many properties the rows belong to. */
export const PROPERTIES = 20_000;

export const TABLES = ['rents', 'expenses'] as const;

export interface ChangeEvent {
  readonly table: (typeof TABLES)[number];
  /** Of the topic: the same for all changes of a row. */
  readonly partition: number;
  readonly time: number;
  readonly key: string;
  readonly value: string;
}

const uuid = (prefix: string, n: number): string => `${prefix}-7e02-4a2f-9c20-${n.toString(16).padStart(12, '0')}`;

/** All of a property's id but its number, which is 12 hexadecimal digits. */
export const PROPERTY_PREFIX = uuid('c2ea0f1e', 0).slice(0, -13);

/** Which row the event changes. */
export function rowOf(i: number, rows: number): number {
  return (Math.imul(i, 0x9e3779b1) >>> 0) % rows;
}

/** The table of a row: every fourth is a rent. */
export function tableOf(row: number): ChangeEvent['table'] {
  return row % 4 === 0 ? 'rents' : 'expenses';
}

/** Event number `i` over so many rows and partitions. The commit position rises with `i`. */
export function changeEvent(i: number, rows: number, partitions: number): ChangeEvent {
  const row = rowOf(i, rows);
  const table = tableOf(row);
  const isRent = table === 'rents';
  const id = uuid(isRent ? '5e3b34e6' : '0af1b5a4', row);
  const amount = `${(row * 37 + i) % 5000}.${String(i % 100).padStart(2, '0')}`;
  const shared = { id, property_id: uuid('c2ea0f1e', row % PROPERTIES), unit_id: uuid('32834572', row % (3 * PROPERTIES)), amount };
  const after = isRent
    ? { ...shared, payment_date: 19_800 + (row % 900), revenue_description: 'Monthly rent for the apartment', is_non_irs_revenue: row % 40 === 0, created_at: '2024-11-05T09:30:00.000000Z', updated_at: '2024-11-05T09:30:00.000000Z' }
    : { ...shared, date: 19_800 + (row % 900), description: 'Replacement of the boiler, second floor', expense_type: ['tax', 'utilities', 'maintenance', 'pandi', 'capex'][row % 5], is_planned: false, created_at: '2024-11-05T09:30:00.000000Z', updated_at: '2024-11-05T09:30:00.000000Z' };
  const lsn = 23_002_011 + 8 * i;
  const source = { version: '3.6.1.Final', connector: 'postgresql', name: 'pg', ts_ms: 1_735_689_608_728 + i, snapshot: 'false', db: 'rental', sequence: `["${lsn - 8}","${lsn}"]`, ts_us: 1_735_689_608_728_000, ts_ns: 1_735_689_608_728_000_000, schema: 'public', table, txId: 705 + i, lsn, xmin: null };
  const value = JSON.stringify({ before: null, after, source, transaction: null, op: 'c', ts_ms: 1_735_689_608_768 + i, ts_us: 1_735_689_608_768_000, ts_ns: 1_735_689_608_768_000_000 });
  return { table, partition: row % partitions, time: 1_735_689_608_728 + i, key: JSON.stringify({ id }), value };
}
