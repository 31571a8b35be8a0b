/**
 * What most teams write first, for comparison: a kafkajs consumer that parses each event with `JSON.parse` and keeps rows and totals in a `Map` of objects; nothing is
 * durable, order and duplicates are not looked at. `node kafka-plain-consumer.ts <brokers> <topic prefix> <events>`. Ends after so many events and prints one JSON line.
 */
import { Kafka, logLevel } from 'kafkajs';

interface Row {
  readonly property: string;
  readonly unit: string | null;
  readonly year: number;
  readonly category: string;
  readonly amount: number;
}


const [brokers, prefix, events] = process.argv.slice(2);
const CATEGORY: Readonly<Record<string, string>> = { pandi: 'piti', tax: 'tax', utilities: 'utilities', maintenance: 'maintenance', capex: 'capex', insurance: 'insurance', property_management: 'property_management' };
const rows = new Map<string, Row>();
const totals = new Map<string, Record<string, number>>();

function post(account: string, row: Row, sign: 1 | -1): void {
  const key = `${account}/${row.year}`;
  let sums = totals.get(key) as Record<string, number> | undefined;
  if (sums === undefined) totals.set(key, (sums = {}));
  sums[row.category] = (sums[row.category] ?? 0) + sign * row.amount;
}

function fold(text: string): void {
  const { op, after, before, source } = JSON.parse(text) as { op: string; after: Record<string, string | number | boolean> | null; before: Record<string, string> | null; source: { table: string } };
  const id = `${source.table}/${String((after ?? before)?.id)}`;
  const old = rows.get(id);
  if (old !== undefined) {
    post(old.property, old, -1);
    if (old.unit !== null) post(`${old.property}/${old.unit}`, old, -1);
    rows.delete(id);
  }
  if (op === 'd' || after === null) return;
  const days = Number(after.date ?? after.payment_date);
  const category = source.table === 'rents' ? (after.is_non_irs_revenue === true ? 'deposit' : 'rent') : CATEGORY[String(after.expense_type)] ?? 'other';
  const row: Row = { property: String(after.property_id), unit: after.unit_id === null ? null : String(after.unit_id), year: new Date(days * 86_400_000).getUTCFullYear(), category, amount: Math.round(Number(after.amount) * 10_000) };
  rows.set(id, row);
  post(row.property, row, 1);
  if (row.unit !== null) post(`${row.property}/${row.unit}`, row, 1);
}

const consumer = new Kafka({ clientId: 'bench-plain', brokers: brokers.split(','), logLevel: logLevel.NOTHING }).consumer({ groupId: `plain-${process.pid}`, maxWaitTimeInMs: 100 });
await consumer.connect();
await consumer.subscribe({ topics: [`${prefix}.public.rents`, `${prefix}.public.expenses`], fromBeginning: true });
const { promise, resolve } = Promise.withResolvers<void>();
let read = 0;
let begin = 0;
await consumer.run({
  autoCommit: false,
  eachBatch: ({ batch }) => {
    if (begin === 0) begin = performance.now();
    for (const { value } of batch.messages) if (value !== null) fold(value.toString());
    read += batch.messages.length;
    if (read >= Number(events)) resolve();
    return Promise.resolve();
  },
});
await promise;
const ms = performance.now() - begin;
const sum = (isRent: boolean): bigint => [...rows.values()].filter(({ category }) => (category === 'rent' || category === 'deposit') === isRent).reduce((total, { amount }) => total + BigInt(amount), 0n);
console.log(JSON.stringify({ events: read, events_per_second: Math.round((read / ms) * 1_000), rows: rows.size, revenue_units: String(sum(true)), expenses_units: String(sum(false)) }));
process.exit(0);
