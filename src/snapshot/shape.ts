/**
 * Shapes of JSON: a shape checks a value read from a file and gives it its type. Strict: a missing, surplus or out-of-range field is an
 * error that names its path. Made for manifests, which only rentfold writes; nothing is converted.
 */
export type Shape<T> = (value: unknown, path: string) => T;

/** A value that is not as its shape says; the message names path and problem. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

function fail(path: string, expected: string): never {
  throw new ShapeError(`${path === '' ? 'the content' : path} is not ${expected}`);
}

/** Text, of a pattern if given. */
export function text(pattern?: RegExp): Shape<string> {
  return (value, path) => (typeof value === 'string' && (pattern === undefined || pattern.test(value)) ? value : fail(path, pattern === undefined ? 'text' : `text like ${pattern}`));
}

/** A whole number from `min` to `max`, both allowed. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, path) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : fail(path, `a whole number from ${min} to ${max}`));
}

/** Any number JSON can hold. */
export function finite(): Shape<number> {
  return (value, path) => (typeof value === 'number' && Number.isFinite(value) ? value : fail(path, 'a number'));
}

/** True or false. */
export function bool(): Shape<boolean> {
  return (value, path) => (typeof value === 'boolean' ? value : fail(path, 'true or false'));
}

/** Null, or what the shape says. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** One of some texts. */
export function oneOf<const T extends string>(...choices: readonly T[]): Shape<T> {
  return (value, path) => (choices as readonly unknown[]).includes(value) ? value as T : fail(path, `one of ${choices.join(', ')}`);
}

/** A list of one shape, of a length from `lengthMin` to `lengthMax`. */
export function list<T>(shape: Shape<T>, lengthMin = 0, lengthMax = Infinity): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < lengthMin || value.length > lengthMax) return fail(path, 'a list of the length expected');
    return value.map((item, i) => shape(item, `${path}[${i}]`));
  };
}

/** An object of any names, all values of one shape. */
export function record<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'an object');
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shape(item, `${path}.${name}`)]));
  };
}

/** An object of exactly these fields; those named in `optional` may be missing. */
export function fields<T extends object>(shapes: { readonly [K in keyof T]-?: Shape<T[K]> }, optional: readonly (keyof T)[] = []): Shape<T> {
  const names = Object.keys(shapes) as (keyof T & string)[];
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'an object');
    for (const name of Object.keys(value)) if (!names.includes(name as keyof T & string)) fail(`${path}.${name}`, 'a field of this format');
    const result: Partial<T> = {};
    for (const name of names) {
      if (!(name in value)) {
        if (!optional.includes(name)) fail(`${path}.${name}`, 'there');
        continue;
      }
      result[name] = shapes[name]((value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    }
    return result as T;
  };
}

/** The first of two shapes that fits. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return (value, path) => {
    try {
      return first(value, path);
    } catch {
      return second(value, path);
    }
  };
}
