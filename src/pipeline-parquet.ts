import { dayInZone } from './change/dates.ts';
import type { Clock } from './runtime/clock.ts';
import type { CheckpointOutcome } from './snapshot/checkpointer.ts';

/** When the parquet file is due. */
export interface ParquetSchedule {
  /** Least time between two files of one day, seconds; 0: none is ever due. */
  readonly seconds: number;
  /** IANA name: where the date turns. */
  readonly timeZone: string;
}

/** What the trigger asks before it says that a file is due. */
export interface ParquetFacts {
  /** This process publishes, and the lineage has once been caught up: partial sums are never written. */
  mayWrite(): boolean;
  /** Rows changed since the last checkpoint. */
  changes(): number;
  /** A generation is durable, so that a file may be written without waiting for the next one. */
  hasGeneration(): boolean;
}

const RETRY_SECONDS_MIN = 1;
const RETRY_SECONDS_MAX = 60;
/** After it was left alone, e.g. to another program, it is looked at again so much later. */
const LEFT_SECONDS = 60;

/**
 * Says when the parquet file is to be written: at start, to see whether the one there is up to date; when the local date has turned; when figures
 * changed and enough time has passed since the last one; and at the end, when figures changed. After a failure later and later.
 */
export class ParquetTrigger {
  readonly #clock: Clock;
  readonly #schedule: ParquetSchedule;
  readonly #facts: ParquetFacts;
  /** Day of the file that is there, as far as known. */
  #asOf: number | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** A generation newer than the file changed rows. */
  #hasChanged = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #retrySeconds = RETRY_SECONDS_MIN / 2;
  #isEnding = false;
  /** The checkpoint under way was to write the file. */
  #isBegun = false;

  constructor(clock: Clock, schedule: ParquetSchedule, facts: ParquetFacts) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#facts = facts;
  }

  /** Whether a checkpoint is to be begun for the file's sake. */
  isDue(): boolean {
    return this.#facts.hasGeneration() && this.#isWanted();
  }

  /**
   * A checkpoint begins now. Answers the epoch day the file is to be written for with it, and whether one that holds the newest generation may stand,
   * which is so until it is known what is there; null when none is to be written.
   */
  begin(): { readonly asOf: number; readonly mayStand: boolean } | null {
    this.#isBegun = this.#isWanted();
    return this.#isBegun ? { asOf: this.#today(), mayStand: this.#asOf === null && !this.#isEnding } : null;
  }

  /** What became of the checkpoint begun last, and with it of the file; null: it failed. */
  ended(outcome: CheckpointOutcome | null): void {
    const nowMs = this.#clock.monotonicMs();
    const parquet = outcome === null || outcome.kind === 'standby' ? null : outcome.parquet;
    if (outcome?.kind === 'published') this.#hasChanged ||= outcome.rows > 0;
    if (parquet?.kind === 'written' || parquet?.kind === 'current') {
      if (parquet.kind === 'written' || outcome?.kind === 'unchanged') this.#hasChanged = false;
      this.#asOf = parquet.asOf;
      this.#lastMs = nowMs;
      this.#retrySeconds = RETRY_SECONDS_MIN / 2;
    } else if (parquet?.kind === 'left') this.#retryAtMs = nowMs + LEFT_SECONDS * 1000;
    else if (this.#isBegun) {
      this.#retrySeconds = Math.min(RETRY_SECONDS_MAX, this.#retrySeconds * 2);
      this.#retryAtMs = nowMs + this.#retrySeconds * 1000;
    }
  }

  /** From now on every change counts at once: no further occasion comes. */
  ending(): void {
    this.#isEnding = true;
  }

  #isWanted(): boolean {
    if (this.#schedule.seconds === 0 || !this.#facts.mayWrite()) return false;
    const now = this.#clock.monotonicMs();
    const hasChanged = this.#hasChanged || this.#facts.changes() > 0;
    if (this.#isEnding && hasChanged) return true;
    if (now < this.#retryAtMs) return false;
    return this.#asOf !== this.#today() || (hasChanged && now - this.#lastMs >= this.#schedule.seconds * 1000);
  }

  #today(): number {
    return dayInZone(this.#clock.now(), this.#schedule.timeZone);
  }
}
