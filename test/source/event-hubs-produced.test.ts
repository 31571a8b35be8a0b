/**
 * Goal: what a producer of `@azure/event-hubs` sends is what the source reads: bodies, keys, order, bounds; from the start and after any event; and a position of another hub is refused.
 * Method: the real producer and the real source on one namespace: the double always, and Microsoft's emulator where a Docker engine answers. (The whole suite of sources is for the double alone: the
 * emulator cannot take events away or make a hub again.)
 */
import { EventHubProducerClient, type EventData } from '@azure/event-hubs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventHubsSource } from '../../src/source/event-hubs.ts';
import type { OpenOptions } from '../../src/source/source.ts';
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import { QUICK_HUBS } from '../support/hubs-source.ts';
import { ofPartition, SourceReader } from '../support/read-source.ts';
import { dockerMissing } from '../support/services/container.ts';
import { startEventHubsEmulator } from '../support/services/event-hubs-emulator.ts';

const HUBS = ['order', 'resume', 'follow', 'kinds', 'other', 'longer'];
const PARTITIONS = 2;

interface Namespace extends AsyncDisposable {
  readonly connectionString: string;
}

async function startDouble(): Promise<Namespace> {
  const double = await EventHubsDouble.start({ hubs: HUBS.map((name) => ({ name, partitions: PARTITIONS })) });
  return { connectionString: double.connectionString(), [Symbol.asyncDispose]: () => double[Symbol.asyncDispose]() };
}

const isDockerMissing = await dockerMissing() !== null;
if (isDockerMissing) process.stderr.write('The emulator of Event Hubs is left out: it needs a Docker engine.\n');

const namespaces: [string, () => Promise<Namespace>][] = [['the double', startDouble], ...(isDockerMissing ? [] : [['the emulator', () => startEventHubsEmulator(HUBS, PARTITIONS)] as [string, () => Promise<Namespace>]])];

describe.each(namespaces)('events sent to %s', (_name, start) => {
  let namespace: Namespace;
  const open: { close(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    namespace = await start();
  }, 300_000);
  afterAll(async () => {
    for (const one of open) await one.close();
    await namespace[Symbol.asyncDispose]();
  });

  async function send(hub: string, partition: number, events: EventData[]): Promise<void> {
    const producer = new EventHubProducerClient(namespace.connectionString, hub);
    open.push(producer);
    await producer.sendBatch(events, { partitionId: String(partition) });
  }

  async function read(hub: string, options: Partial<OpenOptions> = {}): Promise<SourceReader> {
    const host = /sb:\/\/([^;]+)/.exec(namespace.connectionString)![1];
    const { connectionString } = namespace;
    const reader = new SourceReader(createEventHubsSource({ credential: { kind: 'connection-string', connectionString }, namespace: host, hubs: [hub], consumerGroup: '$Default' }, QUICK_HUBS));
    open.push(reader);
    await reader.open(options);
    return reader;
  }

  const texts = (from: number, to: number): EventData[] => Array.from({ length: to - from }, (_, i) => ({ body: Buffer.from(`{"n":${from + i}}`) }));
  const valuesOf = (reader: SourceReader, hub: string, partition: number): (string | null)[] => ofPartition(reader.records, hub, partition).map((r) => r.value);

  it('are read whole and in order, with bounds and times', async () => {
    await send('order', 0, texts(0, 150));
    await send('order', 1, texts(500, 520));
    const reader = await read('order');
    await reader.untilEndAtStart();
    expect([0, 1].map((partition) => reader.bounds.get(`order/${partition}`))).toEqual([{ topic: 'order', partition: 0, start: 0, end: 150 }, { topic: 'order', partition: 1, start: 0, end: 20 }]);
    expect(valuesOf(reader, 'order', 0)).toEqual(texts(0, 150).map(({ body }) => String(body)));
    expect(valuesOf(reader, 'order', 1)).toEqual(texts(500, 520).map(({ body }) => String(body)));
    expect(ofPartition(reader.records, 'order', 0).map((r) => r.offset)).toEqual(Array.from({ length: 150 }, (_, i) => i));
    expect(reader.records.every((r) => Math.abs(Date.now() - r.time!) < 3_600_000)).toBe(true);
  });

  it('are read on from after any of them, by the offset it had', async () => {
    await send('resume', 0, texts(0, 6));
    const first = await read('resume', { recordsMax: 1 });
    for (let count = 1; count <= 6; count++) {
      await first.until(() => first.records.length >= count);
      const positions = first.savedPositions();
      const second = await read('resume', { positions });
      await second.untilEndAtStart();
      expect(second.opened!.notes).toEqual([]);
      expect(valuesOf(second, 'resume', 0)).toEqual(texts(positions.find((p) => p.partition === 0)!.next, 6).map(({ body }) => String(body)));
      await second.close();
    }
  });

  it('arrive while it is read', async () => {
    const reader = await read('follow');
    await send('follow', 1, texts(0, 3));
    await reader.until(() => reader.records.length === 3);
    await send('follow', 0, texts(3, 5));
    await reader.until(() => reader.records.length === 5);
    expect(valuesOf(reader, 'follow', 1)).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
  });

  it('may be bytes, text, or empty', async () => {
    await send('kinds', 0, [{ body: Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]) }, { body: { a: 1 } }, { body: Buffer.alloc(0) }, { body: Buffer.from('{"big":12345678901234567890}') }]);
    const reader = await read('kinds');
    await reader.untilEndAtStart();
    expect(valuesOf(reader, 'kinds', 0)).toEqual(['\ufeff{}', '{"a":1}', null, '{"big":12345678901234567890}']);
  });

  it('are not taken for those of another hub', async () => {
    await send('longer', 0, texts(0, 9));
    await send('other', 0, texts(0, 4));
    const longer = await read('longer');
    await longer.untilEndAtStart();
    const positions = longer.savedPositions().map((p) => ({ ...p, topic: 'other' }));
    await expect(read('other', { positions })).rejects.toMatchObject({ code: 'POSITION_BEYOND_END' });
  });
});
