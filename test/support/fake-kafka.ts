import { createServer, type Server, type Socket } from 'node:net';
import { fetchAnswerBody, int16, int32, int64, recordBatch, text, type WireRecord, type WireShare } from './kafka-wire.ts';

/**
 * Brokers that do what real ones do only in bad moments: one topic `t` whose records, bounds, leaders and errors a test sets. They speak ApiVersions, Metadata, ListOffsets, Fetch,
 * FindCoordinator, OffsetCommit and DescribeConfigs in the forms that kafkajs asks for.
 */
export class FakeKafka {
  /** Of every partition. A hole between two offsets ends a record batch. */
  records: WireRecord[] = [];
  start = 0;
  /** Leader of each partition; -1: none. */
  leaders: number[] = [1];
  /** Broker that coordinates groups. */
  coordinator = 1;
  /** False: the topic is not there. */
  isThere = true;
  /** Value of the topic's cleanup.policy; null: the broker does not know the question. */
  policy: string | null = 'delete';
  /** Error of the next fetches, answered at once; 0: none. */
  fetchError = 0;
  /** What ends the log for a fetch; null: its last record. */
  highWatermark: number | null = null;
  /** Up to where transactions are decided; null: all are. */
  lastStable: number | null = null;
  /** Bytes of the record batches as they go out; a test may damage them. */
  damage: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** Bytes written at a time, with a turn of the event loop between; 0: all at once. */
  dripBytes = 0;
  /** A broker's answers to fetches, made already, wait for this. */
  readonly held = new Map<number, Promise<void>>();
  /** Requests of these kinds are never answered. */
  readonly unanswered = new Set<number>();
  /** Offsets that were asked for. */
  readonly fetched: number[] = [];
  /** Requests that came, by kind. */
  readonly asked = new Map<number, number>();
  /** Offsets that were committed. */
  readonly committed: number[] = [];
  readonly #holding = new Set<number>();
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();

  private constructor(brokers: number) {
    this.#servers = Array.from({ length: brokers }, (_, index) => createServer((socket) => this.#serve(socket, index + 1)));
  }

  /** Brokers are numbered from 1. */
  static async create(brokers = 1): Promise<FakeKafka> {
    const fake = new FakeKafka(brokers);
    await Promise.all(fake.#servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
    fake.#ports = fake.#servers.map((server) => (server.address() as { port: number }).port);
    return fake;
  }

  #ports: readonly number[] = [];

  get port(): number {
    return this.#ports[0]!;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  get end(): number {
    return this.highWatermark ?? (this.records.at(-1)?.offset ?? this.start - 1) + 1;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends one broker for good: nothing listens there any more. */
  async stop(broker: number): Promise<void> {
    const closed = new Promise((resolve) => this.#servers[broker - 1]!.close(resolve));
    this.cut();
    await closed;
  }

  /** True while a broker has an answer to a fetch and keeps it. */
  isHolding(broker: number): boolean {
    return this.held.has(broker) && this.#holding.has(broker);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    this.cut();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #serve(socket: Socket, node: number): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let waiting = Buffer.alloc(0);
    let answering = Promise.resolve();
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
        const request = waiting.subarray(4, 4 + waiting.readInt32BE(0));
        waiting = waiting.subarray(4 + request.length);
        answering = answering.then(async () => await this.#answer(socket, node, request));
      }
    });
  }

  async #answer(socket: Socket, node: number, request: Buffer): Promise<void> {
    const api = request.readInt16BE(0);
    this.asked.set(api, (this.asked.get(api) ?? 0) + 1);
    if (this.unanswered.has(api)) return;
    const body = await this.#body(api, node, request.subarray(10 + request.readInt16BE(8)));
    const answer = Buffer.concat([int32(4 + body.length), request.subarray(4, 8), body]);
    if (this.dripBytes === 0) socket.write(answer);
    else {
      for (let at = 0; at < answer.length && !socket.destroyed; at += this.dripBytes) {
        socket.write(answer.subarray(at, at + this.dripBytes));
        await new Promise((resolve) => { setImmediate(resolve); });
      }
    }
  }

