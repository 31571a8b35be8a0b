import { RentfoldError, type Code } from '../errors.ts';
import { partitionName, type PartitionPosition } from './positions.ts';
import type { OpenOptions, PartitionStop } from './source.ts';
import type { PartitionState, FilePartitions } from './file-partitions.ts';
import { inTwoFiles, offsetFell } from './file-stops.ts';

/** What the positions a source was opened at look like against the log. */
export interface CheckedPositions {
  readonly gaps: string[];
  readonly notes: string[];
  /** Partitions that cannot be read at all. */
  readonly stops: PartitionStop[];
}

const ACCEPT = 'accept the gap with RENTFOLD_ACCEPT_INCOMPLETE_HISTORY=true: then every answer says `complete: false`';
const REPLAY = 'Check that the files are those this store was made from; otherwise replay into an empty store';

/**
 * Compares every position with what the scan found. Throws one `RentfoldError` (POSITION_TOO_OLD, POSITION_BEYOND_END, POSITION_RECORD_CHANGED,
 * HISTORY_INCOMPLETE) that names every partition with a problem; its code is that of the first.
 */
export function checkPositions(table: FilePartitions, folder: string, options: OpenOptions): CheckedPositions {
  const checked: CheckedPositions = { gaps: [], notes: [], stops: [] };
  const problems: Problem[] = [];
  for (const position of options.positions) {
    if (position.next > 0 && table.get(position.topic, position.partition) === null) {
      problems.push({ code: 'POSITION_BEYOND_END', message: `${partitionName(position)} was read up to offset ${position.next}, but no \`*.jsonl\` file in ${folder} holds it. ${REPLAY}.` });
    }
  }
  for (const state of table.all()) {
    if (state.found.second !== null) {
      state.stopped = true;
      checked.stops.push(inTwoFiles(state, state.found.second, null));
      continue;
    }
    const problem = state.opened === null ? checkBeginning(state) : checkPosition(state, state.opened, checked);
    if (problem !== null && problem.gap !== undefined && options.acceptIncompleteHistory) checked.gaps.push(problem.gap);
    else if (problem !== null) problems.push(problem);
    if (state.found.fall !== null) {
      const { line, offset, before } = state.found.fall;
      state.stopped = true;
      checked.stops.push(offsetFell(state, line, offset, before));
    }
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

function checkBeginning(state: PartitionState): Problem | null {
  if (state.start <= 0) return null;
  const gap = `${partitionName(state)} begins at offset ${state.start} in ${state.file.path}: offsets 0 to ${state.start - 1} are missing`;
  return { code: 'HISTORY_INCOMPLETE', gap, message: `${gap}. Provide the whole partition, or ${ACCEPT}.` };
}

function checkPosition(state: PartitionState, position: PartitionPosition, checked: CheckedPositions): Problem | null {
  const where = `${partitionName(state)} was read up to offset ${position.next}`;
  if (position.next > state.end) {
    return { code: 'POSITION_BEYOND_END', message: `${where}, but ${state.file.path} ends before offset ${state.end}. ${REPLAY}.` };
  }
  if (position.next < state.start) {
    const gap = `${where}, but ${state.file.path} begins at offset ${state.start}: offsets ${position.next} to ${state.start - 1} are missing`;
    return { code: 'POSITION_TOO_OLD', gap, message: `${gap}. Replay into an empty store from files that reach back, or ${ACCEPT}.` };
  }
  if (position.lastOffset === null) return null;
  const { applied } = state.found;
  if (applied === null || position.lastHash === null) {
    checked.notes.push(`The record of ${partitionName(state)} that was applied last, at offset ${position.lastOffset}, could not be compared: ${applied === null ? `it is not in ${state.file.path} (retention or compaction)` : 'its hash is not known'}.`);
    return null;
  }
  const hasSameTime = position.lastTime === null || Number.isNaN(applied.time) || applied.time === position.lastTime;
  if (applied.hash === position.lastHash && hasSameTime) return null;
  const what = applied.hash === position.lastHash ? `has another time (${applied.time}, not ${position.lastTime})` : 'is another one';
  return { code: 'POSITION_RECORD_CHANGED', message: `${where}, but the record at offset ${position.lastOffset} in ${state.file.path} ${what} than the one that was applied. ${REPLAY}.` };
}
