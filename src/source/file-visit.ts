import { open } from 'node:fs/promises';
import { hashRecord } from './positions.ts';
import type { OpenOptions, PartitionStop, SourceEvent } from './source.ts';
import { RecordBatchBuilder } from './file-batch.ts';
import { JsonFault } from './file-json.ts';
import { FileLine } from './file-line.ts';
import { stopFile, type FileState, type PartitionState, type FilePartitions } from './file-partitions.ts';
import type { LineReader } from './file-reader.ts';
import { beginningMissing } from './stops.ts';
import { beginsTooLate, fileReplaced, fileUnreadable, inTwoFiles, lineInvalid, offsetFell } from './file-stops.ts';

/** Why gathering lines paused. */
type Pause = 'chunk-done' | 'batch-full' | 'stopped';

/** Reads what is new in a file, from its position on, as batches, gaps and stops in reading order. */
export class FileVisitor {
  /** True once an end moved; whoever tells others sets it back. */
  endsMoved = false;
  readonly #table: FilePartitions;
  readonly #reader: LineReader;
  readonly #acceptsGaps: boolean;
  readonly #isEnded: () => boolean;
  readonly #builder: RecordBatchBuilder;
  readonly #line = new FileLine();
  /** The reader's current line is still to be taken: the batch was full. */
  #isLineHeld = false;
  /** What gathering ran into: the stop of one partition, or those of the whole file. */
  #stop: PartitionStop | null = null;
  #faults: readonly PartitionStop[] | null = null;
  /** Gaps before records that are gathered: told before they are. */
  readonly #gaps: string[] = [];

  constructor(table: FilePartitions, reader: LineReader, { recordsMax, acceptIncompleteHistory }: Pick<OpenOptions, 'recordsMax' | 'acceptIncompleteHistory'>, isEnded: () => boolean) {
    this.#table = table;
    this.#reader = reader;
    this.#acceptsGaps = acceptIncompleteHistory;
    this.#isEnded = isEnded;
    this.#builder = new RecordBatchBuilder(recordsMax);
  }

  /** The whole lines up to byte `to`. Ends early when the source is closed or the file stops. */
  async *visit(file: FileState, to: number): AsyncGenerator<SourceEvent, void, void> {
    const handle = await open(file.path);
    try {
      this.#builder.clear();
      this.#isLineHeld = false;
      this.#faults = null;
      const isVisitedBefore = file.lastLineStart >= 0;
      this.#reader.begin(handle, isVisitedBefore ? file.lastLineStart : file.position, to);
      if (isVisitedBefore && !(await this.#meetsLastLine(file))) {
        yield* stopFile(file, fileReplaced(file));
        return;
      }
      for (;;) {
        const pause = this.#gather(file);
        if (pause === 'chunk-done' && !this.#isEnded() && (await this.#fill(file))) continue;
        yield* this.#deliver();
        if (this.#stop !== null) yield { kind: 'stopped', stop: this.#stop };
        if (this.#faults !== null) yield* stopFile(file, this.#faults);
        this.#stop = null;
        if (pause === 'chunk-done' || file.stopped || this.#isEnded()) return;
      }
    } finally {
      await this.#reader.release();
      await handle.close();
    }
  }

  *#deliver(): Generator<SourceEvent, void, void> {
    for (const gap of this.#gaps.splice(0)) yield { kind: 'gap', gap };
    if (this.#builder.count === 0) return;
    yield { kind: 'records', batch: this.#builder.batch() };
    this.#builder.clear();
  }

  /** The next chunk; false at the end. What was gathered before a failure is still delivered. */
  async #fill(file: FileState): Promise<boolean> {
    this.#rememberLastLine(file);
    try {
      return await this.#reader.fill();
    } catch (error) {
      this.#faults = error instanceof RangeError ? lineInvalid(file, file.lines + 1, null, error.message) : fileUnreadable(file, error);
      return false;
    }
  }

  /** Takes lines until the chunk ends, the batch is full or something stops. No promise is made for a line. */
  #gather(file: FileState): Pause {
    const reader = this.#reader;
    try {
      while (this.#isLineHeld || reader.next()) {
        this.#isLineHeld = !this.#builder.makeRoom(reader.end - reader.start);
        if (this.#isLineHeld) return 'batch-full';
        const stop = this.#take(file);
        file.position = reader.nextStart;
        file.lines++;
        if (stop !== null) {
          this.#stop = stop;
          return 'stopped';
        }
      }
      return 'chunk-done';
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      this.#faults = lineInvalid(file, file.lines + 1, error.column, error.message);
      return 'stopped';
    }
  }

  /** Takes the reader's current line: into the batch, past it when it was applied before, or as the reason for a stop. */
  #take(file: FileState): PartitionStop | null {
    const line = this.#line;
    const { bytes, start, end } = this.#reader;
    if (file.position < file.appliedEnd) {
      line.parsePlace(bytes, start, end);
      const state = this.#table.of(line, file);
      if (state.file === file && line.offset > state.last && line.offset < state.next) {
        state.last = line.offset;
        return null;
      }
    }
    line.parse(bytes, start, end, this.#builder.pool, this.#builder.used);
    const state = this.#table.of(line, file);
    const { offset } = line;
    if (state.stopped) return null;
    if (state.file !== file) return stopped(state, inTwoFiles(state, file, offset));
    if (offset <= state.last) return stopped(state, offsetFell(state, file.lines + 1, offset, state.last));
    state.last = offset;
    if (state.start < 0) {
      state.start = offset;
      if (offset > 0) {
        const missing = beginsTooLate(state, offset);
        if (!this.#acceptsGaps) return stopped(state, beginningMissing(state, offset, missing));
        this.#gaps.push(missing);
      }
    }
    state.next = offset + 1;
    if (state.end < state.next) {
      state.end = state.next;
      this.endsMoved = true;
    }
    this.#builder.add(line, state);
    return null;
  }

  /** Before the bytes of a chunk go: a hash of its last line, to know the file again by. */
  #rememberLastLine(file: FileState): void {
    const { bytes, start, end, nextStart, lineStart } = this.#reader;
    if (end === 0 || nextStart !== file.position || lineStart === file.lastLineStart) return;
    file.lastLineStart = lineStart;
    file.lastLineHash = hashRecord(bytes.subarray(start, end), null);
  }

  /** Reads the last line of the visit before again; false when it is another one now. */
  async #meetsLastLine(file: FileState): Promise<boolean> {
    const reader = this.#reader;
    while (!reader.next()) if (!(await reader.fill())) return false;
    return reader.nextStart === file.position && hashRecord(reader.bytes.subarray(reader.start, reader.end), null) === file.lastLineHash;
  }
}

function stopped(state: PartitionState, stop: PartitionStop): PartitionStop {
  state.stopped = true;
  return stop;
}
