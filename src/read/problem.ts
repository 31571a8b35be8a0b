import type { FastifyReply } from 'fastify';
import { ERROR_CODES, type Code, type ErrorCode } from '../errors.ts';

/** Codes that answer a request. */
export type ReadCode = { [C in Code]: (typeof ERROR_CODES)[C]['kind'] extends 'read' ? C : never }[Code];

/** An answer that is no figure: RFC 9457 problem details with a stable `code`. */
export interface Problem {
  readonly code: ReadCode;
  /** What happened here, in words; what to do follows from the code's table. */
  readonly detail: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds a client should wait before it asks again, by code. */
const RETRY_AFTER_SECONDS: Partial<Record<ReadCode, number>> = {
  RESTORING: 2, CATCHING_UP: 5, SHUTTING_DOWN: 5, PARTITION_STOPPED: 60, TOTAL_OUT_OF_RANGE: 60,
};

/** HTTP status of a code. */
function httpStatus(code: ReadCode): number {
  return ERROR_CODES[code].status;
}

/** The body, as bytes. `requestId` becomes `instance`, under which the log has the same event. `status` is the code's unless a finer one is known. */
export function problemBody(problem: Problem, requestId: string | null, status = httpStatus(problem.code)): Buffer {
  const entry: ErrorCode = ERROR_CODES[problem.code];
  return Buffer.from(JSON.stringify({
    type: `urn:rentfold:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: entry.meaning,
    status,
    detail: `${problem.detail} ${entry.action}`,
    ...(requestId === null ? {} : { instance: `urn:uuid:${requestId}` }),
    code: problem.code,
  }));
}

/** Answers with a problem and the headers that belong to it. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const retryAfter = RETRY_AFTER_SECONDS[problem.code];
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (problem.code === 'METHOD_NOT_ALLOWED') reply.header('allow', 'GET, HEAD');
  if (problem.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer realm="rentfold"');
  return reply.code(httpStatus(problem.code)).type(PROBLEM_TYPE).send(problemBody(problem, reply.request.id));
}
