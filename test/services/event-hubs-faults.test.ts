/**
 * Goal: every fault the double of Event Hubs can be told to make reaches the real client, and the client does with it what it does with the service's.
 * Method: producers and consumers of `@azure/event-hubs` over TCP on loopback.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventHubsDouble } from '../support/event-hubs/event-hubs-double.ts';
import { EARLIEST, failure, HubClients, numbered, PATIENT, sequenceNumbers } from '../support/event-hubs/hub-clients.ts';
import { until } from '../support/until.ts';

let double: EventHubsDouble;
let clients: HubClients;

beforeEach(async () => {
  double = await EventHubsDouble.start({ hubs: [{ name: 'cdc', partitions: 2 }] });
  clients = new HubClients(double);
});
afterEach(async () => {
  await clients.close();
  await double[Symbol.asyncDispose]();
});

describe('faults', () => {
  it('detach a receiver, which comes back after what it had', async () => {
    double.append('cdc', 0, numbered(0, 3));
    const heard = clients.subscribe(EARLIEST, {}, clients.consumer({ retryOptions: PATIENT }));
    await until(() => heard.events.length === 3);
    for (const condition of ['com.microsoft:server-busy', 'amqp:link:detach-forced']) {
      const before = double.counters.attaches.length;
      expect(double.detach('cdc', 0, condition)).toBe(1);
      await until(() => double.counters.attaches.length > before);
    }
    double.append('cdc', 0, numbered(3, 5));
    await until(() => heard.events.length === 5);
    expect(sequenceNumbers(heard)).toEqual([0, 1, 2, 3, 4]);
    expect(double.counters.attaches.at(-1)?.filter).toBe("amqp.annotation.x-opt-sequence-number > '2'");
  });

  it('steal the link', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const heard = clients.subscribe(EARLIEST, { ownerLevel: 3 });
    await until(() => heard.events.length === 1);
    expect(double.steal('cdc', 0)).toBe(1);
    await until(() => heard.errors.length > 0);
    expect(heard.errors[0].code).toBe('ReceiverDisconnectedError');
    expect(heard.errors[0].message).toContain("higher epoch of '4'");
  });

  it('cut the connection and refuse others for a while', async () => {
    double.append('cdc', 0, numbered(0, 2));
    const heard = clients.subscribe(EARLIEST, {}, clients.consumer({ retryOptions: PATIENT }));
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
    expect(sequenceNumbers(heard)).toEqual([0, 1, 2, 3]);
    expect(double.connections).toBeGreaterThan(connections);
  });

  it('refuse receivers', async () => {
    double.append('cdc', 0, numbered(0, 1));
    double.refuseReceivers('cdc', 0, 2, { condition: 'com.microsoft:server-busy', description: 'busy' });
    const heard = clients.subscribe(EARLIEST, {}, clients.consumer({ retryOptions: PATIENT }));
    await until(() => heard.events.length === 1);
    expect(double.counters.attachesOf('cdc', 0).map((a) => a.refused)).toEqual(['com.microsoft:server-busy', 'com.microsoft:server-busy', null]);
  });

  it('slow a partition down, and stop it', async () => {
    double.append('cdc', 0, numbered(0, 5));
    double.pace('cdc', 0, { events: 1, everyMs: 150 });
    const heard = clients.subscribe(EARLIEST);
    await until(() => heard.events.length === 2);
    double.pace('cdc', 0, 'stopped');
    const sent = double.counters.transfersOf('cdc', 0);
    expect(sent).toBeLessThan(5);
    double.append('cdc', 0, numbered(5, 6));
    expect(double.counters.transfersOf('cdc', 0)).toBe(sent);
    double.pace('cdc', 0, null);
    await until(() => heard.events.length === 6);
    expect(sequenceNumbers(heard)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('send events again, and leave some out', async () => {
    double.append('cdc', 0, numbered(0, 6));
    double.repeat('cdc', 0, 3);
    const heard = clients.subscribe(EARLIEST);
    await until(() => heard.events.length === 9);
    expect(sequenceNumbers(heard)).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5]);
    double.skip('cdc', 0, 2);
    double.append('cdc', 0, numbered(6, 10));
    await until(() => heard.events.length === 11);
    expect(sequenceNumbers(heard).slice(9)).toEqual([8, 9]);
  });

  it('answer questions with errors, or not at all', async () => {
    const client = clients.consumer();
    double.failManagement(2, { status: 503, description: 'busy', condition: 'com.microsoft:server-busy' });
    expect(await failure(client.getPartitionProperties('0'))).toBe('ServerBusyError');
    expect(await client.getPartitionIds()).toEqual(['0', '1']);
    double.failManagement(2, 'silent');
    expect(await failure(client.getPartitionIds())).toBe('OperationTimeoutError');
    expect(double.counters.management.map((m) => [m.partition, m.status])).toEqual([['0', 503], ['0', 503], [null, 200], [null, null], [null, null]]);
  });

  it('reject what producers send', async () => {
    double.refuseSends(2);
    expect(await failure(clients.producer().sendBatch([{ body: 'x' }]))).toBe('ServerBusyError');
    expect(double.counters.rejectedSends).toBe(2);
  });

  it('take the hub away', async () => {
    double.append('cdc', 0, numbered(0, 1));
    const heard = clients.subscribe(EARLIEST);
    await until(() => heard.events.length === 1);
    double.deleteHub('cdc');
    await until(() => heard.errors.length > 0);
    expect(await failure(clients.consumer().getPartitionIds())).toBe('MessagingEntityNotFoundError');
  });
});
