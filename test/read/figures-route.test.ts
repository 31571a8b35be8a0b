/**
 * Goal: a request for figures gets the figures, or the one documented refusal that tells why not; nothing else reaches the books.
 * Method: requests are injected into the application over a model whose parts are set by hand.
 */
import { describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { parseDate } from '../../src/change/dates.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { listen } from '../../src/read/app.ts';
import { createFakeReadModel, FAKE_NOW, makeReady } from '../support/fake-read-model.ts';
import { startApp } from '../support/read-app.ts';

interface ProblemText {
  readonly code: keyof typeof ERROR_CODES;
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly instance: string;
}

function readyApp(level?: string) {
  const model = createFakeReadModel();
  makeReady(model.controlled);
  return { model, ...startApp(model, null, level) };
}

/** Asks, and checks that the answer is a well-formed problem of the given code. */
async function expectProblem(app: FastifyInstance, url: string, code: keyof typeof ERROR_CODES): Promise<ProblemText> {
  const answer = await app.inject({ url });
  const problem = answer.json<ProblemText>();
  const entry = ERROR_CODES[code] as { readonly status: number; readonly meaning: string; readonly action: string };
  expect(problem).toMatchObject({ code, status: entry.status, title: entry.meaning, type: `urn:rentfold:problem:${code.toLowerCase().replaceAll('_', '-')}` });
  expect(problem.detail.endsWith(entry.action)).toBe(true);
  expect(problem.instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
  expect(answer.statusCode).toBe(entry.status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['retry-after'] !== undefined).toBe(entry.status === 503);
  return problem;
}

const URL = '/financial-performance/known';

describe('figures', () => {
  it('answers the field names of the service it replaces, in their order', async () => {
    const { app, model } = readyApp();
    const answer = await app.inject({ url: URL });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-length': String(answer.rawPayload.length),
    });
    const totals = ['total_revenue', 'rent', 'expenses', 'profit_loss', 'piti', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'other'];
    expect(Object.keys(answer.json())).toEqual([
      'property_id', 'unit_id', 'as_of', ...totals.map((name) => `ytd_${name}`), ...totals.map((name) => `cumulative_${name}`),
      'cash_invested', 'cash_on_cash', 'units', 'last_calculated_at', 'complete', 'freshness',
    ]);
    expect(answer.json()).toMatchObject({
      property_id: 'known', unit_id: null, as_of: '2026-06-30', ytd_total_revenue: 1200.5, cash_invested: 50_000, cash_on_cash: 5.8134,
      units: [{ unit_id: 'unit', ytd_profit_loss: 0.0001, cumulative_profit_loss: -0.001 }], last_calculated_at: '2026-06-30T11:59:59.000Z',
      complete: true, freshness: { caught_up: true, newest_change_at: '2026-06-30T11:59:58.500Z', lag_records: 0 },
    });
    expect(model.queries).toEqual([{ propertyId: 'known', unitId: null, asOf: parseDate('2026-06-30') }]);
  });

  it('answers for a unit and for another day', async () => {
    const { app, model } = readyApp();
    const answer = await app.inject({ url: `${URL}?unit_id=unit&as_of=2024-02-29` });
    expect(answer.json()).toMatchObject({ unit_id: 'unit', as_of: '2024-02-29', units: null });
    expect(model.queries).toEqual([{ propertyId: 'known', unitId: 'unit', asOf: parseDate('2024-02-29') }]);
  });

  it.each(['unit_id=', 'unit_id', 'unit_id=None'])('takes ?%s for the property itself (R6)', async (query) => {
    const { app, model } = readyApp();
    expect((await app.inject({ url: `${URL}?${query}` })).json()).toMatchObject({ unit_id: null });
    expect(model.queries[0].unitId).toBeNull();
  });

  it('answers HEAD as GET without the body', async () => {
    const { app } = readyApp();
    const [get, head] = [await app.inject({ url: URL }), await app.inject({ method: 'HEAD', url: URL })];
    expect([head.statusCode, head.body, head.headers['content-length'], head.headers['content-type']])
      .toEqual([200, '', get.headers['content-length'], get.headers['content-type']]);
  });

  it('asks for today at every request: nothing runs at midnight', async () => {
    const { app, model } = readyApp();
    let today = parseDate('2026-12-31')!;
    model.today = () => today;
    expect((await app.inject({ url: URL })).json()).toMatchObject({ as_of: '2026-12-31' });
    today++;
    expect((await app.inject({ url: URL })).json()).toMatchObject({ as_of: '2027-01-01' });
  });
});

