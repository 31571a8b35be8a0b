import { EventHubConsumerClient, EventHubProducerClient, type EventPosition, type ReceivedEventData, type SubscribeOptions } from '@azure/event-hubs';
import type { EventHubsDouble } from './event-hubs-double.ts';
import type { HubEvent } from './event.ts';

/** One more attempt, and then the client says what went wrong. */
const RETRY = { maxRetries: 1, retryDelayInMs: 20, maxRetryDelayInMs: 40, timeoutInMs: 2_000 };
/** The client goes on by itself. */
export const PATIENT = { ...RETRY, maxRetries: 500 };
export const EARLIEST: EventPosition = { offset: '-1' };

/** What a subscription to partition 0 heard. */
export interface Heard {
  readonly events: ReceivedEventData[];
  readonly errors: { readonly code?: string; readonly name: string; readonly message: string }[];
  readonly lastEnqueued: (number | undefined)[];
}

/** Clients of one test for the hub `cdc` of a double, as `@azure/event-hubs` has them. */
export class HubClients {
  readonly #double: EventHubsDouble;
  readonly #closing: { close(): Promise<unknown> }[] = [];

  constructor(double: EventHubsDouble) {
    this.#double = double;
  }

  consumer({ group = '$Default', retryOptions = RETRY, connectionString = this.#double.connectionString('cdc') } = {}): EventHubConsumerClient {
    return this.own(new EventHubConsumerClient(group, connectionString, { retryOptions }));
  }

  producer(): EventHubProducerClient {
    return this.own(new EventHubProducerClient(this.#double.connectionString('cdc'), { retryOptions: RETRY }));
  }

  subscribe(startPosition: EventPosition, options: SubscribeOptions = {}, client = this.consumer()): Heard {
    const heard: Heard = { events: [], errors: [], lastEnqueued: [] };
    this.own(client.subscribe('0', {
      processEvents: (events, context) => {
        heard.events.push(...events);
        if (events.length > 0) heard.lastEnqueued.push(context.lastEnqueuedEventProperties?.sequenceNumber);
        return Promise.resolve();
      },
      processError: (error) => {
        heard.errors.push(error as Heard['errors'][number]);
        return Promise.resolve();
      },
    }, { startPosition, maxBatchSize: 10, maxWaitTimeInSeconds: 1, skipParsingBodyAsJson: true, ...options }));
    return heard;
  }

  /** Closes it at the end. */
  own<C extends { close(): Promise<unknown> }>(client: C): C {
    this.#closing.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#closing.splice(0).reverse()) await client.close();
  }
}

/** Events with numbers in them, the first one enqueued at 1 000 milliseconds plus its number. */
export function numbered(from: number, to: number): HubEvent[] {
  return Array.from({ length: to - from }, (_, i) => ({ body: Buffer.from(`{"n":${from + i}}`), enqueuedTime: 1_000 + from + i }));
}

/** Sequence numbers in the order heard. */
export function sequenceNumbers({ events }: Heard): number[] {
  return events.map((e) => e.sequenceNumber);
}

/** The code (or name) the client gives for what went wrong; an error of several attempts stands for its last. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(() => new Error('it did not fail'), (e: unknown) => e);
  return codeOf(error);
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors.at(-1));
  const { code, name, message } = error as { code?: string; name: string; message: string };
  return code ?? (name === 'Error' ? message : name);
}
