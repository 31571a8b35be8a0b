import { createServer, type Server, type Socket } from 'node:net';
import { fetchAnswerBody, int16, int32, int64, recordBatch, text, type WireRecord } from './kafka-wire.ts';

/**
 * A broker that does what a real one does only in bad moments: one topic `t` with one partition, whose records, bounds and errors a test sets. It speaks ApiVersions, Metadata, ListOffsets
 * and Fetch in the forms that kafkajs asks for.
 */
export class FakeKafka {
  records: WireRecord[] = [];
  start = 0;
  /** Error of the next fetches, answered at once; 0: none. */
  fetchError = 0;
  /** What ends the log for a fetch; null: its last record. */
  highWatermark: number | null = null;
  /** Bytes of the record batches as they go out; a test may damage them. */
  damage: (bytes: Buffer) => Buffer = (bytes) => bytes;
  /** Bytes written at a time, with a turn of the event loop between; 0: all at once. */
  dripBytes = 0;
  /** Offsets that were asked for. */
  readonly fetched: number[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async create(): Promise<FakeKafka> {
    const fake = new FakeKafka();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get end(): number {
    return this.highWatermark ?? (this.records.at(-1)?.offset ?? this.start - 1) + 1;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
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
        answering = answering.then(async () => await this.#answer(socket, request));
      }
    });
  }

  async #answer(socket: Socket, request: Buffer): Promise<void> {
    const body = await this.#body(request.readInt16BE(0), request.subarray(10 + request.readInt16BE(8)));
    const answer = Buffer.concat([int32(4 + body.length), request.subarray(4, 8), body]);
    if (this.dripBytes === 0) socket.write(answer);
    else {
      for (let at = 0; at < answer.length && !socket.destroyed; at += this.dripBytes) {
        socket.write(answer.subarray(at, at + this.dripBytes));
        await new Promise((resolve) => { setImmediate(resolve); });
      }
    }
  }

  async #body(api: number, request: Buffer): Promise<Buffer> {
    switch (api) {
      case 18: return Buffer.concat([int16(0), int32(4), ...[[1, 11], [2, 3], [3, 6], [18, 2]].flatMap(([key, newest]) => [int16(key), int16(0), int16(newest)]), int32(0)]);
      case 3: return Buffer.concat([int32(0), int32(1), int32(1), text('127.0.0.1'), int32(this.port), int16(-1), text('fake'), int32(1), int32(1), int16(0), text('t'), Buffer.from([0]), int32(1), int16(0), int32(0), int32(1), int32(0), int32(0), int32(0)]);
      case 2: return Buffer.concat([int32(0), int32(1), text('t'), int32(1), int32(0), int16(0), int64(-1), int64(request.readBigInt64BE(request.length - 8) === -2n ? this.start : this.end)]);
      case 1: return await this.#fetch(request);
      default: throw new Error(`request ${api} is not known here`);
    }
  }

  async #fetch(request: Buffer): Promise<Buffer> {
    // Replica, wait, least, most, isolation, session, epoch, topics, name, partitions, partition, leader's epoch: then the offset.
    const offset = Number(request.readBigInt64BE(25 + 4 + 3 + 4 + 4 + 4));
    this.fetched.push(offset);
    const outside = offset < this.start || offset > Math.max(this.end, (this.records.at(-1)?.offset ?? -1) + 1);
    const error = this.fetchError !== 0 ? this.fetchError : outside ? 1 : 0;
    const some = error === 0 ? this.records.filter((r) => r.offset >= offset && r.offset < this.end) : [];
    if (some.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const records = some.length === 0 ? Buffer.alloc(0) : this.damage(await recordBatch({ records: some }));
    return fetchAnswerBody([{ topic: 't', partition: 0, error, highWatermark: error === 0 ? this.end : -1, logStart: error === 0 ? this.start : -1, records }]);
  }
}
