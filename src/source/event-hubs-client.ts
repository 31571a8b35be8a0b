import { defaultCancellableLock } from '@azure/core-amqp';
import { EventHubConsumerClient, type TokenCredential } from '@azure/event-hubs';
import { randomUUID } from 'node:crypto';
import { ConnectionEvents, type Connection } from 'rhea-promise';
import { RentfoldError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { HubFailure, hubFailure } from './event-hubs-errors.ts';
import { HubLink, withinTime, type LinkHandlers, type LinkStart } from './event-hubs-link.ts';
import type { EventHubsConfig, EventHubsTiming } from './event-hubs-options.ts';

/**
 * What is used of `@azure/event-hubs`: its connection, which it makes anew when it breaks, its claims, and its questions about hubs and partitions. Links are ours, over that
 * connection (`event-hubs.ts` says why), so that insides of the package are reached; only the one release they were read in is accepted.
 */
interface ClientContext {
  readonly connection: Connection;
  readonly cbsSession: ClaimSession;
  readonly tokenCredential: { readonly isSasTokenProvider?: true; getToken(audience: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null> | { readonly token: string; readonly expiresOnTimestamp: number } };
  readonly config: { getReceiverAddress(partition: string, group: string): string; getReceiverAudience(partition: string, group: string): string };
  readonly managementSession?: { close(): Promise<void> };
  readyToOpenLink(options: { readonly abortSignal: AbortSignal }): Promise<void>;
}

interface ClaimSession {
  readonly cbsLock: string;
  init(options: ClaimOptions): Promise<void>;
  negotiateClaim(audience: string, token: string, type: string, options: ClaimOptions): Promise<unknown>;
}

interface ClaimOptions {
  readonly abortSignal: AbortSignal;
  readonly timeoutInMs: number;
}

const SCOPE = 'https://eventhubs.azure.net/.default';
/** A claim by key is made anew after this time, as the client does; one by token when it nears its end. */
const KEY_CLAIM_MS = 45 * 60 * 1000;
const TOKEN_MARGIN_MS = 2 * 60 * 1000;
const RENEW_AGAIN_MS = 5_000;
const CLOSE_MS = 2_000;
/** Claims in a row without an answer, after which their link is taken for dead: the client would keep it as long as its connection. */
const SILENT_CLAIMS_MAX = 3;

/** Bounds of a partition as the service tells them: sequence number of the first event there, and of the next one to come. */
export interface HubBounds {
  readonly start: number;
  readonly end: number;
}

/** One hub of a namespace, over one connection. Everything it throws is a `HubFailure`. */
export class HubClient {
  readonly hub: string;
  readonly #client: EventHubConsumerClient;
  readonly #context: ClientContext;
  readonly #group: string;
  readonly #timing: EventHubsTiming;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #links = new Set<HubLink>();
  readonly #watched = new WeakSet<Connection>();
  /** Claims in a row that were not answered. */
  #silentClaims = 0;

  /** `identity`: what gives tokens, where no connection string is given. */
  constructor(config: EventHubsConfig, hub: string, identity: TokenCredential | null, timing: EventHubsTiming, clock: Clock, signal: AbortSignal) {
    this.hub = hub;
    this.#group = config.consumerGroup;
    this.#timing = timing;
    this.#clock = clock;
    this.#signal = signal;
    this.#client = clientOf(config, hub, identity, { retryOptions: { maxRetries: 0, timeoutInMs: 2 * timing.requestMs } });
    this.#context = contextOf(this.#client);
  }

  /** Numbers of the hub's partitions. */
  async partitions(): Promise<number[]> {
    const ids = await this.#question('the hub', async (abortSignal) => await this.#client.getPartitionIds({ abortSignal }));
    return ids.map(Number).sort((a, b) => a - b);
  }

  async bounds(partition: number): Promise<HubBounds> {
    const { beginningSequenceNumber, lastEnqueuedSequenceNumber, isEmpty } = await this.#question(`partition ${partition}`, async (abortSignal) => await this.#client.getPartitionProperties(String(partition), { abortSignal }));
    const end = lastEnqueuedSequenceNumber + 1;
    if (!Number.isSafeInteger(beginningSequenceNumber) || !Number.isSafeInteger(end)) throw new HubFailure('passing', `partition ${partition} was described without sequence numbers`);
    // What an empty partition tells as its beginning is not the same everywhere.
    return isEmpty || beginningSequenceNumber >= end ? { start: Math.max(0, end), end: Math.max(0, end) } : { start: Math.max(0, beginningSequenceNumber), end };
  }

  /** Attaches to a partition; nothing comes before credit is given. The claim is renewed as long as the link lasts; `claimed` hears of each one: null, or why it failed. */
  async attach(partition: number, start: LinkStart, handlers: LinkHandlers, claimed: (failure: HubFailure | null) => void): Promise<HubLink> {
    const { config } = this.#context;
    const audience = config.getReceiverAudience(String(partition), this.#group);
    return await this.#claiming(`partition ${partition}`, async (abortSignal) => {
      await this.#context.readyToOpenLink({ abortSignal });
      const renewInMs = await this.#claim(audience, abortSignal);
      claimed(null);
      const { connection } = this.#context;
      this.#watch(connection);
      const name = `rentfold-${partition}-${randomUUID()}`;
      const link = await HubLink.attach({ connection, name, address: config.getReceiverAddress(String(partition), this.#group), signal: abortSignal }, start, handlers);
      this.#links.add(link);
      void this.#renew(audience, renewInMs, AbortSignal.any([link.over, this.#signal]), claimed);
      return link;
    });
  }

  /** Detaches a link. */
  async detach(link: HubLink): Promise<void> {
    this.#links.delete(link);
    await link.close();
  }

  /** Breaks the connection, which does not answer; the next question makes a new one. */
  break(reason: string): void {
    const { socket } = (this.#context.connection as unknown as { readonly _connection: { readonly socket?: { destroy(error: Error): void } } })._connection;
    socket?.destroy(new Error(reason));
  }

  async close(): Promise<void> {
    await withinTime(this.#client.close(), CLOSE_MS);
    this.break('rentfold is ending');
  }

  /** A question about hub or partition. The client claims the right to ask once for its link, and keeps the link when the claim is over: a refusal makes it do both anew. */
  async #question<Answer>(about: string, act: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#ask(about, act);
    } catch (error) {
      if (hubFailure(error).kind === 'unauthorized') await withinTime(this.#context.managementSession?.close() ?? Promise.resolve(), CLOSE_MS);
      throw error;
    }
  }

  /** Runs something with a claim. Its link may be dead while all others of the connection live, and nothing else would end it: then the connection is made anew. */
  async #claiming<Answer>(about: string, act: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#ask(about, act);
    } catch (error) {
      const failure = hubFailure(error);
      this.#silentClaims = failure.kind === 'silent' ? this.#silentClaims + 1 : 0;
      if (this.#silentClaims >= SILENT_CLAIMS_MAX) {
        this.#silentClaims = 0;
        this.break(failure.message);
      }
      throw failure;
    }
  }

  /** Runs something that must end in time. */
  async #ask<Answer>(about: string, act: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const late = new AbortController();
    const signal = AbortSignal.any([late.signal, this.#signal]);
    const done = new AbortController();
    const { requestMs } = this.#timing;
    try {
      const tooLate = this.#clock.sleep(requestMs, AbortSignal.any([done.signal, this.#signal])).then(() => {
        if (done.signal.aborted) return undefined as never;
        late.abort();
        throw new HubFailure('silent', this.#signal.aborted ? 'rentfold is ending' : `no answer about ${about} within ${requestMs} ms`);
      });
      const answer = act(signal);
      answer.catch(() => undefined);
      return await Promise.race([answer, tooLate]);
    } catch (error) {
      throw hubFailure(error);
    } finally {
      done.abort();
    }
  }

  /** Puts a claim for an audience; answers after how many milliseconds to do it again. */
  async #claim(audience: string, abortSignal: AbortSignal): Promise<number> {
    const { tokenCredential, cbsSession } = this.#context;
    const isKey = tokenCredential.isSasTokenProvider === true;
    const token = await tokenCredential.getToken(isKey ? audience : SCOPE);
    if (token === null) throw new HubFailure('unauthorized', 'the identity gave no token');
    const options = { abortSignal, timeoutInMs: this.#timing.requestMs };
    await defaultCancellableLock.acquire(cbsSession.cbsLock, async () => await cbsSession.init(options), options);
    await cbsSession.negotiateClaim(audience, token.token, isKey ? 'servicebus.windows.net:sastoken' : 'jwt', options);
    this.#silentClaims = 0;
    const leftMs = token.expiresOnTimestamp - this.#clock.now();
    return isKey ? KEY_CLAIM_MS : Math.max(1_000, leftMs - Math.min(TOKEN_MARGIN_MS, leftMs / 2));
  }

  /** Claims again and again until the link is over. A claim that fails is tried again soon: the service ends the link when the old one is over. */
  async #renew(audience: string, firstMs: number, signal: AbortSignal, claimed: (failure: HubFailure | null) => void): Promise<void> {
    let nextMs = firstMs;
    for (;;) {
      await this.#clock.sleep(nextMs, signal);
      if (signal.aborted) return;
      try {
        nextMs = await this.#claiming('the claim', async (abortSignal) => await this.#claim(audience, abortSignal));
        claimed(null);
      } catch (error) {
        nextMs = RENEW_AGAIN_MS;
        if (!signal.aborted) claimed(hubFailure(error));
      }
    }
  }

  /** Links hear nothing themselves when their connection ends. */
  #watch(connection: Connection): void {
    if (this.#watched.has(connection)) return;
    this.#watched.add(connection);
    for (const event of [ConnectionEvents.disconnected, ConnectionEvents.connectionClose]) {
      connection.on(event, (context) => {
        const reason = context.error ?? connection.error ?? new HubFailure('passing', 'the connection was lost');
        for (const link of [...this.#links]) if (link.connection === connection) link.end(reason);
      });
    }
  }
}

function clientOf({ consumerGroup, credential }: EventHubsConfig, hub: string, identity: TokenCredential | null, options: object): EventHubConsumerClient {
  if (credential.kind === 'connection-string') return new EventHubConsumerClient(consumerGroup, credential.connectionString, hub, options);
  return new EventHubConsumerClient(consumerGroup, credential.namespace, hub, identity!, options);
}

function contextOf(client: EventHubConsumerClient): ClientContext {
  const { _context: context } = client as unknown as { readonly _context?: Partial<ClientContext> };
  if (typeof context?.readyToOpenLink !== 'function' || typeof context.cbsSession?.negotiateClaim !== 'function' || typeof context.connection?.createReceiver !== 'function') {
    throw new RentfoldError('UNEXPECTED', 'The package @azure/event-hubs is not the release 6.0.4 that rentfold was made for: install the dependencies with `npm ci`.');
  }
  return context as ClientContext;
}
