import type { ChangeBatch, DeadLetter, SeenTables } from '../change/change.ts';
import type { DecodeOptions } from '../change/decoder.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { OpenedLog, SourceEvent } from '../source/source.ts';

/**
 * The ingest side: source and decoder together, in a worker thread (`worker.ts`) or in this one (`inline.ts`). It hands over
 * change batches and waits for credits: at most `creditsMax` batches are under way.
 */
export interface Ingest {
  /** Opens the source at the positions. Throws what the source throws. */
  open(options: IngestOptions): Promise<OpenedLog>;
  /**
   * Events until closed, read once. Asking for the next one gives back the credit of the one before. A batch that says `stop` is the last event.
   * Once the signal aborts, what has arrived is still handed over, and nothing more is read.
   */
  events(signal: AbortSignal): AsyncIterable<IngestEvent>;
  /** Positions whose state is durable, for lag tools. */
  commit(positions: readonly PartitionPosition[]): Promise<void>;
  close(): Promise<void>;
}

export interface IngestOptions {
  readonly positions: readonly PartitionPosition[];
  readonly seenTables: SeenTables;
  /** See `DecoderMemory`. Absent: none. */
  readonly pieces?: readonly DeadLetter[] | undefined;
  readonly wholeEvents?: readonly string[] | undefined;
  readonly decode: DecodeOptions;
  readonly acceptIncompleteHistory: boolean;
  readonly recordsMax: number;
  readonly creditsMax: number;
}

export type IngestEvent =
  | { readonly kind: 'changes'; readonly batch: ChangeBatch }
  /** What the source says besides records. */
  | Exclude<SourceEvent, { kind: 'records' }>;
