/** Waiting times between attempts: doubled from the first to the longest, each spread by half of itself so that many who wait do not come back together. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #nextMs: number;

  constructor([firstMs, longestMs]: readonly [first: number, longest: number]) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#nextMs = firstMs;
  }

  /** Milliseconds to wait before the next attempt. `random`: from 0 up to 1. */
  next(random: number = Math.random()): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(this.#longestMs, 2 * ms);
    return ms / 2 + (ms / 2) * random;
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
