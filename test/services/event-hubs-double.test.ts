/**
 * Goal: the double of Event Hubs does to the real client what the service does: events with their places, start positions, owner levels, tokens, and every fault it
 * can be told to make.
 * Method: producers and consumers of `@azure/event-hubs` over TCP on loopback.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { EventHubConsumerClient, EventHubProducerClient, type EventPosition, type ReceivedEventData, type SubscribeOptions } from '@azure/event-hubs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import type { HubEvent } from '../support/event-hubs/event.ts';
import { makeCertificates } from '../support/services/certificates.ts';
import { until } from '../support/until.ts';

/** One more attempt, and then the client says what went wrong. */
const RETRY = { maxRetries: 1, retryDelayInMs: 20, maxRetryDelayInMs: 40, timeoutInMs: 2_000 };
/** The client goes on by itself. */
const PATIENT = { ...RETRY, maxRetries: 500 };
const EARLIEST: EventPosition = { offset: '-1' };

let double: EventHubsDouble;
const closing: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  double = await EventHubsDouble.start({ hubs: [{ name: 'cdc', partitions: 2, consumerGroups: ['other'] }] });
});
afterEach(async () => {
  await closeClients();
  await double[Symbol.asyncDispose]();
});

async function closeClients(): Promise<void> {
  for (const client of closing.splice(0).reverse()) await client.close();
}

function consumer({ group = '$Default', from = double, retryOptions = RETRY } = {}): EventHubConsumerClient {
  const client = new EventHubConsumerClient(group, from.connectionString('cdc'), { retryOptions });
  closing.push(client);
  return client;
}

const patient = (): EventHubConsumerClient => consumer({ retryOptions: PATIENT });

function producer(): EventHubProducerClient {
  const client = new EventHubProducerClient(double.connectionString('cdc'), { retryOptions: RETRY });
  closing.push(client);
  return client;
}

function numbered(from: number, to: number): HubEvent[] {
  return Array.from({ length: to - from }, (_, i) => ({ body: Buffer.from(`{"n":${from + i}}`), enqueuedTime: 1_000 + from + i }));
}

/** What a subscription to partition 0 heard. */
interface Heard {
  readonly events: ReceivedEventData[];
  readonly errors: { readonly code?: string; readonly name: string; readonly message: string }[];
  readonly lastEnqueued: (number | undefined)[];
}

function subscribe(startPosition: EventPosition, options: SubscribeOptions = {}, client = consumer()): Heard {
  const heard: Heard = { events: [], errors: [], lastEnqueued: [] };
  const subscription = client.subscribe('0', {
    processEvents: (events, context) => {
      heard.events.push(...events);
      if (events.length > 0) heard.lastEnqueued.push(context.lastEnqueuedEventProperties?.sequenceNumber);
      return Promise.resolve();
    },
    processError: (error) => {
      heard.errors.push(error as Heard['errors'][number]);
      return Promise.resolve();
    },
  }, { startPosition, maxBatchSize: 10, maxWaitTimeInSeconds: 1, skipParsingBodyAsJson: true, ...options });
  closing.push(subscription);
  return heard;
}

/** The code (or name) the client gives for what went wrong; an error of several attempts stands for its last. */
async function failure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(() => new Error('it did not fail'), (e: unknown) => e);
  return codeOf(error);
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors.at(-1));
  const { code, name, message } = error as { code?: string; name: string; message: string };
  return code ?? (name === 'Error' ? message : name);
}

const numbers = ({ events }: Heard): number[] => events.map((e) => e.sequenceNumber);

