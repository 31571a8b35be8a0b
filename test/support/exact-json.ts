/** Parses JSON and keeps every number as its source text, so that no digit is lost or invented by a double. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, ((_key: string, value: unknown, context: { readonly source?: string }) =>
    typeof value === 'number' ? (context.source ?? String(value)) : value) as (key: string, value: unknown) => unknown);
}
