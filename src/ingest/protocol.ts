import type { WireError } from '../runtime/workers.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { OpenedLog } from '../source/source.ts';
import type { IngestEvent, IngestOptions } from './ingest.ts';

/** What the main thread sends to the ingest worker. Requests with an id are answered by a `Reply`. */
export type ToWorker =
  | { readonly kind: 'open'; readonly id: number; readonly options: IngestOptions }
  | { readonly kind: 'commit'; readonly id: number; readonly positions: readonly PartitionPosition[] }
  /** Ends the stream, closes the source; the worker exits after its reply. */
  | { readonly kind: 'close'; readonly id: number }
  /** The worker may send so many events more. The first credits start the stream. */
  | { readonly kind: 'credit'; readonly count: number };

/** What the ingest worker sends back. */
export type FromWorker =
  | { readonly kind: 'reply'; readonly id: number; readonly opened: OpenedLog | null; readonly error: WireError | null }
  /** Costs one credit. */
  | { readonly kind: 'event'; readonly event: IngestEvent }
  /** The stream is over: `error` says why, null after a close. */
  | { readonly kind: 'end'; readonly error: WireError | null };
