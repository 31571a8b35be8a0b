import { enablePatches, produce, produceWithPatches, type Draft, type Patch } from 'immer';
import {
  CHECKPOINTS_KEPT, MESSAGE_LENGTH_MAX, OTHER_WARNINGS, reachedEndAtStart, WARNING_CODES_MAX,
  type CheckpointStatus, type ControlState, type ParquetStatus, type PartitionStatus, type PublishFailure,
} from './control-state.ts';
import { partitionName, type PartitionBounds, type PartitionPosition, type TopicPartition } from './source/positions.ts';
import type { PartitionStop } from './source/source.ts';

/** What a restore found. */
export interface Restored {
  /** Null: none is begun yet. */
  readonly lineage: string | null;
  readonly generation: number | null;
  /** As the manifest says; false for a new lineage. */
  readonly caughtUpOnce: boolean;
  readonly incompleteHistory: readonly string[];
  readonly positions: readonly PartitionPosition[];
}

/** The file is there (written now, or found as it should be), or it was not written, and why. `isFailure`: it should have been. */
export type ParquetResult =
  | { readonly kind: 'there'; readonly isNew: boolean; readonly file: NonNullable<ParquetStatus['file']> }
  | { readonly kind: 'not-written'; readonly isFailure: boolean; readonly error: string };

export type ControlListener = (patches: readonly Patch[], state: ControlState) => void;

/** The one holder of the control state. Every function is synchronous; listeners hear of a change after it was made. */
export interface Control {
  state(): ControlState;
  /** Calls `listener` with the patches of every change; the answer ends that. */
  subscribe(listener: ControlListener): () => void;
  /** The checkpoint is loaded, or there was none. */
  restored(found: Restored, at: number): void;
  /** The source is open at the restored positions: `bounds` hold the end seen at start. Opening again later moves only the ends. */
  opened(log: { readonly bounds: readonly PartitionBounds[]; readonly gaps: readonly string[]; readonly waiting?: readonly string[] }, at: number): void;
  /** The log grew, or partitions appeared. `waiting`, when given: topics that are waited for now. */
  boundsSeen(bounds: readonly PartitionBounds[], waiting?: readonly string[]): void;
  /** A stretch of history turned out to be missing. */
  gapFound(gap: string): void;
  /** Records up to these positions are folded. */
  folded(positions: readonly (TopicPartition & { readonly next: number })[], at: number): void;
  /** A partition cannot go on, or, when its number is negative, the source as a whole. The first reason is kept. */
  stopped(stop: PartitionStop, at: number): void;
  /** A checkpoint begins: what is folded from now on is not in it. */
  checkpointBegun(): void;
  /** A checkpoint was written, or failed; `lineage` is the one it belongs to, null while none is begun. */
  checkpointed(checkpoint: CheckpointStatus, lineage: string | null): void;
  /** What became of the parquet file, the last time it was due. */
  parquet(outcome: ParquetResult): void;
  /** An attempt to publish failed: a checkpoint, or asking for the lease. */
  publishFailed(failure: PublishFailure): void;
  /** The store was asked for the lease and answered, whatever it said. */
  leaseAnswered(): void;
  /** `reason`: why this process stands by, null for the publisher. */
  roleChanged(role: ControlState['role'], reason: string | null): void;
  warned(warning: { readonly code: string; readonly message: string }, at: number): void;
  closing(): void;
}

enablePatches();

/** Form of every code of ours; another name is not used as a member's. */
const CODE = /^[A-Z][A-Z0-9_]*$/;

const GAPS_MAX = 100;
const MORE_GAPS = 'more stretches than are kept here: each was said in the log as HISTORY_INCOMPLETE';

