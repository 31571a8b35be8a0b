import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';
import type { FaultId } from './table.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** File of the run to which tests append the ids of faults that happened, one a line. */
    rentfoldFaults: string;
  }
}

/**
 * Tells the run that a fault of the table has happened. Call it where the test has seen that it did (the proxy struck, the process is gone), not where
 * it is planned. `times`: how often it was seen.
 */
export function faultFired(id: FaultId, times = 1): void {
  appendFileSync(inject('rentfoldFaults'), `${id}\n`.repeat(times));
}
