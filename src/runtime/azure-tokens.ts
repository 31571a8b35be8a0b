import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/identity';
import type { AzureIdentityConfig } from './azure-identity.ts';
import { IdentityFailure, identityFailure } from './azure-identity-failure.ts';
import type { Clock } from './clock.ts';

/** Longest for a token to be given, the library's own second try included. */
const RENEW_MS = 15_000;
/** A token is renewed when this much of its life is left, or this part of it if that is less. */
const RENEW_LEFT = { ms: 300_000, part: 0.5 };
/** The same for the moment from which on it is not given out any more, renewed or not: the Event Hubs client renews links two minutes before, and asks without a pause for what ends sooner. */
const USABLE_LEFT = { ms: 150_000, part: 0.25 };
/** While a token still is good, time between two attempts to renew it. */
const PAUSE_MS = 3_000;

interface Held {
  token: AccessToken | null;
  /** When it is to be renewed, and until when it is given out; wall clock. */
  renewAt: number;
  usableUntil: number;
  renewing: Promise<AccessToken> | null;
}

/**
 * A credential that keeps its tokens, one for each scope: everybody who asks meanwhile waits for the same request, and a token that cannot be renewed is used up to its end. The library keeps tokens too, and gives
 * none away any more five minutes before their end, whether there is a new one or not.
 */
export class RenewedCredential implements TokenCredential {
  readonly #inner: TokenCredential;
  readonly #config: AzureIdentityConfig;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(inner: TokenCredential, config: AzureIdentityConfig, clock: Clock) {
    this.#inner = inner;
    this.#config = config;
    this.#clock = clock;
  }

  /** A token for a scope. Throws IdentityFailure. */
  async getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    const scope = [scopes].flat().join(' ');
    const key = `${scope} ${options.tenantId ?? ''} ${options.enableCae === true}`;
    const held: Held = this.#held.get(key) ?? { token: null, renewAt: 0, usableUntil: 0, renewing: null };
    this.#held.set(key, held);
    // The service wants a token that knows of something new.
    if (options.claims !== undefined) held.token = null;
    if (held.token !== null && this.#clock.now() < held.renewAt) return held.token;
    held.renewing ??= this.#renew(held, scopes, scope, options).finally(() => { held.renewing = null; });
    return await this.#unlessAborted(held.renewing, scope, options);
  }

  async #renew(held: Held, scopes: string | string[], scope: string, { abortSignal: _, ...options }: GetTokenOptions): Promise<AccessToken> {
    try {
      const token = await this.#inTime(this.#inner.getToken(scopes, options), scope);
      const now = this.#clock.now();
      held.token = token;
      held.renewAt = Math.min(before(token, RENEW_LEFT, now), token.refreshAfterTimestamp ?? Infinity);
      held.usableUntil = before(token, USABLE_LEFT, now);
      return token;
    } catch (error) {
      const now = this.#clock.now();
      if (held.token === null || now >= held.usableUntil) throw error;
      held.renewAt = Math.min(now + PAUSE_MS, held.usableUntil);
      return held.token;
    }
  }

  async #inTime(asked: Promise<AccessToken | null>, scope: string): Promise<AccessToken> {
    const done = new AbortController();
    const late = this.#clock.sleep(RENEW_MS, done.signal).then(() => 'late' as const);
    try {
      const token = await Promise.race([asked, late]);
      if (token === 'late' || token === null) throw new Error(token === null ? 'no token came' : `no answer within ${RENEW_MS / 1_000} s`);
      return token;
    } catch (error) {
      asked.catch(() => undefined);
      throw identityFailure(error, this.#config, scope);
    } finally {
      done.abort();
    }
  }

  async #unlessAborted(renewing: Promise<AccessToken>, scope: string, { abortSignal }: GetTokenOptions): Promise<AccessToken> {
    if (abortSignal === undefined) return await renewing;
    const given = abortSignal;
    let aborted = (): void => undefined;
    const aborting = new Promise<never>((_, reject) => {
      aborted = () => reject(new IdentityFailure(this.#config, `the wait for a token for ${scope} was given up`, true));
      if (given.aborted) aborted();
      else given.addEventListener('abort', aborted);
    });
    try {
      return await Promise.race([renewing, aborting]);
    } finally {
      renewing.catch(() => undefined);
      given.removeEventListener('abort', aborted);
    }
  }
}

/** A moment before the end of a token, given anew now. */
function before({ expiresOnTimestamp }: AccessToken, left: { readonly ms: number; readonly part: number }, now: number): number {
  return expiresOnTimestamp - Math.min(left.ms, left.part * (expiresOnTimestamp - now));
}
