import { hashRecord, partitionName, type PartitionBounds, type PartitionPosition } from '../../src/source/positions.ts';
import type { OpenedLog, OpenOptions, PartitionStop, RecordBatch, Source, SourceEvent, SourceWarning } from '../../src/source/source.ts';
import type { TestRecord } from './dump.ts';
import { inTime } from './until.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The records of a batch as objects, copied. */
export function recordsIn(batch: RecordBatch): TestRecord[] {
  const text = (start: number, end: number): string | null => (start < 0 ? null : decoder.decode(batch.bytes.subarray(start, end)));
  return Array.from({ length: batch.count }, (_, i) => {
    const { topic, partition } = batch.partitions[batch.partitionOf[i]];
    return {
      topic, partition, offset: batch.offset[i], time: Number.isNaN(batch.time[i]) ? null : batch.time[i],
      key: text(batch.keyStart[i], batch.keyEnd[i]), value: text(batch.valueStart[i], batch.valueEnd[i]),
    };
  });
}

/** Everything a source said so far, gathered by a reader that can be asked to go on until a condition holds. */
export class SourceReader {
  readonly source: Source;
  readonly records: TestRecord[] = [];
  readonly batchSizes: number[] = [];
  readonly stops: PartitionStop[] = [];
  readonly warnings: SourceWarning[] = [];
  /** Gaps told while reading. */
  readonly gaps: string[] = [];
  /** Topics that are waited for, as last told. */
  waiting: readonly string[] = [];
  /** Latest bounds, by partition name. */
  readonly bounds = new Map<string, PartitionBounds>();
  /** Position after what was read, by partition name. */
  readonly positions = new Map<string, PartitionPosition>();
  readonly abort = new AbortController();
  opened: OpenedLog | null = null;
  #events: AsyncIterator<SourceEvent> | null = null;

  constructor(source: Source) {
    this.source = source;
  }

  async open(options: Partial<OpenOptions> = {}): Promise<OpenedLog> {
    this.opened = await this.source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 100, ...options });
    this.#tell(this.opened.bounds);
    this.waiting = this.opened.waiting ?? [];
    for (const position of options.positions ?? []) this.positions.set(partitionName(position), position);
    return this.opened;
  }

  /** Reads on until the condition holds; true. False when the source ended before. Fails after a while, with what was read and said so far. */
  async until(condition: () => boolean, limitMs = 45_000): Promise<boolean> {
    return await inTime(async (late) => {
      while (!late.aborted && !condition()) if ((await this.step()) === null) return false;
      return true;
    }, limitMs, () => `${condition.toString()}\n${this.#soFar()}`);
  }

  /** Reads until every partition is at the end seen at start, or stopped. */
  async untilEndAtStart(): Promise<void> {
    const isStopped = (name: string): boolean => this.stops.some((stop) => partitionName(stop) === name);
    await this.until(() => this.opened!.bounds.every((b) => isStopped(partitionName(b)) || b.end <= (this.positions.get(partitionName(b))?.next ?? 0)));
  }

  async step(): Promise<SourceEvent | null> {
    this.#events ??= this.source.batches(this.abort.signal)[Symbol.asyncIterator]();
    const next = await this.#events.next();
    if (next.done === true) return null;
    switch (next.value.kind) {
      case 'records': this.#take(next.value.batch); break;
      case 'bounds':
        this.#tell(next.value.bounds);
        this.waiting = next.value.waiting ?? this.waiting;
        break;
      case 'stopped': this.stops.push(next.value.stop); break;
      case 'gap': this.gaps.push(next.value.gap); break;
      case 'warned': this.warnings.push(next.value.warning);
    }
    return next.value;
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  /** Positions as a checkpoint would hold them. */
  savedPositions(): PartitionPosition[] {
    return [...this.positions.values()];
  }

  #soFar(): string {
    const { records, warnings, stops, gaps, waiting } = this;
    const positions = [...this.bounds].map(([name, { start, end }]) => `${name} ${this.positions.get(name)?.next ?? 0} of ${start}-${end}`);
    return JSON.stringify({ records: records.length, positions, warnings, stops, gaps, waiting }, null, 1);
  }

  #tell(bounds: readonly PartitionBounds[]): void {
    for (const b of bounds) this.bounds.set(partitionName(b), b);
  }

  #take(batch: RecordBatch): void {
    const records = recordsIn(batch);
    this.records.push(...records);
    this.batchSizes.push(records.length);
    for (const { topic, partition, next, token } of batch.partitions) {
      const last = records.findLast((r) => r.topic === topic && r.partition === partition);
      const name = partitionName({ topic, partition });
      const before = this.positions.get(name) ?? { topic, partition, lastOffset: null, lastTime: null, lastHash: null, deleteKeyHash: null };
      const applied = last === undefined ? {} : { lastOffset: last.offset, lastTime: last.time, lastHash: hashOf(last) };
      this.positions.set(name, { ...before, next, token, ...applied });
    }
  }
}

/** The position right after a record. */
export function positionAfter(record: TestRecord): PartitionPosition {
  const { topic, partition, offset, time } = record;
  return { topic, partition, next: offset + 1, token: null, lastOffset: offset, lastTime: time, lastHash: hashOf(record), deleteKeyHash: null };
}

function hashOf({ key, value }: TestRecord): string {
  return hashRecord(key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value));
}

/** Records of one partition, in the order read. */
export function ofPartition(records: readonly TestRecord[], topic: string, partition: number): TestRecord[] {
  return records.filter((r) => r.topic === topic && r.partition === partition);
}