  async #body(api: number, node: number, request: Buffer): Promise<Buffer> {
    switch (api) {
      case 18: return this.#versions();
      case 3: return this.#metadata();
      case 2: return this.#bounds(request);
      case 1: return await this.#fetch(node, request);
      case 10: return Buffer.concat([int32(0), int16(0), text(''), int32(this.coordinator), text('127.0.0.1'), int32(this.#ports[this.coordinator - 1]!)]);
      case 8: return this.#commit(request);
      case 32: return Buffer.concat([int32(0), int32(1), int16(0), text(''), Buffer.from([2]), text('t'), int32(1), text('cleanup.policy'), text(this.policy!), Buffer.from([0, 5, 0]), int32(0)]);
      default: throw new Error(`request ${api} is not known here`);
    }
  }

  #versions(): Buffer {
    const known = [[1, 11], [2, 3], [3, 6], [8, 5], [10, 2], [18, 2], ...(this.policy === null ? [] : [[32, 2]])];
    return Buffer.concat([int16(0), int32(known.length), ...known.flatMap(([key, newest]) => [int16(key!), int16(key === 8 || key === 10 ? newest! : 0), int16(newest!)]), int32(0)]);
  }

  #metadata(): Buffer {
    const brokers = this.#ports.map((port, index) => Buffer.concat([int32(index + 1), text('127.0.0.1'), int32(port), int16(-1)]));
    const partitions = this.isThere ? this.leaders.map((leader, partition) => Buffer.concat([int16(0), int32(partition), int32(leader), int32(0), int32(0), int32(0)])) : [];
    return Buffer.concat([int32(0), int32(brokers.length), ...brokers, text('fake'), int32(1), int32(1), int16(this.isThere ? 0 : 3), text('t'), Buffer.from([0]), int32(partitions.length), ...partitions]);
  }

  /** Replica, isolation, topics, name, partitions; then 12 bytes for each. */
  #bounds(request: Buffer): Buffer {
    const count = request.readInt32BE(12);
    const asked = Array.from({ length: count }, (_, i) => [request.readInt32BE(16 + 12 * i), request.readBigInt64BE(20 + 12 * i) === -2n ? this.start : this.lastStable ?? this.end]);
    return Buffer.concat([int32(0), int32(1), text('t'), int32(count), ...asked.flatMap(([partition, offset]) => [int32(partition!), int16(0), int64(-1), int64(offset!)])]);
  }

  /** Group, generation, member, retention, topics, name, partitions: then number, offset and metadata of each. Only the last offset is kept. */
  #commit(request: Buffer): Buffer {
    const tail = request.indexOf(Buffer.concat([text('t'), int32(1)]));
    this.committed.push(Number(request.readBigInt64BE(tail + 11)));
    return Buffer.concat([int32(0), int32(1), text('t'), int32(1), int32(0), int16(0)]);
  }

  /** Replica, wait, least, most, isolation, session, epoch, topics, name, partitions; then partition, leader's epoch, offset, start and size of each. */
  async #fetch(node: number, request: Buffer): Promise<Buffer> {
    const asked = Array.from({ length: request.readInt32BE(32) }, (_, i) => ({ partition: request.readInt32BE(36 + 28 * i), offset: Number(request.readBigInt64BE(44 + 28 * i)) }));
    const shares: WireShare[] = [];
    for (const { partition, offset } of asked) shares.push(await this.#share(partition, offset));
    if (shares.every(({ records }) => records!.length === 0)) await new Promise((resolve) => setTimeout(resolve, 10));
    this.#holding.add(node);
    await this.held.get(node);
    this.#holding.delete(node);
    return fetchAnswerBody(shares);
  }

  async #share(partition: number, offset: number): Promise<WireShare> {
    this.fetched.push(offset);
    const outside = offset < this.start || offset > Math.max(this.end, (this.records.at(-1)?.offset ?? -1) + 1);
    const error = this.fetchError !== 0 ? this.fetchError : outside ? 1 : 0;
    const limit = this.lastStable ?? this.end;
    const some = error === 0 ? this.records.filter((r) => r.offset >= offset && r.offset < limit) : [];
    const batches: WireRecord[][] = [];
    for (const record of some) {
      if (batches.at(-1)?.at(-1)?.offset === record.offset - 1) batches.at(-1)!.push(record);
      else batches.push([record]);
    }
    const bytes = Buffer.concat(await Promise.all(batches.map(async (records) => await recordBatch({ records }))));
    const bounds = error === 0 ? { highWatermark: this.end, lastStable: limit, logStart: this.start } : { highWatermark: -1, logStart: -1 };
    return { topic: 't', partition, error, ...bounds, records: bytes.length === 0 ? bytes : this.damage(bytes) };
  }
}
