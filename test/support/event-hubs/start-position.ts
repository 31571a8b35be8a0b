/** Where a receiver asks to begin. `inclusive`: with the named event itself, else after it. */
export type StartPosition = { readonly inclusive: boolean } & (
  | { readonly by: 'latest' }
  | { readonly by: 'offset'; readonly value: string }
  | { readonly by: 'sequence-number'; readonly value: number }
  /** Milliseconds. */
  | { readonly by: 'enqueued-time'; readonly value: number }
);

/** Key of the filter in a receiver's source. */
export const SELECTOR_FILTER = 'apache.org:selector-filter:string';

const SELECTOR = /^amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time) (>=?) '([^']*)'$/;

/** Reads a selector such as `amqp.annotation.x-opt-offset > '1234'`. Null when it is none that the service knows. */
export function parseSelector(selector: string): StartPosition | null {
  const [, by, sign, value] = SELECTOR.exec(selector) ?? [];
  const inclusive = sign === '>=';
  switch (by) {
    case 'offset': return value === '@latest' ? { by: 'latest', inclusive } : { by, value, inclusive };
    case 'sequence-number': case 'enqueued-time': return /^-?\d+$/.test(value) ? { by, value: Number(value), inclusive } : null;
    default: return null;
  }
}
