import { RentfoldError } from '../errors.ts';
import type { FigureColumns } from '../ledger/figure-columns.ts';
import type { RowColumns } from '../ledger/ledger.ts';
import type { CompactionJob } from './compaction.ts';
import { errorFromWire, errorToWire, type WireError } from '../runtime/workers.ts';
import { Damage } from './damage.ts';
import type { LettersEntry } from './manifest.ts';
import type { ParquetJob, ParquetWritten } from './parquet-file.ts';
import type { PrepareJob, Prepared } from './parquet-present.ts';
import type { SegmentEntry, SegmentTarget } from './segment.ts';
import type { LettersJob } from './work.ts';

/** What the main thread and the snapshot worker say to each other. `id` names a job. */
export type ToWorker =
  | { readonly kind: 'write'; readonly id: number; readonly target: SegmentTarget }
  | { readonly kind: 'parquet'; readonly id: number; readonly job: ParquetJob }
  | { readonly kind: 'block'; readonly id: number; readonly block: Block }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'letters'; readonly id: number; readonly job: LettersJob }
  | { readonly kind: 'compact'; readonly id: number; readonly job: CompactionJob }
  | { readonly kind: 'prepare'; readonly id: number; readonly job: PrepareJob }
  | { readonly kind: 'read'; readonly id: number; readonly folder: string; readonly entry: SegmentEntry }
  | { readonly kind: 'credit'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'done'; readonly id: number; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'blocks'; readonly id: number; readonly blocks: RowColumns[] }
  | { readonly kind: 'credit'; readonly id: number };

/** What a write job is made of: rows for a segment, figures for the parquet file. */
export type Block = RowColumns | FigureColumns;
export type JobResult = SegmentEntry | LettersEntry | Prepared | ParquetWritten | null;

/** Blocks (or pieces of blocks) under way in either direction before the other side has taken one. */
export const CREDITS = 4;

/** An error on its way between threads. */
export type Failure =
  | { readonly kind: 'damage'; readonly file: string; readonly reason: string }
  | { readonly kind: 'error'; readonly error: WireError };

/** An error as plain data. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Damage) return { kind: 'damage', file: error.file, reason: error.reason };
  return { kind: 'error', error: errorToWire(error) };
}

/** The error again, of its own kind. */
export function fromFailure(failure: Failure): Error {
  if (failure.kind === 'damage') return new Damage(failure.file, failure.reason);
  const { error } = failure;
  if (error.code !== null) return errorFromWire(error, error.code);
  return new RentfoldError('UNEXPECTED', `in the snapshot worker: ${error.stack ?? error.message}`);
}

/** The memory of blocks that can be handed over instead of copied. */
export function buffersOf(blocks: readonly Block[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const block of blocks) {
    const inner = 'accounts' in block ? Object.values(block.accounts) : [...block.ytd, ...block.cumulative];
    for (const column of [...Object.values(block), ...inner] as unknown[]) {
      if (ArrayBuffer.isView(column) && column.buffer instanceof ArrayBuffer && column.buffer.byteLength > 0) buffers.add(column.buffer);
    }
  }
  return [...buffers];
}
