/**
 * Goal: the control state says at every moment what is true of the process, and its derived facts follow from it.
 * Method: the life of a process told step by step; then random histories against plain rules, with the patches replayed on a second tree.
 */
import fc from 'fast-check';
import { applyPatches } from 'immer';
import { describe, expect, it } from 'vitest';
import {
  caughtUp, CHECKPOINTS_KEPT, isReady, lagRecords, MESSAGE_LENGTH_MAX, OTHER_WARNINGS, partitionLag, reachedEndAtStart, sortedPartitions,
  WARNING_CODES_MAX, type ControlState,
} from '../src/control-state.ts';
import { createControl, type Control } from '../src/control.ts';
import type { PartitionPosition } from '../src/source/positions.ts';

const AT = 1_700_000_000_000;

function position(topic: string, partition: number, next: number): PartitionPosition {
  return { topic, partition, next, token: null, lastOffset: null, lastTime: null, lastHash: null, deleteKeyHash: null };
}

function restored(control: Control, positions: readonly PartitionPosition[] = [], caughtUpOnce = false): void {
  control.restored({ lineage: 'a', generation: positions.length > 0 ? 3 : null, caughtUpOnce, incompleteHistory: [], positions }, AT + 1);
}

describe('the life of a process', () => {
  it('is restoring until the source is open, and knows no lag until then', () => {
    const control = createControl(AT);
    expect(control.state()).toMatchObject({ phase: 'restoring', role: 'standby', startedAt: AT, restoredAt: null, lineage: null });
    restored(control, [position('rents', 0, 7)]);
    expect(control.state()).toMatchObject({ phase: 'restoring', restoredAt: AT + 1, lineage: 'a', generation: 3 });
    expect([lagRecords(control.state()), caughtUp(control.state()), reachedEndAtStart(control.state()), isReady(control.state())]).toEqual([null, null, false, false]);
  });

  it('is ready once everything up to the end seen at start is folded, however far the log has grown meanwhile', () => {
    const control = createControl(AT);
    restored(control, [position('rents', 0, 7)]);
    control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 10 }, { topic: 'rents', partition: 1, start: 0, end: 2 }], gaps: [] }, AT + 2);
    expect(control.state().phase).toBe('catching-up');
    expect(lagRecords(control.state())).toBe(5);
    control.boundsSeen([{ topic: 'rents', partition: 0, start: 0, end: 100 }]);
    control.folded([position('rents', 0, 10)], AT + 3);
    expect(control.state().phase).toBe('catching-up');
    control.folded([position('rents', 1, 2)], AT + 4);
    expect(control.state()).toMatchObject({ phase: 'ready', caughtUpOnce: true, readyAt: AT + 4 });
    expect([lagRecords(control.state()), caughtUp(control.state())]).toEqual([90, false]);
    control.folded([position('rents', 0, 100)], AT + 5);
    expect(caughtUp(control.state())).toBe(true);
  });

  it('waits for the end seen at the first opening only', () => {
    const control = createControl(AT);
    restored(control);
    control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 2 }], gaps: [] }, AT);
    control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 50 }], gaps: [] }, AT);
    expect(control.state().partitions['rents/0']).toMatchObject({ end: 50, endAtStart: 2 });
    control.folded([position('rents', 0, 2)], AT);
    expect(isReady(control.state())).toBe(true);
  });

  it('is ready at once on an empty log, and stays ready when a partition appears later', () => {
    const control = createControl(AT);
    restored(control);
    control.opened({ bounds: [], gaps: [] }, AT);
    expect(isReady(control.state())).toBe(true);
    expect(lagRecords(control.state())).toBe(0);
    control.boundsSeen([{ topic: 'expenses', partition: 4, start: 0, end: 9 }]);
    expect(isReady(control.state())).toBe(true);
    expect(control.state().partitions['expenses/4']).toEqual({ topic: 'expenses', partition: 4, next: 0, end: 9, endAtStart: null, stop: null });
    expect(caughtUp(control.state())).toBe(false);
  });

  it('does not know the lag while the end of a partition is unknown', () => {
    const control = createControl(AT);
    restored(control, [position('gone', 0, 3)]);
    control.opened({ bounds: [], gaps: [] }, AT);
    expect([lagRecords(control.state()), caughtUp(control.state()), isReady(control.state())]).toEqual([null, null, true]);
  });

  it('never reports a negative lag when folding is ahead of the newest report', () => {
    const control = createControl(AT);
    restored(control);
    control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 1 }], gaps: [] }, AT);
    control.folded([position('rents', 0, 5)], AT);
    expect(partitionLag(control.state().partitions['rents/0'])).toBe(0);
  });

  it('stops for good: first reason kept, no return to ready', () => {
    const control = createControl(AT);
    restored(control);
    control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 1 }], gaps: [] }, AT);
    control.stopped({ topic: 'rents', partition: 0, code: 'OFFSET_FELL', message: 'line 3', offset: 4 }, AT + 9);
    control.stopped({ topic: 'rents', partition: 0, code: 'SOURCE_FAILED', message: 'later', offset: null }, AT + 10);
    control.folded([position('rents', 0, 1)], AT + 11);
    expect(control.state().phase).toBe('stopped');
    expect(control.state().partitions['rents/0'].stop).toEqual({ code: 'OFFSET_FELL', message: 'line 3', offset: 4, at: AT + 9 });
    expect(isReady(control.state())).toBe(false);
  });

  it('stops as a whole, and names a partition it had not seen before', () => {
    const control = createControl(AT);
    control.stopped({ topic: '*', partition: -1, code: 'SOURCE_FAILED', message: 'the broker is gone', offset: null }, AT + 1);
    expect(control.state().partitions).toEqual({});
    expect(control.state()).toMatchObject({ phase: 'stopped', sourceStop: { code: 'SOURCE_FAILED', message: 'the broker is gone', offset: null, at: AT + 1 } });
    control.stopped({ topic: 'new', partition: 2, code: 'FILE_SHRANK', message: 'x', offset: null }, AT);
    expect(control.state().partitions['new/2'].stop?.code).toBe('FILE_SHRANK');
  });

  it('is not ready while closing, whatever comes after', () => {
    const control = createControl(AT);
    restored(control);
    control.opened({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 1 }], gaps: [] }, AT);
    control.closing();
    control.folded([position('rents', 0, 1)], AT);
    control.stopped({ topic: 'rents', partition: 0, code: 'FILE_SHRANK', message: 'x', offset: null }, AT);
    expect(control.state().phase).toBe('closing');
  });

  it('keeps what the log and the checkpoint say is missing, each once', () => {
    const control = createControl(AT);
    control.restored({ lineage: 'a', generation: 1, caughtUpOnce: true, incompleteHistory: ['rents/0 before 5'], positions: [] }, AT);
    control.opened({ bounds: [], gaps: ['rents/0 before 5', 'rents/1 before 9'], waiting: ['later'] }, AT);
    expect(control.state().waitingTopics).toEqual(['later']);
    control.boundsSeen([]);
    expect(control.state().waitingTopics).toEqual(['later']);
    control.boundsSeen([], []);
    expect(control.state().waitingTopics).toEqual([]);
    expect(control.state().incompleteHistory).toEqual(['rents/0 before 5', 'rents/1 before 9']);
  });

  it('keeps a hundred stretches that are missing, and says that there are more', () => {
    const control = createControl(AT);
    for (let i = 0; i < 300; i++) control.gapFound(`rents/0 before ${i}`);
    const kept = control.state().incompleteHistory;
    expect([kept.length, kept[0], kept[99]]).toEqual([101, 'rents/0 before 0', 'rents/0 before 99']);
    expect(kept[100]).toMatch(/more stretches.*HISTORY_INCOMPLETE/);
    const next = createControl(AT);
    next.restored({ lineage: 'a', generation: 1, caughtUpOnce: true, incompleteHistory: kept, positions: [] }, AT);
    next.gapFound('rents/0 before 900');
    expect(next.state().incompleteHistory).toEqual(kept);
  });

  it('keeps the last checkpoints, counts all, and moves the generation with durable ones only', () => {
    const control = createControl(AT);
    for (let generation = 1; generation <= CHECKPOINTS_KEPT + 5; generation++) {
      control.checkpointed({ generation, rows: 1, bytes: 2, durationMs: 3, at: AT + generation, error: null }, 'a');
    }
    control.checkpointed({ generation: 99, rows: 0, bytes: 0, durationMs: 1, at: AT, error: 'the disk is full' }, 'a');
    const { checkpoints, generation, checkpointsSucceeded, checkpointsFailed } = control.state();
    expect(checkpoints).toHaveLength(CHECKPOINTS_KEPT);
    expect(checkpoints.at(-1)).toMatchObject({ generation: 99, error: 'the disk is full' });
    expect([generation, checkpointsSucceeded, checkpointsFailed]).toEqual([CHECKPOINTS_KEPT + 5, CHECKPOINTS_KEPT + 5, 1]);
  });

  it('knows since when changes are unpublished, also those folded while a checkpoint is written, and how publishing fails', () => {
    const control = createControl(AT);
    const since = (): number | null => control.state().publishing.unpublishedSince;
    const checkpointed = (error: string | null): void => control.checkpointed({ generation: 1, rows: 1, bytes: 2, durationMs: 3, at: AT, error }, 'a');
    expect(since()).toBeNull();
    control.folded([position('rents', 0, 1)], AT + 1);
    control.folded([position('rents', 0, 2)], AT + 2);
    control.checkpointBegun();
    control.folded([position('rents', 0, 3)], AT + 3);
    checkpointed('the disk is full');
    expect(since()).toBe(AT + 1);
    control.checkpointBegun();
    control.folded([position('rents', 0, 4)], AT + 4);
    checkpointed(null);
    expect(since()).toBe(AT + 4);
    control.checkpointBegun();
    checkpointed(null);
    expect(since()).toBeNull();
    const failure = { attempt: 'checkpoint' as const, code: 'STORE_UNAVAILABLE', message: 'x'.repeat(MESSAGE_LENGTH_MAX * 2), at: AT };
    control.publishFailed(failure);
    control.publishFailed(failure);
    control.leaseAnswered();
    expect(control.state().publishing).toMatchObject({ failuresInARow: 2, lastFailure: { ...failure, message: `${'x'.repeat(MESSAGE_LENGTH_MAX - 1)}…` } });
    control.publishFailed({ ...failure, attempt: 'lease' });
    control.leaseAnswered();
    expect(control.state().publishing).toMatchObject({ failuresInARow: 0, lastFailure: null });
    control.publishFailed(failure);
    checkpointed(null);
    expect(control.state().publishing).toMatchObject({ failuresInARow: 0, lastFailure: null });
  });

  it('counts warnings by code within bounds', () => {
    const control = createControl(AT);
    for (let i = 0; i < WARNING_CODES_MAX + 3; i++) control.warned({ code: `CODE_${i}`, message: 'x' }, AT);
    control.warned({ code: 'CODE_0', message: 'y'.repeat(MESSAGE_LENGTH_MAX * 2) }, AT + 5);
    control.warned({ code: '__proto__', message: 'z' }, AT);
    const { warnings } = control.state();
    expect(warnings['CODE_0']).toEqual({ count: 2, message: `${'y'.repeat(MESSAGE_LENGTH_MAX - 1)}…`, at: AT + 5 });
    expect(warnings[OTHER_WARNINGS].count).toBe(4);
    expect(Object.keys(warnings)).toHaveLength(WARNING_CODES_MAX + 1);
  });

  it('lists partitions by topic and number', () => {
    const control = createControl(AT);
    control.boundsSeen([{ topic: 'b', partition: 10, start: 0, end: 0 }, { topic: 'b', partition: 9, start: 0, end: 0 }, { topic: 'a', partition: 1, start: 0, end: 0 }]);
    expect(sortedPartitions(control.state()).map((p) => `${p.topic}/${p.partition}`)).toEqual(['a/1', 'b/9', 'b/10']);
  });
});

