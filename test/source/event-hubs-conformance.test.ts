/**
 * Goal: figures are the same when the logs come over AMQP: as hubs named like the topics, and as one hub for all tables, with keys and partitions as they were.
 * Method: each case's records lie in the double of Event Hubs; the real source reads them with the real client over TCP, the real decoder, books and state take them, and every
 * view is compared. The hubs per topic are filled as an AMQP producer does it (partition keys), the one hub as a Kafka producer does (key bytes and binary headers).
 */
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/change/decode.ts';
import { loadConfig } from '../../src/config.ts';
import { createInlineIngest } from '../../src/ingest/inline.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { createEventHubsSource } from '../../src/source/event-hubs.ts';
import { partitionName } from '../../src/source/positions.ts';
import { createState, type State } from '../../src/state.ts';
import { checkCase } from '../support/check-answers.ts';
import { MORE_CASES, caseNames, casePartitions, loadCase, type ConformanceCase } from '../support/conformance.ts';
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import { eventOf, type EventRecord, type KeyStyle } from '../support/event-hubs/record-events.ts';
import { createRandom, hashText } from '../support/history-random.ts';
import { askState } from '../support/library-asked.ts';
import { interleave } from '../support/reading-order.ts';

const SEED = Number(process.env.RENTFOLD_TEST_SEED ?? '1');
/** An empty body is the only tombstone AMQP has, so the one value of `poison` that is empty text is no dead letter. */
const DEAD_LETTERS_FEWER: Readonly<Record<string, number>> = { poison: 1 };
/** Cases that only a topic tells a row's table, so that one hub cannot carry them. */
const TABLE_NAMED_BY_TOPIC: ReadonlyMap<string, string> = new Map([
  ['flattened-named-by-topic', 'two schemas have a table of the same name, and flattened rows do not name their schema'],
  ['flattened-tombstones-schema', 'its deletes are tombstones alone, and those name no table'],
]);

interface CaseRecord extends EventRecord {
  readonly topic: string;
  readonly partition: number;
}

/** Records of one partition of a hub, in their order. */
interface HubPartition {
  readonly hub: string;
  readonly partition: number;
  readonly records: readonly CaseRecord[];
}

function recordOf(line: string): CaseRecord {
  const { topic, partition, ts, key, payload, headers = [] } = JSON.parse(line) as { topic: string; partition: number; ts: number; key: string | null; payload: string | null; headers?: string[] };
  const named = Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i], headers[2 * i + 1]]);
  return { topic, partition, time: ts > 0 ? ts : null, key, value: payload, headers: Object.fromEntries(named) as Record<string, string> };
}

function hubPerTopic(one: ConformanceCase): HubPartition[] {
  return casePartitions(one).map((lines) => lines.map(recordOf)).map((records) => ({ hub: records[0].topic, partition: records[0].partition, records }));
}

/** Partition 3 of all topics is partition 3 of the hub. A tombstone stays right behind its delete, as a connector sends them. */
function oneHub(one: ConformanceCase): HubPartition[] {
  const byNumber = Map.groupBy(hubPerTopic(one), ({ partition }) => partition);
  return [...byNumber].map(([partition, parts]) => {
    const runs = parts.map(({ records }) => withTombstones(records));
    return { hub: 'cdc', partition, records: interleave(runs, { order: 'random-runs', seed: SEED + hashText(one.name) }).flat() };
  });
}

function withTombstones(records: readonly CaseRecord[]): CaseRecord[][] {
  const runs: CaseRecord[][] = [];
  for (const record of records) {
    const run = runs.at(-1);
    if (record.value === null && run?.[0].key === record.key) run.push(record);
    else runs.push([record]);
  }
  return runs;
}

/** Reads all there is, as a process does, and gives the state after it. */
async function readOverAmqp(one: ConformanceCase, partitions: readonly HubPartition[], keys: KeyStyle): Promise<State> {
  const hubs = [...Map.groupBy(partitions, ({ hub }) => hub)].map(([name, all]) => ({ name, partitions: 1 + Math.max(...all.map(({ partition }) => partition)) }));
  await using double = await EventHubsDouble.start({ hubs });
  for (const { hub, partition, records } of partitions) double.append(hub, partition, records.map((record) => eventOf(record, keys)));
  const { config } = loadConfig({ environment: one.settings, file: null, host: 'here', resolve: (path) => path });
  const state = createState(createBooks({ fiscalYearStartMonth: config.fiscalYearStartMonth, deletedKeysDays: 7 }));
  const connectionString = double.connectionString();
  const ingest = createInlineIngest(createEventHubsSource({ credential: { kind: 'connection-string', connectionString }, namespace: double.host, hubs: hubs.map(({ name }) => name), consumerGroup: '$Default' }), createDecoder);
  try {
    const recordsMax = createRandom(SEED + hashText(one.name)).pick([1, 7, 100, 1_000]);
    const { bounds, gaps, notes } = await ingest.open({ positions: [], seenTables: {}, decode: config.decode, acceptIncompleteHistory: false, recordsMax, creditsMax: 1 });
    expect({ gaps, notes }).toEqual({ gaps: [], notes: [] });
    const isRead = (): boolean => {
      const next = new Map(state.positions().map((p) => [partitionName(p), p.next]));
      return bounds.every((b) => b.end <= (next.get(partitionName(b)) ?? 0));
    };
    for await (const event of ingest.events(new AbortController().signal)) {
      if (event.kind === 'stopped') throw new Error(`stopped: ${event.stop.code} ${event.stop.message}`);
      if (event.kind !== 'changes') continue;
      const { stops } = state.step(event.batch, { now: 1_800_000_000_000, mayForgetDeletes: false });
      expect(stops).toEqual([]);
      if (isRead()) break;
    }
    return state;
  } finally {
    await ingest.close();
  }
}

async function check(one: ConformanceCase, partitions: readonly HubPartition[], keys: KeyStyle): Promise<void> {
  const state = await readOverAmqp(one, partitions, keys);
  await checkCase({ ...one, deadLetters: one.deadLetters - (DEAD_LETTERS_FEWER[one.name] ?? 0) }, askState(state));
}

const CASES = [...caseNames().map((name) => loadCase(name)), ...caseNames(MORE_CASES).map((name) => loadCase(name, MORE_CASES))];

describe('conformance over AMQP', () => {
  test.each(CASES)('$name: a hub per topic', async (one) => {
    await check(one, hubPerTopic(one), 'partition-key');
  });

  test.each(CASES.filter(({ name }) => !TABLE_NAMED_BY_TOPIC.has(name)))('$name: one hub', async (one) => {
    await check(one, oneHub(one), 'kafka-key');
  });
});
