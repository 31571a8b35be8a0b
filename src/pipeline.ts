import type { Ingest } from './ingest/ingest.ts';
import type { Clock } from './runtime/clock.ts';
import type { State } from './state.ts';
import type { ChangeBatch } from './change/change.ts';
import type { PartitionBounds, PartitionPosition } from './source/positions.ts';
import type { PartitionStop } from './source/source.ts';
import type { FoldWarning, OpenDeadLetter } from './ledger/ledger.ts';

/**
 * The order of effects once state is restored and the source is open: read → decode → step → checkpoint → commit. Two loops share one thread:
 * one folds batches, the other writes checkpoints of consistent cuts while folding goes on.
 */

/** What the pipeline tells the outside, as it happens. */
export interface PipelineEvents {
  folded(batch: ChangeBatch, positions: readonly PartitionPosition[]): void;
  bounds(bounds: readonly PartitionBounds[]): void;
  stopped(stop: PartitionStop): void;
  deadLetters(opened: readonly OpenDeadLetter[]): void;
  warnings(warnings: readonly FoldWarning[]): void;
  updated(properties: readonly string[]): void;
  checkpointFailed(error: unknown): void;
}

export interface PipelineOptions {
  readonly checkpointSeconds: number;
  readonly checkpointChanges: number;
}

export interface PipelineParts {
  readonly ingest: Ingest;
  readonly state: State;
  readonly clock: Clock;
  readonly events: PipelineEvents;
  /** True once folding has reached the end of the log seen at start. */
  readonly reachedEndAtStart: () => boolean;
  /** Writes a checkpoint of the state as it is now; answers the positions that are durable, or null when nothing was published (a stand-by publishes nothing). */
  readonly checkpoint: () => Promise<readonly PartitionPosition[] | null>;
  readonly options: PipelineOptions;
}

/** Folds until the signal aborts or the source ends, checkpointing on the way; then writes a last checkpoint. */
export async function runPipeline(parts: PipelineParts, signal: AbortSignal): Promise<void> {
  const due = new CheckpointTrigger(parts);
  const folding = new AbortController();
  const checkpoints = checkpointLoop(parts, due, folding.signal);
  try {
    await foldLoop(parts, due, signal);
    if (!signal.aborted) await aborted(signal);
  } finally {
    folding.abort();
    await checkpoints;
  }
  await checkpointOnce(parts, due);
}

/** Batches in, rows and positions changed, until the source ends or a stop that concerns everything. */
async function foldLoop(parts: PipelineParts, due: CheckpointTrigger, signal: AbortSignal): Promise<void> {
  const { ingest, events } = parts;
  try {
    for await (const event of ingest.events(signal)) {
      if (event.kind === 'bounds') events.bounds(event.bounds);
      else if (event.kind === 'stopped') events.stopped(event.stop);
      else if (!foldBatch(parts, event.batch, due)) return;
      await yieldToReads();
    }
  } catch (error) {
    if (signal.aborted) return;
    events.stopped({ topic: '*', partition: -1, offset: null, code: 'SOURCE_FAILED', message: `reading failed: ${error instanceof Error ? error.message : String(error)}; figures stay as they are until rentfold is started again` });
  }
}

/** False when nothing may be folded any more: what follows could not be trusted. */
function foldBatch(parts: PipelineParts, batch: ChangeBatch, due: CheckpointTrigger): boolean {
  const { state, events, clock } = parts;
  const result = state.step(batch, { now: clock.now(), mayForgetDeletes: parts.reachedEndAtStart() });
  due.read(batch.records);
  events.folded(batch, batch.partitions.map((p) => state.position(p.topic, p.partition)).filter((p) => p !== null));
  if (result.opened.length > 0) events.deadLetters(result.opened);
  if (result.warnings.length > 0) events.warnings(result.warnings);
  if (result.updated.length > 0) events.updated(result.updated);
  for (const stop of result.stops) events.stopped(stop);
  return result.stops.length === 0;
}

async function checkpointLoop(parts: PipelineParts, due: CheckpointTrigger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await due.wait(signal);
    if (!signal.aborted) await checkpointOnce(parts, due);
  }
}

async function checkpointOnce(parts: PipelineParts, due: CheckpointTrigger): Promise<void> {
  const since = due.begin();
  if (since === 0) return;
  try {
    const durable = await parts.checkpoint();
    if (durable === null) due.postponed(since);
    else {
      due.succeeded();
      await parts.ingest.commit(durable);
    }
  } catch (error) {
    due.failed(since);
    parts.events.checkpointFailed(error);
  }
}

const RETRY_SECONDS_MAX = 60;
const STANDBY_RETRY_SECONDS = 1;

/** Says when a checkpoint is due: enough records read, or enough time passed with something read; after a failure later and later. */
class CheckpointTrigger {
  readonly #clock: Clock;
  readonly #options: PipelineOptions;
  #recordsSince = 0;
  #lastMs: number;
  /** Not null: the last one was not written, and the next is tried after this time instead of when enough changed. */
  #retrySeconds: number | null = null;
  #wake: (() => void) | null = null;

  constructor(parts: PipelineParts) {
    this.#clock = parts.clock;
    this.#options = parts.options;
    this.#lastMs = this.#clock.monotonicMs();
  }

  read(records: number): void {
    this.#recordsSince += records;
    if (this.#retrySeconds === null && this.#recordsSince >= this.#options.checkpointChanges) this.#wake?.();
  }

  /** Records the checkpoint begun now covers. */
  begin(): number {
    const since = this.#recordsSince;
    this.#recordsSince = 0;
    this.#lastMs = this.#clock.monotonicMs();
    return since;
  }

  succeeded(): void {
    this.#retrySeconds = null;
  }

  /** Not published because another process does: asked again soon, so that a take-over shows at once. */
  postponed(since: number): void {
    this.#recordsSince += since;
    this.#retrySeconds = STANDBY_RETRY_SECONDS;
  }

  failed(since: number): void {
    this.#recordsSince += since;
    this.#retrySeconds = Math.min(RETRY_SECONDS_MAX, (this.#retrySeconds ?? 0.5) * 2);
  }

  async wait(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isDue()) {
      const woken = new AbortController();
      this.#wake = (): void => woken.abort();
      await this.#clock.sleep(Math.max(1, this.#dueInMs()), AbortSignal.any([signal, woken.signal]));
      this.#wake = null;
    }
  }

  #isDue(): boolean {
    if (this.#recordsSince === 0) return false;
    return this.#dueInMs() <= 0 || (this.#retrySeconds === null && this.#recordsSince >= this.#options.checkpointChanges);
  }

  #dueInMs(): number {
    const seconds = this.#retrySeconds ?? this.#options.checkpointSeconds;
    const left = this.#lastMs + seconds * 1000 - this.#clock.monotonicMs();
    return left <= 0 && this.#recordsSince === 0 ? seconds * 1000 : left;
  }
}

function yieldToReads(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve); });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => { signal.addEventListener('abort', () => resolve(), { once: true }); });
}
