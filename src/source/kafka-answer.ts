import { crc32c } from '@node-rs/crc32';
import { KafkaBatchBuilder } from './kafka-batch.ts';
import { unpackRecords } from './kafka-compression.ts';
import type { AbortedTransaction, FetchAnswer, FetchShare } from './kafka-fetch.ts';
import type { KafkaPartition } from './kafka-partitions.ts';
import { BatchHeader, RecordFault } from './kafka-record-batch.ts';
import { isSame, RecordReader } from './kafka-records.ts';
import { holeText, offsetsMissing, overtaken, overtakenText, recordChanged, unreadable } from './kafka-stops.ts';
import { recordDifference } from './position-check.ts';
import { partitionName } from './positions.ts';
import type { PartitionStop, SourceEvent } from './source.ts';

/** A share of an answer, and the partition that it belongs to. */
export interface ReadShare {
  readonly share: FetchShare;
  readonly state: KafkaPartition;
}

/**
 * Turns a broker's answer into batches. Positions move with the records, and past what is not delivered: control records, aborted transactions, offsets that compaction took.
 * What cannot be read stops its partition after the records before it.
 */
export class AnswerReader {
  readonly #builder: KafkaBatchBuilder;
  readonly #records = new RecordReader();
  readonly #header = new BatchHeader();

  readonly #acceptsHoles: boolean;

  /** `acceptsHoles`: offsets missing from a log that is not compacted, or taken by retention, are a gap that is told, not a stop. */
  constructor(recordsMax: number, acceptsHoles: boolean) {
    this.#builder = new KafkaBatchBuilder(recordsMax);
    this.#acceptsHoles = acceptsHoles;
  }

  /** Tells the positions of partitions that moved without a record: over a gap that was accepted. */
  *moved(states: readonly KafkaPartition[]): Generator<SourceEvent, void, void> {
    for (const state of states) {
      if (this.#builder.mustHandOver(null, 0)) yield* this.#handOver(null);
      this.#builder.touch(state);
    }
    yield* this.#handOver(null);
  }

  /** Batches, stops and warnings in reading order. A batch is valid until the next is asked for. */
  *read(answer: FetchAnswer, shares: readonly ReadShare[]): Generator<SourceEvent, void, void> {
    for (const { share, state } of shares) {
      if (state.stopped) continue;
      const stop = yield* this.#readShare(answer, share, state);
      if (stop === null) continue;
      state.stopped = true;
      yield* this.#handOver(null);
      yield { kind: 'stopped', stop };
    }
    yield* this.#handOver(null);
    // Only now the last record of each partition is known, and a doubtful one may be compared.
    for (const { state } of shares) state.waiting--;
  }

  *#readShare(answer: FetchAnswer, share: FetchShare, state: KafkaPartition): Generator<SourceEvent, PartitionStop | null, void> {
    const header = this.#header;
    const filter = new TransactionFilter(share.aborted);
    let end = -1;
    try {
      for (let at = share.start; header.read(answer.view, at, share.end); at = header.end) {
        if (header.baseOffset < end) throw new RecordFault('OFFSET_FELL', header.baseOffset, `a record batch at offset ${header.baseOffset} follows one that ends at ${end - 1}`);
        end = header.lastOffset + 1;
        const from = state.expected?.offset ?? state.next;
        if (header.baseOffset > from && state.expected !== null) yield* this.#gone(state);
        const isWanted = filter.wants(header, answer);
        if (header.lastOffset < from) continue;
        checkSum(header, answer.bytes);
        const hole = yield* this.#hole(share, state);
        if (hole !== null) return hole;
        if (isWanted) {
          const stop = yield* this.#readBatch(answer, state);
          if (stop !== null) return stop;
        } else if (state.expected !== null && header.baseOffset <= state.expected.offset) return recordChanged(state, state.expected, 'is none that may be delivered');
        this.#builder.touch(state);
        state.next = Math.max(state.next, end);
      }
      return null;
    } catch (error) {
      if (error instanceof RecordFault) return unreadable(state, error);
      throw error;
    }
  }

