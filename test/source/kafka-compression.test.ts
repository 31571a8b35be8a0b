/**
 * Goal: record batches packed by gzip, snappy, lz4 and zstd are read, whoever packed them; what unpacks to too much, or is damaged, stops the partition.
 * Method: real batches of the Java producer and of kafkajs through the run's broker; frames made by hand for the forms that no client here writes.
 */
import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackRecords } from '../../src/source/kafka-compression.ts';
import { unpackLz4 } from '../../src/source/kafka-lz4.ts';
import { BatchHeader, RecordFault } from '../../src/source/kafka-record-batch.ts';
import { recordsOf } from '../support/dump.ts';
import { KafkaTopics } from '../support/kafka-log.ts';
import { propertyParameters } from '../support/property-runs.ts';
import { SourceReader } from '../support/read-source.ts';
import { kafkaService } from '../support/services/services.ts';

const snappy = createRequire(import.meta.url)('snappyjs') as { compress(bytes: Uint8Array): Uint8Array };
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const kafka = await kafkaService();

/** Unpacks bytes as the records of a batch at offset 7. */
function unpack(codec: number, packed: Uint8Array, bytesMax?: number): Uint8Array {
  const header = new BatchHeader();
  header.codec = codec;
  header.baseOffset = 7;
  header.end = packed.length;
  return unpackRecords(header, packed, bytesMax);
}

function fault(act: () => unknown): RecordFault {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(RecordFault);
    return error as RecordFault;
  }
  throw new Error('nothing was thrown');
}

function int32le(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** An LZ4 frame of blocks as they are; `flags` beside the version. */
function lz4Frame(blocks: readonly Buffer[], flags = 0): Buffer {
  const size = (flags & 8) !== 0 ? Buffer.alloc(8) : Buffer.alloc(0);
  const checked = (flags & 16) !== 0 ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([int32le(0x184d2204), Buffer.from([0x40 | flags, 0x40]), size, Buffer.from([0]), ...blocks.flatMap((block) => [block, checked]), int32le(0), (flags & 4) !== 0 ? Buffer.alloc(4) : Buffer.alloc(0)]);
}

function stored(bytes: Uint8Array): Buffer {
  return Buffer.concat([int32le(bytes.length | 0x80000000), bytes]);
}

function packed(block: readonly number[]): Buffer {
  return Buffer.concat([int32le(block.length), Buffer.from(block)]);
}

describe.skipIf(kafka === null)('batches of real producers', () => {
  let topics: KafkaTopics;
  beforeAll(async () => {
    topics = await KafkaTopics.create(kafka!.brokers);
  });
  afterAll(async () => await topics.dispose());

  async function readTopic(topic: string, count: number): Promise<SourceReader> {
    const reader = new SourceReader(topics.source({ topics: [topic] }));
    await reader.open({ recordsMax: 1000 });
    await reader.until(() => reader.records.length >= count);
    await reader.close();
    return reader;
  }

  for (const codec of CODECS) {
    it(`Java with ${codec}`, async () => {
      await topics.createTopic(`java-${codec}`, 1);
      const lines = Array.from({ length: 4_000 }, (_, i) => `{"id":${i},"text":"${'ünïcode '.repeat(i % 30)}","n":${(i * 7919) % 1000}}`);
      await kafka!.tool('kafka-console-producer', ['--bootstrap-server', kafka!.brokers[0], '--topic', topics.named(`java-${codec}`), '--compression-codec', codec, '--batch-size', '200000', '--timeout', '200'], `${lines.join('\n')}\n`);
      const reader = await readTopic(`java-${codec}`, lines.length);
      expect(reader.records.map((r) => r.value)).toEqual(lines);
      expect(reader.stops).toEqual([]);
    });
  }

  it('kafkajs with gzip, snappy and zstd, mixed with bare ones in one partition', async () => {
    CompressionCodecs[CompressionTypes.Snappy] = () => ({ compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(snappy.compress(new Uint8Array(buffer))), decompress: async (b: Buffer) => b });
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer), decompress: async (b: Buffer) => b });
    const expected = recordsOf('mixed', 0, 0, 700);
    for (const [i, codec] of [0, CompressionTypes.GZIP, 0, CompressionTypes.Snappy, CompressionTypes.ZSTD, CompressionTypes.GZIP, 0].entries()) await topics.append(expected.slice(100 * i, 100 * i + 100), codec);
    expect((await readTopic('mixed', 700)).records).toEqual(expected);
  });
});

