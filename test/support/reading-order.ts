import fc from 'fast-check';
import { createRandom } from './history-random.ts';
import type { LogRecord } from './history-log.ts';

/** Ways to read several partitions as one stream. Inside a partition the order never changes. */
export const READING_ORDERS = ['one-by-one', 'one-by-one-backwards', 'round-robin', 'random', 'random-runs'] as const;
export type ReadingOrder = (typeof READING_ORDERS)[number];

export interface Reading {
  readonly order: ReadingOrder;
  readonly seed: number;
}

export function readings(): fc.Arbitrary<Reading> {
  return fc.record({ order: fc.constantFrom(...READING_ORDERS), seed: fc.nat(0x7fffffff) });
}

/** The items of all partitions in the given order. */
export function interleave<Item = LogRecord>(partitions: readonly (readonly Item[])[], reading: Reading): readonly Item[] {
  if (reading.order === 'one-by-one') return partitions.flat();
  if (reading.order === 'one-by-one-backwards') return partitions.toReversed().flat();
  const random = createRandom(reading.seed);
  const places = partitions.map(() => 0);
  const read: Item[] = [];
  const open = (): number[] => places.map((_, index) => index).filter((index) => places[index] < partitions[index].length);
  for (let left = open(), turn = 0; left.length > 0; left = open(), turn++) {
    const index = reading.order === 'round-robin' ? left[turn % left.length] : random.pick(left);
    const run = reading.order === 'random-runs' ? 1 + random.below(20) : 1;
    for (let i = 0; i < run && places[index] < partitions[index].length; i++) read.push(partitions[index][places[index]++]);
  }
  return read;
}
