import type { FastifyInstance } from 'fastify';
import { sendJson } from './json.ts';
import type { Metrics } from './metrics.ts';
import { sendProblem } from './problem.ts';
import type { ReadModel } from './read-model.ts';
import { healthAnswer, problemAnswers, statusAnswer } from './schemas.ts';
import { refuseTraffic } from './serving.ts';
import { buildStatus } from './status.ts';

/** What orchestrators, monitoring and people ask: health, status, metrics and the description of the interface. */
export function addOperatorRoutes(app: FastifyInstance, model: ReadModel, metrics: Metrics, versions: Readonly<Record<string, string>>): void {
  app.get('/health/live', {
    schema: { operationId: 'readLiveness', summary: 'The process answers', security: [], response: { 200: healthAnswer, ...problemAnswers(503) } },
  }, (_request, reply) => sendJson(reply, '{"status":"live"}'));

  app.get('/health/ready', {
    schema: { operationId: 'readReadiness', security: [], summary: 'Restored, folded up to the end of the log seen at start, and nothing stopped', response: { 200: healthAnswer, ...problemAnswers(503) } },
  }, (_request, reply) => {
    const refusal = refuseTraffic(model.control());
    return refusal === null ? sendJson(reply, '{"status":"ready"}') : sendProblem(reply, refusal);
  });

  app.get('/health/status', {
    schema: { operationId: 'readStatus', summary: 'Counters, positions, checkpoints, role and warnings', response: { 200: statusAnswer, ...problemAnswers(401, 503) } },
  }, () => buildStatus(model, versions));

  app.get('/metrics', {
    schema: { operationId: 'readMetrics', summary: 'The same for Prometheus', response: { 200: { description: 'Prometheus text', content: { [metrics.contentType]: { schema: { type: 'string' } } } }, ...problemAnswers(401, 503) } },
  }, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  let description: string | null = null;
  app.get('/openapi.json', {
    schema: { operationId: 'readDescription', summary: 'This description', response: { 200: { description: 'OpenAPI 3.1', type: 'object', additionalProperties: true }, ...problemAnswers(401, 503) } },
  }, (_request, reply) => sendJson(reply, (description ??= JSON.stringify(app.swagger()))));
}
