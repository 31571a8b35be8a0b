import { randomUUID } from 'node:crypto';
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { fastifySwagger } from '@fastify/swagger';
import type { Logger } from '../runtime/log.ts';
import { createAuthorizer } from './authorization.ts';
import { answerClientError } from './client-error.ts';
import { addFiguresRoute } from './figures-route.ts';
import { createGate } from './gate.ts';
import { createMetrics, requestRoute } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { addOperatorRoutes } from './operator-routes.ts';
import { sendProblem } from './problem.ts';
import { parseQueryString } from './query-string.ts';
import type { ReadModel } from './read-model.ts';
import { describeInvalid, problemOfError, problemOfPath } from './refusals.ts';

export interface ReadOptions {
  /** RENTFOLD_READ_TOKEN; null lets everybody read. */
  readonly readToken: string | null;
  /** What `/health/status` and `/openapi.json` name as versions; `rentfold` is among them. */
  readonly versions: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** Limits of a connection. An answer takes microseconds, so whoever needs longer is not asking a question. */
const LIMITS = {
  headerBytesMax: 16_384,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  /** How often these two are looked at. */
  timeoutCheckMs: 1_000,
  connectionTimeoutMs: 30_000,
  keepAliveTimeoutMs: 72_000,
  connectionsMax: 4_096,
  /** What is still half-way this long after closing began is cut off. */
  closeGraceMs: 1_000,
  /** No request has a body; the framework's limit cannot be zero. */
  bodyBytesMax: 1,
  /** A property id of 512 bytes, each character still percent-encoded when the router counts. */
  parameterLengthMax: 3 * 512,
} as const;

/** The HTTP application, not listening yet. All answers come from the model at once; none waits for anything. */
export function buildApp(model: ReadModel, options: ReadOptions): FastifyInstance {
  const { logger } = options;
  const gate = createGate(createAuthorizer(options.readToken));
  const app = fastify({
    loggerInstance: frameworkLogger(logger),
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    http: {
      maxHeaderSize: LIMITS.headerBytesMax, headersTimeout: LIMITS.headersTimeoutMs, connectionsCheckingInterval: LIMITS.timeoutCheckMs,
      insecureHTTPParser: false, joinDuplicateHeaders: false,
    },
    requestTimeout: LIMITS.requestTimeoutMs,
    connectionTimeout: LIMITS.connectionTimeoutMs,
    keepAliveTimeout: LIMITS.keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    bodyLimit: LIMITS.bodyBytesMax,
    exposeHeadRoutes: true,
    trustProxy: false,
    routerOptions: { maxParamLength: LIMITS.parameterLengthMax, querystringParser: parseQueryString, caseSensitive: true, ignoreTrailingSlash: false },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false, verbose: true } },
    schemaErrorFormatter: describeInvalid,
    frameworkErrors: (error, request, reply) => { if (gate.admit(request, reply)) sendProblem(reply, problemOfPath(error)); },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, logger),
  });
  app.server.maxConnections = LIMITS.connectionsMax;
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', (request, reply, done) => { if (gate.admit(request, reply)) done(); });
  app.addHook('preClose', (done) => {
    gate.close();
    setTimeout(() => app.server.closeAllConnections(), LIMITS.closeGraceMs).unref();
    done();
  });
  const metrics = createMetrics(model);
  app.addHook('onResponse', (request, reply, done) => {
    metrics.answered(requestRoute(request.raw.url), reply.raw.statusCode, reply.elapsedTime);
    done();
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, { code: 'ROUTE_UNKNOWN', detail: 'There is nothing at this path.' }));
  app.setErrorHandler((error, request, reply) => sendProblem(reply, problemOfError(error, request.id, logger)));
  void app.register(fastifySwagger, describeApi(options.versions, options.readToken !== null));
  app.after((error) => {
    if (error instanceof Error) throw error;
    addFiguresRoute(app, model, logger);
    addOperatorRoutes(app, model, metrics, options.versions);
  });
  return app;
}

/** The framework's share of the log: its warnings. What it would tell at `info` is told elsewhere in our own words. */
function frameworkLogger(logger: Logger): FastifyBaseLogger {
  return logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level });
}

/** Listens on `host`, loopback unless told otherwise; port 0 takes a free one. Answers the origin, e.g. `http://127.0.0.1:8080`. */
export async function listen(app: FastifyInstance, host = '127.0.0.1', port = 0): Promise<string> {
  await app.listen({ host, port });
  return app.listeningOrigin;
}
