import type { Clock } from './runtime/clock.ts';

/** When a checkpoint is due: after so many records read, or so long after the last one when something was read. */
export interface CheckpointSchedule {
  readonly checkpointSeconds: number;
  readonly checkpointChanges: number;
}

const RETRY_SECONDS_MIN = 1;
const RETRY_SECONDS_MAX = 60;
const STANDBY_RETRY_SECONDS = 1;

/** Keeps count of what the next checkpoint has to cover, and says when it is due; after a failure later and later, whatever was read meanwhile. */
export class CheckpointTrigger {
  readonly #clock: Clock;
  readonly #schedule: CheckpointSchedule;
  #recordsSince = 0;
  #lastMs: number;
  /** Not null: the last one was not written, and the next is tried after this time instead of when enough changed. */
  #retry: { readonly seconds: number; readonly afterFailure: boolean } | null = null;
  #wake: (() => void) | null = null;

  constructor(clock: Clock, schedule: CheckpointSchedule) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#lastMs = clock.monotonicMs();
  }

  /** So many records were folded. */
  read(records: number): void {
    this.#recordsSince += records;
    if (this.#isDue()) this.#wake?.();
  }

  /** A checkpoint begins now; answers how many records it covers. */
  begin(): number {
    const since = this.#recordsSince;
    this.#recordsSince = 0;
    this.#lastMs = this.#clock.monotonicMs();
    return since;
  }

  /** The one begun last is durable. */
  succeeded(): void {
    this.#retry = null;
  }

  /** Not published because another process does: asked again soon, so that a take-over shows at once. */
  postponed(since: number): void {
    this.#recordsSince += since;
    this.#retry = { seconds: STANDBY_RETRY_SECONDS, afterFailure: false };
  }

  /** Not written: all it covered is still to be written. */
  failed(since: number): void {
    this.#recordsSince += since;
    const before = this.#retry?.afterFailure === true ? this.#retry.seconds : RETRY_SECONDS_MIN / 2;
    this.#retry = { seconds: Math.min(RETRY_SECONDS_MAX, before * 2), afterFailure: true };
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** Returns when a checkpoint is due, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isDue()) {
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake);
      await this.#clock.sleep(Math.max(1, this.#untilDueMs()), woken.signal);
      signal.removeEventListener('abort', wake);
      this.#wake = null;
    }
  }

  #isDue(): boolean {
    if (this.#recordsSince === 0) return false;
    return this.#leftMs() <= 0 || (this.#retry === null && this.#recordsSince >= this.#schedule.checkpointChanges);
  }

  /** With nothing read, nothing is due before something is; the time then only bounds the sleep. */
  #untilDueMs(): number {
    const left = this.#leftMs();
    return left <= 0 ? this.#schedule.checkpointSeconds * 1000 : left;
  }

  #leftMs(): number {
    const seconds = this.#retry?.seconds ?? this.#schedule.checkpointSeconds;
    return this.#lastMs + seconds * 1000 - this.#clock.monotonicMs();
  }
}
