import type { Clock } from './runtime/clock.ts';

/** When a checkpoint is due: after so many records read, or so long after the last one when something was read. */
export interface CheckpointSchedule {
  readonly checkpointSeconds: number;
  readonly checkpointChanges: number;
}

const RETRY_SECONDS_MIN = 1;
const RETRY_SECONDS_MAX = 60;
const STANDBY_RETRY_SECONDS = 1;
const ASK_EVERY_MS = 1_000;

/** Keeps count of what the next checkpoint has to cover, and says when it is due; after a failure later and later, whatever was read meanwhile. */
export class CheckpointTrigger {
  readonly #clock: Clock;
  readonly #schedule: CheckpointSchedule;
  #recordsSince = 0;
  #lastMs: number;
  /** `#lastMs` before the checkpoint begun last. */
  #beforeMs: number;
  /** Not null: the last one was not written, and the next is tried after this time instead of when enough changed. */
  #retry: { readonly seconds: number; readonly afterFailure: boolean } | null = null;
  #wake: (() => void) | null = null;

  constructor(clock: Clock, schedule: CheckpointSchedule) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#lastMs = clock.monotonicMs();
    this.#beforeMs = this.#lastMs;
  }

  /** So many records were folded. */
  read(records: number): void {
    this.#recordsSince += records;
    if (this.isDue()) this.#wake?.();
  }

  /** A checkpoint begins now; answers how many records it covers. */
  begin(): number {
    const since = this.#recordsSince;
    this.#recordsSince = 0;
    this.#beforeMs = this.#lastMs;
    this.#lastMs = this.#clock.monotonicMs();
    return since;
  }

  /** The one begun last is durable. */
  succeeded(): void {
    this.#retry = null;
  }

  /** It turned out not to be needed yet: as if it had not been begun. */
  skipped(since: number): void {
    this.#recordsSince += since;
    this.#lastMs = this.#beforeMs;
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

  /**
   * Returns when a checkpoint is due, or the signal aborts. `other`, where given, may make one due too: it is asked again every second, because what it
   * goes by, the date and who publishes, tells nobody when it changes.
   */
  async wait(signal: AbortSignal, other: (() => boolean) | null = null): Promise<void> {
    while (!signal.aborted && !this.isDue() && other?.() !== true) {
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake);
      await this.#clock.sleep(Math.min(other === null ? Number.POSITIVE_INFINITY : ASK_EVERY_MS, Math.max(1, this.#untilDueMs())), woken.signal);
      signal.removeEventListener('abort', wake);
      this.#wake = null;
    }
  }

  /** Whether what was read makes one due. */
  isDue(): boolean {
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
