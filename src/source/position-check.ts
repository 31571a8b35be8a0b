import { RentfoldError, type Code } from '../errors.ts';
import { partitionName, type PartitionBounds, type PartitionPosition } from './positions.ts';
import { ACCEPT } from './stops.ts';

/** A partition as it was found, to be compared with the position it is to be read from. */
export interface FoundPartition extends PartitionBounds {
  /** Null: it is read from its beginning. */
  readonly position: PartitionPosition | null;
  /** The record at the position's `lastOffset`; null when it is not there. Its time is NaN or null when the log gives none. */
  readonly applied: { readonly time: number | null; readonly hash: string } | null;
}

/** How a kind of log is spoken of. */
export interface LogWords {
  /** What holds the partition: a path, or `the topic`. */
  holder(found: FoundPartition): string;
  /** What is said of a position whose partition is nowhere. */
  readonly absent: string;
  /** What is to be checked when the log is another than the one that was read, and what else is left to do. */
  readonly check: string;
  /** From what a store is filled again when records are gone: `files that reach back`. */
  readonly wayBack: string;
}

/** What the positions a source was opened at look like against the log. */
export interface CheckedPositions {
  readonly gaps: string[];
  readonly notes: string[];
}

const ACCEPT_THE_GAP = `accept the gap with ${ACCEPT}: then every answer says \`complete: false\``;

/**
 * Compares positions with the log. Throws one `RentfoldError` (POSITION_TOO_OLD, POSITION_BEYOND_END, POSITION_RECORD_CHANGED, HISTORY_INCOMPLETE) that names every partition
 * with a problem; its code is that of the first. `absent`: positions whose partitions are not there.
 */
export function checkPositions(partitions: readonly FoundPartition[], absent: readonly PartitionPosition[], words: LogWords, acceptIncompleteHistory: boolean): CheckedPositions {
  const checked: CheckedPositions = { gaps: [], notes: [] };
  const problems = absent.map((position): Problem => ({ code: 'POSITION_BEYOND_END', message: `${readUpTo(position)}, but ${words.absent}. ${words.check}.` }));
  for (const found of partitions) {
    const problem = found.position === null ? checkBeginning(found, words) : checkPosition(found, found.position, words, checked.notes);
    if (problem?.gap !== undefined && acceptIncompleteHistory) checked.gaps.push(problem.gap);
    else if (problem !== null) problems.push(problem);
  }
  if (problems.length > 0) throw new RentfoldError(problems[0].code, problems.map(({ message }) => message).join(' '));
  return checked;
}

/** `gap` says in words what is missing where that may be accepted. */
interface Problem {
  readonly code: Code;
  readonly message: string;
  readonly gap?: string;
}

function readUpTo(position: PartitionPosition): string {
  return `${partitionName(position)} was read up to offset ${position.next}`;
}

function checkBeginning(found: FoundPartition, words: LogWords): Problem | null {
  if (found.start <= 0) return null;
  const gap = `${partitionName(found)} begins at offset ${found.start} in ${words.holder(found)}: offsets 0 to ${found.start - 1} are missing`;
  return { code: 'HISTORY_INCOMPLETE', gap, message: `${gap}. Provide the whole partition, or ${ACCEPT_THE_GAP}.` };
}

function checkPosition(found: FoundPartition, position: PartitionPosition, words: LogWords, notes: string[]): Problem | null {
  const where = readUpTo(position);
  const holder = words.holder(found);
  if (position.next > found.end) return { code: 'POSITION_BEYOND_END', message: `${where}, but ${holder} ends before offset ${found.end}. ${words.check}.` };
  if (position.next < found.start) {
    const gap = `${where}, but ${holder} begins at offset ${found.start}: offsets ${position.next} to ${found.start - 1} are missing`;
    return { code: 'POSITION_TOO_OLD', gap, message: `${gap}. Replay into an empty store from ${words.wayBack}, or ${ACCEPT_THE_GAP}.` };
  }
  if (position.lastOffset === null) return null;
  const { applied } = found;
  if (applied === null || position.lastHash === null) {
    notes.push(`The record of ${partitionName(found)} that was applied last, at offset ${position.lastOffset}, could not be compared: ${applied === null ? `it is not in ${holder} (retention or compaction)` : 'its hash is not known'}.`);
    return null;
  }
  const difference = recordDifference({ time: position.lastTime, hash: position.lastHash }, applied);
  if (difference === null) return null;
  return { code: 'POSITION_RECORD_CHANGED', message: `${where}, but the record at offset ${position.lastOffset} in ${holder} ${difference} than the one that was applied. ${words.check}.` };
}

/** How a record differs from the one that was applied, in words; null when it is the same. A time that is not known is not compared. */
export function recordDifference(applied: { readonly time: number | null; readonly hash: string }, found: { readonly time: number | null; readonly hash: string }): string | null {
  if (found.hash !== applied.hash) return 'is another one';
  if (applied.time === null || found.time === null || Number.isNaN(found.time) || found.time === applied.time) return null;
  return `has another time (${found.time}, not ${applied.time})`;
}
