import type { FastifyReply } from 'fastify';

/** Sends JSON text that is already written. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}