describe('unpacking', () => {
  const text = Buffer.from('a record, a record, a record and another one. '.repeat(200));

  it('reads snappy with and without the framing of Java', () => {
    const block = Buffer.from(snappy.compress(text));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    const framed = Buffer.concat([Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]), length, block, length, block]);
    expect(Buffer.from(unpack(2, block)).equals(text)).toBe(true);
    expect(Buffer.from(unpack(2, framed)).equals(Buffer.concat([text, text]))).toBe(true);
    expect(fault(() => unpack(2, framed.subarray(0, framed.length - 1)))).toMatchObject({ code: 'RECORDS_CORRUPT', offset: 7 });
  });

  it('reads lz4 frames with stored and packed blocks, sizes, checksums and matches in earlier blocks, one after the other', () => {
    const tooLarge = (): Error => new Error('too large');
    // 4 literals and a match of 8 bytes 4 back; then 1 literal; in the next block a match of 4 bytes 13 back and no literals but the last 2.
    const first = packed([0x44, 97, 98, 99, 100, 4, 0, 0x10, 101]);
    const second = packed([0x00, 13, 0, 0x20, 102, 103]);
    const text1 = 'abcdabcdabcdeabcdfg';
    for (const flags of [0, 4, 8, 16, 28]) {
      const frame = lz4Frame([first, second, stored(Buffer.from('xyz'))], flags);
      expect(Buffer.from(unpackLz4(frame, 1000, tooLarge)).toString()).toBe(`${text1}xyz`);
    }
    const skippable = Buffer.concat([int32le(0x184d2a53), int32le(3), Buffer.from('abc')]);
    expect(Buffer.from(unpackLz4(Buffer.concat([lz4Frame([first]), skippable, lz4Frame([stored(Buffer.from('!'))])]), 1000, tooLarge)).toString()).toBe('abcdabcdabcde!');
    // A match that overlaps itself, longer than any short cut.
    expect(Buffer.from(unpackLz4(lz4Frame([packed([0x1f, 122, 1, 0, 255, 40])]), 1000, tooLarge)).toString()).toBe('z'.repeat(1 + 15 + 4 + 255 + 40));
  });

  it('of more than it may be stops before the memory is taken', () => {
    const zeros = Buffer.alloc(2_000_000);
    const bombs = [[1, gzipSync(zeros)], [2, Buffer.from(snappy.compress(zeros))], [3, lz4Frame([packed([0x1f, 0, 1, 0, ...Array<number>(7_900).fill(255), 0])])], [4, zstdCompressSync(zeros)]] as const;
    for (const [codec, bomb] of bombs) {
      expect(fault(() => unpack(codec, bomb, 1_000_000))).toMatchObject({ code: 'RECORDS_TOO_LARGE', offset: 7, message: expect.stringMatching(/1000000 bytes/) as string });
      expect(unpack(codec, bomb, 3_000_000).length).toBeGreaterThan(1_999_000);
    }
  });

  it('of damaged bytes ends in a fault or in bytes, whatever they are', () => {
    const sound = [gzipSync(text), Buffer.from(snappy.compress(text)), lz4Frame([packed([0x44, 97, 98, 99, 100, 4, 0, 0x10, 101]), stored(Buffer.from('xyz'))], 16), zstdCompressSync(text)];
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), fc.nat(), (codec, hits, cut) => {
      const damaged = Buffer.from(sound[codec - 1].subarray(0, sound[codec - 1].length - (cut % 4 === 0 ? cut % 20 : 0)));
      for (const [at, byte] of hits) damaged[at % damaged.length] = byte;
      try {
        expect(unpack(codec, damaged, 1_000_000).length).toBeLessThanOrEqual(1_000_000);
      } catch (error) {
        expect(error).toBeInstanceOf(RecordFault);
      }
    }), propertyParameters(800));
  });
});
