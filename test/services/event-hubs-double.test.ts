/**
 * Goal: the double of Event Hubs does to the real client what the service does: events with their places, start positions, owner levels, tokens.
 * Method: producers and consumers of `@azure/event-hubs` over TCP on loopback.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { EventHubConsumerClient, type EventPosition } from '@azure/event-hubs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import { EARLIEST, failure, HubClients, numbered, PATIENT, sequenceNumbers } from '../support/event-hubs/hub-clients.ts';
import { makeCertificates } from '../support/services/certificates.ts';
import { until } from '../support/until.ts';

let double: EventHubsDouble;
let clients: HubClients;

beforeEach(async () => {
  double = await EventHubsDouble.start({ hubs: [{ name: 'cdc', partitions: 2, consumerGroups: ['other'] }] });
  clients = new HubClients(double);
});
afterEach(async () => {
  await clients.close();
  await double[Symbol.asyncDispose]();
});

describe('the log behind the double', () => {
  it('gives events back with body, key, properties and place', async () => {
    double.append('cdc', 0, [
      { body: Buffer.from('bytes'), contentType: 'application/json', partitionKey: 'k1', properties: { text: 'a' }, enqueuedTime: 5_000 },
      { body: 'text', kafkaKey: Buffer.from('k2'), properties: { header: Buffer.from('h') } },
      { body: new Uint8Array(0) }, { body: null }, {},
      { body: [Buffer.from('two '), Buffer.from('sections')] },
    ]);
    const heard = clients.subscribe(EARLIEST);
    await until(() => heard.events.length === 6);
    expect(sequenceNumbers(heard)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(heard.events[0]).toMatchObject({ body: Buffer.from('bytes'), contentType: 'application/json', partitionKey: 'k1', properties: { text: 'a' }, enqueuedTimeUtc: new Date(5_000), offset: '0' });
    expect(heard.events[1]).toMatchObject({ body: 'text', systemProperties: { 'x-opt-kafka-key': Buffer.from('k2') }, properties: { header: Buffer.from('h') } });
    expect(heard.events.slice(2).map((e) => e.body as unknown)).toEqual([Buffer.alloc(0), null, undefined, [Buffer.from('two '), Buffer.from('sections')]]);
    expect(new Set(heard.events.map((e) => e.offset)).size).toBe(6);
    expect(heard.events.map((e) => Number(e.offset)).every((offset, i) => i === 0 || offset > i)).toBe(true);
    expect(double.counters.transfersOf('cdc', 0)).toBe(6);
  });

  it('takes what a producer sends: alone, in batches, to a partition or by key', async () => {
    const client = clients.producer();
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
    const client = clients.consumer();
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
      const heard = clients.subscribe(position);
      await until(() => heard.events.length > 0);
      expect([position, heard.events[0].sequenceNumber]).toEqual([position, first]);
      await clients.close();
    }
    const filters = double.counters.attachesOf('cdc', 0).map((a) => a.filter);
    expect(filters.slice(0, 2)).toEqual(["amqp.annotation.x-opt-offset > '-1'", `amqp.annotation.x-opt-offset > '${places[2].offset}'`]);
    expect(filters[4]).toBe("amqp.annotation.x-opt-sequence-number >= '3'");
  });

  it('begins at the latest for who asks for it, and delivers what comes later', async () => {
    double.append('cdc', 0, numbered(0, 3));
    const heard = clients.subscribe({ offset: '@latest' }, { trackLastEnqueuedEventProperties: true });
    await until(() => double.credit('cdc', 0).now > 0);
    double.append('cdc', 0, numbered(3, 5));
    await until(() => heard.events.length === 2);
    expect(sequenceNumbers(heard)).toEqual([3, 4]);
    expect(heard.lastEnqueued).toEqual([4]);
    expect(double.counters.attaches[0]).toMatchObject({ group: '$Default', epoch: null, runtimeMetric: true, refused: null });
  });

  it('silently begins at the first event there is when retention took the position', async () => {
    const places = double.append('cdc', 0, numbered(0, 6));
    double.truncateHead('cdc', 0, 4);
    for (const position of [{ offset: places[1].offset }, { sequenceNumber: 1 }]) {
      const heard = clients.subscribe(position);
      await until(() => heard.events.length === 2);
      expect(sequenceNumbers(heard)).toEqual([4, 5]);
    }
  });

  it('refuses a position beyond the end, also after the hub was made again', async () => {
    const places = double.append('cdc', 0, numbered(0, 6));
    double.recreate('cdc');
    double.append('cdc', 0, numbered(0, 2));
    for (const [position, words] of [[{ offset: places[5].offset }, /supplied offset '\d+' is invalid. The last offset in the system is '\d+'/], [{ sequenceNumber: 5 }, /supplied sequence number '5' is invalid.*'1'/]] as const) {
      const heard = clients.subscribe(position);
      await until(() => heard.errors.length > 0);
      expect(heard.errors[0]).toMatchObject({ code: 'ArgumentError', message: expect.stringMatching(words) as string });
    }
  });

  it('can have offsets that are no numbers', async () => {
    await using geo = await EventHubsDouble.start({ hubs: [{ name: 'cdc', partitions: 1 }], offsets: 'opaque' });
    const places = geo.append('cdc', 0, numbered(0, 50));
    expect(places.every(({ offset }) => Number.isNaN(Number(offset)))).toBe(true);
    const heard = clients.subscribe({ offset: places[40].offset }, {}, clients.consumer({ connectionString: geo.connectionString('cdc') }));
    await until(() => heard.events.length === 9);
    expect(sequenceNumbers(heard)[0]).toBe(41);
    geo.recreate('cdc');
    geo.append('cdc', 0, numbered(0, 50));
    const again = clients.subscribe({ offset: places[40].offset }, {}, clients.consumer({ connectionString: geo.connectionString('cdc') }));
    await until(() => again.errors.length > 0);
    expect(again.errors[0].code).toBe('ArgumentError');
    await clients.close();
  });
});

describe('receivers beside each other', () => {
  it('let the higher owner level win, and none without one beside it', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const first = clients.subscribe(EARLIEST, { ownerLevel: 1 });
    await until(() => first.events.length === 1);
    const low = clients.subscribe(EARLIEST, { ownerLevel: 0 });
    const plain = clients.subscribe(EARLIEST);
    await until(() => low.errors.length > 0 && plain.errors.length > 0);
    expect([low, plain].map((h) => h.errors[0].code)).toEqual(['ReceiverDisconnectedError', 'ReceiverDisconnectedError']);
    expect(first.errors).toEqual([]);
    const high = clients.subscribe(EARLIEST, { ownerLevel: 2 });
    await until(() => high.events.length === 1 && first.errors.length > 0);
    expect(first.errors[0].code).toBe('ReceiverDisconnectedError');
  });

  it('do not see each other in other groups, and are refused in unknown ones', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const first = clients.subscribe(EARLIEST, { ownerLevel: 1 });
    const other = clients.subscribe(EARLIEST, { ownerLevel: 1 }, clients.consumer({ group: 'other' }));
    await until(() => first.events.length === 1 && other.events.length === 1);
    const unknown = clients.subscribe(EARLIEST, {}, clients.consumer({ group: 'unknown' }));
    await until(() => unknown.errors.length > 0);
    expect(unknown.errors[0].code).toBe('MessagingEntityNotFoundError');
    expect(first.errors).toEqual([]);
  });

  it('are five at most without an owner level', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const five = Array.from({ length: 5 }, () => clients.subscribe(EARLIEST));
    await until(() => five.every((h) => h.events.length === 1));
    const sixth = clients.subscribe(EARLIEST);
    await until(() => sixth.errors.length > 0);
    expect(sixth.errors[0].code).toBe('QuotaExceededError');
  });
});

describe('tokens', () => {
  it('are asked for before every link, and looked into', async () => {
    expect(await clients.consumer().getPartitionIds()).toEqual(['0', '1']);
    expect(double.counters.tokens).toMatchObject([{ audience: `sb://${double.host}/cdc/$management`, type: 'servicebus.windows.net:sastoken', status: 202 }]);
    const wrong = clients.consumer({ connectionString: double.connectionString('cdc').replace(/SharedAccessKey=[^;]*/, 'SharedAccessKey=d3Jvbmc=') });
    expect(await failure(wrong.getPartitionIds())).toBe('UnauthorizedError');
  });

  it('are refused when told to', async () => {
    double.refuseTokens(2);
    expect(await failure(clients.consumer().getPartitionIds())).toBe('UnauthorizedError');
    double.refuseTokens(1, { status: 404, description: "The messaging entity 'cdc' could not be found." });
    expect(await failure(clients.consumer().getPartitionIds())).toBe('MessagingEntityNotFoundError');
    expect(double.counters.tokens.map((t) => t.status)).toEqual([401, 401, 404]);
  });

  it('end, and the link with them, until another is put', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const heard = clients.subscribe(EARLIEST);
    await until(() => heard.events.length === 1);
    const before = double.counters.tokens.length;
    expect(double.expireTokens()).toBeGreaterThan(0);
    double.append('cdc', 0, numbered(1, 2));
    await until(() => new Set(sequenceNumbers(heard)).size === 2);
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
      const client = clients.own(new EventHubConsumerClient('$Default', secure.host, 'cdc', credential, { retryOptions: PATIENT }));
      const heard = clients.subscribe(EARLIEST, {}, client);
      await until(() => heard.events.length === 1);
      expect(secure.counters.tokens[0]).toEqual({ audience: `sb://${secure.host}/cdc/ConsumerGroups/$Default/Partitions/0`, type: 'jwt', token: made[0], status: 202 });
      await until(() => secure.counters.attaches.length > 1);
      secure.append('cdc', 0, numbered(1, 2));
      await until(() => heard.events.length === 2);
      expect(made.length).toBeGreaterThan(1);
      await clients.close();
    } finally {
      setDefaultCACertificates(trusted);
      await rm(folder, { recursive: true });
    }
  });
});
