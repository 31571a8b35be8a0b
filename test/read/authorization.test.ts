/**
 * Goal: with a read token set, nothing but liveness and readiness answers without it; without one, everything answers.
 * Method: every path, with every wrong form of the header that is known to fool such checks.
 */
import { describe, expect, it } from 'vitest';
import { listen } from '../../src/read/app.ts';
import { createFakeReadModel, makeReady } from '../support/fake-read-model.ts';
import { exchange, startApp } from '../support/read-app.ts';

const TOKEN = 'correct horse battery é';
const PATHS = ['/financial-performance/known', '/health/status', '/metrics', '/openapi.json', '/nowhere', '/financial-performance/%ff', '/health/%6cive', '/health/live/'];

function guardedApp() {
  const model = createFakeReadModel();
  makeReady(model.controlled);
  return { model, ...startApp(model, TOKEN) };
}

/** A header value as it travels: UTF-8 bytes, which Node reads as Latin-1. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

describe('the read token', () => {
  it.each(PATHS)('is needed for %s', async (url) => {
    const { app, model } = guardedApp();
    const answer = await app.inject({ url });
    expect([answer.statusCode, answer.json<{ code: string }>().code, answer.headers['www-authenticate']]).toEqual([401, 'UNAUTHORIZED', 'Bearer realm="rentfold"']);
    expect(model.queries).toEqual([]);
    expect((await app.inject({ url, headers: { authorization: bytes(`Bearer ${TOKEN}`) } })).statusCode).not.toBe(401);
  });

  it('is not needed for liveness and readiness', async () => {
    const { app } = guardedApp();
    expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
    expect((await app.inject({ url: '/health/ready?probe=1' })).statusCode).toBe(200);
  });

  it.each([
    'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, TOKEN, `Basic ${TOKEN}`, `Bearer${TOKEN}`, `Bearer ${TOKEN},Bearer x`, 'Bearer null',
    `Bearer ${'x'.repeat(10_000)}`, `Bearer ${TOKEN.toUpperCase()}`, ' ',
  ])('is refused as %j', async (header) => {
    const { app } = guardedApp();
    expect((await app.inject({ url: '/metrics', headers: { authorization: bytes(header) } })).statusCode).toBe(401);
  });

  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}`])('is taken as %j', async (header) => {
    const { app } = guardedApp();
    expect((await app.inject({ url: '/metrics', headers: { authorization: bytes(header) } })).statusCode).toBe(200);
  });

  it('is refused when there are two, even if one is right', async () => {
    const { app } = guardedApp();
    const port = Number(new URL(await listen(app)).port);
    const right = `Authorization: Bearer ${TOKEN}\r\n`;
    const head = 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    expect(await exchange(port, `${head}${right}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await exchange(port, `${head}${right}${right}\r\n`)).toMatch(/^HTTP\/1\.1 401 /);
    expect(await exchange(port, `${head}${right}authorization: Bearer no\r\n\r\n`)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('is described, when it is needed', async () => {
    const { app } = guardedApp();
    const description = (await app.inject({ url: '/openapi.json', headers: { authorization: bytes(`Bearer ${TOKEN}`) } })).json<{ security: unknown; paths: Record<string, { get: { security?: unknown } }> }>();
    expect(description.security).toEqual([{ token: [] }]);
    const open = Object.entries(description.paths).filter(([, { get }]) => get.security !== undefined);
    expect(open.map(([path, { get }]) => [path, get.security])).toEqual([['/health/live', []], ['/health/ready', []]]);
  });

  it('is not asked for when none is set', async () => {
    const model = createFakeReadModel();
    makeReady(model.controlled);
    const { app } = startApp(model);
    for (const url of ['/financial-performance/known', '/health/status', '/metrics', '/openapi.json']) expect((await app.inject({ url })).statusCode).toBe(200);
  });
});
