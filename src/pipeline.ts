import type { ChangeBatch } from './change/change.ts';
import type { Ingest } from './ingest/ingest.ts';
import type { FoldWarning, OpenDeadLetter } from './ledger/ledger.ts';
import type { ParquetTrigger } from './pipeline-parquet.ts';
import { CheckpointTrigger, type CheckpointSchedule } from './pipeline-trigger.ts';
import type { Clock } from './runtime/clock.ts';
import type { PartitionBounds, PartitionPosition } from './source/positions.ts';
import type { PartitionStop } from './source/source.ts';
import type { State, StepResult } from './state.ts';

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
  /** `isLast`: it was the one at the end, and is not tried again. */
  checkpointFailed(error: unknown, isLast: boolean): void;
  /** A checkpoint is durable, and the source did not take its positions. Only lag tools miss them. */
  commitFailed(error: unknown): void;
}

export interface PipelineParts {
  readonly ingest: Ingest;
  readonly state: State;
  readonly clock: Clock;
  readonly events: PipelineEvents;
  /** True once folding has reached the end of the log seen at start. */
  readonly reachedEndAtStart: () => boolean;
  /**
   * Writes a checkpoint of the state as it is now; answers the positions that are durable, null when nothing was published (a stand-by publishes nothing), or
   * 'skipped' when it was begun for the parquet file's sake alone (`isForFile`) and that needs none.
   */
  readonly checkpoint: (isForFile: boolean) => Promise<readonly PartitionPosition[] | null | 'skipped'>;
  /** When the parquet file makes a checkpoint due; `checkpoint` writes it. Null: no file is written. */
  readonly parquet?: Pick<ParquetTrigger, 'isDue' | 'ending'> | null;
  readonly options: CheckpointSchedule;
}

/**
 * Folds until the signal aborts, checkpointing on the way; then folds what had arrived and writes a last checkpoint. What ends reading earlier is told, and the
 * pipeline then only waits for the signal. Throws what kept the last checkpoint from being written.
 */
export async function runPipeline(parts: PipelineParts, signal: AbortSignal): Promise<void> {
  await new Pipeline(parts).run(signal);
}

/** A stop that concerns every partition. */
const SOURCE = { topic: '*', partition: -1, offset: null };

class Pipeline {
  readonly #parts: PipelineParts;
  readonly #due: CheckpointTrigger;
  /**
   * False once a checkpoint would keep what must be read again: folding broke off inside a batch, so that rows, totals and positions may disagree; or
   * what was read is not understood, so that the next start, with the option corrected, has to meet it again.
   */
  #mayCheckpoint = true;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#due = new CheckpointTrigger(parts.clock, parts.options);
  }

  async run(signal: AbortSignal): Promise<void> {
    const folding = new AbortController();
    const checkpoints = this.#checkpointLoop(folding.signal);
    try {
      await this.#foldLoop(signal);
      await aborted(signal);
    } finally {
      folding.abort();
      await checkpoints;
    }
    this.#parts.parquet?.ending();
    const failure = await this.#checkpoint(true);
    if (failure !== null) throw failure;
  }

  /** Batches in, rows and positions changed, until the source ends or a stop that concerns everything. */
  async #foldLoop(signal: AbortSignal): Promise<void> {
    const { ingest, events } = this.#parts;
    try {
      for await (const event of ingest.events(signal)) {
        if (event.kind === 'bounds') events.bounds(event.bounds);
        else if (event.kind === 'stopped') events.stopped(event.stop);
        else if (!this.#fold(event.batch)) return;
        await yieldToReads();
      }
    } catch (error) {
      if (signal.aborted) return;
      events.stopped({ ...SOURCE, code: 'SOURCE_FAILED', message: `reading failed: ${messageOf(error)}; figures stay as they are until rentfold is started again` });
    }
  }

  /** False when nothing may be folded any more: what follows could not be trusted. */
  #fold(batch: ChangeBatch): boolean {
    const { state, events } = this.#parts;
    const result = this.#step(batch);
    if (result === null) return false;
    this.#due.read(batch.records);
    events.folded(batch, batch.partitions.map((p) => state.position(p.topic, p.partition)).filter((p) => p !== null));
    if (result.opened.length > 0) events.deadLetters(result.opened);
    if (result.warnings.length > 0) events.warnings(result.warnings);
    if (result.updated.length > 0) events.updated(result.updated);
    for (const stop of result.stops) events.stopped(stop);
    const [first] = result.stops;
    if (first === undefined) return true;
    this.#mayCheckpoint = false;
    events.stopped({ ...SOURCE, code: first.code, message: `nothing more is folded, of any partition, and no checkpoint is written since ${first.topic}/${first.partition} stopped: what it carries must be read again once it is understood. The next start goes on from the last checkpoint` });
    return false;
  }

  #step(batch: ChangeBatch): StepResult | null {
    const { state, clock, events, reachedEndAtStart } = this.#parts;
    try {
      return state.step(batch, { now: clock.now(), mayForgetDeletes: reachedEndAtStart() });
    } catch (error) {
      this.#mayCheckpoint = false;
      const places = batch.partitions.map(({ topic, partition, next }) => `${topic}/${partition} before offset ${next}`).join(', ');
      events.stopped({ ...SOURCE, code: 'FOLD_FAILED', message: `folding failed in the batch that ends at ${places}: ${messageOf(error)}; nothing more is folded and no checkpoint is written. The next start goes on from the last checkpoint` });
      return null;
    }
  }

  async #checkpointLoop(signal: AbortSignal): Promise<void> {
    const { parquet = null } = this.#parts;
    const isFileDue = parquet === null ? null : (): boolean => this.#mayCheckpoint && parquet.isDue();
    while (!signal.aborted) {
      await this.#due.wait(signal, isFileDue);
      if (!signal.aborted) await this.#checkpoint(false);
    }
  }

  /** Answers why it could not be written; null when it was, or when there is nothing to write or this process stands by. */
  async #checkpoint(isLast: boolean): Promise<Error | null> {
    const { events, parquet } = this.#parts;
    const isForFile = !isLast && !this.#due.isDue();
    const since = this.#due.begin();
    if ((since === 0 && parquet?.isDue() !== true) || !this.#mayCheckpoint) return null;
    try {
      const durable = await this.#parts.checkpoint(isForFile || since === 0);
      if (durable === 'skipped') this.#due.skipped(since);
      else if (durable === null) this.#due.postponed(since);
      else {
        this.#due.succeeded();
        await this.#parts.ingest.commit(durable).catch((error: unknown) => events.commitFailed(error));
      }
      return null;
    } catch (error) {
      this.#due.failed(since);
      events.checkpointFailed(error, isLast);
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A turn of the event loop: requests that have arrived are answered, timers fire. */
function yieldToReads(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve); });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
