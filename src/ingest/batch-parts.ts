import type { RecordBatch } from '../source/source.ts';

/** Bytes that a record takes beside its key and value, about. */
const RECORD_BYTES = 64;

/** The records and positions of some partitions of a batch (by their numbers in it), in the same order. The bytes are the batch's own. */
export function partOf(batch: RecordBatch, wants: (partition: number) => boolean): RecordBatch {
  const numbers = batch.partitions.map((_, partition) => partition).filter(wants);
  const numberOf = new Map(numbers.map((partition, number) => [partition, number]));
  const records: number[] = [];
  for (let i = 0; i < batch.count; i++) if (numberOf.has(batch.partitionOf[i])) records.push(i);
  const { contentTypes } = batch;
  return {
    count: records.length, partitions: numbers.map((partition) => batch.partitions[partition]), bytes: batch.bytes,
    partitionOf: Uint16Array.from(records, (i) => numberOf.get(batch.partitionOf[i])!),
    offset: Float64Array.from(records, (i) => batch.offset[i]), time: Float64Array.from(records, (i) => batch.time[i]),
    keyStart: Int32Array.from(records, (i) => batch.keyStart[i]), keyEnd: Int32Array.from(records, (i) => batch.keyEnd[i]),
    valueStart: Int32Array.from(records, (i) => batch.valueStart[i]), valueEnd: Int32Array.from(records, (i) => batch.valueEnd[i]),
    ...(contentTypes === undefined ? {} : { contentTypes: { names: contentTypes.names, of: Uint16Array.from(records, (i) => contentTypes.of[i]) } }),
  };
}

/** A batch with memory of its own, of no more bytes than its records have. */
export function copyOf(batch: RecordBatch): RecordBatch {
  const bytes = new Uint8Array(payloadBytes(batch));
  let used = 0;
  const moved = (start: number, end: number): number => {
    if (start < 0) return start;
    bytes.set(batch.bytes.subarray(start, end), used);
    used += end - start;
    return used - (end - start);
  };
  const part = partOf(batch, () => true);
  for (let i = 0; i < part.count; i++) {
    for (const [start, end] of [[part.keyStart, part.keyEnd], [part.valueStart, part.valueEnd]]) {
      const length = end[i] - start[i];
      start[i] = moved(start[i], end[i]);
      end[i] = start[i] + length;
    }
  }
  return { ...part, bytes };
}

/** About how many bytes a copy of a batch takes. */
export function bytesHeld(batch: RecordBatch): number {
  return payloadBytes(batch) + RECORD_BYTES * (batch.count + batch.partitions.length + 1);
}

function payloadBytes({ count, keyStart, keyEnd, valueStart, valueEnd }: RecordBatch): number {
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += (keyStart[i] < 0 ? 0 : keyEnd[i] - keyStart[i]) + (valueStart[i] < 0 ? 0 : valueEnd[i] - valueStart[i]);
  return bytes;
}
