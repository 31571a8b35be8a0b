import type { Decoder } from '../../src/change/decoder.ts';
import { ENTRY_DEAD_LETTER, ENTRY_PASSED_OVER, NO_DAY, NO_STRING, POSITION_WORDS, TABLE_NONE, type BatchPartition, type ChangeBatch } from '../../src/change/change.ts';
import { RentfoldError, type Code } from '../../src/errors.ts';
import { hashRecord } from '../../src/source/positions.ts';
import type { OpenedLog, OpenOptions, RecordBatch, Source, SourceEvent } from '../../src/source/source.ts';

/** What a scripted source does, as plain data that a worker can be given. */
export interface Script {
  readonly kind: 'scripted';
  /** Fails to open with this code; `null` stands for an error without one. */
  readonly openError?: Code | null;
  /** Fails to take commits with this code. */
  readonly commitError?: Code;
  readonly batches: number;
  readonly recordsPerBatch: number;
  /** This batch's first record makes the passing decoder stop. */
  readonly haltAtBatch?: number;
  /** What comes after the batches. */
  readonly then: 'wait' | 'stop-and-wait' | 'bounds-and-wait' | 'warn-and-wait' | 'throw-coded' | 'throw-plain' | 'exit' | 'crash';
  /** Three counters shared by both threads: batches pulled, batches given back, most ever outstanding. */
  readonly shared: Int32Array;
}

export const PULLED = 0;
export const GIVEN_BACK = 1;
export const OUTSTANDING_MAX = 2;

/** A source that does what the script says. */
export function createScriptedSource(script: Script): Source {
  let closed: () => void = () => undefined;
  const closing = new Promise<void>((resolve) => {
    closed = resolve;
  });
  return {
    open: async (options: OpenOptions): Promise<OpenedLog> => {
      if (script.openError !== undefined) throw script.openError === null ? new TypeError('a plain error') : new RentfoldError(script.openError, 'the message of open');
      return { bounds: [{ topic: 't', partition: 0, start: 0, end: script.batches * script.recordsPerBatch }], gaps: [`accept ${options.acceptIncompleteHistory}`], notes: [`max ${options.recordsMax}`], identity: `scripted:${options.positions.length}` };
    },
    async *batches(signal: AbortSignal): AsyncGenerator<SourceEvent> {
      for (let n = 0; n < script.batches; n++) {
        const outstanding = Atomics.add(script.shared, PULLED, 1) + 1 - Atomics.load(script.shared, GIVEN_BACK);
        if (outstanding > Atomics.load(script.shared, OUTSTANDING_MAX)) Atomics.store(script.shared, OUTSTANDING_MAX, outstanding);
        yield { kind: 'records', batch: batchNumber(n, script.recordsPerBatch, n === script.haltAtBatch) };
      }
      if (script.then === 'stop-and-wait') yield { kind: 'stopped', stop: { topic: 't', partition: 0, code: 'OFFSET_FELL', message: 'where and what', offset: 7 } };
      if (script.then === 'bounds-and-wait') yield { kind: 'bounds', bounds: [{ topic: 't', partition: 0, start: 0, end: 99 }], waiting: ['later'] };
      if (script.then === 'warn-and-wait') yield { kind: 'warned', warning: { code: 'SOURCE_RETRYING', message: 'who and why' } };
      if (script.then === 'throw-coded') throw new RentfoldError('SOURCE_UNAVAILABLE', 'the message of reading');
      if (script.then === 'throw-plain') throw new TypeError('a plain error');
      if (script.then === 'exit') process.exit(3);
      if (script.then === 'crash') queueMicrotask(() => {
        throw new Error('nobody catches this');
      });
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      if (!signal.aborted) await Promise.race([aborted, closing]);
    },
    commit: async () => {
      if (script.commitError !== undefined) throw new RentfoldError(script.commitError, 'the message of commit');
    },
    close: async () => closed(),
  };
}

