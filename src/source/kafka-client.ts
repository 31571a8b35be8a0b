import { createRequire } from 'node:module';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { RentfoldError } from '../errors.ts';
import { FrameGatherer, FrameMemory } from './kafka-frames.ts';
import type { ClientSasl } from './kafka-sasl.ts';

/**
 * What is used of kafkajs: connections, TLS, SASL and the encoding of requests, from inside the package, because its consumer is not used (`kafka.ts` says why).
 * The insides of a package may change with any release, so only the one release they were read in is accepted; upstream has made none since 2023.
 */
const KAFKAJS_VERSION = '2.2.4';

/** A request in one version of its form, and how to read the answer. */
export interface Exchange {
  readonly request: { readonly apiKey: number; readonly apiVersion: number };
  readonly requestTimeout?: number;
  readonly response: { readonly decode: (raw: Buffer) => Promise<unknown> };
}

/** One socket to a broker. */
interface ClientConnection {
  readonly socket?: Socket;
  readonly requestQueue: RequestQueue;
  isConnected(): boolean;
  connect: () => Promise<boolean>;
  authenticate(): Promise<void>;
  disconnect(): Promise<boolean>;
}

/** The two connections to a broker: number 1 is for fetches alone, so that a long wait holds up nothing else. */
interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly pool: readonly ClientConnection[];
  getConnection(index: number): Promise<ClientConnection>;
  send<Answer>(exchange: Exchange & { readonly response: { readonly parse: (decoded: unknown) => Promise<unknown> } }): Promise<Answer>;
}

/** A broker as kafkajs sees it. */
export interface ClientBroker {
  readonly connectionPool: ConnectionPool;
  /** Requests that the broker knows, by number; null before it is connected. */
  readonly versions: Readonly<Record<number, unknown>> | null;
  connect(): Promise<void>;
  /** The newest form of a request that both sides know. Throws when the broker does not know the request. */
  lookupRequest(apiKey: number, definitions: RequestDefinitions): (options: object) => Exchange;
}

interface RequestDefinitions {
  readonly versions: readonly string[];
}

/** The part of a connection that puts answers together. */
interface ChunkReader {
  bytesBuffered: number;
  chunks: Buffer[];
  processData(bytes: Buffer): void;
}

/** The part of a connection that is asked right before a request is sent. */
interface StatusCheck {
  readonly connectionStatus: string;
  failIfNotConnected(): void;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  rejectAll(error: Error): void;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
}

/** The parts of the package, and the names of requests that this source sends. */
export interface KafkaClient {
  readonly requests: Readonly<Record<'Fetch' | 'ListOffsets' | 'Metadata' | 'GroupCoordinator' | 'OffsetCommit' | 'DescribeConfigs', RequestDefinitions>>;
  /** Where answers lie that came over TCP without TLS. */
  readonly memory: FrameMemory;
  createBroker(address: BrokerAddress, options: ClientOptions): ClientBroker;
}

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** How connections are made. `ca`: content of a PEM file. */
export interface ClientOptions {
  readonly tls: { readonly ca: string | null } | null;
  readonly sasl: ClientSasl | null;
  readonly connectMs: number;
  readonly requestMs: number;
  readonly sessionLeftMs: number;
}

const CLIENT_ID = 'rentfold';
const KEEP_ALIVE_MS = 30_000;

let loaded: KafkaClient | null = null;

/** Loads kafkajs, once a thread. Throws SOURCE_UNAVAILABLE for a release whose insides are not known. */
export function loadKafkaClient(): KafkaClient {
  return (loaded ??= load(createRequire(import.meta.url)));
}

/** Throws SOURCE_UNAVAILABLE unless the release is the one whose insides are known. */
export function checkKafkajsRelease(version: string): void {
  if (version === KAFKAJS_VERSION) return;
  throw new RentfoldError('SOURCE_UNAVAILABLE', `kafkajs ${version} is installed, and RENTFOLD_SOURCE=kafka works with kafkajs ${KAFKAJS_VERSION} alone. Install that release with \`npm ci\`.`);
}

type Constructor<Options, Made> = new (options: Options) => Made;

