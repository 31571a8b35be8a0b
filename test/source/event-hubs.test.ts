/**
 * Goal: an event of a hub becomes the record that its producer meant, whatever protocol and form it came in: bytes as they are, keys, times and content types; what has no exact form of bytes
 * becomes something that is no change event, never a crash and never a guess.
 * Method: events of all forms in a double, read by the real client.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/change/decode.ts';
import { HubBatchBuilder } from '../../src/source/event-hubs-batch.ts';
import { readEvent, type AmqpMessage } from '../../src/source/event-hubs-message.ts';
import { loadConfig } from '../../src/config.ts';
import type { HubEvent } from '../support/event-hubs/event.ts';
import { HubsLog } from '../support/hubs-log.ts';
import { hubsSource } from '../support/hubs-source.ts';
import { recordsIn, SourceReader } from '../support/read-source.ts';
import type { RecordBatch } from '../../src/source/source.ts';

let log: HubsLog;

beforeEach(async () => {
  log = await HubsLog.create({ hubs: [{ name: 't', partitions: 2 }] });
});
afterEach(async () => {
  await log.dispose();
});

interface Read {
  readonly key: string | null;
  readonly value: string | null;
  readonly time: number | null;
  readonly type: string | null;
}

/** What the source makes of events, in their order. */
async function readAll(events: readonly HubEvent[]): Promise<Read[]> {
  log.double.append('t', 0, events);
  const source = hubsSource(log.double);
  const read: Read[] = [];
  try {
    await source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 100 });
    for await (const event of source.batches(new AbortController().signal)) {
      if (event.kind === 'records') read.push(...recordsIn(event.batch).map(({ key, value, time }, i) => ({ key, value, time, type: typeOf(event.batch, i) })));
      if (read.length >= events.length) break;
    }
  } finally {
    await source.close();
  }
  return read;
}

function typeOf({ contentTypes }: RecordBatch, i: number): string | null {
  return contentTypes === undefined ? null : contentTypes.names[contentTypes.of[i]];
}

describe('a body', () => {
  it('is taken as bytes: data sections as they are, text as UTF-8, digits never read as numbers', async () => {
    const bodies: NonNullable<HubEvent['body']>[] = [Buffer.from('{"id":9007199254740993}'), Buffer.from('123'), '{"text":"ü"}', [Buffer.from('{"a":'), Buffer.from('1}')], Buffer.from([0, 0, 0, 0, 7, 255])];
    const read = await readAll(bodies.map((body) => ({ body })));
    expect(read.slice(0, 4).map(({ value }) => value)).toEqual(['{"id":9007199254740993}', '123', '{"text":"ü"}', '{"a":1}']);
    expect(read[4].value).toBe('\0\0\0\0\u0007\ufffd');
  });

  it('that is empty, or not there, is a tombstone', async () => {
    const read = await readAll([{ body: Buffer.alloc(0) }, {}, { body: null }, { body: '' }]);
    expect(read.map(({ value }) => value)).toEqual([null, null, null, null]);
  });
});

describe('an AMQP value or sequence', () => {
  const valueOf = (body: unknown): string | null => {
    const value = readEvent({ body, message_annotations: { 'x-opt-sequence-number': 0 } } as AmqpMessage)!.value;
    return value === null ? null : Buffer.from(value).toString();
  };

  it('is JSON text where that says the same', () => {
    const row = { op: 'c', after: { id: 7, amount: 12.5, note: null, tags: ['a', true] } };
    expect(valueOf(row)).toBe(JSON.stringify(row));
    expect(valueOf({ typecode: 0x76, content: [1, 'x', null] })).toBe('[1,"x",null]');
    expect(valueOf(42)).toBe('42');
  });

  it.each([
    ['a number that JavaScript rounds', { id: 2 ** 53 }], ['bytes inside', { id: Buffer.from([1]) }], ['an instant', [new Date(0)]], ['a number that is none', Number.NaN],
    ['something endless', Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1)],
  ])('is no JSON, and so a dead letter, when it holds %s', (_, body) => {
    const text = valueOf(body)!;
    expect(() => JSON.parse(text) as unknown).toThrow();
    const bytes = Buffer.from(text);
    const { decode } = loadConfig({ environment: {}, file: null, host: 'here', resolve: (path) => path }).config;
    const { letters } = createDecoder(decode, { positions: [], seenTables: {} }).decode({
      count: 1, partitions: [{ topic: 't', partition: 0, next: 1, token: '0' }], partitionOf: new Uint16Array(1), offset: new Float64Array(1), time: new Float64Array(1), bytes,
      keyStart: Int32Array.of(-1), keyEnd: Int32Array.of(0), valueStart: Int32Array.of(0), valueEnd: Int32Array.of(bytes.length),
    });
    expect(letters).toMatchObject([{ letter: { code: 'JSON_INVALID' } }]);
  });
});

