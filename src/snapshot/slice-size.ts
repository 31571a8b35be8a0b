/** Rows of the first slice of a cut. */
export const SLICE_ROWS_FIRST = 1_024;

const ROWS_MIN = 256;
const ROWS_MAX = 4_096;
const SLICE_MS = 1;

/**
 * How many rows of a cut are drawn at a time: as many as take about a millisecond, since the thread that draws them also folds and answers reads. Rows that changed
 * lie far apart in memory, so what a slice takes differs by machine, by load and by how many rows there are.
 */
export class SliceSize {
  #rows = SLICE_ROWS_FIRST;

  /** Rows of the next slice. */
  get rows(): number {
    return this.#rows;
  }

  /** Notes what the last slice took, in milliseconds. One that was held up by something else makes the next half as large, not tiny. */
  took(ms: number): void {
    const wanted = this.#rows * Math.min(2, Math.max(0.5, SLICE_MS / Math.max(ms, 0.001)));
    this.#rows = Math.min(ROWS_MAX, Math.max(ROWS_MIN, Math.round(wanted)));
  }
}
