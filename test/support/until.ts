const LOOK_MS = 20;

/** Waits until a condition holds; fails after a while, also when the condition itself gives no answer, so that a test ends with its own words. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<void> {
  let isLate = false;
  const held = async (): Promise<void> => {
    while (!isLate && !(await condition())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  };
  await inTime(held(), limitMs, () => condition.toString()).finally(() => { isLate = true; });
}

/** What a promise gives; when it gives nothing for so long, an error that says what was waited for. */
export async function inTime<T>(promise: Promise<T>, limitMs: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not come true within ${limitMs} ms: ${what()}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
