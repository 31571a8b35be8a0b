import type { Change } from './change-writer.ts';

/** When the changes below are folded. */
export const NOW = { now: 1_700_000_100_000, mayForgetDeletes: true };

/** Rents, expenses and properties with all kinds of ids and types; `round` makes them differ. */
export function someChanges(round: number): Change[] {
  return [
    { op: 'upsert', table: 'properties', key: 'p1', amount: 100_000_000 + round, amount2: 5_000 },
    { op: 'upsert', table: 'rents', key: `r${round}`, property: 'p1', unit: 'u1', day: 20_000 + round, amount: 12_345_600 + round },
    { op: 'upsert', table: 'rents', key: 'r-moving', property: `p${round % 3}`, unit: null, amount: -1, flag: true },
    { op: 'upsert', table: 'expenses', key: '3F2504E0-4F89-11D3-9A0C-0305E82C3301', property: '3f2504e0-4f89-11d3-9a0c-0305e82c3301', amount: round, type: 'tax' },
    { op: 'upsert', table: 'expenses', key: `a very long key, longer than fifteen bytes ${round % 2}`, property: 'a property with a long name ü', unit: 'a unit with a long name too', type: `type ${round}` },
    { op: 'upsert', table: 'expenses', key: `e${round}`, property: 'p2', type: null },
    { op: 'delete', table: 'expenses', key: `e${round - 1}` },
    { op: 'letter', property: 'p2' },
  ];
}

/** A round of several slices of rows, some of them new, some changed, some deleted. */
export function manyChanges(round: number): Change[] {
  const many = Array.from({ length: 5_000 }, (_, i): Change => (i % 11 === 0
    ? { op: 'delete', table: 'rents', key: `m${i + round}` }
    : { op: 'upsert', table: 'rents', key: `m${i + round * 7}`, property: `p${i % 50}`, amount: i * round }));
  return [...someChanges(round), ...many];
}
