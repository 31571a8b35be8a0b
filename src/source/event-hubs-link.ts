import { types, type Connection, type EventContext, type Receiver } from 'rhea-promise';
import type { AmqpMessage } from './event-hubs-message.ts';
import { HubFailure, hubFailure } from './event-hubs-errors.ts';

/** Where a link starts: at an event, right behind it, or at the first one that is still there. */
export type LinkStart = { readonly kind: 'earliest' } | { readonly kind: 'at' | 'behind'; readonly sequence: number; readonly offset: string | null };

/** What becomes of a link. `ended` is called once, unless the link is closed by us. */
export interface LinkHandlers {
  message(message: AmqpMessage): void;
  ended(failure: HubFailure): void;
}

/** A link of our own over a connection of the client. */
export interface LinkPlace {
  readonly connection: Connection;
  readonly name: string;
  /** `hub/ConsumerGroups/$Default/Partitions/0`. */
  readonly address: string;
  readonly signal: AbortSignal;
}

const SELECTOR = 'apache.org:selector-filter:string';
const SELECTOR_CODE = 0x468c00000004;
/** Closing asks the service; after this time its answer is not waited for. */
const CLOSE_MS = 2_000;

/** The filter that the service understands. By the offset's text; by the sequence number only where no offset is known. */
export function selectorOf(start: LinkStart): string {
  if (start.kind === 'earliest') return `amqp.annotation.x-opt-offset > '-1'`;
  const sign = start.kind === 'at' ? '>=' : '>';
  return start.offset === null ? `amqp.annotation.x-opt-sequence-number ${sign} '${start.sequence}'` : `amqp.annotation.x-opt-offset ${sign} '${start.offset}'`;
}

/** One receiver attached to one partition. It has no credit of its own: nothing comes that was not asked for. */
export class HubLink {
  readonly #handlers: LinkHandlers;
  readonly connection: Connection;
  #receiver: Receiver | null = null;
  readonly #over = new AbortController();
  #received = 0;

  private constructor(connection: Connection, handlers: LinkHandlers) {
    this.connection = connection;
    this.#handlers = handlers;
  }

  /** Attaches a receiver. Throws what the service refuses it with. */
  static async attach({ connection, name, address, signal }: LinkPlace, start: LinkStart, handlers: LinkHandlers): Promise<HubLink> {
    const link = new HubLink(connection, handlers);
    const refuse = (what: string) => (context: EventContext): void => link.end(context.receiver?.error ?? context.session?.error ?? new HubFailure('passing', `the service closed the ${what}`));
    link.#receiver = await connection.createReceiver({
      name, autoaccept: true, credit_window: 0, target: name,
      source: { address, filter: { [SELECTOR]: types.wrap_described(selectorOf(start), SELECTOR_CODE) } },
      properties: { 'com.microsoft:receiver-name': name },
      desired_capabilities: ['com.microsoft:georeplication', 'com.microsoft:enable-receiver-runtime-metric'],
      onMessage: (context) => link.#receive(context),
      onError: refuse('link'), onClose: refuse('link'), onSessionError: refuse('session'), onSessionClose: refuse('session'),
      abortSignal: signal,
    });
    return link;
  }

  /** Aborted once it does not carry any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Messages that came over it. */
  get received(): number {
    return this.#received;
  }

  /** Allows so many more messages to come. */
  addCredit(count: number): void {
    if (!this.over.aborted) this.#receiver?.addCredit(count);
  }

  /** It does not carry any more, and not by our wish. */
  end(reason: unknown): void {
    if (this.over.aborted) return;
    this.#over.abort();
    this.#handlers.ended(hubFailure(reason));
  }

  /** Detaches. Never throws, and waits for the service only so long. */
  async close(): Promise<void> {
    this.#over.abort();
    if (this.#receiver !== null) await withinTime(this.#receiver.close(), CLOSE_MS);
  }

  #receive(context: EventContext): void {
    if (this.over.aborted || context.message === undefined) return;
    this.#received++;
    this.#handlers.message(context.message);
  }
}

/** Waits for something at most so long, whatever becomes of it. */
export async function withinTime(task: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, ms); });
  await Promise.race([task.catch(() => undefined), late]);
  clearTimeout(timer);
}
