import { RentfoldError } from '../errors.ts';

/** Which names a store takes: the same on every kind, so that a store can be copied from one kind to another. */

const NAME_PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;
const NAME_LENGTH_MAX = 1000;

/** The name itself. Throws for one that could leave the root or that a store keeps for itself (leading dots). */
export function checkedName(name: string): string {
  if (name.length > NAME_LENGTH_MAX || !name.split('/').every((part) => NAME_PART.test(part))) {
    throw new RentfoldError('UNEXPECTED', `"${name}" is no name for the store: parts of letters, digits, ".", "_" and "-" with "/" between`);
  }
  return name;
}

/** Name order: by code units, whatever the language. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
