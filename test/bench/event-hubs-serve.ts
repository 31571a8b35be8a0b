/**
 * The double of Event Hubs with change events in it, in a process of its own, so that its processor time is not the reader's:
 * `node event-hubs-serve.ts <hub prefix> <events> <rows> <partitions>`. Hubs are `<prefix>.public.rents` and `….expenses`. Prints the connection string once all is there, and ends with its input.
 */
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import { changeEvent, TABLES } from './change-events.ts';

const [prefix, ...numbers] = process.argv.slice(2);
const [events, rows, partitions] = numbers.map(Number);

const hub = (table: string): string => `${prefix}.public.${table}`;
const double = await EventHubsDouble.start({ hubs: TABLES.map((table) => ({ name: hub(table), partitions })) });
for (let i = 0; i < events; i++) {
  const { table, partition, time, key, value } = changeEvent(i, rows, partitions);
  double.append(hub(table), partition, [{ body: Buffer.from(value), partitionKey: key, enqueuedTime: time }]);
}
console.log(double.connectionString());
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
