/**
 * The faults that rentfold is put through, and the test that proves each. A test says with `faultFired` that a fault really happened; a run prints how often
 * each did, and a complete run in which one never happened fails. O: object store. D: damaged or missing checkpoint files. L: two instances on one store.
 */
export const FAULTS = {
  // Object store.
  O1a: { what: 'a conditional write was done, its reply lost: the conflict of the next try is our own', test: 'test/snapshot/azure-faults.test.ts' },
  O1b: { what: 'a conditional write meets what another wrote, also the same bytes: the conflict is the other\'s', test: 'test/snapshot/azure-faults.test.ts' },
  O2a: { what: 'a burst of 429 and 503 with Retry-After: asked again, not sooner than it says', test: 'test/snapshot/azure-faults.test.ts' },
} as const satisfies Readonly<Record<string, FaultRow>>;

/** What happens, and the file of the test that makes it happen, from the repository's root. */
export interface FaultRow {
  readonly what: string;
  readonly test: string;
}

/** Id of a fault. */
export type FaultId = keyof typeof FAULTS;

/** The table with how often each fault happened, from the ids that tests told, in lines; and the ids that nobody told. */
export function faultReport(told: readonly string[]): { readonly lines: readonly string[]; readonly missing: readonly FaultId[] } {
  const rows = (Object.entries(FAULTS) as [FaultId, FaultRow][]).map(([id, row]) => ({ id, row, times: told.filter((one) => one === id).length }));
  const lines = rows.map(({ id, row, times }) => `${id.padEnd(4)} ${String(times).padStart(5)}  ${row.what}  (${row.test})`);
  return { lines, missing: rows.filter(({ times }) => times === 0).map(({ id }) => id) };
}
