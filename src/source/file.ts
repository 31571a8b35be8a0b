import { resolve } from 'node:path';
import { RentfoldError } from '../errors.ts';
import { messageOf } from '../runtime/message-of.ts';
import { Wake } from '../runtime/wake.ts';
import { listFolder, watchFolder, type ListedFile } from './file-folder.ts';
import { checkFolder } from './file-open.ts';
import { FileState, FilePartitions, stopFile } from './file-partitions.ts';
import { LineReader } from './file-reader.ts';
import { FileScanner } from './file-scan.ts';
import { fileShrank, fileUnreadable } from './file-stops.ts';
import { FileVisitor } from './file-visit.ts';
import type { PartitionBounds } from './positions.ts';
import type { OpenedLog, OpenOptions, PartitionStop, Source, SourceEvent } from './source.ts';

/** Options of the file source. */
export interface FileSourceOptions {
  /** Folder whose `*.jsonl` files are the log. Files in folders below it, and other names, are ignored. */
  readonly folder: string;
  /** Milliseconds between two looks at the folder while nothing happens (default 250). */
  readonly pollMs?: number;
}

const POLL_MS = 250;
/** At most this often is the folder looked at while it keeps changing: a steady writer is read in batches. */
const ROUND_MS = 20;
/** Bounds are told at most this often. */
const BOUNDS_MS = 250;
/** What grew by more than this is scanned for its ends before it is read, so that the lag is known meanwhile. */
const ANNOUNCE_BYTES = 8 * 1024 * 1024;

/**
 * Topic dumps in a folder as a log: every line of every `*.jsonl` file, as `kcat -C -J` writes it, is a record. Files are read in the order of their
 * names, each to its end, then followed: appended lines and new files are seen within a second; a last line without its line feed waits until it has one.
 * `open` throws CONFIGURATION_INVALID when the folder cannot be read; what can go wrong later stops partitions (`file-stops.ts`).
 */
export function createFileSource(options: FileSourceOptions): Source {
  return new FileSource(resolve(options.folder), options.pollMs ?? POLL_MS);
}

class FileSource implements Source {
  readonly #folder: string;
  readonly #pollMs: number;
  readonly #reader = new LineReader();
  readonly #files = new Map<string, FileState>();
  readonly #wake = new Wake();
  #opened: Opened | null = null;
  #batches: AsyncGenerator<SourceEvent, void, void> | null = null;
  #isEnded = false;
  #boundsToldAt = -Infinity;

  constructor(folder: string, pollMs: number) {
    this.#folder = folder;
    this.#pollMs = pollMs;
  }

  async open(options: OpenOptions): Promise<OpenedLog> {
    const table = new FilePartitions(options.positions);
    const isEnded = (): boolean => this.#isEnded;
    const scanner = new FileScanner(table, this.#reader, isEnded);
    try {
      for (const listed of await listFolder(this.#folder)) await scanner.scan(this.#fileOf(listed), listed.bytes);
    } catch (error) {
      throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_FILE_DIR: the folder of dumps ${this.#folder} cannot be read (${messageOf(error)}); name one that exists and may be read`, { cause: error });
    }
    if (isEnded()) throw new RentfoldError('SOURCE_FAILED', `The folder of dumps ${this.#folder} was closed while it was being opened.`);
    const { gaps, notes, stops } = checkFolder(table, this.#folder, options);
    const visitor = new FileVisitor(table, this.#reader, options, isEnded);
    this.#opened = { table, scanner, visitor, stops };
    return { bounds: boundsOf(table), gaps, notes, identity: `file:${this.#folder}` };
  }

  batches(signal: AbortSignal): AsyncGenerator<SourceEvent, void, void> {
    if (this.#opened === null || this.#batches !== null) throw new Error('A file source is opened once and read once.');
    this.#batches = this.#run(this.#opened, signal);
    return this.#batches;
  }

  /** Nobody else wants to know how far a folder was read. */
  async commit(): Promise<void> {}

  async close(): Promise<void> {
    this.#isEnded = true;
    this.#wake.ring();
    await this.#batches?.return();
  }

  async *#run(opened: Opened, signal: AbortSignal): AsyncGenerator<SourceEvent, void, void> {
    const end = (): void => {
      this.#isEnded = true;
      this.#wake.ring();
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    const watcher = watchFolder(this.#folder, () => this.#wake.ring());
    try {
      for (const stop of opened.stops) yield { kind: 'stopped', stop };
      while (!this.#isEnded) {
        yield* this.#round(opened);
        yield* this.#tellBounds(opened);
        if (!this.#isEnded) await this.#wake.wait(this.#pollMs);
        if (!this.#isEnded) await this.#pause();
      }
    } finally {
      watcher.close();
      signal.removeEventListener('abort', end);
    }
  }

  /** One look at the folder: every file that changed is read to the end it has now. */
  async *#round(opened: Opened): AsyncGenerator<SourceEvent, void, void> {
    const listed = await this.#list();
    const present = new Set(listed.map(({ name }) => name));
    for (const file of this.#files.values()) {
      if (present.has(file.name)) continue;
      if (file.position === 0) this.#files.delete(file.name);
      else yield* stopFile(file, fileShrank(file, null));
    }
    for (const found of listed) {
      if (this.#isEnded) return;
      const file = this.#fileOf(found);
      if (file.stopped || found.bytes === file.seenBytes) continue;
      yield* found.bytes < file.position ? stopFile(file, fileShrank(file, found.bytes)) : this.#read(opened, file, found.bytes);
    }
  }

  async *#read(opened: Opened, file: FileState, bytes: number): AsyncGenerator<SourceEvent, void, void> {
    try {
      if (bytes - Math.max(file.position, file.scannedEnd) > ANNOUNCE_BYTES) {
        await opened.scanner.scanEnds(file, Math.max(file.position, file.scannedEnd), bytes);
        yield { kind: 'bounds', bounds: boundsOf(opened.table) };
      }
      for await (const event of opened.visitor.visit(file, bytes)) {
        yield event;
        yield* this.#tellBounds(opened);
      }
      file.seenBytes = bytes;
    } catch (error) {
      // Gone since it was listed: the next round says so, or finds it again.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') yield* stopFile(file, fileUnreadable(file, error));
    }
  }

  *#tellBounds({ table, visitor }: Opened): Generator<SourceEvent, void, void> {
    const now = performance.now();
    if (!visitor.endsMoved || now - this.#boundsToldAt < BOUNDS_MS) return;
    visitor.endsMoved = false;
    this.#boundsToldAt = now;
    yield { kind: 'bounds', bounds: boundsOf(table) };
  }

  async #list(): Promise<ListedFile[]> {
    try {
      return await listFolder(this.#folder);
    } catch (error) {
      throw new RentfoldError('SOURCE_FAILED', `The folder of dumps ${this.#folder} cannot be read any more: ${messageOf(error)}. Restart when the cause is gone.`, { cause: error });
    }
  }

  /** Lets writes gather for a moment. A ring meanwhile is not lost. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }

  #fileOf({ name, path }: ListedFile): FileState {
    let file = this.#files.get(name);
    if (file === undefined) this.#files.set(name, file = new FileState(name, path));
    return file;
  }
}

interface Opened {
  readonly table: FilePartitions;
  readonly scanner: FileScanner;
  readonly visitor: FileVisitor;
  /** Partitions that could not be read from the start. */
  readonly stops: readonly PartitionStop[];
}

function boundsOf(table: FilePartitions): PartitionBounds[] {
  return table.all().map((state) => state.bounds);
}