describe('refusals', () => {
  it('does not know a property, or a unit of a known one', async () => {
    const { app } = readyApp();
    expect((await expectProblem(app, '/financial-performance/nobody', 'PROPERTY_UNKNOWN')).detail).toContain('property nobody is known');
    expect((await expectProblem(app, `${URL}?unit_id=other`, 'PROPERTY_UNKNOWN')).detail).toContain('property known with unit other is known');
  });

  it.each([
    ['?as_of=2026-02-30', 'as_of is no calendar date'],
    ['?as_of=0000-01-01', 'as_of is no calendar date'],
    ['?as_of=', 'as_of is no calendar date'],
    ['?as_of=today', 'as_of is no calendar date'],
    ['?as_of=2026-1-1', 'as_of is no calendar date'],
    ['?as_of=2026-01-01T00:00:00Z', 'as_of is no calendar date'],
    [`?as_of=${encodeURIComponent('２０２６')}-01-01`, 'as_of is no calendar date'],
    ['?as_of=2026-01-01&as_of=2026-01-01', 'as_of stands more than once'],
    ['?unit_id=a&unit_id=a', 'unit_id stands more than once'],
    ['?unit_id=%ff', 'unit_id is not percent-encoded UTF-8'],
    [`?unit_id=${'a'.repeat(513)}`, 'unit_id is longer than 512 bytes'],
    [`?unit_id=${encodeURIComponent('é'.repeat(257))}`, 'unit_id is longer than 512 bytes'],
    ['?property_id=x', 'property_id is unknown'],
    ['?unit_id[]=a', 'unit_id[] is unknown'],
    ['?__proto__=a', '__proto__ is unknown'],
    ['?a%0d%0aSet-Cookie:x=1', 'a\\u000d\\u000aSet-Cookie:x is unknown'],
  ])('refuses %s', async (query, detail) => {
    const { app, model } = readyApp();
    expect((await expectProblem(app, `${URL}${query}`, 'REQUEST_INVALID')).detail).toContain(`Parameter ${detail}`);
    expect(model.queries).toEqual([]);
  });

  it('refuses an empty id and one longer than 512 bytes, and takes one of 512', async () => {
    const { app, model } = readyApp();
    await expectProblem(app, '/financial-performance/', 'REQUEST_INVALID');
    await expectProblem(app, `/financial-performance/${'a'.repeat(513)}`, 'REQUEST_INVALID');
    await expectProblem(app, `/financial-performance/${'a'.repeat(5_000)}`, 'REQUEST_INVALID');
    await expectProblem(app, `/financial-performance/${encodeURIComponent('é'.repeat(257))}`, 'REQUEST_INVALID');
    expect(model.queries).toEqual([]);
    await expectProblem(app, `/financial-performance/${encodeURIComponent('é'.repeat(256))}`, 'PROPERTY_UNKNOWN');
    await expectProblem(app, `/financial-performance/${'%2F'.repeat(512)}`, 'PROPERTY_UNKNOWN');
    expect(model.queries.map((query) => query.propertyId)).toEqual(['é'.repeat(256), '/'.repeat(512)]);
  });

  it('answers 503 while restoring, before the books are asked', async () => {
    const model = createFakeReadModel();
    const { app } = startApp(model);
    await expectProblem(app, URL, 'RESTORING');
    expect(model.queries).toEqual([]);
  });

  it('answers 503 for a new lineage until it has once caught up, and serves a known one while it catches up', async () => {
    for (const caughtUpOnce of [false, true]) {
      const model = createFakeReadModel();
      const { app } = startApp(model);
      model.controlled.restored({ lineage: 'a', generation: 1, caughtUpOnce, incompleteHistory: [], positions: [] }, FAKE_NOW);
      model.controlled.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 3 }], gaps: [] }, FAKE_NOW);
      if (caughtUpOnce) {
        expect((await app.inject({ url: URL })).json()).toMatchObject({ freshness: { caught_up: false, lag_records: 3 } });
      } else {
        expect((await expectProblem(app, URL, 'CATCHING_UP')).detail).toContain('3 records are not folded yet');
        model.controlled.folded([{ topic: 'rents', partition: 0, next: 2 }], FAKE_NOW);
        await expectProblem(app, URL, 'CATCHING_UP');
      }
      model.controlled.folded([{ topic: 'rents', partition: 0, next: 3 }], FAKE_NOW);
      expect((await app.inject({ url: URL })).json()).toMatchObject({ freshness: { caught_up: true, lag_records: 0 } });
    }
  });

  it('answers 503 once a partition or the source stopped, naming code and place but not the message', async () => {
    const { app, model } = readyApp();
    model.controlled.stopped({ topic: 'rents', partition: 2, code: 'OFFSET_FELL', message: '/secret/path', offset: 17 }, FAKE_NOW);
    const problem = await expectProblem(app, URL, 'PARTITION_STOPPED');
    expect(problem.detail).toContain('Partition 2 of topic rents stopped at offset 17 with OFFSET_FELL.');
    expect(problem.detail).not.toContain('secret');
    const other = readyApp();
    other.model.controlled.stopped({ topic: '*', partition: -1, code: 'SOURCE_FAILED', message: 'x', offset: null }, FAKE_NOW);
    expect((await expectProblem(other.app, URL, 'PARTITION_STOPPED')).detail).toContain('The source stopped with SOURCE_FAILED.');
  });

  it('answers 503 rather than a rounded total', async () => {
    const { app, model } = readyApp();
    model.answer = () => ({ kind: 'out-of-range' });
    await expectProblem(app, URL, 'TOTAL_OUT_OF_RANGE');
  });

  it('answers 503 while the process ends', async () => {
    const { app, model } = readyApp();
    model.controlled.closing();
    await expectProblem(app, URL, 'SHUTTING_DOWN');
  });

  it('answers 404 for a path that is none', async () => {
    const { app } = readyApp();
    for (const url of ['/', '/financial-performance', '/financial-performance/known/', '/financial-performance/a/b', '/Financial-Performance/known', '/health']) {
      await expectProblem(app, url, 'ROUTE_UNKNOWN');
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])('answers 405 to %s', async (method) => {
    const { app, model } = readyApp();
    for (const url of [URL, '/health/live', '/nowhere']) {
      const answer = await app.inject({ method: method as 'POST', url });
      expect([answer.statusCode, answer.headers['allow'], answer.json<ProblemText>().code]).toEqual([405, 'GET, HEAD', 'METHOD_NOT_ALLOWED']);
    }
    expect(model.queries).toEqual([]);
  });

  it('tells nobody what went wrong inside, and logs it under the same id', async () => {
    const { app, model, lines } = readyApp();
    model.answer = () => { throw new Error('secret of the house'); };
    const problem = await expectProblem(app, URL, 'INTERNAL');
    expect(JSON.stringify(problem)).not.toMatch(/secret|\.ts|node_modules|at /);
    const logged = lines.find((line) => line['level'] === 50);
    expect(logged).toMatchObject({ err: { message: 'secret of the house' }, request: problem.instance.slice('urn:uuid:'.length) });
  });
});

describe('what operators grep for', () => {
  it('logs hits and misses at debug, without forged lines', async () => {
    const { app, lines, raw } = readyApp();
    await app.inject({ url: URL });
    await app.inject({ url: '/financial-performance/a%0A%7B%22level%22%3A60%7D%1b%5B31m%E2%80%AE' });
    expect(lines.map((line) => line['msg'])).toEqual([
      '[FP-CACHE] Cache HIT for property known', '[FP-CACHE] Cache MISS for property a\\u000a{"level":60}\\u001b[31m\\u202e',
    ]);
    for (const line of raw) expect(line.trimEnd()).not.toMatch(/[\n\r\u001b\u202e]/);
  });

  it('logs nothing of it at info, and nothing of its own when it listens and closes', async () => {
    const { app, lines } = readyApp('info');
    await listen(app);
    await app.inject({ url: URL });
    await app.close();
    expect(lines).toEqual([]);
  });
});
