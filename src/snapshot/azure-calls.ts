import { RentfoldError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AzureAccount } from './azure-account.ts';
import { asError, failureOf, TryTimedOut, type Failure } from './azure-failure.ts';

/**
 * Requests to the service, each tried a bounded number of times for a bounded time. The client library's own repeating is switched off: it ignores Retry-After and
 * 429, and has no deadline for a try, so a connection that hangs would hang the call for ever.
 */

/** How long and how often. */
export interface Limits {
  readonly triesMax: number;
  /** Deadline of one try, answer and its content included. */
  readonly tryMs: number;
}

/** The blocks of an upload share the connection, four of 4 MiB within half a minute: one slower than about 560 KB/s counts as none for a large file. */
export const USUAL: Limits = { triesMax: 4, tryMs: 30_000 };
const FIRST_WAIT_MS = 500;
/** Whoever is asked to wait longer gives up at once: the next checkpoint tries again. */
const RETRY_AFTER_MS_MAX = 30_000;

/** What is done to what, for messages. */
export interface What {
  /** A verb: could not … */
  readonly operation: string;
  /** The name in the store, or empty for the container. */
  readonly name: string;
}

export interface CallParts {
  readonly clock: Clock;
  readonly account: AzureAccount;
  /** Container URL without secrets. */
  readonly place: string;
  /** Aborts when the store is closed. */
  readonly closing: AbortSignal;
  /** Another store object has found the account to permit everything. */
  readonly isKnown: boolean;
}

/** Requests of one store object. */
export class AzureCalls {
  readonly #parts: CallParts;
  /** True once the account has done what was asked: from then on what fails is an outage. */
  #known: boolean;
  #isOpening = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.#known = parts.isKnown;
  }

  /** Runs what finds out whether everything needed is permitted: until all of it is done, the account is not known. */
  async opening(probe: () => Promise<void>): Promise<void> {
    this.#isOpening = true;
    await probe().finally(() => { this.#isOpening = false; });
    this.#known = true;
  }

  /**
   * Answers what the service answers, or what `expected` has for its error code. `call` may run several times; after a lost reply the service may
   * have done it already. Throws STORE_UNAVAILABLE for an outage; before the first success also CONFIGURATION_INVALID and STORE_NOT_WRITABLE;
   * when `given` aborts, its reason.
   */
  async run<T, E = never>(
    what: What, call: (signal: AbortSignal) => Promise<T>, expected: Readonly<Record<string, E>> = {}, limits: Limits = USUAL, given?: AbortSignal,
  ): Promise<T | E> {
    const { clock, account, place } = this.#parts;
    for (let tries = 1; ; tries++) {
      let failure: Failure;
      try {
        const answer = await this.#try(call, limits.tryMs, given);
        this.#known ||= !this.#isOpening;
        return answer;
      } catch (error) {
        this.#throwIfEnded(what, given);
        const found = failureOf(error, account, clock.now());
        if (found === null) throw error;
        failure = found;
      }
      const { code } = failure;
      if (Object.hasOwn(expected, code)) return expected[code];
      if (failure.code === 'TIMEOUT') failure = { ...failure, words: `no complete answer within ${limits.tryMs / 1_000} s` };
      const waitMs = Math.max(FIRST_WAIT_MS * 2 ** (tries - 1), failure.retryAfterMs ?? 0);
      if (!failure.mayPass || tries >= limits.triesMax || waitMs > RETRY_AFTER_MS_MAX) {
        throw asError(failure, { operation: what.operation, place: what.name === '' ? place : `${place}/${what.name}`, tries }, account, this.#known);
      }
      await clock.sleep(waitMs, this.#ends(given));
      this.#throwIfEnded(what, given);
    }
  }

  async #try<T>(call: (signal: AbortSignal) => Promise<T>, ms: number, given: AbortSignal | undefined): Promise<T> {
    const deadline = new AbortController();
    const done = new AbortController();
    void this.#parts.clock.sleep(ms, done.signal).then(() => { if (!done.signal.aborted) deadline.abort(); });
    try {
      return await call(AbortSignal.any([this.#ends(given), deadline.signal]));
    } catch (error) {
      throw deadline.signal.aborted ? new TryTimedOut() : error;
    } finally {
      done.abort();
    }
  }

  #ends(given: AbortSignal | undefined): AbortSignal {
    return given === undefined ? this.#parts.closing : AbortSignal.any([this.#parts.closing, given]);
  }

  #throwIfEnded(what: What, given: AbortSignal | undefined): void {
    if (given?.aborted === true) throw given.reason;
    if (this.#parts.closing.aborted) throw new RentfoldError('STORE_UNAVAILABLE', `could not ${what.operation} ${this.#parts.place}/${what.name}: the store was closed`);
  }
}
