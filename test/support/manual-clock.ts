import type { Clock } from '../../src/runtime/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  readonly #startedAt: number;
  readonly #sleepers = new Set<Sleeper>();
  #ms = 0;

  constructor(startedAt = 1_700_000_000_000) {
    this.#startedAt = startedAt;
  }

  now(): number {
    return this.#startedAt + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const sleeper: Sleeper = {
        dueMs: this.#ms + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake);
    });
  }

  /** How long each who sleeps has still to sleep, in milliseconds. */
  get sleeping(): readonly number[] {
    return [...this.#sleepers].map(({ dueMs }) => dueMs - this.#ms);
  }

  /** Time passes; whoever sleeps wakes at the moment asked for, and goes on as far as it can before the next one wakes. */
  async pass(seconds: number): Promise<void> {
    const end = this.#ms + seconds * 1_000;
    await turns();
    for (;;) {
      const [next] = [...this.#sleepers].filter(({ dueMs }) => dueMs <= end).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#ms = Math.max(this.#ms, next.dueMs);
      next.wake();
      await turns();
    }
    this.#ms = end;
    await turns();
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(count = 25): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => { setImmediate(resolve); });
}
