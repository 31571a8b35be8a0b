import type { OpenOptions, PartitionStop } from './source.ts';
import type { FilePartitions, PartitionState } from './file-partitions.ts';
import { inTwoFiles, offsetFell } from './file-stops.ts';
import { checkPositions, type CheckedPositions, type LogWords } from './position-check.ts';

/** What a folder of dumps looks like against the positions it was opened at; `stops`: partitions that cannot be read at all. */
export interface CheckedFolder extends CheckedPositions {
  readonly stops: readonly PartitionStop[];
}

/** Compares every position with what the scan found. Throws what `checkPositions` throws. */
export function checkFolder(table: FilePartitions, folder: string, options: OpenOptions): CheckedFolder {
  const stops: PartitionStop[] = [];
  const readable: PartitionState[] = [];
  for (const state of table.all()) {
    if (state.found.second === null) readable.push(state);
    else {
      state.stopped = true;
      stops.push(inTwoFiles(state, state.found.second, null));
    }
  }
  const absent = options.positions.filter(({ topic, partition, next }) => next > 0 && table.get(topic, partition) === null);
  const found = readable.map((state) => ({ ...state.bounds, position: state.opened, applied: state.found.applied }));
  const words: LogWords = {
    holder: ({ topic, partition }) => table.get(topic, partition)!.file.path,
    absent: `no \`*.jsonl\` file in ${folder} holds it`,
    check: 'Check that the files are those this store was made from; otherwise replay into an empty store',
    wayBack: 'files that reach back',
  };
  const checked = checkPositions(found, absent, words, options.acceptIncompleteHistory);
  for (const state of readable) {
    if (state.found.fall === null) continue;
    const { line, offset, before } = state.found.fall;
    state.stopped = true;
    stops.push(offsetFell(state, line, offset, before));
  }
  return { ...checked, stops };
}
