/**
 * How long the sender of an HTTP answer asks to be left alone, by its Retry-After header (RFC 9110, 10.2.3): whole seconds or a date. Milliseconds from `now` (wall clock); 0 for a date that is over; null
 * when there is none, or one that is neither.
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // A date begins with the name of its day; `Date.parse` would make dates of other numbers too.
  const date = /^[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
