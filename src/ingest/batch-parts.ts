import type { RecordBatch } from '../source/source.ts';

/** Bytes that a record takes beside its key and value, and a batch beside its records, about. */
const RECORD_BYTES = 64;
const BATCH_BYTES = 1024;

/** The records and positions of some partitions of a batch (by their numbers in it), in the same order. The bytes are the batch's own. */
export function partOf(batch: RecordBatch, wants: (partition: number) => boolean): RecordBatch {
  const numbers = batch.partitions.map((_, partition) => partition).filter(wants);
  const wanted = new Set(numbers);
  const records: number[] = [];
  for (let i = 0; i < batch.count; i++) if (wanted.has(batch.partitionOf[i])) records.push(i);
  return pick(batch, numbers, records);
}

/** For each of some partitions of a batch, by its number in it: its records and position, with memory of their own, of no more bytes than they have. */
export function copiesOf(batch: RecordBatch, wants: (partition: number) => boolean): ReadonlyMap<number, RecordBatch> {
  const recordsOf = new Map(batch.partitions.map((_, partition): [number, number[]] => [partition, []]).filter(([partition]) => wants(partition)));
  for (let i = 0; i < batch.count; i++) recordsOf.get(batch.partitionOf[i])?.push(i);
  return new Map([...recordsOf].map(([partition, records]) => [partition, withOwnMemory(pick(batch, [partition], records))]));
}

/** About how many bytes a copy of a batch takes. */
export function bytesHeld(batch: RecordBatch): number {
  return payloadBytes(batch) + RECORD_BYTES * batch.count + BATCH_BYTES;
}

/** Some records of a batch, all of these partitions, and the partitions' positions. */
function pick(batch: RecordBatch, partitions: readonly number[], records: readonly number[]): RecordBatch {
  const numberOf = new Map(partitions.map((partition, number) => [partition, number]));
  const { contentTypes } = batch;
  return {
    count: records.length, partitions: partitions.map((partition) => batch.partitions[partition]), bytes: batch.bytes,
    partitionOf: Uint16Array.from(records, (i) => numberOf.get(batch.partitionOf[i])!),
    offset: Float64Array.from(records, (i) => batch.offset[i]), time: Float64Array.from(records, (i) => batch.time[i]),
    keyStart: Int32Array.from(records, (i) => batch.keyStart[i]), keyEnd: Int32Array.from(records, (i) => batch.keyEnd[i]),
    valueStart: Int32Array.from(records, (i) => batch.valueStart[i]), valueEnd: Int32Array.from(records, (i) => batch.valueEnd[i]),
    ...(contentTypes === undefined ? {} : { contentTypes: { names: contentTypes.names, of: Uint16Array.from(records, (i) => contentTypes.of[i]) } }),
  };
}

/** Gives a part its own bytes, and of the names of content types those that it has: the source's list grows, and is begun anew. */
function withOwnMemory(part: RecordBatch): RecordBatch {
  const bytes = new Uint8Array(payloadBytes(part));
  let used = 0;
  for (let i = 0; i < part.count; i++) {
    for (const [start, end] of [[part.keyStart, part.keyEnd], [part.valueStart, part.valueEnd]]) {
      if (start[i] < 0) continue;
      bytes.set(part.bytes.subarray(start[i], end[i]), used);
      used += end[i] - start[i];
      [start[i], end[i]] = [used - (end[i] - start[i]), used];
    }
  }
  return { ...part, bytes, ...(part.contentTypes === undefined ? {} : { contentTypes: ownNames(part.contentTypes) }) };
}

function ownNames({ names, of }: NonNullable<RecordBatch['contentTypes']>): NonNullable<RecordBatch['contentTypes']> {
  const used = [...new Set(of)];
  const numberOf = new Map(used.map((name, number) => [name, number]));
  return { names: used.map((name) => names[name]), of: of.map((name) => numberOf.get(name)!) };
}

function payloadBytes({ count, keyStart, keyEnd, valueStart, valueEnd }: RecordBatch): number {
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += (keyStart[i] < 0 ? 0 : keyEnd[i] - keyStart[i]) + (valueStart[i] < 0 ? 0 : valueEnd[i] - valueStart[i]);
  return bytes;
}
