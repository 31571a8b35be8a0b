import type { Clock } from '../runtime/clock.ts';
import { retryAfterMs } from '../runtime/retry-after.ts';
import { SCHEMA_BYTES_MAX } from './registry-refusals.ts';
import { RegistryTrouble } from './registry.ts';

/** Longest for an answer to be there whole. */
const ANSWER_MS = 10_000;
/** Longest rest that a registry's Retry-After is granted. */
const REST_MS_MAX = 60_000;

/** An answer of HTTP. `text` is null when it is 200 with more than `SCHEMA_BYTES_MAX`. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string | null;
}

/** What is the same for all questions to a registry. `refused` says what to look at when it does not take our credentials. */
export interface HttpParts {
  readonly refused: string;
  readonly clock: Clock;
}

/** Asks by GET. Redirects are not followed: they would carry credentials to where nobody meant them to go. Throws a RegistryTrouble for everything but 200 and 404. */
export async function getText(url: string, headers: Readonly<Record<string, string>>, { refused, clock }: HttpParts, signal: AbortSignal): Promise<HttpAnswer> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: inTime });
    const { status } = response;
    if (status !== 200 && status !== 404) {
      await response.body?.cancel();
      throw new RegistryTrouble(reasonOf(status, refused), Math.min(REST_MS_MAX, retryAfterMs(response.headers.get('retry-after'), clock.now()) ?? 0));
    }
    const text = await readText(response);
    if (text === null && status !== 200) throw new RegistryTrouble(`it answers HTTP ${status} with more than ${SCHEMA_BYTES_MAX} bytes: something else may answer in its place`);
    return { status, contentType: response.headers.get('content-type') ?? '', text };
  } catch (error) {
    if (error instanceof RegistryTrouble) throw error;
    if (inTime.aborted && !signal.aborted) throw new RegistryTrouble(`it did not answer within ${ANSWER_MS / 1000} s`);
    throw new RegistryTrouble(`it cannot be reached (${causeOf(error)})`);
  }
}

function reasonOf(status: number, refused: string): string {
  if (status === 401 || status === 403) return `it refuses to answer (HTTP ${status}): ${refused}`;
  if (status >= 300 && status < 400) return `it sends us to another address (HTTP ${status}), where credentials are not taken to: name the address itself`;
  return `it answers with HTTP ${status}`;
}

async function readText(response: Response): Promise<string | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > SCHEMA_BYTES_MAX) return null;
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** The innermost cause's code: `fetch failed` says nothing. */
function causeOf(error: unknown): string {
  let inner = error;
  for (let depth = 0; depth < 4 && inner instanceof Error && inner.cause !== undefined; depth++) inner = inner.cause;
  const { code, message } = inner as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : typeof message === 'string' ? message : String(inner);
}

/** JSON of an answer, or undefined when it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
