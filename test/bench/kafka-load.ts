/**
 * Writes change events to a broker, in a process of its own: `node kafka-load.ts <brokers> <topic prefix> <first event> <events> <rows> <partitions> [a second]`. Topics are
 * `<prefix>.public.rents` and `….expenses` and must exist. At a fixed rate it is spread evenly. Prints one JSON line.
 */
import { Kafka, logLevel, type Message } from 'kafkajs';
import { changeEvent, TABLES } from './change-events.ts';

const [brokers, prefix, ...numbers] = process.argv.slice(2);
const [first, events, rows, partitions, perSecond = 0] = numbers.map(Number);
/** Bytes of values gathered for a partition before it is sent. */
const SEND_RECORDS = 500;

const producer = new Kafka({ clientId: 'bench-load', brokers: brokers.split(','), logLevel: logLevel.NOTHING }).producer({ maxInFlightRequests: 4 });
await producer.connect();
const waiting = new Map<string, Message[]>(TABLES.map((table) => [table, []]));
const sending = new Set<Promise<unknown>>();

async function send(): Promise<void> {
  const topicMessages = TABLES.map((table) => ({ topic: `${prefix}.public.${table}`, messages: waiting.get(table)! })).filter(({ messages }) => messages.length > 0);
  for (const table of TABLES) waiting.set(table, []);
  if (topicMessages.length === 0) return;
  const sent = producer.sendBatch({ acks: 1, topicMessages }).finally(() => sending.delete(sent));
  sending.add(sent);
  // One request after the other keeps the order of a partition.
  await sent;
}

const begin = performance.now();
let gathered = 0;
for (let i = first; i < first + events; i++) {
  const { table, partition, time, key, value } = changeEvent(i, rows, partitions);
  waiting.get(table)!.push({ partition, key, value, timestamp: String(time) });
  if (++gathered < (perSecond > 0 ? Math.min(SEND_RECORDS, Math.ceil(perSecond / 50)) : SEND_RECORDS * partitions)) continue;
  gathered = 0;
  await send();
  const earlyMs = perSecond > 0 ? ((i - first + 1) / perSecond) * 1_000 - (performance.now() - begin) : 0;
  if (earlyMs > 1) await new Promise((resolve) => { setTimeout(resolve, earlyMs); });
}
await send();
await Promise.all(sending);
await producer.disconnect();
console.log(JSON.stringify({ events, events_per_second: Math.round((events / (performance.now() - begin)) * 1_000) }));
