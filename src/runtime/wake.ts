/**
 * A bell that one waiter sleeps by: `ring` wakes it, or lets its next wait return at once when it was not asleep. Rings do not add up.
 */
export class Wake {
  #rung = false;
  #awake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#awake?.();
  }

  /** Returns when the bell rings, or after so many milliseconds when a number is given. */
  async wait(ms?: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        this.#awake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#awake = null;
    }
    this.#rung = false;
  }
}
