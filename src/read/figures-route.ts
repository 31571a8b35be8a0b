import type { FastifyInstance } from 'fastify';
import { parseDate } from '../change/dates.ts';
import { IDENTIFIER_BYTES_MAX } from '../change/identifier.ts';
import type { FigureQuery } from '../ledger/figure.ts';
import type { Logger } from '../runtime/log.ts';
import { createFiguresWriter } from './figures-json.ts';
import { sendJson } from './json.ts';
import { sendProblem, type Problem } from './problem.ts';
import type { ReadModel } from './read-model.ts';
import { figuresAnswer, figuresParameters, figuresQuery, problemAnswers } from './schemas.ts';
import { refuseFigures } from './serving.ts';
import { printable } from './text.ts';

interface FiguresRequest {
  Params: { property_id: string };
  Querystring: { unit_id?: string; as_of?: string };
}

const SCHEMA = {
  operationId: 'readFinancialPerformance',
  summary: 'Figures of a property or of one of its units',
  params: figuresParameters,
  querystring: figuresQuery,
  response: { 200: figuresAnswer, ...problemAnswers(400, 401, 404, 500, 503) },
};

/** `GET /financial-performance/{property_id}`: the one question this service is for. Synchronous, from memory, text made from integers. */
export function addFiguresRoute(app: FastifyInstance, model: ReadModel, logger: Logger): void {
  const writer = createFiguresWriter();
  app.get<FiguresRequest>('/financial-performance/:property_id', { schema: SCHEMA }, (request, reply) => {
    const query = readQuery(request.params, request.query, model);
    if ('code' in query) return sendProblem(reply, query);
    const control = model.control();
    const refusal = refuseFigures(control);
    if (refusal !== null) return sendProblem(reply, refusal);
    const answer = model.figures(query);
    if (logger.isLevelEnabled('debug')) logLookup(logger, query, answer.kind !== 'unknown');
    if (answer.kind === 'unknown') return sendProblem(reply, unknownProblem(query));
    if (answer.kind === 'out-of-range') return sendProblem(reply, outOfRangeProblem(query));
    return sendJson(reply, writer.write(answer.figures, { control, newestChangeAt: model.newestChangeAt() }));
  });
}

/** What is asked for. The schema has checked types and names; bytes and the calendar are left. */
function readQuery(parameters: FiguresRequest['Params'], query: FiguresRequest['Querystring'], model: ReadModel): FigureQuery | Problem {
  if (tooLong(parameters.property_id)) return malformed('property_id', `is longer than ${IDENTIFIER_BYTES_MAX} bytes`);
  const unit = query.unit_id === undefined || query.unit_id === '' || query.unit_id === 'None' ? null : query.unit_id;
  if (unit !== null && tooLong(unit)) return malformed('unit_id', `is longer than ${IDENTIFIER_BYTES_MAX} bytes`);
  const asOf = query.as_of === undefined ? model.today() : parseDate(query.as_of);
  if (asOf === null) return malformed('as_of', 'is no calendar date of the form YYYY-MM-DD');
  return { propertyId: parameters.property_id, unitId: unit, asOf };
}

/** A character takes at most three bytes for each UTF-16 unit, so short ones need no count. */
function tooLong(id: string): boolean {
  return id.length * 3 > IDENTIFIER_BYTES_MAX && Buffer.byteLength(id) > IDENTIFIER_BYTES_MAX;
}

function malformed(name: string, what: string): Problem {
  return { code: 'REQUEST_INVALID', detail: `Parameter ${name} ${what}.` };
}

function unknownProblem({ propertyId, unitId }: FigureQuery): Problem {
  const unit = unitId === null ? '' : ` with unit ${printable(unitId)}`;
  return { code: 'PROPERTY_UNKNOWN', detail: `No row of property ${printable(propertyId)}${unit} is known.` };
}

function outOfRangeProblem({ propertyId }: FigureQuery): Problem {
  return { code: 'TOTAL_OUT_OF_RANGE', detail: `A figure of property ${printable(propertyId)} is beyond the range in which numbers are exact.` };
}

function logLookup(logger: Logger, query: FigureQuery, hit: boolean): void {
  logger.debug(`[FP-CACHE] Cache ${hit ? 'HIT' : 'MISS'} for property ${printable(query.propertyId)}`);
}
