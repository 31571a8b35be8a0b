import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import rhea, { type Connection, type Container, type EventContext, type Receiver, type Sender } from 'rhea';
import { ClientConnection } from './client-connection.ts';

const FRAME_BYTES_MAX = 65_536;
const IDLE_MS = 60_000;
const LOOPBACK = '127.0.0.1';
/** Errors of clients and links, and ends of connections: nothing a server dies of. */
const NO_CONCERN = ['connection_error', 'connection_close', 'disconnected', 'session_error', 'session_close', 'sender_error', 'sender_close', 'receiver_error', 'receiver_close', 'protocol_error', 'error'];

/** A server's private key and certificate, PEM. */
export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/** What is done with what clients ask for. */
export interface AmqpHandlers {
  /** A client's receiver attached: this end sends. */
  receiverAttached(client: ClientConnection, link: Sender): void;
  /** A client's sender attached: this end receives. */
  senderAttached(client: ClientConnection, link: Receiver): void;
  /** A client sent something. */
  received(client: ClientConnection, context: EventContext): void;
}

/** Listens for AMQP 1.0 on loopback with SASL ANONYMOUS, as the service does before a token is put. */
export class AmqpServer {
  readonly #container: Container;
  readonly #messageBytesMax: number;
  readonly #tls: TlsFiles | null;
  readonly #clients = new Map<Connection, ClientConnection>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #accepted = 0;

  constructor(handlers: AmqpHandlers, messageBytesMax: number, tls: TlsFiles | null) {
    this.#tls = tls;
    this.#messageBytesMax = messageBytesMax;
    this.#container = rhea.create_container({ id: 'event-hubs-double' });
    (this.#container.sasl_server_mechanisms as { enable_anonymous(): void }).enable_anonymous();
    this.#container.on('sender_open', ({ connection, sender }: EventContext) => handlers.receiverAttached(this.#client(connection), sender!));
    this.#container.on('receiver_open', ({ connection, receiver }: EventContext) => handlers.senderAttached(this.#client(connection), receiver!));
    this.#container.on('message', (context: EventContext) => handlers.received(this.#client(context.connection), context));
    this.#container.on('disconnected', ({ connection }: EventContext) => this.#clients.delete(connection));
    for (const event of NO_CONCERN) this.#container.on(event, () => undefined);
  }

  get host(): string {
    return `${LOOPBACK}:${this.#port}`;
  }

  /** Connections accepted since it began. */
  get accepted(): number {
    return this.#accepted;
  }

  clients(): ClientConnection[] {
    return [...this.#clients.values()];
  }

  /** Takes connections; after a pause on the same port as before. */
  async listen(): Promise<void> {
    if (this.#server !== null) return;
    const server = this.#container.listen({
      port: this.#port, host: LOOPBACK, max_frame_size: FRAME_BYTES_MAX, idle_time_out: IDLE_MS,
      ...(this.#tls === null ? {} : { transport: 'tls', ...this.#tls }),
      receiver_options: { autoaccept: false, max_message_size: this.#messageBytesMax },
    } as Parameters<Container['listen']>[0]);
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#accepted++;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    if (!server.listening) await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on; those there stay. */
  pause(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** Cuts all connections, without a word. Returns how many there were. */
  cut(): number {
    const count = this.#sockets.size;
    for (const socket of this.#sockets) socket.destroy();
    return count;
  }

  #client(connection: Connection): ClientConnection {
    const client = this.#clients.get(connection) ?? new ClientConnection(connection);
    this.#clients.set(connection, client);
    return client;
  }
}
