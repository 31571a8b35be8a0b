import { RentfoldError } from '../errors.ts';
import { identityFailureIn } from '../runtime/azure-identity-failure.ts';
import { oneLine } from '../runtime/one-line.ts';
import { retryAfterMs } from '../runtime/retry-after.ts';
import type { AzureAccount } from './azure-account.ts';

/** What the service answered or the network did, in words. Nothing that could hold a secret is taken over: codes, never bodies or addresses with a query. */

/** A request that failed. */
export interface Failure {
  /** The service's error code, the network's, or TIMEOUT. */
  readonly code: string;
  readonly status: number | null;
  /** Whether the same request may succeed a little later. */
  readonly mayPass: boolean;
  /** What the service asked us to wait, in milliseconds, or null. */
  readonly retryAfterMs: number | null;
  readonly words: string;
  /** What a person does: correct the credential's option or the container's, give a right, or wait and look. */
  readonly verdict: 'credential' | 'container' | 'right' | 'wait';
}

/** One try was given up by us. */
export class TryTimedOut extends Error {
  override readonly name = 'TryTimedOut';
}

/** The answer broke off while it was read. */
export class AnswerBroken extends Error {
  override readonly name = 'AnswerBroken';
}

interface ServiceError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly response?: { readonly bodyAsText?: string | null; readonly headers?: { get(name: string): string | undefined } };
}

const MAY_PASS = new Set([408, 429, 500, 502, 503, 504]);
const CODE_OF_STATUS: Readonly<Record<number, string>> = { 404: 'BlobNotFound', 412: 'ConditionNotMet', 416: 'InvalidRange' };
const RIGHT_MISSING = /^(Authorization(Failure|PermissionMismatch|ResourceTypeMismatch|ServiceMismatch|ProtocolMismatch|SourceIPMismatch)|InsufficientAccountPermissions)$/;

/** The failure behind an error, or null when it is neither the service's nor the network's. `now`: wall clock, for a Retry-After that is a date. */
export function failureOf(error: unknown, account: AzureAccount, now: number): Failure | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof TryTimedOut) return network('TIMEOUT', error.message);
  if (error instanceof AnswerBroken) return network('ANSWER_BROKEN', `the answer broke off: ${error.message}`);
  const noToken = identityFailureIn(error);
  if (noToken !== null) return { code: 'NO_TOKEN', status: null, mayPass: noToken.mayPass, retryAfterMs: null, words: noToken.words, verdict: noToken.mayPass ? 'wait' : 'credential' };
  if (error.name !== 'RestError') return null;
  const { statusCode, response, code, message } = error as ServiceError;
  if (statusCode === undefined) return network(code ?? 'REQUEST_SEND_ERROR', networkWords(code ?? '', message, account));
  const named = response?.headers?.get('x-ms-error-code') ?? code;
  const service = named === undefined || named === 'REQUEST_SEND_ERROR' ? CODE_OF_STATUS[statusCode] ?? 'UNKNOWN' : oneLine(named).slice(0, 80);
  const answer: Answer = { now, status: statusCode, code: service, text: `${message}\n${response?.bodyAsText ?? ''}` };
  const { words, verdict } = explain(answer, account);
  return { status: statusCode, code: service, words, verdict, mayPass: MAY_PASS.has(statusCode) || isAltered(answer) || isOldToken(answer, account), retryAfterMs: retryAfterMs(response?.headers?.get('retry-after'), now) };
}

/** The failure as an error. `known`: the account has taken requests before, so what fails now is an outage whatever it is. */
export function asError(failure: Failure, what: { readonly operation: string; readonly place: string; readonly tries: number }, account: AzureAccount, known: boolean): RentfoldError {
  const tries = what.tries > 1 ? `, ${what.tries} tries` : '';
  const message = `could not ${what.operation} ${what.place}: ${failure.words} (${failure.status === null ? '' : `${failure.status} `}${failure.code}${tries})`;
  if (known || failure.verdict === 'wait') return new RentfoldError('STORE_UNAVAILABLE', message);
  if (failure.verdict === 'right') return new RentfoldError('STORE_NOT_WRITABLE', message);
  return new RentfoldError('CONFIGURATION_INVALID', `${failure.verdict === 'container' ? 'CDC_CACHE_CONTAINER_NAME' : account.option}: ${message}`);
}

function network(code: string, words: string): Failure {
  return { code, status: null, mayPass: true, retryAfterMs: null, words, verdict: 'wait' };
}

