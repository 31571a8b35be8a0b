/**
 * Places of an open-addressing index, linear probing: with 2ᵏ of them the lower k bits of an entry are the number plus one, the upper ones those of the hash that did
 * not choose the place. 0 is free.
 */

/** Enters a number under its hash. There must be a free place. */
export function enter(places: Uint32Array, number: number, hash: number): void {
  const mask = places.length - 1;
  let place = hash & mask;
  while (places[place] !== 0) place = (place + 1) & mask;
  places[place] = (hash & ~mask) | (number + 1);
}

/** The number that stands first where this hash leads, when it was entered under such a hash; else -1. To have its memory fetched: it need not be the one looked for. */
export function firstUnder(places: Uint32Array, hash: number): number {
  const mask = places.length - 1;
  const entry = places[hash & mask];
  return entry === 0 || ((entry ^ hash) & ~mask) !== 0 ? -1 : (entry & mask) - 1;
}