function load(require: NodeJS.Require): KafkaClient {
  checkKafkajsRelease((require('kafkajs/package.json') as { version: string }).version);
  const Broker = require('kafkajs/src/broker/index.js') as Constructor<object, ClientBroker>;
  const Pool = require('kafkajs/src/network/connectionPool.js') as Constructor<object, ConnectionPool>;
  const { requests } = require('kafkajs/src/protocol/requests/index.js') as { requests: KafkaClient['requests'] };
  endIdleTimer(require('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueue });
  const Connection = require('kafkajs/src/network/connection.js') as { prototype: ChunkReader & StatusCheck };
  forgetEmptyChunks(Connection);
  refuseWhileDisconnecting(Connection, (require('kafkajs/src/errors.js') as { KafkaJSConnectionError: Constructor<string, Error> }).KafkaJSConnectionError);
  const memory = new FrameMemory();
  return {
    requests, memory,
    createBroker: ({ host, port }, { tls, sasl, connectMs, requestMs, sessionLeftMs }) => new Broker({
      connectionPool: new Pool({
        host, port, ssl: tls === null ? null : { ...(tls.ca === null ? {} : { ca: tls.ca }) }, sasl: sasl === null ? null : { ...sasl }, clientId: CLIENT_ID,
        socketFactory: (options: SocketOptions) => openSocket(options, memory), connectionTimeout: connectMs, requestTimeout: requestMs, enforceRequestTimeout: true, reauthenticationThreshold: sessionLeftMs, logger: SILENT,
      }),
      logger: SILENT, authenticationTimeout: connectMs, allowAutoTopicCreation: false,
    }),
  };
}

/** kafkajs says every failure twice, to its log and by throwing. It is thrown to us, so its log goes nowhere. */
const SILENT = { info: ignore, error: ignore, warn: ignore, debug: ignore, setLogLevel: ignore, namespace: () => SILENT };

function ignore(): void {}

/**
 * A connection of kafkajs 2.2.4 looks for requests to send every millisecond for as long as it lives, because it sets a timer also when none wait, with a time that
 * has passed. Without waiting requests there is nothing to look for: the next request sets the timer if it has to wait.
 */
function endIdleTimer({ prototype }: { prototype: RequestQueue }): void {
  const original = Object.getOwnPropertyDescriptor(prototype, 'scheduleCheckPendingRequests')!.value as (this: RequestQueue) => void;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) original.call(this);
  };
}

/** kafkajs keeps what is left of an answer, mostly nothing, and to put nothing in front of the next answer it copies that one whole. */
function forgetEmptyChunks({ prototype }: { prototype: ChunkReader }): void {
  const original = Object.getOwnPropertyDescriptor(prototype, 'processData')!.value as (this: ChunkReader, bytes: Buffer) => void;
  prototype.processData = function (this: ChunkReader, bytes: Buffer): void {
    if (this.bytesBuffered === 0) this.chunks = [];
    original.call(this, bytes);
  };
}

/**
 * kafkajs takes a connection that is being ended for a connected one. A request that was being built meanwhile is then sent by it, and nobody rejects it any more: what has to be rejected was,
 * and the timer that gives up late answers is stopped. Whoever asked would wait for ever.
 */
function refuseWhileDisconnecting({ prototype }: { prototype: StatusCheck }, ConnectionError: Constructor<string, Error>): void {
  prototype.failIfNotConnected = function (this: StatusCheck): void {
    if (this.connectionStatus !== 'connected') throw new ConnectionError('Not connected');
  };
}

interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly ssl: { readonly ca?: string } | null;
  readonly onConnect: () => void;
}

function openSocket({ host, port, ssl, onConnect }: SocketOptions, memory: FrameMemory): Socket {
  const socket = ssl === null ? openTcp(host, port, onConnect, memory) : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
}

/** What arrives is read into where its answer is put together, instead of a new buffer for every piece. */
function openTcp(host: string, port: number, onConnect: () => void, memory: FrameMemory): Socket {
  const frames = new FrameGatherer(memory, (bytes) => socket.emit('data', bytes));
  const onread = {
    buffer: (): Uint8Array => frames.room(),
    callback: (length: number): boolean => {
      frames.arrived(length);
      return true;
    },
  };
  const socket: Socket = connectTcp({ host, port, onread }, onConnect);
  return socket;
}

/** Ends both connections of a broker for good and at once, also while one waits for an answer or is being made. What waits, or is asked later, is rejected. */
export function endBroker(broker: ClientBroker): void {
  for (const connection of broker.connectionPool.pool) {
    const error = new Error('the connection was closed by rentfold');
    connection.requestQueue.rejectAll(error);
    const wasConnected = connection.isConnected();
    connection.connect = async () => { throw error; };
    void connection.disconnect();
    connection.requestQueue.destroy();
    connection.socket?.destroy(wasConnected ? undefined : error);
  }
}