/** Makes the control state of a process that has just begun to restore. */
export function createControl(startedAt: number): Control {
  let state = initialState(startedAt);
  const listeners = new Set<ControlListener>();
  const change = (recipe: (draft: Draft<ControlState>) => void): void => {
    if (listeners.size === 0) {
      state = produce(state, recipe);
      return;
    }
    const [next, patches] = produceWithPatches(state, recipe);
    state = next;
    if (patches.length > 0) for (const listener of listeners) listener(patches, next);
  };
  /** Becomes ready when the end seen at start is reached; a partition that appears later does not end that. Looked at outside of a draft: there, each look at a partition costs a proxy. */
  const settle = (at: number): void => {
    if (state.phase === 'catching-up' && reachedEndAtStart(state)) change((draft) => becomeReady(draft, at));
  };
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    restored: (found, at) => change((draft) => restore(draft, found, at)),
    opened(log, at) {
      change((draft) => open(draft, log));
      settle(at);
    },
    boundsSeen: (bounds, waiting) => change((draft) => seeBounds(draft, bounds, waiting)),
    gapFound: (gap) => change((draft) => addGap(draft, gap)),
    folded(positions, at) {
      const [partitions, publishing] = [moved(state.partitions, positions), unpublished(state.publishing, at)];
      change((draft) => void Object.assign(draft, { partitions, publishing }));
      settle(at);
    },
    stopped: (stop, at) => change((draft) => stopPartition(draft, stop, at)),
    checkpointBegun: () => change((draft) => void (draft.publishing.unpublishedSinceBegun = null)),
    checkpointed: (checkpoint, lineage) => change((draft) => recordCheckpoint(draft, checkpoint, lineage)),
    parquet: (outcome) => change((draft) => recordParquet(draft, outcome)),
    publishFailed: (failure) => change((draft) => failToPublish(draft, failure)),
    leaseAnswered: () => change((draft) => { if (draft.publishing.lastFailure?.attempt === 'lease') endFailures(draft); }),
    roleChanged: (role, reason) => change((draft) => void Object.assign(draft, { role, roleReason: reason === null ? null : bounded(reason) })),
    warned: (warning, at) => change((draft) => recordWarning(draft, warning, at)),
    closing: () => change((draft) => void (draft.phase = 'closing')),
  };
}

function initialState(startedAt: number): ControlState {
  return {
    phase: 'restoring', role: 'standby', roleReason: null, lineage: null, generation: null, caughtUpOnce: false, incompleteHistory: [], waitingTopics: [], partitions: {},
    sourceStop: null, checkpoints: [], checkpointsSucceeded: 0, checkpointsFailed: 0,
    publishing: { unpublishedSince: null, unpublishedSinceBegun: null, failuresInARow: 0, lastFailure: null }, parquet: { file: null, succeeded: 0, failed: 0, error: null }, warnings: {}, startedAt, restoredAt: null, readyAt: null,
  };
}

function restore(draft: Draft<ControlState>, found: Restored, at: number): void {
  draft.lineage = found.lineage;
  draft.generation = found.generation;
  draft.caughtUpOnce = found.caughtUpOnce;
  draft.incompleteHistory = [...found.incompleteHistory];
  draft.partitions = moved(draft.partitions, found.positions);
  draft.restoredAt = at;
}

function open(draft: Draft<ControlState>, log: Parameters<Control['opened']>[0]): void {
  const first = draft.phase === 'restoring';
  for (const bound of log.bounds) {
    const partition = partitionOf(draft, bound, bound.start);
    partition.end = bound.end;
    if (first) partition.endAtStart = bound.end;
  }
  draft.waitingTopics = [...(log.waiting ?? [])];
  for (const gap of log.gaps) addGap(draft, gap);
  if (first) draft.phase = 'catching-up';
}

/** Stretches beyond `GAPS_MAX` are in the log alone: a reader that retention overtakes again and again would fill every manifest and answer with them. */
function addGap({ incompleteHistory }: Draft<ControlState>, gap: string): void {
  if (incompleteHistory.includes(gap) || incompleteHistory.length > GAPS_MAX) return;
  incompleteHistory.push(incompleteHistory.length < GAPS_MAX ? gap : MORE_GAPS);
}

function seeBounds(draft: Draft<ControlState>, bounds: readonly PartitionBounds[], waiting: readonly string[] | undefined): void {
  if (waiting !== undefined) draft.waitingTopics = [...waiting];
  for (const bound of bounds) partitionOf(draft, bound, bound.start).end = bound.end;
}

