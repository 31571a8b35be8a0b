/**
 * Goal: the faults of kafkajs 2.2.4 that this source would inherit do not show: its timer loop, its waiting for answers on close, what it keeps alive. Another release is refused, because its
 * insides are used.
 * Method: its request queue before and after it was loaded by us; the source in a process of its own that has to end by itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/runtime/clock.ts';
import { checkKafkajsRelease, loadKafkaClient } from '../../src/source/kafka-client.ts';
import { KafkaCluster } from '../../src/source/kafka-cluster.ts';
import { recordsOf } from '../support/dump.ts';
import { FakeKafka } from '../support/fake-kafka.ts';
import { KafkaTopics } from '../support/kafka-log.ts';
import { SourceReader } from '../support/read-source.ts';
import { kafkaService } from '../support/services/services.ts';
import { inTime, until } from '../support/until.ts';

interface Queue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  checkPendingRequests(): void;
  push(request: object): void;
  destroy(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as new (options: object) => Queue;
const kafka = await kafkaService();

function queue(): Queue {
  const logger = { debug: () => undefined, warn: () => undefined };
  return new RequestQueue({ maxInFlightRequests: null, requestTimeout: 1_000, enforceRequestTimeout: false, clientId: 'test', broker: 'test', logger });
}

describe('kafkajs', () => {
  it('sets a timer only while a request waits', () => {
    const before = queue();
    before.checkPendingRequests();
    expect(before.throttleCheckTimeoutId, 'kafkajs sets a timer with nothing to wait for: the fault that is mended').not.toBeNull();
    before.destroy();
    loadKafkaClient();
    const idle = queue();
    idle.checkPendingRequests();
    expect(idle.throttleCheckTimeoutId).toBeNull();
    const throttled = queue();
    throttled.throttledUntil = Date.now() + 60_000;
    throttled.push({ entry: { correlationId: 1, resolve: () => undefined, reject: () => undefined }, expectResponse: true, sendRequest: () => undefined });
    expect(throttled.throttleCheckTimeoutId).not.toBeNull();
    throttled.destroy();
  });

  it('of another release is refused', () => {
    expect(() => checkKafkajsRelease('2.2.4')).not.toThrow();
    expect(() => checkKafkajsRelease('2.3.0')).toThrow(expect.objectContaining({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/kafkajs 2\.3\.0.*2\.2\.4/) as string }) as Error);
  });
});

describe('ending connections', () => {
  const options = { tls: null, sasl: null, connectMs: 2_000, requestMs: 2_000, sessionLeftMs: 1_000 };
  /** As many turns of the event loop, by microtasks or by whole turns. */
  const pauses = [...Array.from({ length: 60 }, (_, turns) => async () => { for (let i = 0; i < turns; i++) await Promise.resolve(); }),
    ...Array.from({ length: 12 }, (_, turns) => async () => { for (let i = 0; i < turns; i++) await new Promise(setImmediate); })];

  it('settles what was asked at whatever moment they end, and makes none anew', async () => {
    await using fake = await FakeKafka.create();
    for (const [number, pause] of pauses.entries()) {
      for (const what of ['metadata', 'fetch', 'first fetch'] as const) {
        const cluster = new KafkaCluster(loadKafkaClient(), [`127.0.0.1:${fake.port}`], options, createSystemClock());
        await cluster.metadata(null);
        if (what === 'fetch') await cluster.connectToFetch(1);
        const fetch = async (): Promise<unknown> => await cluster.fetch(1, { waitMs: 0, bytesMax: 1_000, partitionBytesMax: 1_000, partitions: [{ topic: 't', partition: 0, offset: 0 }] });
        const asked = what === 'metadata' ? cluster.metadata(null) : cluster.connectToFetch(1).then(fetch);
        const settled = asked.then(() => true, () => true);
        await pause();
        cluster.close();
        expect(await inTime(async () => await settled, 5_000, () => `${what}, ended at moment ${number}`)).toBe(true);
      }
    }
    await until(() => fake.connections === 0);
  });
});

describe.skipIf(kafka === null)('closing', () => {
  it('does not wait for a fetch that waits at the broker', async () => {
    const topics = await KafkaTopics.create(kafka!.brokers);
    await topics.append(recordsOf('t', 0, 0, 3));
    const reader = new SourceReader(topics.source({ topics: ['t'] }, { fetchWaitMs: 50_000, metadataMs: 50_000 }));
    await reader.open();
    await reader.until(() => reader.records.length === 3);
    const ended = reader.until(() => false);
    await reader.close();
    expect(await ended).toBe(false);
    await topics.dispose();
  }, 20_000);

  // Every wait in it is longer than this test may take: what is left behind would show.
  it('leaves nothing that keeps a process alive', async () => {
    const topics = await KafkaTopics.create(kafka!.brokers);
    await topics.append(recordsOf('t', 0, 0, 3));
    const script = `
      import { createKafkaSource } from './src/source/kafka.ts';
      const source = createKafkaSource(${JSON.stringify(topics.config())}, { fetchWaitMs: 50_000, metadataMs: 50_000 });
      await source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 10 });
      let records = 0;
      for await (const event of source.batches(new AbortController().signal)) {
        if (event.kind === 'records') records += event.batch.count;
        if (records === 3) break;
      }
      await source.close();
      console.log(records);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: new URL('../..', import.meta.url), stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, complaints, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number]>]);
    expect([code, out.trim(), complaints]).toEqual([0, '3', '']);
    await topics.dispose();
  }, 20_000);
});