describe('the log behind the double', () => {
  it('gives events back with body, key, properties and place', async () => {
    double.append('cdc', 0, [
      { body: Buffer.from('bytes'), contentType: 'application/json', partitionKey: 'k1', properties: { text: 'a' }, enqueuedTime: 5_000 },
      { body: 'text', kafkaKey: Buffer.from('k2'), properties: { header: Buffer.from('h') } },
      { body: new Uint8Array(0) }, { body: null }, {},
      { body: [Buffer.from('two '), Buffer.from('sections')] },
    ]);
    const heard = subscribe(EARLIEST);
    await until(() => heard.events.length === 6);
    expect(numbers(heard)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(heard.events[0]).toMatchObject({ body: Buffer.from('bytes'), contentType: 'application/json', partitionKey: 'k1', properties: { text: 'a' }, enqueuedTimeUtc: new Date(5_000), offset: '0' });
    expect(heard.events[1]).toMatchObject({ body: 'text', systemProperties: { 'x-opt-kafka-key': Buffer.from('k2') }, properties: { header: Buffer.from('h') } });
    expect(heard.events.slice(2).map((e) => e.body as unknown)).toEqual([Buffer.alloc(0), null, undefined, [Buffer.from('two '), Buffer.from('sections')]]);
    expect(new Set(heard.events.map((e) => e.offset)).size).toBe(6);
    expect(heard.events.map((e) => Number(e.offset)).every((offset, i) => i === 0 || offset > i)).toBe(true);
    expect(double.counters.transfersOf('cdc', 0)).toBe(6);
  });

  it('takes what a producer sends: alone, in batches, to a partition or by key', async () => {
    const client = producer();
    await client.sendBatch([{ body: { n: 1 } }], { partitionId: '1' });
    const batch = await client.createBatch({ partitionKey: 'key' });
    for (const n of [2, 3, 4]) expect(batch.tryAdd({ body: Buffer.from(String(n)), contentType: 'text/plain', properties: { n } })).toBe(true);
    await client.sendBatch(batch);
    const events = [0, 1].flatMap((partition) => double.events('cdc', partition));
    expect(events.filter((e) => e.partitionKey === 'key').map((e) => [String(e.body), e.contentType, e.properties])).toEqual([2, 3, 4].map((n) => [String(n), 'text/plain', { n }]));
    expect(double.events('cdc', 1)[0]).toMatchObject({ body: Buffer.from('{"n":1}'), sequenceNumber: 0, offset: '0' });
    expect(await failure(client.sendBatch([{ body: Buffer.alloc(1_100_000) }]))).toBe('MessageTooLargeError');
  });

  it('answers what hubs and partitions are', async () => {
    const client = consumer();
    expect(await client.getEventHubProperties()).toMatchObject({ name: 'cdc', partitionIds: ['0', '1'] });
    expect(await client.getPartitionProperties('0')).toMatchObject({ isEmpty: true, beginningSequenceNumber: 0, lastEnqueuedSequenceNumber: -1, lastEnqueuedOffset: '-1' });
    const places = double.append('cdc', 0, numbered(0, 300));
    double.truncateHead('cdc', 0, 250);
    expect(await client.getPartitionProperties('0')).toEqual({
      eventHubName: 'cdc', partitionId: '0', isEmpty: false, beginningSequenceNumber: 250, lastEnqueuedSequenceNumber: 299, lastEnqueuedOffset: places[299].offset, lastEnqueuedOnUtc: new Date(1_299),
    });
    double.truncateHead('cdc', 0, 300);
    expect(await client.getPartitionProperties('0')).toMatchObject({ isEmpty: true, beginningSequenceNumber: 300, lastEnqueuedSequenceNumber: 299, lastEnqueuedOffset: places[299].offset });
    double.addPartitions('cdc', 1);
    expect((await client.getEventHubProperties()).partitionIds).toEqual(['0', '1', '2']);
    expect(await failure(client.getPartitionProperties('9'))).toBe('ArgumentOutOfRangeError');
  });

  it('begins where a receiver asks to', async () => {
    const places = double.append('cdc', 0, numbered(0, 6));
    const starts: [EventPosition, number][] = [
      [EARLIEST, 0], [{ offset: places[2].offset }, 3], [{ offset: places[2].offset, isInclusive: true }, 2], [{ sequenceNumber: 3 }, 4], [{ sequenceNumber: 3, isInclusive: true }, 3],
      [{ sequenceNumber: -1 }, 0], [{ enqueuedOn: 1_003 }, 4],
    ];
    for (const [position, first] of starts) {
      const heard = subscribe(position);
      await until(() => heard.events.length > 0);
      expect([position, heard.events[0].sequenceNumber]).toEqual([position, first]);
      await closeClients();
    }
    const filters = double.counters.attachesOf('cdc', 0).map((a) => a.filter);
    expect(filters.slice(0, 2)).toEqual(["amqp.annotation.x-opt-offset > '-1'", `amqp.annotation.x-opt-offset > '${places[2].offset}'`]);
    expect(filters[4]).toBe("amqp.annotation.x-opt-sequence-number >= '3'");
  });

  it('begins at the latest for who asks for it, and delivers what comes later', async () => {
    double.append('cdc', 0, numbered(0, 3));
    const heard = subscribe({ offset: '@latest' }, { trackLastEnqueuedEventProperties: true });
    await until(() => double.credit('cdc', 0).now > 0);
    double.append('cdc', 0, numbered(3, 5));
    await until(() => heard.events.length === 2);
    expect(numbers(heard)).toEqual([3, 4]);
    expect(heard.lastEnqueued).toEqual([4]);
    expect(double.counters.attaches[0]).toMatchObject({ group: '$Default', epoch: null, runtimeMetric: true, refused: null });
  });

  it('silently begins at the first event there is when retention took the position', async () => {
    const places = double.append('cdc', 0, numbered(0, 6));
    double.truncateHead('cdc', 0, 4);
    for (const position of [{ offset: places[1].offset }, { sequenceNumber: 1 }]) {
      const heard = subscribe(position);
      await until(() => heard.events.length === 2);
      expect(numbers(heard)).toEqual([4, 5]);
    }
  });

  it('refuses a position beyond the end, also after the hub was made again', async () => {
    const places = double.append('cdc', 0, numbered(0, 6));
    double.recreate('cdc');
    double.append('cdc', 0, numbered(0, 2));
    for (const [position, words] of [[{ offset: places[5].offset }, /supplied offset '\d+' is invalid. The last offset in the system is '\d+'/], [{ sequenceNumber: 5 }, /supplied sequence number '5' is invalid.*'1'/]] as const) {
      const heard = subscribe(position);
      await until(() => heard.errors.length > 0);
      expect(heard.errors[0]).toMatchObject({ code: 'ArgumentError', message: expect.stringMatching(words) as string });
    }
  });

  it('can have offsets that are no numbers', async () => {
    await using geo = await EventHubsDouble.start({ hubs: [{ name: 'cdc', partitions: 1 }], offsets: 'opaque' });
    const places = geo.append('cdc', 0, numbered(0, 50));
    expect(places.every(({ offset }) => Number.isNaN(Number(offset)))).toBe(true);
    const heard = subscribe({ offset: places[40].offset }, {}, consumer({ from: geo }));
    await until(() => heard.events.length === 9);
    expect(numbers(heard)[0]).toBe(41);
    geo.recreate('cdc');
    geo.append('cdc', 0, numbered(0, 50));
    const again = subscribe({ offset: places[40].offset }, {}, consumer({ from: geo }));
    await until(() => again.errors.length > 0);
    expect(again.errors[0].code).toBe('ArgumentError');
    await closeClients();
  });
});

describe('receivers beside each other', () => {
  it('let the higher owner level win, and none without one beside it', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const first = subscribe(EARLIEST, { ownerLevel: 1 });
    await until(() => first.events.length === 1);
    const low = subscribe(EARLIEST, { ownerLevel: 0 });
    const plain = subscribe(EARLIEST);
    await until(() => low.errors.length > 0 && plain.errors.length > 0);
    expect([low, plain].map((h) => h.errors[0].code)).toEqual(['ReceiverDisconnectedError', 'ReceiverDisconnectedError']);
    expect(first.errors).toEqual([]);
    const high = subscribe(EARLIEST, { ownerLevel: 2 });
    await until(() => high.events.length === 1 && first.errors.length > 0);
    expect(first.errors[0].code).toBe('ReceiverDisconnectedError');
  });

  it('do not see each other in other groups, and are refused in unknown ones', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const first = subscribe(EARLIEST, { ownerLevel: 1 });
    const other = subscribe(EARLIEST, { ownerLevel: 1 }, consumer({ group: 'other' }));
    await until(() => first.events.length === 1 && other.events.length === 1);
    const unknown = subscribe(EARLIEST, {}, consumer({ group: 'unknown' }));
    await until(() => unknown.errors.length > 0);
    expect(unknown.errors[0].code).toBe('MessagingEntityNotFoundError');
    expect(first.errors).toEqual([]);
  });

  it('are five at most without an owner level', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const five = Array.from({ length: 5 }, () => subscribe(EARLIEST));
    await until(() => five.every((h) => h.events.length === 1));
    const sixth = subscribe(EARLIEST);
    await until(() => sixth.errors.length > 0);
    expect(sixth.errors[0].code).toBe('QuotaExceededError');
  });
});