type Step = (control: Control) => void;

const partition = fc.record({ topic: fc.constantFrom('expenses', 'rents'), partition: fc.nat(2) });
const offset = fc.nat(20);
const steps = fc.array(fc.oneof(
  fc.tuple(partition, offset).map(([p, next]): Step => (control) => control.folded([{ ...p, next }], AT)),
  fc.tuple(partition, offset).map(([p, end]): Step => (control) => control.boundsSeen([{ ...p, start: 0, end }])),
  fc.array(fc.tuple(partition, offset), { maxLength: 4 }).map((bounds): Step => (control) => {
    control.opened({ bounds: bounds.map(([p, end]) => ({ ...p, start: 0, end })), gaps: [] }, AT);
  }),
  fc.boolean().map((once): Step => (control) => restored(control, [], once)),
  fc.constantFrom<Step>((control) => control.checkpointBegun(), (control) => control.leaseAnswered(), (control) => control.publishFailed({ attempt: 'lease', code: 'A', message: 'm', at: AT })),
  fc.constantFrom('publisher' as const, 'standby' as const).map((role): Step => (control) => control.roleChanged(role, null)),
  fc.string().map((code): Step => (control) => control.warned({ code, message: code }, AT)),
  fc.tuple(fc.nat(9), fc.option(fc.string())).map(([generation, error]): Step => (control) => {
    control.checkpointed({ generation, rows: 0, bytes: 0, durationMs: 0, at: AT, error }, 'a');
  }),
  { weight: 1, arbitrary: partition.map((p): Step => (control) => control.stopped({ ...p, code: 'FILE_SHRANK', message: 'x', offset: null }, AT)) },
), { maxLength: 30 });

