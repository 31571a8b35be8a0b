import { connect } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/read/app.ts';
import type { ReadModel } from '../../src/read/read-model.ts';

/** Lines the application logged, parsed. */
export type LogLines = readonly Readonly<Record<string, unknown>>[];

/** The application over a model, closed when the test ends, and what it logs. */
export function startApp(model: ReadModel, readToken: string | null = null, level = 'debug'): { readonly app: FastifyInstance; readonly lines: LogLines; readonly raw: readonly string[] } {
  const lines: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const logger = pino({ level, base: null }, {
    write(line: string) {
      raw.push(line);
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  });
  const app = buildApp(model, { readToken, versions: { rentfold: '1.2.3', node: process.version }, logger });
  onTestFinished(() => app.close());
  return { app, lines, raw };
}

/** Sends bytes over a connection of its own and answers all that came back until the server closed it. */
export function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => { text += String(chunk); });
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(text) : reject(error)));
  });
}

/** A check of values by a JSON schema: null when it fits, else why not. Nothing is coerced or dropped. */
export function schemaCheck(schema: object): (value: unknown) => Promise<string | null> {
  const checker = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allowUnionTypes: true } } });
  onTestFinished(() => checker.close());
  checker.post('/', { schema: { body: { type: 'object', properties: { value: schema }, required: ['value'] } } }, () => 'fits');
  return async (value) => {
    const answer = await checker.inject({ method: 'POST', url: '/', payload: JSON.stringify({ value }), headers: { 'content-type': 'application/json' } });
    return answer.statusCode === 200 ? null : answer.body;
  };
}
