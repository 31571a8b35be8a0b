/**
 * Decode and fold on one thread, from payload bytes to books: Debezium expenses of about 860 bytes over 20 000 properties and 60 000 units, a quarter of
 * them updates, in batches as `serve` makes them, positions and counters moved with every batch. Each round starts with empty books. Prints one JSON line.
 * Arguments: events (default 300 000), rounds (default 5; the median counts), records a batch (default 250).
 */
import { randomUUID } from 'node:crypto';
import { createDecoder } from '../../src/change/decode.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { createState } from '../../src/state.ts';
import { batches, decodeOptions, envelope } from './envelopes.ts';

const events = Number(process.argv[2] ?? 300_000);
const rounds = Number(process.argv[3] ?? 5);
const batchRecords = Number(process.argv[4] ?? 250);

const properties = Array.from({ length: 20_000 }, () => ({ id: randomUUID(), units: [randomUUID(), randomUUID(), randomUUID()] }));
const rows = Array.from({ length: Math.ceil(events * 0.75) }, () => randomUUID());
const values = Array.from({ length: events }, (_, i) => {
  const row = i % 4 === 3 ? Math.floor(Math.random() * i * 0.75) : i - Math.floor(i / 4);
  const property = properties[row % properties.length];
  return envelope(i, { id: rows[row], property: property.id, unit: row % 3 === 0 ? null : property.units[row % 3] });
});
const made = batches(values, batchRecords);
values.length = 0;

const median = (numbers: number[]): number => Math.round(numbers.sort((a, b) => a - b)[numbers.length >> 1]);
const perSecond: number[] = [];
const perCpuSecond: number[] = [];
let live = 0;
for (let round = 0; round <= rounds; round++) {
  const decoder = createDecoder(decodeOptions, { positions: [], seenTables: {} });
  const state = createState(createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 }));
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (const batch of made) state.step(decoder.decode(batch), { now: 1_800_000_000_000, mayForgetDeletes: false });
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  live = state.books.counts().rows.expenses;
  if (round === 0) continue;
  perSecond.push(events / seconds);
  perCpuSecond.push(events / ((used.user + used.system) / 1e6));
}
console.log(JSON.stringify({ bench: 'decode and fold', node: process.version, events, rounds, batchRecords, liveRows: live, eventsPerSecond: median(perSecond), eventsPerCpuSecond: median(perCpuSecond) }));
