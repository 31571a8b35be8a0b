import { createRequire } from 'node:module';
import { crc32c } from '@node-rs/crc32';
import type { FetchShare } from '../../src/source/kafka-fetch.ts';

/** Bytes as a broker sends them, made by the encoders of kafkajs where it has any. */

const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as { RecordBatch(options: object): Promise<{ buffer: Buffer }> };
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (options: object) => object;
const Long = require('kafkajs/src/utils/long.js') as { fromValue(value: number | string): unknown };

/** A record to be put into a batch. */
export interface WireRecord {
  readonly offset: number;
  readonly time: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Record<string, Buffer | Buffer[]>;
}

/** What a batch says of itself. */
export interface WireBatch {
  readonly records: readonly WireRecord[];
  readonly baseOffset?: number;
  /** 0 none, 1 gzip; others need a codec registered with kafkajs. */
  readonly codec?: number;
  readonly lastOffset?: number;
  readonly producerId?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly isLogAppendTime?: boolean;
  readonly maxTime?: number;
}

/** One record batch in format 2. */
export async function recordBatch({ records, baseOffset = records[0]?.offset ?? 0, codec = 0, ...batch }: WireBatch): Promise<Buffer> {
  const firstTime = records[0]?.time ?? 0;
  const encoded = records.map(({ offset, time, key, value, headers = {} }) => encodeRecord({ offsetDelta: offset - baseOffset, timestampDelta: time - firstTime, key, value, headers }));
  const made = await RecordBatch({
    compression: codec, firstOffset: Long.fromValue(baseOffset), firstTimestamp: firstTime, maxTimestamp: batch.maxTime ?? Math.max(firstTime, ...records.map((r) => r.time)),
    lastOffsetDelta: (batch.lastOffset ?? records.at(-1)?.offset ?? baseOffset) - baseOffset, transactional: batch.isTransactional ?? false, producerId: Long.fromValue(batch.producerId ?? -1), records: encoded,
  });
  const bytes = Buffer.from(made.buffer);
  bytes.writeInt16BE(bytes.readInt16BE(21) | (batch.isControl === true ? 32 : 0) | (batch.isLogAppendTime === true ? 8 : 0), 21);
  return sealed(bytes);
}

/** The batch with the checksum of what it holds now. */
export function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** A batch of one control record: the end of a transaction. */
export async function controlBatch(offset: number, producerId: number, type: 'abort' | 'commit'): Promise<Buffer> {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  return await recordBatch({ records: [{ offset, time: 1, key, value: Buffer.from([0, 0, 0, 0, 0, 0]) }], producerId, isTransactional: true, isControl: true });
}

/** A share of a fetch answer, before it is one. */
export type WireShare = Partial<Pick<FetchShare, 'error' | 'highWatermark' | 'lastStable' | 'logStart' | 'aborted'>> & { readonly topic: string; readonly partition: number; readonly records?: Buffer };

/** The body of an answer to a fetch in form 11. */
export function fetchAnswerBody(shares: readonly WireShare[]): Buffer {
  const topics = [...Map.groupBy(shares, ({ topic }) => topic)];
  return Buffer.concat([int32(0), int16(0), int32(0), int32(topics.length), ...topics.flatMap(([topic, of]) => [text(topic), int32(of.length), ...of.map(shareBody)])]);
}

function shareBody({ partition, error = 0, highWatermark = 1e6, lastStable = highWatermark, logStart = 0, aborted = [], records = Buffer.alloc(0) }: WireShare): Buffer {
  const transactions = aborted.map(({ producerId, firstOffset }) => Buffer.concat([int64(producerId), int64(firstOffset)]));
  return Buffer.concat([int32(partition), int16(error), int64(highWatermark), int64(lastStable), int64(logStart), int32(aborted.length), ...transactions, int32(-1), int32(records.length), records]);
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}
