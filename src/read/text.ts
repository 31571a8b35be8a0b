/** Longest text from a request that is repeated in a log line or an answer. */
const PRINTABLE_LENGTH_MAX = 600;

/** Control characters, line separators, marks that turn the direction of text, and lone surrogates: what could forge or hide a log line. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** Text from outside as it may stand in a log line: one line, unprintable characters written as `\uXXXX`, of bounded length. */
export function printable(text: string): string {
  const short = text.length <= PRINTABLE_LENGTH_MAX ? text : `${text.slice(0, PRINTABLE_LENGTH_MAX)}…`;
  return short.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** ISO text of an instant in UTC; null for null and for numbers that are no instant. */
export function isoText(milliseconds: number | null): string | null {
  if (milliseconds === null) return null;
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
