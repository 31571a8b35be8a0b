/**
 * Goal: whatever bytes arrive, the answer is a refusal that tells nothing, the connection ends where it must, and the next client is served.
 * Method: raw sockets against the listening application: malformed requests, floods of headers, bodies, smuggling pairs, hostile ids.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from 'node:net';
import { once } from 'node:events';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { listen } from '../../src/read/app.ts';
import { createFakeReadModel, makeReady, type FakeReadModel } from '../support/fake-read-model.ts';
import { exchange, startApp } from '../support/read-app.ts';

let model: FakeReadModel;
let app: FastifyInstance;
let port: number;

beforeEach(async () => {
  model = createFakeReadModel();
  makeReady(model.controlled);
  app = startApp(model).app;
  port = Number(new URL(await listen(app)).port);
});

afterEach(async () => {
  expect(await exchange(port, request('/financial-performance/known'))).toMatch(/^HTTP\/1\.1 200 /);
});

function request(target: string, headers = '', method = 'GET', tail = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${tail}`;
}

/** Status and body of the first answer in a text. */
function firstAnswer(text: string): { status: number; body: string } {
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(text.slice(9, 12)), body: text.slice(end + 4) };
}

async function statusFor(bytes: string): Promise<number> {
  const text = await exchange(port, bytes);
  expect(text).not.toMatch(/node_modules|\/src\/|\bat .*\.[jt]s|fastify/i);
  return firstAnswer(text).status;
}

describe('ids', () => {
  it.each([
    ['%2e%2e%2f', '../'], ['..%2F..%2Fetc%2Fpasswd', '../../etc/passwd'], ['%00', '\u0000'], ['%252e%252e', '%2e%2e'], ['%25', '%'], ['%2525', '%25'], ['%252F', '%2F'],
    ['__proto__', '__proto__'], ['constructor', 'constructor'], ['-1', '-1'], ['1e3', '1e3'], ['%D9%A1', '\u0661'], ['KNOWN', 'KNOWN'], ['e%CC%81', 'e\u0301'], ['%C3%A9', '\u00e9'],
    ['..', '..'], ['.', '.'], ['%20known', ' known'], ["'%20OR%201=1--", "' OR 1=1--"], ['%0d%0aX:1', '\r\nX:1'], ['a;b=c', 'a;b=c'], ['*', '*'], [':property_id', ':property_id'],
  ])('%s is decoded once, looked up as it is, and not known', async (target, id) => {
    const { status, body } = firstAnswer(await exchange(port, request(`/financial-performance/${target}`)));
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([404, 'PROPERTY_UNKNOWN']);
    expect(model.queries.map((query) => query.propertyId)).toEqual([id]);
    model.queries.length = 0;
  });

  it.each(['/financial-performance/%', '/financial-performance/%zz', '/financial-performance/%ff', '/financial-performance/%ed%a0%80', '/%ff', `/financial-performance/${'%61'.repeat(4_000)}`])('%s is refused', async (target) => {
    expect(await statusFor(request(target))).toBe(400);
    expect(model.queries).toEqual([]);
  });

  it('of any bytes get one answer of 200, 400 or 404, which is JSON', async () => {
    const target = fc.array(fc.oneof(fc.constantFrom('%', '/', '?', '&', '=', '..', '%2f', '%00', 'known', '#', ';', '"'), fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code))), { maxLength: 12 });
    await fc.assert(fc.asyncProperty(target, async (parts) => {
      const { status, body } = firstAnswer(await exchange(port, request(`/financial-performance/${parts.join('')}`)));
      expect([200, 400, 404]).toContain(status);
      expect(typeof JSON.parse(body)).toBe('object');
    }), { numRuns: 60 });
  });
});

