import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../runtime/log.ts';
import { PROBLEM_TYPE, problemBody } from './problem.ts';

/** Answers bytes that are no HTTP request, too large or too slow, and ends the connection: nobody knows where a next request would begin. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket, logger: Logger): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, detail } = verdict(error.code);
  logger.debug({ code: error.code }, 'a connection was ended: its bytes are no request');
  const body = problemBody({ code: 'REQUEST_INVALID', detail }, null, status);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}\r\n`
    + `Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body.toString()}`,
  );
}

function verdict(code: string | undefined): { readonly status: number; readonly detail: string } {
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, detail: 'The headers are too large.' };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, detail: 'The request took too long to arrive.' };
  return { status: 400, detail: 'The bytes are no HTTP request.' };
}
