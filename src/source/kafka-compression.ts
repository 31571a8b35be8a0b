import { createRequire } from 'node:module';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { unpackLz4 } from './kafka-lz4.ts';
import { RecordFault, type BatchHeader } from './kafka-record-batch.ts';

/** The package has no types of its own. */
const snappy = createRequire(import.meta.url)('snappyjs') as { uncompress(packed: Uint8Array, bytesMax: number): Uint8Array };

/** Largest size of the records of one record batch when unpacked. Brokers take batches of one megabyte unless told otherwise; a small batch may unpack to anything. */
export const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** The records of a compressed record batch, unpacked. Throws RecordFault: RECORDS_CORRUPT, RECORDS_TOO_LARGE, or RECORDS_UNSUPPORTED for an unknown codec. */
export function unpackRecords(header: BatchHeader, bytes: Uint8Array, bytesMax: number = UNPACKED_BYTES_MAX): Uint8Array {
  const { codec, baseOffset } = header;
  const packed = bytes.subarray(header.recordsStart, header.end);
  const tooLarge = (): RecordFault => new RecordFault('RECORDS_TOO_LARGE', baseOffset, `the record batch at offset ${baseOffset}, ${packed.length} bytes of ${CODECS[codec]}, unpacks to more than ${bytesMax} bytes`);
  try {
    switch (codec) {
      case 1: return gunzipSync(packed, { maxOutputLength: bytesMax });
      case 2: return unpackSnappy(packed, bytesMax, tooLarge);
      case 3: return unpackLz4(packed, bytesMax, tooLarge);
      case 4: return zstdDecompressSync(packed, { maxOutputLength: bytesMax });
    }
  } catch (error) {
    if (error instanceof RecordFault) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new RecordFault('RECORDS_CORRUPT', baseOffset, `the record batch at offset ${baseOffset} cannot be unpacked by ${CODECS[codec]}: ${message}`);
  }
  throw new RecordFault('RECORDS_UNSUPPORTED', baseOffset, `the record batch at offset ${baseOffset} is packed by the unknown codec ${codec}`);
}

/** How the framing of Java's snappy begins; it is followed by two versions of 4 bytes and by blocks with their lengths. Other clients send one block alone. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;

function unpackSnappy(packed: Uint8Array, bytesMax: number, tooLarge: () => RecordFault): Uint8Array {
  const isFramed = packed.length >= XERIAL_HEADER_BYTES && XERIAL_MAGIC.equals(packed.subarray(0, XERIAL_MAGIC.length));
  if (!isFramed) return unpackBlock(packed, bytesMax, tooLarge);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const blocks: Uint8Array[] = [];
  let left = bytesMax;
  for (let at = XERIAL_HEADER_BYTES; at < packed.length;) {
    const length = view.getInt32(at);
    at += 4;
    if (length < 0 || at + length > packed.length) throw new RangeError('a block goes beyond the end');
    const block = unpackBlock(packed.subarray(at, at + length), left, tooLarge);
    at += length;
    left -= block.length;
    blocks.push(block);
  }
  return blocks.length === 1 ? blocks[0] : Buffer.concat(blocks);
}

function unpackBlock(packed: Uint8Array, bytesMax: number, tooLarge: () => RecordFault): Uint8Array {
  if (unpackedLength(packed) > bytesMax) throw tooLarge();
  return snappy.uncompress(packed, bytesMax);
}

/** A block begins with the length it unpacks to; 0 when that cannot be read. */
function unpackedLength(packed: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5 && i < packed.length; i++) {
    length += (packed[i] & 0x7f) * 2 ** (7 * i);
    if (packed[i] < 0x80) return length;
  }
  return 0;
}
