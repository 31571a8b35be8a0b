/**
 * How many random cases a property test runs, and from which seed. RENTFOLD_TEST_RUNS multiplies the number (nightly runs), RENTFOLD_TEST_SEED
 * repeats a run; fast-check prints seed and path of a failing case.
 */
export function propertyParameters(runs: number): { numRuns: number; seed: number; endOnFailure: boolean } {
  const factor = Number(process.env.RENTFOLD_TEST_RUNS ?? '1');
  const seed = Number(process.env.RENTFOLD_TEST_SEED ?? '20261123');
  return { numRuns: Math.ceil(runs * factor), seed, endOnFailure: false };
}
