/**
 * Reads a query string strictly: a name that stands twice gets an array, a value that is not percent-encoded UTF-8 gets null, so that
 * the route's schema refuses both. `+` is a space. Never throws: the router has no place for it.
 */
export function parseQueryString(text: string): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (text === '') return result;
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals)) ?? part;
    const value = equals < 0 ? '' : decode(part.slice(equals + 1));
    result[name] = name in result ? [result[name], value].flat() : value;
  }
  return result;
}

function decode(text: string): string | null {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
