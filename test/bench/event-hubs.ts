/**
 * `rentfold replay` of the same Debezium events from hubs over AMQP and from a real broker, in one run: events a second end to end, events a second of processor time, most memory held.
 * The hubs are the double's, in a process of its own; processor time is that of replay alone, the double's and the broker's are left out. The double is no measure of what the service
 * delivers: the figures are what reading costs here. Rounds alternate; the median of each figure. The sums of both are compared. Prints one JSON line.
 *
 * `node test/bench/event-hubs.ts [events] [rounds]` (default 300 000, 3)
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../support/services/services.ts';
import { TABLES } from './change-events.ts';
import { medians, runMeasured, usageOf, type Measured } from './measured.ts';

const [events = 300_000, rounds = 3] = process.argv.slice(2).map(Number);
const PARTITIONS = 6;
const ROWS = Math.round(events * 0.5);
const PREFIX = 'pg';
const TOPICS = TABLES.map((table) => `${PREFIX}.public.${table}`);

const script = (name: string): string => join(import.meta.dirname, name);

async function loadBroker(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: TOPICS.map((topic) => ({ topic, numPartitions: PARTITIONS, configEntries: [{ name: 'retention.ms', value: '-1' }] })) });
  await admin.disconnect();
  await promisify(execFile)(process.execPath, [script('kafka-load.ts'), brokers, PREFIX, '0', String(events), String(ROWS), String(PARTITIONS)]);
}

/** Hubs with the events in them. `end` tells the processor time the double took. */
async function startHubs(): Promise<{ readonly connectionString: string; end(): Promise<number> }> {
  const child = spawn(process.execPath, [script('event-hubs-serve.ts'), PREFIX, String(events), String(ROWS), String(PARTITIONS)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [connectionString] = await once(createInterface({ input: child.stdout }), 'line') as [string];
  const loaded = usageOf(child.pid!)!.cpuSeconds;
  return {
    connectionString,
    end: async () => {
      const { cpuSeconds } = usageOf(child.pid!)!;
      child.stdin.end();
      await once(child, 'close');
      return cpuSeconds - loaded;
    },
  };
}

async function replay(environment: Readonly<Record<string, string>>, store: string): Promise<Measured> {
  await rm(store, { recursive: true, force: true });
  const measured = await runMeasured(['src/main.ts', 'replay'], { ...environment, RENTFOLD_STORE_DIR: store, RENTFOLD_LOG_FORMAT: 'json' });
  if (measured.code !== 0) throw new Error(`replay from ${environment.RENTFOLD_SOURCE} ended with ${measured.code}\n${measured.stdout}\n${measured.stderr}`);
  return measured;
}

/** The sums that replay prints; both sources must come to the same. */
function sumsOf({ stdout }: Measured): string {
  return stdout.match(/total \w+[^\n]*/g)?.join('\n') ?? `no sums in\n${stdout}`;
}

const folder = await mkdtemp(join(tmpdir(), 'rentfold-bench-'));
try {
  await using kafka = await startKafka();
  const brokers = kafka.brokers.join(',');
  await loadBroker(brokers);
  const hubs = await startHubs();
  const overAmqp: Measured[] = [];
  const overKafka: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    overAmqp.push(await replay({ RENTFOLD_SOURCE: 'event-hubs', RENTFOLD_EVENT_HUBS_CONNECTION_STRING: hubs.connectionString, RENTFOLD_EVENT_HUBS_NAMES: TOPICS.join(',') }, join(folder, 'amqp')));
    overKafka.push(await replay({ RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: brokers, RENTFOLD_KAFKA_TOPICS: `${PREFIX}.public.*` }, join(folder, 'kafka')));
  }
  const doubleCpuSeconds = await hubs.end();
  const [amqp, broker] = [sumsOf(overAmqp[0]), sumsOf(overKafka[0])];
  if (amqp !== broker) throw new Error(`the sums differ\n${amqp}\n${broker}`);
  console.log(JSON.stringify({ bench: 'event-hubs', events, rounds, ...medians('amqp', events, overAmqp), ...medians('kafka', events, overKafka), double_cpu_seconds_per_round: Number((doubleCpuSeconds / rounds).toFixed(1)) }));
} finally {
  await rm(folder, { recursive: true, force: true });
}
