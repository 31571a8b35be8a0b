import { open } from 'node:fs/promises';
import { hashRecord } from './positions.ts';
import { JsonFault } from './file-json.ts';
import { FileLine } from './file-line.ts';
import type { LineReader } from './file-reader.ts';
import type { FileState, PartitionState, FilePartitions } from './file-partitions.ts';

/**
 * Goes through whole files once, before reading: which partitions are there, with which offsets, and where reading begins. Only the place of
 * each line (topic, partition, offset) is read, so that large dumps pass at the speed of the disk.
 */
export class FileScanner {
  readonly #table: FilePartitions;
  readonly #reader: LineReader;
  readonly #isEnded: () => boolean;
  readonly #line = new FileLine();

  /** `isEnded` cuts a scan short when the source is closed. */
  constructor(table: FilePartitions, reader: LineReader, isEnded: () => boolean) {
    this.#table = table;
    this.#reader = reader;
    this.#isEnded = isEnded;
  }

  /**
   * Scans the whole lines of the first `bytes` bytes. Afterwards the file's position is the first line that has to be read, and bounds and last
   * offsets of its partitions are set. A line that has no place ends the scan; reading will come to it and say so.
   */
  async scan(file: FileState, bytes: number): Promise<void> {
    let begun = false;
    let lines = 0;
    const begin = (position: number): void => {
      begun = true;
      file.position = position;
      file.lines = lines;
      for (const state of file.partitions) state.last = state.found.scanned;
    };
    const end = await this.#eachLine(file, 0, bytes, () => {
      const state = this.#placeOf(file);
      const { offset } = this.#line;
      if (state.file !== file) state.found.second ??= file;
      else if (offset <= state.found.scanned) {
        if (!begun) state.found.fall ??= { line: lines + 1, offset, before: state.found.scanned };
      } else {
        if (offset < state.next) this.#passApplied(file, state);
        else if (!begun) begin(this.#reader.lineStart);
        if (state.start < 0) state.start = offset;
        state.end = offset + 1;
        state.found.scanned = offset;
      }
      lines++;
    });
    file.scannedEnd = end;
    if (!begun) begin(end);
  }

  /** Learns the ends of what was appended between two places of a file, before it is read. */
  async scanEnds(file: FileState, from: number, to: number): Promise<void> {
    file.scannedEnd = await this.#eachLine(file, from, to, () => {
      const state = this.#placeOf(file);
      if (state.file === file && this.#line.offset >= state.end) state.end = this.#line.offset + 1;
    });
  }

  /** Calls `visit` for each whole line; returns where the first line begins that was not visited. */
  async #eachLine(file: FileState, from: number, to: number, visit: () => void): Promise<number> {
    const reader = this.#reader;
    const handle = await open(file.path);
    let end = from;
    try {
      reader.begin(handle, from, to);
      do {
        while (reader.next()) {
          visit();
          end = reader.nextStart;
        }
      } while (!this.#isEnded() && (await reader.fill()));
    } catch (error) {
      if (!(error instanceof JsonFault) && !(error instanceof RangeError)) throw error;
    } finally {
      await reader.release();
      await handle.close();
    }
    return end;
  }

  #passApplied(file: FileState, state: PartitionState): void {
    file.appliedEnd = this.#reader.nextStart;
    if (this.#line.offset === state.opened?.lastOffset) state.found.applied = this.#fingerprint();
  }

  #placeOf(file: FileState): PartitionState {
    this.#line.parsePlace(this.#reader.bytes, this.#reader.start, this.#reader.end);
    return this.#table.of(this.#line, file);
  }

  /** Time and hash of the current line's record; a line that is no record has a hash like no other. */
  #fingerprint(): { time: number; hash: string } {
    const { bytes, start, end } = this.#reader;
    const pool = new Uint8Array(end - start);
    const line = this.#line;
    try {
      line.parse(bytes, start, end, pool, 0);
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      return { time: NaN, hash: '' };
    }
    const key = line.keyStart < 0 ? null : pool.subarray(line.keyStart, line.keyEnd);
    const value = line.valueStart < 0 ? null : pool.subarray(line.valueStart, line.valueEnd);
    return { time: line.time, hash: hashRecord(key, value) };
  }
}
