import { oneLine } from '../runtime/one-line.ts';

/** Longest text from a request that is repeated in a log line or an answer. */
const PRINTABLE_LENGTH_MAX = 600;

/** Text from outside as it may stand in a log line: one line, unprintable characters written as `\uXXXX`, of bounded length. */
export function printable(text: string): string {
  const short = text.length <= PRINTABLE_LENGTH_MAX ? text : `${text.slice(0, PRINTABLE_LENGTH_MAX)}…`;
  return oneLine(short);
}

/** ISO text of an instant in UTC; null for null and for numbers that are no instant. */
export function isoText(milliseconds: number | null): string | null {
  if (milliseconds === null) return null;
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