describe('requests', () => {
  it.each([
    ['no HTTP', 400, 'hello\r\n\r\n'],
    ['a wrong version', 400, 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['no host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['a TLS hello', 400, '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['a header with a control character', 400, request('/health/live', 'X: a\u0001b\r\n')],
    ['a header without a colon', 400, request('/health/live', 'X\r\n')],
    ['17 kB of headers', 431, request('/health/live', `X: ${'a'.repeat(17_000)}\r\n`)],
    ['a target of 17 kB', 431, request(`/financial-performance/${'a'.repeat(17_000)}`)],
    ['101 headers', 400, request('/health/live', 'a:b\r\n'.repeat(99))],
    ['2 001 headers', 431, request('/health/live', 'a:b\r\n'.repeat(2_001))],
    ['length and chunks at once', 400, request('/health/live', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'GET', '0\r\n\r\n')],
    ['two lengths', 400, request('/health/live', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'GET', 'abcde')],
    ['an unknown transfer coding', 400, request('/health/live', 'Transfer-Encoding: xchunked\r\n')],
    ['a body', 400, request('/health/live', 'Content-Length: 5\r\n', 'GET', 'abcde')],
    ['a chunked body', 400, request('/health/live', 'Transfer-Encoding: chunked\r\n', 'GET', '5\r\nabcde\r\n0\r\n\r\n')],
    ['another expectation', 417, request('/health/live', 'Expect: tea\r\n')],
    ['TRACE', 405, request('/health/live', '', 'TRACE')],
    ['OPTIONS *', 405, request('*', '', 'OPTIONS')],
    ['a body to POST', 405, request('/health/live', 'Content-Type: application/json\r\nContent-Length: 2\r\n', 'POST', '{}')],
    ['a broken content type', 405, request('/health/live', 'Content-Type: a/b/c;;;\tx\r\nContent-Length: 2\r\n', 'POST', '{}')],
    ['an absolute target', 200, request('http://elsewhere/health/live')],
  ])('with %s get %i', async (_what, status, bytes) => {
    expect(await statusFor(bytes)).toBe(status);
  });

  it('cannot smuggle a second one behind a refused body', async () => {
    const smuggled = 'GET /financial-performance/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const text = await exchange(port, `POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toMatch(/connection: close/i);
    expect(model.queries).toEqual([]);
  });

  it('may come several on one connection, and are answered in order', async () => {
    const one = 'GET /financial-performance/known HTTP/1.1\r\nHost: x\r\n\r\n';
    const text = await exchange(port, one + one + request('/financial-performance/nobody'));
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '200', '404']);
  });

  it('with HEAD get no body, whatever the answer', async () => {
    for (const [target, status] of [['/financial-performance/known', 200], ['/financial-performance/nobody', 404], ['/nowhere', 404], ['/%ff', 400], ['/health/status', 200], ['/metrics', 200]] as const) {
      const answer = firstAnswer(await exchange(port, request(target, '', 'HEAD')));
      expect([target, answer.status, answer.body]).toEqual([target, status, '']);
    }
  });

  it('with a body that never comes are answered at once, and cut off', async () => {
    expect(await statusFor('POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{')).toBe(405);
    expect(await statusFor('GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')).toBe(400);
  });

  it('whose headers never end are answered 408', async () => {
    app.server.headersTimeout = 50;
    expect(await statusFor('GET /health/live HTTP/1.1\r\nHost: x\r\n')).toBe(408);
  });

  it('that are given up half-way leave nothing behind', async () => {
    const sockets = Array.from({ length: 50 }, () => connect({ port, host: '127.0.0.1' }));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.write('GET /financial-performance/known HTTP/1.1\r\nHost:');
    expect(await exchange(port, request('/health/live'))).toMatch(/^HTTP\/1\.1 200 /);
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
});

describe('limits', () => {
  it('are set for everything that could be held open', () => {
    const { server } = app;
    expect([server.headersTimeout, server.requestTimeout, server.timeout, server.keepAliveTimeout, server.maxConnections]).toEqual([5_000, 10_000, 30_000, 72_000, 4_096]);
  });

  it('bind to loopback unless told otherwise', () => {
    expect(app.addresses()).toEqual([{ address: '127.0.0.1', family: 'IPv4', port }]);
  });
});