  /** Offsets that are missing before the batch, or inside it. Without compaction every offset is there: transactions are in the log as batches, and retention takes the head alone. */
  *#hole(share: FetchShare, state: KafkaPartition): Generator<SourceEvent, PartitionStop | null, void> {
    const { baseOffset, lastOffset, records } = this.#header;
    const isBefore = baseOffset > state.next;
    if (isBefore && share.logStart > state.next) {
      if (!this.#acceptsHoles) return overtaken(state, share.logStart);
      yield { kind: 'gap', gap: overtakenText(state, baseOffset) };
      return null;
    }
    const isInside = baseOffset >= state.next && records <= lastOffset - baseOffset;
    if (!isBefore && !isInside) return null;
    const hole = isBefore ? holeText(state, state.next, baseOffset - 1, true) : holeText(state, baseOffset, lastOffset, false);
    if (state.policy === 'delete' && !this.#acceptsHoles) return offsetsMissing(state, hole);
    if (state.hasHole) return null;
    state.hasHole = true;
    if (state.policy === 'delete') yield { kind: 'gap', gap: `${hole}, and perhaps more behind them` };
    else yield { kind: 'warned', warning: { code: 'OFFSETS_SKIPPED', message: `${hole}: ${state.policy === 'compact' ? 'the topic is compacted, so older versions of rows are gone' : 'whether the topic is compacted is not known (the broker does not tell its cleanup.policy), so they may be lost'}. Said once for the partition.` } };
    return null;
  }

  *#readBatch(answer: FetchAnswer, state: KafkaPartition): Generator<SourceEvent, PartitionStop | null, void> {
    const header = this.#header;
    const builder = this.#builder;
    if (header.codec === 0) {
      if (builder.mustHandOver(answer.bytes, 0)) yield* this.#handOver(null);
      builder.readFrom(answer.bytes);
      this.#records.begin(header, answer.bytes, header.recordsStart, header.end);
    } else {
      const unpacked = unpackRecords(header, answer.bytes);
      if (builder.mustHandOver(null, unpacked.length)) yield* this.#handOver(null);
      const start = builder.unpack(unpacked);
      this.#records.begin(header, builder.bytes, start, start + unpacked.length);
    }
    while (!this.#records.take(builder, state, state.expected)) {
      const { met } = this.#records;
      const { expected } = state;
      if (expected !== null && met !== null && !isSame(expected, met)) {
        if (met.offset === expected.offset) return recordChanged(state, expected, recordDifference(expected, met)!);
        yield* this.#gone(state);
      } else yield* this.#handOver(state);
    }
    if (this.#records.met !== null) state.expected = null;
    else if (state.expected !== null && header.lastOffset >= state.expected.offset) yield* this.#gone(state);
    return null;
  }

  /** Compaction or retention took the record before the position: it is not known whether the log is the same, and nothing says that it is not. */
  *#gone(state: KafkaPartition): Generator<SourceEvent, void, void> {
    yield { kind: 'warned', warning: { code: 'RECORD_UNVERIFIED', message: `The record of ${partitionName(state)} that was read last, at offset ${state.expected!.offset}, could not be compared after the connection was lost: retention or compaction took it.` } };
    state.expected = null;
  }

  /** `inside`: the partition of which more records of the same record batch follow. */
  *#handOver(inside: KafkaPartition | null): Generator<SourceEvent, void, void> {
    const builder = this.#builder;
    if (builder.isBegun) yield { kind: 'records', batch: builder.batch(inside) };
    builder.clear(inside !== null);
  }
}

/** kafkajs and other clients leave the checksum alone; here it is one pass at several gigabytes a second. */
function checkSum(header: BatchHeader, bytes: Uint8Array): void {
  if (crc32c(bytes.subarray(header.crcStart, header.end)) !== header.crc) throw new RecordFault('RECORDS_CORRUPT', header.baseOffset, `the record batch at offset ${header.baseOffset} does not have the checksum it was written with`);
}

/** Kafka's control record that ends an aborted transaction. */
const ABORT = 0;

/** Leaves out control records and the records of aborted transactions. Asked about every record batch of a share, in order. */
class TransactionFilter {
  readonly #aborted: AbortedTransaction[];
  readonly #producers = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  wants(header: BatchHeader, { view }: FetchAnswer): boolean {
    if (header.producerId < 0) return !header.isControl;
    while (this.#aborted.length > 0 && this.#aborted[0].firstOffset <= header.lastOffset) this.#producers.add(this.#aborted.shift()!.producerId);
    if (!header.isControl) return !header.isTransactional || !this.#producers.has(header.producerId);
    if (controlType(header, view) === ABORT) this.#producers.delete(header.producerId);
    return false;
  }
}

/** Type of the one record of a control batch: the second 16 bits of its key. -1 when it is none. */
function controlType(header: BatchHeader, view: DataView): number {
  // Length, attributes, time and offset, each one byte in a batch of one; the time may be longer.
  let at = header.recordsStart;
  for (let field = 0; field < 5; field++) {
    if (field === 1) {
      at++;
      continue;
    }
    while (at < header.end && view.getUint8(at) >= 0x80) at++;
    at++;
  }
  return at + 4 <= header.end ? view.getInt16(at + 2) : -1;
}
