import type { AmqpError, EventContext, Receiver, Sender } from 'rhea';
import { parseAddress } from './address.ts';
import { AmqpServer, type TlsFiles } from './amqp-server.ts';
import type { ClientConnection } from './client-connection.ts';
import { Counters } from './counters.ts';
import type { EventPlace, HubEvent } from './event.ts';
import { ServiceFaults, times, type Pace, type StatusFault } from './faults.ts';
import { Hub, type HubSpecification } from './hub.ts';
import { attachReceiver, attachSender, takeTransfer, type LinkContext } from './links.ts';
import type { OffsetStyle } from './partition-log.ts';
import { Receivers } from './receivers.ts';
import { answerManagement, answerToken, type RequestContext } from './requests.ts';

const MESSAGE_BYTES_MAX = 1_048_576;
const TIMER_MS_MAX = 2 ** 31 - 1;
const KEY_NAME = 'RootManageSharedAccessKey';

/** How a double is made. */
export interface DoubleOptions {
  readonly hubs: readonly HubSpecification[];
  /** `opaque`: offsets as geo-replicated namespaces give them. */
  readonly offsets?: OffsetStyle;
  readonly key?: string;
  /** TLS, which the client insists on when it comes with an identity instead of a connection string. */
  readonly tls?: TlsFiles;
  readonly now?: () => number;
}

/**
 * A namespace of Azure Event Hubs on loopback, as far as AMQP 1.0 clients see it, with the logs in memory: tokens, management, receivers
 * with owner levels and start positions, producers. Faults are switched on by methods; `counters` tells what clients did. It keeps
 * the service's rules as published and as its clients expect them; what the service does besides, it does not.
 */
export class EventHubsDouble implements AsyncDisposable {
  readonly counters = new Counters();
  readonly #options: DoubleOptions;
  readonly #now: () => number;
  readonly #key: string;
  readonly #hubs = new Map<string, Hub>();
  readonly #receivers = new Receivers();
  readonly #faults = new ServiceFaults();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #context: RequestContext & LinkContext;
  readonly #server: AmqpServer;
  #incarnation = 0;

