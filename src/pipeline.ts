import type { ChangeBatch } from './change/change.ts';
import { RentfoldError } from './errors.ts';
import type { Ingest } from './ingest/ingest.ts';
import type { FoldWarning, OpenDeadLetter } from './ledger/ledger.ts';
import { Commits } from './pipeline-commit.ts';
import type { ParquetTrigger } from './pipeline-parquet.ts';
import { CheckpointTrigger, type CheckpointSchedule } from './pipeline-trigger.ts';
import type { Clock } from './runtime/clock.ts';
import { messageOf } from './runtime/message-of.ts';
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
  /** `waiting`: topics that are waited for, when the source says. */
  bounds(bounds: readonly PartitionBounds[], waiting: readonly string[] | undefined): void;
  /** A stretch of history is missing. */
  gap(gap: string): void;
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
  /** `asked`: folds on until the signal aborts. `end-at-start`: until everything up to the end seen at start is folded, or something stops. */
  readonly until: 'asked' | 'end-at-start';
}

/** Why a pipeline ended. `stopped`: a partition or the source cannot go on; what was told as stopped says why. */
export type PipelineEnd = 'asked' | 'end-at-start' | 'stopped';

/**
 * Folds until the signal aborts, or as `until` says, checkpointing on the way. Asked to end, it folds what had arrived. Then it writes a last checkpoint; at the
 * end seen at start always, since only that one says that the log is caught up with. What ends reading earlier is told, and a pipeline that runs until asked then
 * only waits for the signal. Throws what kept the last checkpoint from being written.
 */
export async function runPipeline(parts: PipelineParts, signal: AbortSignal): Promise<PipelineEnd> {
  return await new Pipeline(parts).run(signal);
}

/** A stop that concerns every partition. */
const SOURCE = { topic: '*', partition: -1, offset: null };

class Pipeline {
  readonly #parts: PipelineParts;
  readonly #due: CheckpointTrigger;
  readonly #commits: Commits;
  /**
   * False once a checkpoint would keep what must be read again: folding broke off inside a batch, so that rows, totals and positions may disagree; or
   * what was read is not understood, so that the next start, with the option corrected, has to meet it again.
   */
  #mayCheckpoint = true;
  #hasStopped = false;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#due = new CheckpointTrigger(parts.clock, parts.options);
    this.#commits = new Commits(parts.ingest, parts.clock, (error) => parts.events.commitFailed(error));
  }

  async run(signal: AbortSignal): Promise<PipelineEnd> {
    const folding = new AbortController();
    const checkpoints = this.#checkpointLoop(folding.signal);
    try {
      await this.#foldLoop(signal);
      if (this.#parts.until === 'asked') await aborted(signal);
    } finally {
      folding.abort();
      await checkpoints;
    }
    const end = this.#end();
    this.#parts.parquet?.ending();
    const failure = await this.#checkpoint(true, end === 'end-at-start' && this.#parts.state.positions().length > 0);
    await this.#commits.ended();
    if (failure !== null) throw failure;
    return end;
  }

  #end(): PipelineEnd {
    const { until, reachedEndAtStart } = this.#parts;
    if (until === 'asked') return 'asked';
    return this.#hasStopped ? 'stopped' : reachedEndAtStart() ? 'end-at-start' : 'asked';
  }

  /** Batches in, rows and positions changed, until there is nothing more to do, the source ends, or a stop concerns everything. */
  async #foldLoop(signal: AbortSignal): Promise<void> {
    const { ingest, events } = this.#parts;
    if (this.#isDone()) return;
    try {
      for await (const event of ingest.events(signal)) {
        if (event.kind === 'bounds') events.bounds(event.bounds, event.waiting);
        else if (event.kind === 'gap') events.gap(event.gap);
        else if (event.kind === 'stopped') this.#stop(event.stop);
        else if (event.kind === 'warned') events.warnings([event.warning]);
        else if (!this.#fold(event.batch)) return;
        if (this.#isDone()) return;
        await yieldToReads();
      }
      if (this.#parts.until === 'end-at-start' && !signal.aborted) this.#stop({ ...SOURCE, code: 'SOURCE_FAILED', message: 'reading ended before the end of the log seen at start' });
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof RentfoldError ? error.code : 'SOURCE_FAILED';
      this.#stop({ ...SOURCE, code, message: `reading failed: ${messageOf(error)}; figures stay as they are until rentfold is started again` });
    }
  }

  #isDone(): boolean {
    const { until, reachedEndAtStart } = this.#parts;
    return until === 'end-at-start' && (this.#hasStopped || reachedEndAtStart());
  }

  #stop(stop: PartitionStop): void {
    this.#hasStopped = true;
    this.#parts.events.stopped(stop);
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
    for (const stop of result.stops) this.#stop(stop);
    const [first] = result.stops;
    if (first === undefined) return true;
    this.#mayCheckpoint = false;
    this.#stop({ ...SOURCE, code: first.code, message: `nothing more is folded, of any partition, and no checkpoint is written since ${first.topic}/${first.partition} stopped: what it carries must be read again once it is understood. The next start goes on from the last checkpoint` });
    return false;
  }

  #step(batch: ChangeBatch): StepResult | null {
    const { state, clock, reachedEndAtStart } = this.#parts;
    try {
      return state.step(batch, { now: clock.now(), mayForgetDeletes: reachedEndAtStart() });
    } catch (error) {
      this.#mayCheckpoint = false;
      const places = batch.partitions.map(({ topic, partition, next }) => `${topic}/${partition} before offset ${next}`).join(', ');
      this.#stop({ ...SOURCE, code: 'FOLD_FAILED', message: `folding failed in the batch that ends at ${places}: ${messageOf(error)}; nothing more is folded and no checkpoint is written. The next start goes on from the last checkpoint` });
      return null;
    }
  }

  async #checkpointLoop(signal: AbortSignal): Promise<void> {
    const { parquet = null } = this.#parts;
    const isFileDue = parquet === null ? null : (): boolean => this.#mayCheckpoint && parquet.isDue();
    while (!signal.aborted) {
      await this.#due.wait(signal, isFileDue);
      if (!signal.aborted) await this.#checkpoint(false, false);
    }
  }

  /** Answers why it could not be written; null when it was, or when there is nothing to write (`always` or not) or this process stands by. */
  async #checkpoint(isLast: boolean, always: boolean): Promise<Error | null> {
    const { events, parquet } = this.#parts;
    const isForFile = !always && !isLast && !this.#due.isDue();
    const since = this.#due.begin();
    if ((since === 0 && !always && parquet?.isDue() !== true) || !this.#mayCheckpoint) return null;
    try {
      const durable = await this.#parts.checkpoint(isForFile || (since === 0 && !always));
      if (durable === 'skipped') this.#due.skipped(since);
      else if (durable === null) this.#due.postponed(since);
      else {
        this.#due.succeeded();
        this.#commits.tell(durable);
      }
      return null;
    } catch (error) {
      this.#due.failed(since);
      events.checkpointFailed(error, isLast);
      return error instanceof Error ? error : new Error(String(error));
    }
  }
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