/** The partitions at these positions. For folded batches this and `unpublished` are made outside of a draft: each object that a draft gives away costs a proxy. */
function moved(partitions: ControlState['partitions'], positions: Parameters<Control['folded']>[0]): ControlState['partitions'] {
  const after = { ...partitions };
  for (const position of positions) {
    const name = partitionName(position);
    after[name] = { ...(after[name] ?? newPartition(position)), next: position.next };
  }
  return after;
}

function unpublished(publishing: ControlState['publishing'], at: number): ControlState['publishing'] {
  if (publishing.unpublishedSinceBegun !== null) return publishing;
  return { ...publishing, unpublishedSince: publishing.unpublishedSince ?? at, unpublishedSinceBegun: at };
}

function failToPublish({ publishing }: Draft<ControlState>, failure: PublishFailure): void {
  publishing.failuresInARow++;
  publishing.lastFailure = { ...failure, message: bounded(failure.message) };
}

function endFailures({ publishing }: Draft<ControlState>): void {
  publishing.failuresInARow = 0;
  publishing.lastFailure = null;
}

function recordCheckpoint(draft: Draft<ControlState>, checkpoint: CheckpointStatus, lineage: string | null): void {
  draft.lineage = lineage;
  draft.checkpoints.push({ ...checkpoint, error: checkpoint.error === null ? null : bounded(checkpoint.error) });
  if (draft.checkpoints.length > CHECKPOINTS_KEPT) draft.checkpoints.shift();
  if (checkpoint.error === null) {
    draft.generation = checkpoint.generation;
    draft.checkpointsSucceeded++;
    draft.publishing.unpublishedSince = draft.publishing.unpublishedSinceBegun;
    endFailures(draft);
  } else draft.checkpointsFailed++;
}

function recordParquet(draft: Draft<ControlState>, outcome: ParquetResult): void {
  const { parquet } = draft;
  if (outcome.kind === 'there') {
    parquet.file = outcome.file;
    parquet.error = null;
    if (outcome.isNew) parquet.succeeded++;
    return;
  }
  parquet.error = bounded(outcome.error);
  if (outcome.isFailure) parquet.failed++;
}

function recordWarning(draft: Draft<ControlState>, warning: { readonly code: string; readonly message: string }, at: number): void {
  const known = Object.hasOwn(draft.warnings, warning.code) || (CODE.test(warning.code) && Object.keys(draft.warnings).length < WARNING_CODES_MAX);
  const code = known ? warning.code : OTHER_WARNINGS;
  const count = Object.hasOwn(draft.warnings, code) ? draft.warnings[code].count : 0;
  draft.warnings[code] = { count: count + 1, message: bounded(warning.message), at };
}

/** The partition's entry; a new one begins at `start`, the first offset of its log. */
function partitionOf(draft: Draft<ControlState>, { topic, partition }: TopicPartition, start = 0): Draft<PartitionStatus> {
  const name = partitionName({ topic, partition });
  return (draft.partitions[name] ??= newPartition({ topic, partition }, start));
}

function newPartition({ topic, partition }: TopicPartition, next = 0): PartitionStatus {
  return { topic, partition, next, end: null, endAtStart: null, stop: null };
}

/** Stopped is final for this process: figures may miss changes. Closing stays closing. */
function stopPartition(draft: Draft<ControlState>, stop: PartitionStop, at: number): void {
  const status = { code: stop.code, message: bounded(stop.message), offset: stop.offset, at };
  if (stop.partition < 0) draft.sourceStop ??= status;
  else partitionOf(draft, stop).stop ??= status;
  if (draft.phase !== 'closing') draft.phase = 'stopped';
}

function becomeReady(draft: Draft<ControlState>, at: number): void {
  draft.phase = 'ready';
  draft.caughtUpOnce = true;
  draft.readyAt = at;
}

function bounded(message: string): string {
  return message.length <= MESSAGE_LENGTH_MAX ? message : `${message.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}
