const LOOK_MS = 20;

/** Waits until a condition holds; fails after a while, also when the condition itself gives no answer, so that a test ends with its own words. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  await inTime(async (late) => {
    while (!late.aborted && !(await condition())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }, limitMs, () => condition.toString());
}

/** What the work gives; when it gives nothing for so long, an error that says what was waited for. `late` then aborts, so that the work ends too. */
export async function inTime<T>(work: (late: AbortSignal) => Promise<T>, limitMs: number, what: () => string): Promise<T> {
  const late = new AbortController();
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.abort();
    tooLate.reject(new Error(`it did not come true within ${limitMs} ms: ${what()}`));
  }, limitMs);
  try {
    return await Promise.race([work(late.signal), tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}