function networkWords(code: string, message: string, account: AzureAccount): string {
  const { host } = new URL(account.endpoint);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name ${host} is not known: check the account's name (${account.option}) and this machine's DNS`;
  if (code === 'ECONNREFUSED') return `nothing listens at ${host}`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection was cut';
  if (/CERT|TLS|SSL|SELF_SIGNED|ISSUER/.test(code)) return `the certificate of ${host} is not trusted: ${oneLine(message).slice(0, 200)}`;
  return `${host} cannot be reached`;
}

/** The content did not come as its MD5 says; the emulator has no code of its own for it. */
function isAltered({ status, code, text }: Answer): boolean {
  return code === 'Md5Mismatch' || (status === 400 && /contentMD5 doesn't match/i.test(text));
}

/** A token may end on its way; the next one is another. */
function isOldToken({ status, text }: Answer, { authorization }: AzureAccount): boolean {
  return authorization.kind === 'identity' && (status === 401 || /lifetime validation failed/i.test(text));
}

interface Answer {
  readonly now: number;
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

type Explanation = Pick<Failure, 'words' | 'verdict'>;

function explain(answer: Answer, account: AzureAccount): Explanation {
  const { status, code } = answer;
  if (status === 401 || status === 403) return explainRefusal(answer, account);
  if (status === 429 || status === 503) return { words: 'the service is busy and refuses requests', verdict: 'wait' };
  if (status >= 500) return { words: 'the service failed inside', verdict: 'wait' };
  switch (code) {
    case 'ContainerNotFound':
      return { words: 'the container does not exist: it was removed, or could not be made', verdict: 'right' };
    case 'ContainerBeingDeleted':
      return { words: 'the container is being deleted: wait until it is gone, a minute or so, and start again', verdict: 'wait' };
    case 'InvalidResourceName':
    case 'OutOfRangeInput':
      return { words: 'the service does not take this container name', verdict: 'container' };
    case 'ResourceNotFound':
      return { words: 'there is no such account at this address', verdict: 'credential' };
    case 'InvalidAuthenticationInfo':
    case 'InvalidHeaderValue':
    case 'InvalidQueryParameterValue':
      return { words: 'the service does not understand the credential or the request', verdict: 'credential' };
    case 'LeaseIdMissing':
      return { words: 'somebody holds a lease on this blob: break it, since rentfold takes none here', verdict: 'right' };
    case 'BlobImmutableDueToPolicy':
    case 'BlobIsImmutable':
      return { words: 'an immutability policy protects this blob: rentfold replaces and removes files, so its folder must be left out', verdict: 'right' };
    default:
      return { words: 'the service refused the request', verdict: 'wait' };
  }
}

function explainRefusal(answer: Answer, { authorization }: AzureAccount): Explanation {
  const { code, text, now } = answer;
  if (/date header too old|x-ms-date/i.test(text)) return { words: 'the time of the request was refused: the clock of this machine is wrong, set it', verdict: 'wait' };
  if (code === 'AccountIsDisabled') return { words: 'the account is disabled', verdict: 'right' };
  if (authorization.kind === 'identity') return explainIdentity(answer);
  const isKey = authorization.kind === 'key';
  if (!isKey && hasExpired(authorization.signature, now)) return { words: 'the shared access signature has expired: make a new one', verdict: 'credential' };
  if (!isKey && /not valid in the specified time frame/i.test(text)) return { words: 'the shared access signature is not valid now: make a new one, or set the clock of this machine', verdict: 'credential' };
  if (code === 'KeyBasedAuthenticationNotPermitted') return { words: 'the account does not admit account keys or signatures made with them', verdict: 'credential' };
  if (code === 'AuthenticationFailed' || /failed to authenticate/i.test(text)) {
    return { words: isKey ? 'the account key was refused: it is wrong or was rotated' : 'the shared access signature was refused: it is wrong, or the key it was made with was rotated', verdict: 'credential' };
  }
  const missing = RIGHT_MISSING.test(code) ? 'the credential lacks the right to do this' : 'not permitted';
  return { words: `${missing}, or the account's firewall does not admit this machine; needed are read, add, create, write, delete and list on the container`, verdict: 'right' };
}

function explainIdentity({ status, code }: Answer): Explanation {
  if (status === 401 || code === 'AuthenticationFailed' || code === 'InvalidAuthenticationInfo') {
    return { words: 'the identity\'s token was refused: the account belongs to another tenant than the identity (AZURE_TENANT_ID), or the clock of this machine is wrong', verdict: 'credential' };
  }
  return { words: 'the identity lacks the role Storage Blob Data Contributor on the container (a new assignment takes up to ten minutes), or the account\'s firewall does not admit this machine', verdict: 'right' };
}

/** Whether a signature's own last moment (`se`) is over. */
function hasExpired(signature: string, now: number): boolean {
  const end = new URLSearchParams(signature).get('se');
  return end !== null && Date.parse(end) <= now;
}