/** A batch of one partition whose values say where they stand; every seventh record is `dead`. */
function batchNumber(n: number, count: number, halts: boolean): RecordBatch {
  const bytes = Buffer.alloc(count * 16);
  const fill = (next: (i: number) => number): Int32Array => Int32Array.from({ length: count }, (_, i) => next(i));
  for (let i = 0; i < count; i++) bytes.write((n * count + i) % 7 === 6 ? 'dead' : `v${n * count + i}`.padEnd(16), i * 16);
  if (halts) bytes.write('halt'.padEnd(16), 0);
  const lengthOf = (i: number): number => ((n * count + i) % 7 === 6 ? 4 : 16);
  return {
    count, partitions: [{ topic: 't', partition: 0, next: (n + 1) * count, token: null }], partitionOf: new Uint16Array(count),
    offset: Float64Array.from({ length: count }, (_, i) => n * count + i), time: new Float64Array(count).fill(NaN), bytes,
    keyStart: fill(() => -1), keyEnd: fill(() => -1), valueStart: fill((i) => i * 16), valueEnd: fill((i) => i * 16 + lengthOf(i)),
  };
}

/** A decoder that understands nothing: every record is passed over, but one whose value is `dead` is a dead letter, and `halt` at the head of a batch is a stop. */
export function createPassingDecoder(): Decoder {
  return { decode, schemas: { missing: () => [], learn: () => undefined, forget: () => undefined, trim: () => undefined } };
}

function decode(batch: RecordBatch): ChangeBatch {
  const { count } = batch;
  const key = (i: number): Uint8Array | null => (batch.keyStart[i] < 0 ? null : batch.bytes.subarray(batch.keyStart[i], batch.keyEnd[i]));
  const value = (i: number): Uint8Array | null => (batch.valueStart[i] < 0 ? null : batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]));
  const kind = new Uint8Array(count).fill(ENTRY_PASSED_OVER);
  const letters: ChangeBatch['letters'][number][] = [];
  const last: number[] = [];
  for (let i = 0; i < count; i++) {
    last[batch.partitionOf[i]] = i;
    if (String(value(i) === null ? null : Buffer.from(value(i)!)) !== 'dead') continue;
    kind[i] = ENTRY_DEAD_LETTER;
    const { topic, partition } = batch.partitions[batch.partitionOf[i]];
    letters.push({ entry: i, letter: { topic, partition, offset: batch.offset[i], time: null, code: 'JSON_INVALID', message: 'dead', table: null, key: null, property: null, keyBytes: key(i), valueBytes: value(i) } });
  }
  const partitions = batch.partitions.map((p, index): BatchPartition => {
    const i = last[index];
    return { ...p, lastOffset: batch.offset[i], lastTime: Number.isNaN(batch.time[i]) ? null : batch.time[i], lastHash: hashRecord(key(i), value(i)), deleteKeyHash: null };
  });
  return {
    records: count, count, partitions, partitionOf: batch.partitionOf.slice(0, count), offset: batch.offset.slice(0, count), kind, detail: new Uint8Array(count), table: new Uint8Array(count).fill(TABLE_NONE),
    flags: new Uint8Array(count), present: new Uint8Array(count), keyKind: new Uint8Array(count), key: new Uint32Array(4 * count), propertyKind: new Uint8Array(count), property: new Uint32Array(4 * count),
    unitKind: new Uint8Array(count), unit: new Uint32Array(4 * count), day: new Int32Array(count).fill(NO_DAY), amount: new Float64Array(count).fill(NaN), amount2: new Float64Array(count).fill(NaN),
    expenseType: new Uint16Array(count).fill(NO_STRING), position: new Uint32Array(POSITION_WORDS * count), commitTime: new Float64Array(count).fill(NaN), strings: [], letters, seenTables: null,
    stop: String(Buffer.from(value(0) ?? [])).startsWith('halt') ? { topic: 't', partition: 0, offset: batch.offset[0], code: 'TABLE_AMBIGUOUS', message: 'which and where' } : null,
  };
}
