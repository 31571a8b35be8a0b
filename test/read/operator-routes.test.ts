/**
 * Goal: health, status and metrics say what is true of the state, and every answer fits the description at /openapi.json.
 * Method: the state is changed by hand and asked for; answers are checked against the schemas that the description gives for them.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { listen } from '../../src/read/app.ts';
import { createFakeReadModel, FAKE_NOW, fakeCounters, makeReady, type FakeReadModel } from '../support/fake-read-model.ts';
import { exchange, schemaCheck, startApp } from '../support/read-app.ts';

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>> }>>>>;
}

function busyModel(): FakeReadModel {
  const model = createFakeReadModel();
  const { controlled } = model;
  controlled.restored({ lineage: 'lin"e', generation: 4, caughtUpOnce: true, incompleteHistory: ['rents/1 before offset 3'], positions: [] }, FAKE_NOW);
  controlled.roleChanged('publisher', null);
  controlled.opened({ bounds: [{ topic: 'b', partition: 1, start: 0, end: 10 }, { topic: 'a', partition: 0, start: 0, end: 20 }], gaps: [] }, FAKE_NOW);
  controlled.folded([{ topic: 'a', partition: 0, next: 15 }, { topic: 'b', partition: 1, next: 10 }], FAKE_NOW);
  controlled.checkpointed({ generation: 5, rows: 12, bytes: 3_456, durationMs: 7.5, at: FAKE_NOW, error: null }, 'lin"e');
  controlled.checkpointed({ generation: 6, rows: 0, bytes: 0, durationMs: 1, at: FAKE_NOW + 1, error: 'full' }, 'lin"e');
  controlled.publishFailed({ attempt: 'checkpoint', code: 'STORE_UNAVAILABLE', message: 'full', at: FAKE_NOW + 1 });
  controlled.warned({ code: 'POSITION_FELL', message: 'it fell' }, FAKE_NOW);
  model.counted = [
    fakeCounters({ topic: 'a', partition: 0, read: 15, applied: 9, unchanged: 1, superseded: 2, passedOver: 2, deadLetters: 1, unattributed: 1, passedOverReasons: { heartbeat: 2 } }),
    fakeCounters({ topic: 'b', partition: 1, read: 10, applied: 5, passedOver: 5, orderAmbiguous: 3, passedOverReasons: { heartbeat: 1, other_table: 4 } }),
  ];
  return model;
}

async function descriptionOf(app: FastifyInstance): Promise<Description> {
  return (await app.inject({ url: '/openapi.json' })).json();
}

describe('/health', () => {
  it('is live from the first moment', async () => {
    const { app } = startApp(createFakeReadModel());
    const answer = await app.inject({ url: '/health/live' });
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'live' }]);
  });

  it('is ready between the end seen at start and the first stop', async () => {
    const model = createFakeReadModel();
    const { app } = startApp(model);
    const ask = async (): Promise<unknown> => {
      const answer = await app.inject({ url: '/health/ready' });
      return answer.statusCode === 200 ? 200 : [answer.statusCode, answer.json<{ code: string }>().code, answer.headers['retry-after'] !== undefined];
    };
    expect(await ask()).toEqual([503, 'RESTORING', true]);
    model.controlled.restored({ lineage: 'a', generation: 1, caughtUpOnce: true, incompleteHistory: [], positions: [] }, FAKE_NOW);
    expect(await ask()).toEqual([503, 'RESTORING', true]);
    model.controlled.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 2 }], gaps: [] }, FAKE_NOW);
    expect(await ask()).toEqual([503, 'CATCHING_UP', true]);
    model.controlled.folded([{ topic: 'rents', partition: 0, next: 2 }], FAKE_NOW);
    expect(await ask()).toBe(200);
    model.controlled.boundsSeen([{ topic: 'rents', partition: 0, start: 0, end: 1_000 }]);
    expect(await ask()).toBe(200);
    model.controlled.stopped({ topic: 'rents', partition: 0, code: 'FILE_SHRANK', message: 'x', offset: null }, FAKE_NOW);
    expect(await ask()).toEqual([503, 'PARTITION_STOPPED', true]);
  });
});

describe('/health/status', () => {
  it('has counters summed and per partition, positions, checkpoints, role and warnings', async () => {
    const model = busyModel();
    const { app } = startApp(model);
    const status = (await app.inject({ url: '/health/status' })).json<Record<string, unknown>>();
    expect(status).toMatchObject({
      phase: 'catching-up', ready: false, caught_up: false, lag_records: 5, newest_change_at: '2026-06-30T11:59:58.500Z', role: 'publisher', lineage: 'lin"e', generation: 5,
      incomplete_history: ['rents/1 before offset 3'], waiting_topics: [], source_stop: null,
      records: { read: 25, applied: 14, unchanged: 1, superseded: 2, passed_over: 7, dead_letters: 1 }, passed_over_reasons: { heartbeat: 3, other_table: 4 },
      unattributed: 1, order_ambiguous: 3, rows: { expenses: 5, rents: 4, properties: 2 }, accounts: 3, remembered_deletes: 1, versions: { rentfold: '1.2.3' },
      checkpoints: { succeeded: 1, failed: 1, history: [{ generation: 5, rows: 12, bytes: 3_456, duration_ms: 7.5, at: '2026-06-30T12:00:00.000Z', error: null }, { generation: 6, error: 'full' }] },
      role_reason: null,
      unpublished: { rows: 7, since: '2026-06-30T12:00:00.000Z', failures: 1, last_failure: { attempt: 'checkpoint', code: 'STORE_UNAVAILABLE', message: 'full', at: '2026-06-30T12:00:00.001Z' } },
      warnings: [{ code: 'POSITION_FELL', count: 1, message: 'it fell', at: '2026-06-30T12:00:00.000Z' }],
    });
    expect(status['partitions']).toEqual([
      {
        topic: 'a', partition: 0, position: 15, end: 20, end_at_start: 20, lag_records: 5, stop: null, unattributed: 1, order_ambiguous: 0,
        records: { read: 15, applied: 9, unchanged: 1, superseded: 2, passed_over: 2, dead_letters: 1 }, passed_over_reasons: { heartbeat: 2 },
      },
      {
        topic: 'b', partition: 1, position: 10, end: 10, end_at_start: 10, lag_records: 0, stop: null, unattributed: 0, order_ambiguous: 3,
        records: { read: 10, applied: 5, unchanged: 0, superseded: 0, passed_over: 5, dead_letters: 0 }, passed_over_reasons: { heartbeat: 1, other_table: 4 },
      },
    ]);
  });

  it('names code, message and place of a stop', async () => {
    const model = busyModel();
    const { app } = startApp(model);
    model.controlled.stopped({ topic: 'b', partition: 1, code: 'OFFSET_FELL', message: 'line 7 of b.jsonl', offset: 9 }, FAKE_NOW);
    model.controlled.stopped({ topic: '*', partition: -1, code: 'SOURCE_FAILED', message: 'gone', offset: null }, FAKE_NOW);
    const status = (await app.inject({ url: '/health/status' })).json<{ partitions: { stop: unknown }[]; source_stop: unknown; phase: string }>();
    expect(status.partitions[1].stop).toEqual({ code: 'OFFSET_FELL', message: 'line 7 of b.jsonl', offset: 9, at: '2026-06-30T12:00:00.000Z' });
    expect(status).toMatchObject({ phase: 'stopped', source_stop: { code: 'SOURCE_FAILED', message: 'gone', offset: null } });
  });
});

describe('/metrics', () => {
  it('reads the state when asked, under names with units last', async () => {
    const model = busyModel();
    const { app } = startApp(model);
    await app.inject({ url: '/financial-performance/known' });
    const answer = await app.inject({ url: '/metrics' });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = answer.body.split('\n');
    expect(lines).toEqual(expect.arrayContaining([
      'rentfold_records_total{topic="a",partition="0",outcome="applied"} 9', 'rentfold_records_total{topic="b",partition="1",outcome="passed_over"} 5',
      'rentfold_passed_over_records_total{topic="b",partition="1",reason="other_table"} 4', 'rentfold_partition_position_offset{topic="a",partition="0"} 15',
      'rentfold_partition_lag_records{topic="a",partition="0"} 5', 'rentfold_rows{table="rents"} 4', 'rentfold_accounts 3', 'rentfold_phase_info{phase="catching-up"} 1',
      'rentfold_ready 0', 'rentfold_caught_up 0', 'rentfold_publisher 1', 'rentfold_history_incomplete 1', 'rentfold_newest_change_timestamp_seconds 1782820798.5',
      'rentfold_checkpoint_generation 5', 'rentfold_checkpoint_duration_seconds 0.0075', 'rentfold_checkpoint_size_bytes 3456',
      'rentfold_unpublished_rows 7', 'rentfold_unpublished_since_timestamp_seconds 1782820800', 'rentfold_publish_failures 1',
      'rentfold_checkpoints_total{outcome="failed"} 1', 'rentfold_warnings_total{code="POSITION_FELL"} 1', 'rentfold_http_requests_total{route="figures",status="200"} 1',
    ]));
    model.counted = [fakeCounters({ topic: 'a', partition: 0, read: 16, applied: 16 })];
    model.controlled.folded([{ topic: 'a', partition: 0, next: 20 }], FAKE_NOW);
    const later = (await app.inject({ url: '/metrics' })).body;
    expect(later).toContain('rentfold_records_total{topic="a",partition="0",outcome="applied"} 16\n');
    expect(later).not.toContain('topic="b",partition="1",outcome');
    expect(later.match(/^rentfold_phase_info.*$/gm)).toEqual(['rentfold_phase_info{phase="ready"} 1']);
  });

  it('leaves out what is unknown, and describes everything of its own', async () => {
    const { app } = startApp(createFakeReadModel());
    const { body } = await app.inject({ url: '/metrics' });
    expect(body).not.toMatch(/^rentfold_.* nan$/im);
    expect(body).not.toMatch(/^rentfold_(caught_up|checkpoint_generation|checkpoint_size_bytes) /m);
    const own = [...body.matchAll(/^# HELP (rentfold_\w+) (.+)$/gm)];
    expect(own.length).toBeGreaterThan(20);
    for (const [, name, help] of own) expect([name, help.endsWith('.')]).toEqual([name, true]);
    expect(body).toContain('nodejs_eventloop_lag_seconds');
  });

  it('never makes labels of ids', async () => {
    const { app } = startApp(busyModel());
    for (const url of ['/financial-performance/some-id', '/x-some-id', '/health/some-id', '/metrics/some-id']) await app.inject({ url });
    expect((await app.inject({ url: '/metrics' })).body).not.toContain('some-id');
  });

  it('keeps a label value inside its quotes', async () => {
    const model = createFakeReadModel();
    model.counted = [fakeCounters({ topic: 'a"\n} 1\nforged 1', partition: 0, applied: 1 })];
    expect((await startApp(model).app.inject({ url: '/metrics' })).body).not.toMatch(/^forged/m);
  });
});

describe('/openapi.json', () => {
  it('describes every route, and no more', async () => {
    const { app } = startApp(createFakeReadModel());
    const description = await descriptionOf(app);
    expect(description.openapi).toBe('3.1.0');
    expect(Object.entries(description.paths).map(([path, methods]) => [path, Object.keys(methods)])).toEqual([
      '/financial-performance/{property_id}', '/health/live', '/health/ready', '/health/status', '/metrics', '/openapi.json',
    ].map((path) => [path, ['get']]));
  });

  it('is true of every answer', async () => {
    const model = busyModel();
    const { app } = startApp(model);
    const description = await descriptionOf(app);
    const check = async (url: string, path: string): Promise<number> => {
      const answer = await app.inject({ url });
      const responses = description.paths[path]['get'].responses;
      const type = String(answer.headers['content-type']).replace('; charset=utf-8', '');
      const schema = responses[String(answer.statusCode)]?.content[type]?.schema;
      expect(schema, `${url} answers ${answer.statusCode} as ${type}`).toBeDefined();
      expect(await schemaCheck(schema!)(answer.json())).toBeNull();
      return answer.statusCode;
    };
    const figures = '/financial-performance/{property_id}';
    expect(await check('/financial-performance/known', figures)).toBe(200);
    expect(await check('/financial-performance/known?unit_id=unit', figures)).toBe(200);
    expect(await check('/financial-performance/known?as_of=x', figures)).toBe(400);
    expect(await check('/financial-performance/nobody', figures)).toBe(404);
    expect(await check('/health/live', '/health/live')).toBe(200);
    expect(await check('/health/ready', '/health/ready')).toBe(503);
    expect(await check('/health/status', '/health/status')).toBe(200);
    model.controlled.stopped({ topic: 'b', partition: 1, code: 'OFFSET_FELL', message: 'x', offset: 9 }, FAKE_NOW);
    expect(await check('/health/status', '/health/status')).toBe(200);
    expect(await check('/financial-performance/known', figures)).toBe(503);
    model.answer = () => { throw new Error('x'); };
    const ready = createFakeReadModel();
    makeReady(ready.controlled);
    model.control = () => ready.control();
    expect(await check('/financial-performance/known', figures)).toBe(500);
    expect(await check('/health/ready', '/health/ready')).toBe(200);
    const guarded = startApp(model, 'token').app;
    const refused = await guarded.inject({ url: '/financial-performance/known' });
    expect(await schemaCheck(description.paths[figures]['get'].responses['401'].content['application/problem+json'].schema)(refused.json())).toBeNull();
  });

  it('lists in the schema of status what status answers, so that nothing is dropped on the way', async () => {
    const { app } = startApp(busyModel());
    const schema = (await descriptionOf(app)).paths['/health/status']['get'].responses['200'].content['application/json'].schema as { properties: object };
    const status = (await app.inject({ url: '/health/status' })).json<object>();
    expect(Object.keys(status)).toEqual(Object.keys(schema.properties));
  });
});

describe('ending', () => {
  it('closes the port first and refuses what still comes on open connections', async () => {
    const model = createFakeReadModel();
    makeReady(model.controlled);
    const { app } = startApp(model);
    const port = Number(new URL(await listen(app)).port);
    let closing: Promise<unknown> = Promise.resolve();
    const figures = model.answer.bind(model);
    model.answer = (query) => {
      closing = app.close();
      return figures(query);
    };
    const one = 'GET /financial-performance/known HTTP/1.1\r\nHost: x\r\n\r\n';
    const first = await exchange(port, one);
    expect(first).toMatch(/^HTTP\/1\.1 200 /);
    await closing;
    await expect(exchange(port, one)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('does not wait for a client that never finishes its request', async () => {
    const { app } = startApp(createFakeReadModel());
    const port = Number(new URL(await listen(app)).port);
    const socket = connect({ port, host: '127.0.0.1' });
    const closed = once(socket, 'close');
    socket.resume().write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/live HTTP/1.1\r\n');
    await once(socket, 'data');
    await app.close();
    await closed;
  });

  it('refuses a request whose second half comes after the port was closed', async () => {
    const model = createFakeReadModel();
    makeReady(model.controlled);
    const { app } = startApp(model);
    const port = Number(new URL(await listen(app)).port);
    const socket = connect({ port, host: '127.0.0.1' });
    const closed = once(socket, 'close');
    let text = '';
    socket.on('data', (chunk) => { text += chunk.toString(); });
    const one = 'GET /financial-performance/known HTTP/1.1\r\nHost: x\r\n';
    socket.write(`${one}\r\n${one}`);
    await once(socket, 'data');
    const closing = app.close();
    while (app.server.listening) await new Promise((resolve) => { setImmediate(resolve); });
    socket.write('\r\n');
    await Promise.all([closing, closed]);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '503']);
    expect(text).toContain('"code":"SHUTTING_DOWN"');
    expect(text).toMatch(/connection: close/i);
  });
});
