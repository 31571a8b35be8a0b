import type { Ingest } from './ingest/ingest.ts';
import type { Clock } from './runtime/clock.ts';
import type { PartitionPosition } from './source/positions.ts';

/** At the end, the source gets this long for the positions that it was not told yet: they serve lag tools alone. */
const END_MS = 1_000;

/** Tells the source which positions are durable, beside everything else: one call at a time, and where it is slow the newest positions win. */
export class Commits {
  readonly #ingest: Pick<Ingest, 'commit'>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #newest: readonly PartitionPosition[] | null = null;
  #running: Promise<void> | null = null;
  #isEnded = false;

  /** `failed` hears of every call that the source did not take. */
  constructor(ingest: Pick<Ingest, 'commit'>, clock: Clock, failed: (error: unknown) => void) {
    this.#ingest = ingest;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Returns at once. */
  tell(positions: readonly PartitionPosition[]): void {
    this.#newest = positions;
    this.#running ??= this.#run();
  }

  /** Returns when the source has taken or refused what it was told, or did neither in time. */
  async ended(): Promise<void> {
    if (this.#running === null) return;
    const done = new AbortController();
    const late = this.#clock.sleep(END_MS, done.signal).then(() => {
      if (done.signal.aborted) return;
      this.#isEnded = true;
      this.#failed(new Error(`it did not answer within ${END_MS} ms at the end`));
    });
    await Promise.race([this.#running, late]);
    done.abort();
  }

  async #run(): Promise<void> {
    while (this.#newest !== null && !this.#isEnded) {
      const positions = this.#newest;
      this.#newest = null;
      try {
        await this.#ingest.commit(positions);
      } catch (error) {
        if (!this.#isEnded) this.#failed(error);
      }
    }
    this.#running = null;
  }
}
