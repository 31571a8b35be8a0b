import { POSITION_WORDS } from '../change/change.ts';
import { ROW_FORGOTTEN, type RowColumns } from '../ledger/ledger.ts';
import { KeySet } from './key-set.ts';
import { readSegment } from './segment-reader.ts';
import { writeSegment, type SegmentEntry, type SegmentTarget } from './segment.ts';
import type { Store } from './store.ts';

/** Merging segments, so that restoring reads each row about once. The inputs stay as they are; the result replaces them in the next manifest. */

/** Which segments to merge, and where to. */
export interface CompactionJob {
  readonly target: SegmentTarget;
  /** In the order of the manifest: oldest first. */
  readonly inputs: readonly SegmentEntry[];
}

/**
 * Merges newest to oldest: of each key the newest row. A base has no place for forgotten keys. Holds the keys of all but the oldest input, and
 * one piece of rows.
 */
export async function compact(store: Store, job: CompactionJob): Promise<SegmentEntry> {
  return writeSegment(store, job.target, mergedBlocks(store, job));
}

async function* mergedBlocks(store: Store, job: CompactionJob): AsyncGenerator<RowColumns> {
  const seen = new KeySet();
  for (let index = job.inputs.length - 1; index >= 0; index--) {
    for await (const blocks of readSegment(store, job.target.folder, job.inputs[index])) {
      for (const block of blocks) yield selectRows(block, rowsToKeep(block, seen, index > 0, job.target.kind));
    }
  }
}

function rowsToKeep(block: RowColumns, seen: KeySet, remember: boolean, kind: SegmentEntry['kind']): Uint32Array {
  const keep = new Uint32Array(block.count);
  let count = 0;
  for (let i = 0; i < block.count; i++) {
    const isNewest = remember ? seen.add(block, i) : !seen.has(block, i);
    if (isNewest && (kind === 'delta' || block.state[i] !== ROW_FORGOTTEN)) keep[count++] = i;
  }
  return keep.subarray(0, count);
}

/** The given rows of a block; its accounts, partitions and strings stay. */
function selectRows(block: RowColumns, rows: Uint32Array): RowColumns {
  if (rows.length === block.count) return block;
  const pick = <T extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(from: T, to: T, width = 1): T => {
    for (let i = 0; i < rows.length; i++) for (let k = 0; k < width; k++) to[i * width + k] = from[rows[i] * width + k];
    return to;
  };
  const n = rows.length;
  return {
    count: n, table: pick(block.table, new Uint8Array(n)), state: pick(block.state, new Uint8Array(n)), keyKind: pick(block.keyKind, new Uint8Array(n)),
    key: pick(block.key, new Uint32Array(n * 4), 4), account: pick(block.account, new Uint32Array(n)), day: pick(block.day, new Int32Array(n)),
    amount: pick(block.amount, new Float64Array(n)), amount2: pick(block.amount2, new Float64Array(n)), expenseType: pick(block.expenseType, new Uint16Array(n)),
    flags: pick(block.flags, new Uint8Array(n)), partition: pick(block.partition, new Uint16Array(n)), offset: pick(block.offset, new Float64Array(n)),
    position: pick(block.position, new Uint32Array(n * POSITION_WORDS), POSITION_WORDS), commitTime: pick(block.commitTime, new Float64Array(n)),
    foldedAt: pick(block.foldedAt, new Float64Array(n)), accounts: block.accounts, partitions: block.partitions, strings: block.strings,
  };
}
