import type { FoldWarning, PartitionOutcome } from './ledger.ts';

/** What became of an entry. */
export const APPLIED = 0;
export const UNCHANGED = 1;
export const SUPERSEDED = 2;
export const PASSED = 3;
export const DEAD_LETTER = 4;
export type Outcome = typeof APPLIED | typeof UNCHANGED | typeof SUPERSEDED | typeof PASSED | typeof DEAD_LETTER;

/** A partition's counters, all zero. */
export function emptyOutcome(): PartitionOutcome {
  return { read: 0, applied: 0, unchanged: 0, superseded: 0, passedOver: 0, deadLetters: 0, unattributed: 0, orderAmbiguous: 0 };
}

/** Counts one record. */
export function countOutcome(counters: PartitionOutcome, outcome: Outcome): void {
  counters.read++;
  if (outcome === APPLIED) counters.applied++;
  else if (outcome === UNCHANGED) counters.unchanged++;
  else if (outcome === SUPERSEDED) counters.superseded++;
  else if (outcome === PASSED) counters.passedOver++;
  else counters.deadLetters++;
}

/** Adds counters of one batch to those of the partition. */
export function addOutcome(sum: PartitionOutcome, outcome: PartitionOutcome): void {
  sum.read += outcome.read;
  sum.applied += outcome.applied;
  sum.unchanged += outcome.unchanged;
  sum.superseded += outcome.superseded;
  sum.passedOver += outcome.passedOver;
  sum.deadLetters += outcome.deadLetters;
  sum.unattributed += outcome.unattributed;
  sum.orderAmbiguous += outcome.orderAmbiguous;
}

/** A position that fell while its commit time rose: the first of a batch's partition, and how many there were. */
export interface Fall {
  readonly where: string;
  readonly commitTime: number;
  count: number;
}

/** The warning a fall makes: it suggests the epoch that would put the positions in order. */
export function fallWarning(fall: Fall): FoldWarning {
  const time = new Date(fall.commitTime).toISOString();
  return {
    code: 'POSITION_FELL',
    message: `${fall.where}: the source position is below the one known of its row, but the commit time ${time} is later`
      + ` (${fall.count} such in this batch). If the database failed over, add the moment of the failover, at or before ${time}, to RENTFOLD_SOURCE_EPOCHS.`,
  };
}