describe('faults', () => {
  it('detach a receiver, which comes back after what it had', async () => {
    double.append('cdc', 0, numbered(0, 3));
    const heard = subscribe(EARLIEST, {}, patient());
    await until(() => heard.events.length === 3);
    for (const condition of ['com.microsoft:server-busy', 'amqp:link:detach-forced']) {
      const before = double.counters.attaches.length;
      expect(double.detach('cdc', 0, condition)).toBe(1);
      await until(() => double.counters.attaches.length > before);
    }
    double.append('cdc', 0, numbered(3, 5));
    await until(() => heard.events.length === 5);
    expect(numbers(heard)).toEqual([0, 1, 2, 3, 4]);
    expect(double.counters.attaches.at(-1)?.filter).toBe("amqp.annotation.x-opt-sequence-number > '2'");
  });

  it('steal the link', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const heard = subscribe(EARLIEST, { ownerLevel: 3 });
    await until(() => heard.events.length === 1);
    expect(double.steal('cdc', 0)).toBe(1);
    await until(() => heard.errors.length > 0);
    expect(heard.errors[0].code).toBe('ReceiverDisconnectedError');
    expect(heard.errors[0].message).toContain("higher epoch of '4'");
  });

  it('cut the connection and refuse others for a while', async () => {
    double.append('cdc', 0, numbered(0, 2));
    const heard = subscribe(EARLIEST, {}, patient());
    await until(() => heard.events.length === 2);
    const connections = double.connections;
    double.pauseListening();
    expect(double.cutSockets()).toBe(1);
    const [host, port] = double.host.split(':');
    const [refusal] = await once(connect(Number(port), host), 'error') as [{ code: string }];
    expect(refusal.code).toBe('ECONNREFUSED');
    double.append('cdc', 0, numbered(2, 4));
    await double.resumeListening();
    await until(() => heard.events.length === 4);
    expect(numbers(heard)).toEqual([0, 1, 2, 3]);
    expect(double.connections).toBeGreaterThan(connections);
  });

  it('refuse receivers', async () => {
    double.append('cdc', 0, numbered(0, 1));
    double.refuseReceivers('cdc', 0, 2, { condition: 'com.microsoft:server-busy', description: 'busy' });
    const heard = subscribe(EARLIEST, {}, patient());
    await until(() => heard.events.length === 1);
    expect(double.counters.attachesOf('cdc', 0).map((a) => a.refused)).toEqual(['com.microsoft:server-busy', 'com.microsoft:server-busy', null]);
  });

  it('slow a partition down, and stop it', async () => {
    double.append('cdc', 0, numbered(0, 5));
    double.pace('cdc', 0, { events: 1, everyMs: 150 });
    const heard = subscribe(EARLIEST);
    await until(() => heard.events.length === 2);
    double.pace('cdc', 0, 'stopped');
    const sent = double.counters.transfersOf('cdc', 0);
    expect(sent).toBeLessThan(5);
    double.append('cdc', 0, numbered(5, 6));
    expect(double.counters.transfersOf('cdc', 0)).toBe(sent);
    double.pace('cdc', 0, null);
    await until(() => heard.events.length === 6);
    expect(numbers(heard)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('send events again, and leave some out', async () => {
    double.append('cdc', 0, numbered(0, 6));
    double.repeat('cdc', 0, 3);
    const heard = subscribe(EARLIEST);
    await until(() => heard.events.length === 9);
    expect(numbers(heard)).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5]);
    double.skip('cdc', 0, 2);
    double.append('cdc', 0, numbered(6, 10));
    await until(() => heard.events.length === 11);
    expect(numbers(heard).slice(9)).toEqual([8, 9]);
  });

  it('answer questions with errors, or not at all', async () => {
    const client = consumer();
    double.failManagement(2, { status: 503, description: 'busy', condition: 'com.microsoft:server-busy' });
    expect(await failure(client.getPartitionProperties('0'))).toBe('ServerBusyError');
    expect(await client.getPartitionIds()).toEqual(['0', '1']);
    double.failManagement(2, 'silent');
    expect(await failure(client.getPartitionIds())).toBe('OperationTimeoutError');
    expect(double.counters.management.map((m) => [m.partition, m.status])).toEqual([['0', 503], ['0', 503], [null, 200], [null, null], [null, null]]);
  });

  it('reject what producers send', async () => {
    double.refuseSends(2);
    expect(await failure(producer().sendBatch([{ body: 'x' }]))).toBe('ServerBusyError');
    expect(double.counters.rejectedSends).toBe(2);
  });

  it('take the hub away', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const heard = subscribe(EARLIEST);
    await until(() => heard.events.length === 1);
    double.deleteHub('cdc');
    await until(() => heard.errors.length > 0);
    expect(await failure(consumer().getPartitionIds())).toBe('MessagingEntityNotFoundError');
  });
});