  private constructor(options: DoubleOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#key = options.key ?? Buffer.from('a key for tests').toString('base64');
    this.#context = {
      hub: (name) => this.#hubs.get(name.toLowerCase()), faults: this.#faults, counters: this.counters, receivers: this.#receivers, key: this.#key, now: this.#now, messageBytesMax: MESSAGE_BYTES_MAX,
      tokenTaken: (client, until) => this.#watchToken(client, until),
    };
    for (const hub of options.hubs) this.addHub(hub);
    this.#server = new AmqpServer({
      receiverAttached: (client, link) => this.#attached(client, link, link.source.address),
      senderAttached: (client, link) => this.#attached(client, link, link.target.address),
      received: (client, context) => this.#received(client, context),
    }, MESSAGE_BYTES_MAX, options.tls ?? null);
  }

  static async start(options: DoubleOptions): Promise<EventHubsDouble> {
    const double = new EventHubsDouble(options);
    await double.#server.listen();
    return double;
  }

  /** `host:port` of the namespace. */
  get host(): string {
    return this.#server.host;
  }

  /** Connections taken since it began. */
  get connections(): number {
    return this.#server.accepted;
  }

  /** Connection string of the namespace, or of one hub, in the form of the emulator: plain TCP, unless the double has TLS. */
  connectionString(hub?: string): string {
    return `Endpoint=sb://${this.host};SharedAccessKeyName=${KEY_NAME};SharedAccessKey=${this.#key}${this.#options.tls === undefined ? ';UseDevelopmentEmulator=true' : ''}${hub === undefined ? '' : `;EntityPath=${hub}`}`;
  }

  addHub(specification: HubSpecification): void {
    this.#hubs.set(specification.name.toLowerCase(), new Hub(specification, this.#options.offsets ?? 'bytes', this.#incarnation++, this.#now()));
  }

  /** Takes the hub and its events away; its links are closed. */
  deleteHub(name: string): void {
    this.#hubs.delete(name.toLowerCase());
    for (const subscription of this.#receivers.of(name)) subscription.detach({ condition: 'amqp:not-found', description: `The messaging entity '${name}' could not be found.` });
  }

  /** Deletes the hub and makes it again, empty: sequence numbers begin at 0 once more. */
  recreate(name: string, partitions = this.#hub(name).partitions.length): void {
    this.deleteHub(name);
    this.addHub({ name, partitions });
  }

  addPartitions(hub: string, count: number): void {
    this.#hub(hub).addPartitions(count);
  }

  /** Adds events to the end of a partition, and says where they are. */
  append(hub: string, partition: number, events: readonly HubEvent[]): EventPlace[] {
    return this.#hub(hub).partition(partition).append(events, this.#now());
  }

  /** The events of a partition that are still there. */
  events(hub: string, partition: number): (HubEvent & EventPlace)[] {
    return this.#hub(hub).partition(partition).list();
  }

  /** Retention: takes the events before this sequence number away. */
  truncateHead(hub: string, partition: number, before: number): void {
    this.#hub(hub).partition(partition).truncateHead(before);
  }

  partitionCount(hub: string): number | null {
    return this.#hubs.get(hub.toLowerCase())?.partitions.length ?? null;
  }

  /** Events the partition's receivers would take now, summed, and the most any of them ever would. */
  credit(hub: string, partition: number): { readonly now: number; readonly max: number; readonly receivers: number } {
    const present = this.#receivers.of(hub, partition);
    return { now: present.reduce((sum, s) => sum + s.credit, 0), max: Math.max(0, ...present.map((s) => s.creditMax)), receivers: present.length };
  }

  /** Closes the partition's receivers with an error, e.g. `com.microsoft:server-busy` or `amqp:link:detach-forced`. Returns how many there were. */
  detach(hub: string, partition: number, condition: string, description = 'The link is closed by a test.'): number {
    const present = this.#receivers.of(hub, partition);
    for (const subscription of present) subscription.detach({ condition, description });
    return present.length;
  }

  /** What happens when someone else reads the partition with a higher owner level. Returns how many receivers went. */
  steal(hub: string, partition: number, group = '$Default'): number {
    return this.#receivers.steal(hub, partition, group, 1 + Math.max(0, ...this.#receivers.of(hub, partition, group).map(({ options }) => options.epoch ?? 0)));
  }

  /** The next attempts to read the partition are refused. */
  refuseReceivers(hub: string, partition: number, count: number, error: AmqpError): void {
    this.#faults.of(hub, partition).refusals.push(...times(count, error));
  }

  /** How fast the partition's events go out from now on; null: as fast as they are taken. */
  pace(hub: string, partition: number, pace: Pace | null): void {
    this.#faults.of(hub, partition).pace = pace;
    for (const subscription of this.#receivers.of(hub, partition)) subscription.repace();
  }

  /** The next `count` events of the partition are sent, and then sent again. */
  repeat(hub: string, partition: number, count: number): void {
    this.#faults.of(hub, partition).repeat = { left: count, from: null };
  }

  /** The next `count` events of the partition are never sent. */
  skip(hub: string, partition: number, count: number): void {
    this.#faults.of(hub, partition).skip += count;
  }

  /** The next tokens are answered with this status instead, or not at all, nor any others of their connections. */
  refuseTokens(count: number, fault: StatusFault | 'silent' = { status: 401, description: 'InvalidSignature: The token has an invalid signature.' }): void {
    this.#faults.tokens.push(...times(count, fault));
  }

  /** The next questions to `$management` are answered with this status, or not at all. */
  failManagement(count: number, fault: StatusFault | 'silent'): void {
    this.#faults.management.push(...times(count, fault));
  }

  /** The next transfers of producers are rejected. */
  refuseSends(count: number, error: AmqpError = { condition: 'com.microsoft:server-busy', description: 'The server is busy.' }): void {
    this.#faults.sends.push(...times(count, error));
  }

  /** Lets all tokens put so far end now: their links are closed with `amqp:unauthorized-access`. Returns how many. */
  expireTokens(): number {
    let closed = 0;
    for (const client of this.#server.clients()) {
      client.permits.clear();
      closed += client.closeUnpermitted(this.#now());
    }
    return closed;
  }

  /** Cuts all connections, without a word. Returns how many there were. */
  cutSockets(): number {
    return this.#server.cut();
  }

  /** Refuses connections until `resumeListening`; those there stay. */
  pauseListening(): void {
    this.#server.pause();
  }

  /** Takes connections again, on the same port. */
  async resumeListening(): Promise<void> {
    await this.#server.listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const subscription of this.#receivers.all()) subscription.end();
    this.#server.pause();
    this.#server.cut();
    await Promise.resolve();
  }

  #hub(name: string): Hub {
    const hub = this.#context.hub(name);
    if (hub === undefined) throw new Error(`the double has no hub ${name}`);
    return hub;
  }

  #attached(client: ClientConnection, link: Sender | Receiver, path: string): void {
    const address = parseAddress(path);
    switch (address?.kind) {
      case 'receive': if (link.is_sender()) return attachReceiver(client, link as Sender, address, this.#context); break;
      case 'send': if (link.is_receiver()) return attachSender(client, link as Receiver, address, this.#context); break;
      case 'cbs': case 'management':
        link.set_source(link.source);
        link.set_target(link.target);
        if (link.is_sender()) client.replies.set(link.name, link as Sender);
        return;
      case undefined:
    }
    link.close({ condition: 'amqp:not-found', description: `The messaging entity '${path}' could not be found.` });
  }

  #received(client: ClientConnection, context: EventContext): void {
    const kind = parseAddress(context.receiver!.target.address)!.kind;
    if (kind === 'send') return takeTransfer(context, this.#context);
    if (kind === 'cbs') answerToken(client, context.message!, this.#context);
    else answerManagement(client, context.message!, this.#context);
    context.delivery!.accept();
  }

  /** Closes the links of a token when it has ended and no other has come. */
  #watchToken(client: ClientConnection, until: number): void {
    const wait = until - this.#now();
    if (wait > TIMER_MS_MAX) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      client.closeUnpermitted(this.#now());
    }, Math.max(0, wait) + 1);
    this.#timers.add(timer);
  }
}
