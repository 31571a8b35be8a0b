import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem, type Problem } from './problem.ts';

/** What every request passes before its route. */
export interface Gate {
  /** True when the request may go on; else it is answered. Sets the headers that every answer has. */
  admit(request: FastifyRequest, reply: FastifyReply): boolean;
  /** From now on everything is refused: the process is ending. */
  close(): void;
}

/** More headers than any client of ours sends. */
const HEADERS_MAX = 100;

/** Paths that an orchestrator asks without a token. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

/** Makes the gate; `mayRead` tells whether a request carries the read token. */
export function createGate(mayRead: (request: IncomingMessage) => boolean): Gate {
  let closed = false;
  const refusal = (request: IncomingMessage): Problem | null => {
    if (closed) return { code: 'SHUTTING_DOWN', detail: 'The process was asked to end.' };
    if (request.method !== 'GET' && request.method !== 'HEAD') return { code: 'METHOD_NOT_ALLOWED', detail: 'The request used another method.' };
    if (hasBody(request)) return { code: 'REQUEST_INVALID', detail: 'The request has a body.' };
    if (request.rawHeaders.length > 2 * HEADERS_MAX) return { code: 'REQUEST_INVALID', detail: `The request has more than ${HEADERS_MAX} headers.` };
    if (!mayRead(request) && !OPEN_PATHS.has(pathOf(request))) return { code: 'UNAUTHORIZED', detail: 'The request carries no valid token.' };
    return null;
  };
  return {
    admit(request, reply) {
      reply.header('cache-control', 'no-store');
      reply.header('x-content-type-options', 'nosniff');
      const problem = refusal(request.raw);
      if (problem === null) return true;
      if (problem.code !== 'UNAUTHORIZED') reply.header('connection', 'close');
      sendProblem(reply, problem);
      return false;
    },
    close() {
      closed = true;
    },
  };
}

/** A body would be read and thrown away: whoever sends one has mistaken the service, or means to occupy it. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