describe('tokens', () => {
  it('are asked for before every link, and looked into', async () => {
    expect(await consumer().getPartitionIds()).toEqual(['0', '1']);
    expect(double.counters.tokens).toMatchObject([{ audience: `sb://${double.host}/cdc/$management`, type: 'servicebus.windows.net:sastoken', status: 202 }]);
    const wrong = new EventHubConsumerClient('$Default', double.connectionString('cdc').replace(/SharedAccessKey=[^;]*/, 'SharedAccessKey=d3Jvbmc='), { retryOptions: RETRY });
    closing.push(wrong);
    expect(await failure(wrong.getPartitionIds())).toBe('UnauthorizedError');
  });

  it('are refused when told to', async () => {
    double.refuseTokens(2);
    expect(await failure(consumer().getPartitionIds())).toBe('UnauthorizedError');
    double.refuseTokens(1, { status: 404, description: "The messaging entity 'cdc' could not be found." });
    expect(await failure(consumer().getPartitionIds())).toBe('MessagingEntityNotFoundError');
    expect(double.counters.tokens.map((t) => t.status)).toEqual([401, 401, 404]);
  });

  it('end, and the link with them, until another is put', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const heard = subscribe(EARLIEST);
    await until(() => heard.events.length === 1);
    const before = double.counters.tokens.length;
    expect(double.expireTokens()).toBeGreaterThan(0);
    double.append('cdc', 0, numbered(1, 2));
    await until(() => new Set(numbers(heard)).size === 2);
    expect(double.counters.tokens.length).toBeGreaterThan(before);
  });

  it('may be those of an identity, over TLS, and end when they say', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rentfold-double-'));
    const trusted = getCACertificates('default');
    try {
      const { caFile, serverFile } = await makeCertificates(folder);
      const pem = await readFile(serverFile, 'utf8');
      setDefaultCACertificates([...trusted, await readFile(caFile, 'utf8')]);
      await using secure = await EventHubsDouble.start({ hubs: [{ name: 'cdc', partitions: 1 }], tls: { key: pem, cert: pem } });
      secure.append('cdc', 0, numbered(0, 1));
      const made: string[] = [];
      // The client is told a later end than the token itself says, and does not renew it in time.
      const credential = {
        getToken: () => {
          made.push(`e30.${Buffer.from(JSON.stringify({ exp: Date.now() / 1000 + 1, n: made.length })).toString('base64url')}.s`);
          return Promise.resolve({ token: made.at(-1)!, expiresOnTimestamp: Date.now() + 3_600_000 });
        },
      };
      const client = new EventHubConsumerClient('$Default', secure.host, 'cdc', credential, { retryOptions: PATIENT });
      closing.push(client);
      const heard = subscribe(EARLIEST, {}, client);
      await until(() => heard.events.length === 1);
      expect(secure.counters.tokens[0]).toEqual({ audience: `sb://${secure.host}/cdc/ConsumerGroups/$Default/Partitions/0`, type: 'jwt', token: made[0], status: 202 });
      await until(() => secure.counters.attaches.length > 1);
      secure.append('cdc', 0, numbered(1, 2));
      await until(() => heard.events.length === 2);
      expect(made.length).toBeGreaterThan(1);
      await closeClients();
    } finally {
      setDefaultCACertificates(trusted);
      await rm(folder, { recursive: true });
    }
  });
});
