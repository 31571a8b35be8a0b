import type { Clock } from '../runtime/clock.ts';
import { endBroker, type BrokerAddress, type ClientBroker, type ClientOptions, type Exchange, type KafkaClient } from './kafka-client.ts';

/**
 * Connections to brokers, made when something is asked. A broker that failed to connect or to answer is forgotten and connected to anew at the next question; nothing is tried
 * again here.
 */
export class KafkaConnections {
  readonly #client: KafkaClient;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #brokers = new Map<string, { readonly broker: ClientBroker; readonly ready: Promise<void> }>();
  readonly #answered = new Set<string>();
  #isClosed = false;

  constructor(client: KafkaClient, options: ClientOptions, clock: Clock) {
    this.#client = client;
    this.#options = options;
    this.#clock = clock;
  }

  /** Sends a request and answers the decoded reply, error codes in it included. Throws what connecting and sending throw. */
  async ask<Decoded>(address: BrokerAddress, build: (broker: ClientBroker) => Exchange): Promise<Decoded> {
    const broker = await this.connected(address);
    try {
      const { request, requestTimeout, response } = build(broker);
      const decoded = await broker.connectionPool.send<Decoded>({ request, ...(requestTimeout === undefined ? {} : { requestTimeout }), response: { decode: response.decode, parse: asItIs } });
      this.#answered.add(addressText(address));
      return decoded;
    } catch (error) {
      this.end(address, broker);
      throw error;
    }
  }

  /** A broker that is connected, or was: a connection that the broker closed since is made again by the next request. */
  async connected(address: BrokerAddress): Promise<ClientBroker> {
    if (this.#isClosed) throw new Error('the source is closed');
    const key = addressText(address);
    let live = this.#brokers.get(key);
    if (live === undefined) {
      const broker = this.#client.createBroker(address, this.#options);
      live = { broker, ready: this.#connect(broker) };
      this.#brokers.set(key, live);
    }
    try {
      await live.ready;
    } catch (error) {
      this.end(address, live.broker);
      throw error;
    }
    return live.broker;
  }

  /** True when this broker has answered a question: its listener is of the right kind. One that wants a user connects without, and then closes. */
  hasAnswered(address: BrokerAddress): boolean {
    return this.#answered.has(addressText(address));
  }

  /** TCP, TLS, the broker's versions and SASL, in bounded time. */
  async #connect(broker: ClientBroker): Promise<void> {
    const done = new AbortController();
    const late = this.#clock.sleep(2 * this.#options.connectMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error('Connection timeout');
    });
    try {
      await Promise.race([broker.connect(), late]);
    } finally {
      done.abort();
    }
  }

  /** Ends all but the connections to these brokers. */
  keepOnly(addresses: readonly BrokerAddress[]): void {
    const kept = new Set(addresses.map(addressText));
    for (const key of [...this.#brokers.keys()]) if (!kept.has(key)) this.#end(key);
  }

  /** Ends the connections to a broker; when one is given, only if they are its own still. */
  end(address: BrokerAddress, broker?: ClientBroker): void {
    this.#end(addressText(address), broker);
  }

  #end(key: string, broker?: ClientBroker): void {
    const live = this.#brokers.get(key);
    if (live === undefined || (broker !== undefined && live.broker !== broker)) return;
    this.#brokers.delete(key);
    live.ready.catch(() => undefined);
    endBroker(live.broker);
  }

  /** Ends every connection at once; questions under way are rejected. */
  close(): void {
    this.#isClosed = true;
    for (const key of [...this.#brokers.keys()]) this.#end(key);
  }
}

async function asItIs(decoded: unknown): Promise<unknown> {
  return decoded;
}

/** `host:port`, as in options and messages. */
export function addressText({ host, port }: BrokerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
