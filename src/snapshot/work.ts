import type { FigureColumns } from '../ledger/figure-columns.ts';
import type { OpenDeadLetter, RowColumns } from '../ledger/ledger.ts';
import { compact, type CompactionJob } from './compaction.ts';
import { encodeLetters } from './dead-letter-file.ts';
import { sha256Of } from './file-entry.ts';
import type { LettersEntry } from './manifest.ts';
import type { ParquetJob, ParquetWritten } from './parquet-file.ts';
import { prepareParquet, type PrepareJob, type Prepared } from './parquet-present.ts';
import { readSegment } from './segment-reader.ts';
import { writeSegment, type SegmentEntry, type SegmentTarget } from './segment.ts';
import type { Store } from './store.ts';

/** The heavy part of checkpoints: encoding, hashing, writing, merging, reading. In a worker thread, or inline in tests. */
export interface SnapshotWork {
  /** Writes a segment of the blocks as they come. The blocks are handed over: the caller may not use them again. */
  writeSegment(target: SegmentTarget, blocks: AsyncIterable<RowColumns>): Promise<SegmentEntry>;
  /** Writes the open dead letters, unless they are what `previous` names. */
  writeLetters(job: LettersJob): Promise<LettersEntry>;
  compact(job: CompactionJob): Promise<SegmentEntry>;
  /** Verified blocks of a segment. */
  readSegment(folder: string, entry: SegmentEntry): AsyncIterable<RowColumns[]>;
  /** Looks at the parquet file that is there and decides about it. */
  prepareParquet(job: PrepareJob): Promise<Prepared>;
  /** Writes the parquet file of the blocks as they come; they are handed over. When they throw, nothing is changed. */
  writeParquet(job: ParquetJob, blocks: AsyncIterable<FigureColumns>): Promise<ParquetWritten>;
  close(): Promise<void>;
}

export interface LettersJob {
  readonly folder: string;
  readonly name: string;
  readonly letters: readonly OpenDeadLetter[];
  readonly previous: LettersEntry | null;
}

/** Does the work in this thread, with this store. */
export function createInlineWork(store: Store): SnapshotWork {
  return {
    writeSegment: (target, blocks) => writeSegment(store, target, blocks),
    writeLetters: (job) => writeLetters(store, job),
    compact: (job) => compact(store, job),
    readSegment: (folder, entry) => readSegment(store, folder, entry),
    prepareParquet: (job) => prepareParquet(store, job),
    // Loaded when it is needed: parquetjs takes a fifth of a second, which a restore need not wait for.
    writeParquet: async (job, blocks) => (await import('./parquet-file.ts')).writeParquet(store, job, blocks),
    close: () => Promise.resolve(),
  };
}

async function writeLetters(store: Store, job: LettersJob): Promise<LettersEntry> {
  const bytes = encodeLetters(job.letters);
  const sha256 = sha256Of(bytes);
  if (job.previous !== null && job.previous.sha256 === sha256) return job.previous;
  // Only this writer uses the name, so one that exists is an earlier try's whose reply was lost; restoring verifies it.
  await store.create(job.folder + job.name, bytes);
  return { name: job.name, bytes: bytes.length, sha256, count: job.letters.length };
}
