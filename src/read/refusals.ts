import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import type { Logger } from '../runtime/log.ts';
import type { Problem } from './problem.ts';
import { figuresQuery } from './schemas.ts';
import { printable } from './text.ts';

/** What a schema error says of the value; the framework hands it over because `verbose` is on. */
type VerboseError = FastifySchemaValidationError & { readonly data?: unknown };

const NAME_LENGTH_MAX = 64;

/** Names the first parameter that its route's schema refuses, and why, in words. */
export function describeInvalid(errors: readonly FastifySchemaValidationError[]): Error {
  const error = errors[0] as VerboseError;
  if (error.keyword === 'additionalProperties') {
    const name = printable(String(error.params['additionalProperty']).slice(0, NAME_LENGTH_MAX));
    return new Error(`Parameter ${name} is unknown; there are ${Object.keys(figuresQuery.properties).join(' and ')}.`);
  }
  return new Error(`Parameter ${error.instancePath.slice(1)} ${complaint(error)}.`);
}

function complaint(error: VerboseError): string {
  switch (error.keyword) {
    case 'type': return Array.isArray(error.data) ? 'stands more than once' : 'is not percent-encoded UTF-8';
    case 'minLength': return 'is empty';
    case 'maxLength': return 'is longer than 512 bytes';
    case 'format': return 'is no calendar date of the form YYYY-MM-DD';
    default: return error.message ?? 'is malformed';
  }
}

/** The problem of a path that the router refuses before it has a route. */
export function problemOfPath(error: FastifyError): Problem {
  const what = error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? 'has a part longer than 512 bytes' : 'is not percent-encoded UTF-8';
  return { code: 'REQUEST_INVALID', detail: `The path ${what}.` };
}

/** The problem of an error thrown on the way to an answer. What is not the client's doing is logged under the request's id and told to nobody. */
export function problemOfError(error: unknown, requestId: string, logger: Logger): Problem {
  if (error instanceof Error && 'validation' in error) return { code: 'REQUEST_INVALID', detail: error.message };
  logger.error({ err: error, request: requestId }, 'a request could not be answered');
  return { code: 'INTERNAL', detail: 'The request could not be answered.' };
}
