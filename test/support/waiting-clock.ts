import { createSystemClock, type Clock } from '../../src/runtime/clock.ts';

const system = createSystemClock();

/** A clock on which nobody waits: sleeps shorter than a deadline end at once and are noted; longer ones, which are deadlines, end when the test says so. */
export class WaitingClock implements Clock {
  /** Sleeps that ended at once, in milliseconds. */
  readonly waits: number[] = [];
  readonly #deadlineMs: number;
  readonly #deadlines = new Set<() => void>();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  now(): number {
    return system.now();
  }

  monotonicMs(): number {
    return system.monotonicMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms !== this.#deadlineMs) {
      this.waits.push(ms);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const end = (): void => {
        this.#deadlines.delete(end);
        resolve();
      };
      this.#deadlines.add(end);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** All deadlines that run now are over. */
  passDeadlines(): void {
    for (const end of [...this.#deadlines]) end();
  }
}