describe('a key', () => {
  it('is that of a Kafka producer as bytes, else the partition key of an AMQP producer, else null', async () => {
    const read = await readAll([
      { body: 'a', kafkaKey: Buffer.from('{"id":1}') }, { body: 'b', partitionKey: '{"id":2}' }, { body: 'c', kafkaKey: Buffer.from('{"id":3}'), partitionKey: 'other' }, { body: 'd' }, { body: 'e', kafkaKey: Buffer.alloc(0) },
    ]);
    expect(read.map(({ key }) => key)).toEqual(['{"id":1}', '{"id":2}', '{"id":3}', null, '']);
  });
});

describe('a time', () => {
  it('is the moment the hub took the event', async () => {
    expect((await readAll([{ body: 'a', enqueuedTime: 1_700_000_000_123 }])).map(({ time }) => time)).toEqual([1_700_000_000_123]);
  });
});

describe('a content type', () => {
  it('is that of the message, else of a header, which is bytes from Kafka; none is said when no record has one', async () => {
    const read = await readAll([{ body: 'a', contentType: 'avro/binary+7f' }, { body: 'b' }, { body: 'c', properties: { 'content-type': Buffer.from('avro/binary+08') } }, { body: 'd', contentType: 'avro/binary+7f' }, { body: 'e', properties: { other: 1 } }]);
    expect(read.map(({ type }) => type)).toEqual(['avro/binary+7f', '', 'avro/binary+08', 'avro/binary+7f', '']);
    log.double.recreate('t');
    expect((await readAll([{ body: 'a' }])).map(({ type }) => type)).toEqual([null]);
  });

  it('is its own event\'s, however many there are, and few are kept', () => {
    const builder = new HubBatchBuilder(10_000);
    for (let round = 0; round < 8; round++) {
      const queue = Array.from({ length: 10_000 }, (_, i) => ({ sequence: i, offset: null, time: 0, key: null, value: null, contentType: `type-${round}-${i}` }));
      expect(builder.add({ topic: 't', partition: 0 }, queue)).toBe(10_000);
      const { names, of } = builder.batch().contentTypes!;
      expect(queue.findIndex(({ contentType }, i) => names[of[i]] !== contentType)).toBe(-1);
      expect(names.length).toBeLessThan(12_000);
      builder.clear();
    }
  });
});

describe('several hubs', () => {
  it('are read together: names say which, partitions are numbers, and the identity names them all', async () => {
    log.double.addHub({ name: 'u', partitions: 1 });
    log.double.append('t', 1, [{ body: 'a' }]);
    log.double.append('u', 0, [{ body: 'b' }]);
    const reader = new SourceReader(hubsSource(log.double, { hubs: ['t', 'u', 'later'] }));
    try {
      const opened = await reader.open();
      expect(opened.identity).toBe(`event-hubs:${log.double.host}/t,u,later`);
      expect(opened.waiting).toEqual(['later']);
      await reader.until(() => reader.records.length === 2);
      expect(reader.records.map(({ topic, partition, value }) => [topic, partition, value]).sort()).toEqual([['t', 1, 'a'], ['u', 0, 'b']]);
    } finally {
      await reader.close();
    }
  });
});