describe('random histories', () => {
  it('keep the rules of the phases', () => {
    fc.assert(fc.property(steps, (history) => {
      const control = createControl(AT);
      const phases: string[] = [];
      for (const step of history) {
        const before = control.state();
        step(control);
        const after = control.state();
        checkState(after);
        phases.push(after.phase);
        if (before.phase === 'ready') expect(['ready', 'stopped']).toContain(after.phase);
        if (before.phase === 'stopped') expect(after.phase).toBe('stopped');
        if (before.phase !== 'restoring') expect(after.phase).not.toBe('restoring');
      }
    }));
  });

  it('are told to listeners as patches that rebuild the same tree, until they leave', () => {
    fc.assert(fc.property(steps, fc.nat(30), (history, leaveAfter) => {
      const control = createControl(AT);
      let copy = control.state();
      const leave = control.subscribe((patches, state) => {
        copy = applyPatches(copy, [...patches]);
        expect(copy).toEqual(state);
      });
      history.slice(0, leaveAfter).forEach((step) => step(control));
      expect(copy).toEqual(control.state());
      leave();
      history.slice(leaveAfter).forEach((step) => step(control));
      expect(copy).toEqual(history.length <= leaveAfter ? control.state() : copy);
    }));
  });
});

function checkState(state: ControlState): void {
  const partitions = Object.values(state.partitions);
  const stopped = partitions.some((p) => p.stop !== null) || state.sourceStop !== null;
  expect(state.phase === 'stopped').toBe(stopped);
  if (state.phase === 'ready') expect(state.caughtUpOnce || state.readyAt !== null).toBe(true);
  if (state.phase === 'catching-up') expect(reachedEndAtStart(state)).toBe(false);
  expect(Object.isFrozen(state) && Object.isFrozen(state.partitions)).toBe(true);
  const lag = lagRecords(state);
  expect(lag === null || lag >= 0).toBe(true);
  expect(caughtUp(state)).toBe(lag === null ? null : partitions.every((p) => p.next >= p.end!));
  expect(state.checkpoints.length).toBeLessThanOrEqual(CHECKPOINTS_KEPT);
}
