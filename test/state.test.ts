/**
 * Goal: positions, counters and rows move together in one step, and a partition that cannot be understood stops with a clear error.
 * Method: batches by hand; seeds as a manifest would hold them.
 */
import { describe, expect, it } from 'vitest';
import { createBooks } from '../src/ledger/books.ts';
import { createState } from '../src/state.ts';
import type { State, StateSeed } from '../src/state.ts';
import { TestLog, packBatch, postgres } from './support/batches.ts';
import type { TestRecord } from './support/batches.ts';
import { rent } from './support/books-under-test.ts';

const CONTEXT = { now: 1_700_000_000_000, mayForgetDeletes: true };

function newState(seed?: StateSeed): State {
  return createState(createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 }), seed);
}

const bad = (code = 'AMOUNT_INVALID', more: Partial<TestRecord> = {}): TestRecord => ({ kind: 'letter', code, ...more }) as TestRecord;
const repeat = (count: number, make: (index: number) => TestRecord): TestRecord[] => Array.from({ length: count }, (_, index) => make(index));
const seedOf = (state: State): StateSeed =>
  ({ positions: state.positions(), counters: state.counters(), seenTables: state.seenTables, newestChangeAt: state.newestChangeAt });

describe('positions', () => {
  it('stand after the batch, by topic and partition', () => {
    const state = newState();
    const log = new TestLog();
    expect(state.positions()).toEqual([]);
    expect(state.position('topic', 0)).toBeNull();
    state.step(log.batch(rent('1', 1, { partition: 10 }), rent('2', 1, { partition: 2 }), { ...rent('3', 1), topic: 'a' } as TestRecord, rent('4', 1, { partition: 2 })), CONTEXT);
    expect(state.positions().map(({ topic, partition, next, lastOffset, lastHash }) => [topic, partition, next, lastOffset, lastHash])).toEqual([
      ['a', 0, 1, 0, 'hash-0'], ['topic', 2, 2, 1, 'hash-1'], ['topic', 10, 1, 0, 'hash-0'],
    ]);
    expect(state.position('topic', 2)?.next).toBe(2);
  });

  it('move over a gap and keep what is known of the last record', () => {
    const state = newState();
    state.step(new TestLog().batch(rent('1', 1)), CONTEXT);
    const gap = { ...packBatch([]), partitions: [{ topic: 'topic', partition: 0, next: 9, token: 't', lastOffset: null, lastTime: null, lastHash: null, deleteKeyHash: null }] };
    state.step(gap, CONTEXT);
    expect(state.position('topic', 0)).toEqual({ topic: 'topic', partition: 0, next: 9, token: 't', lastOffset: 0, lastTime: 0, lastHash: 'hash-0', deleteKeyHash: null });
  });
});

describe('counters', () => {
  it('add up per partition, with the reasons for passing over, and go on after a restart', () => {
    const log = new TestLog();
    const batch = (): ReturnType<typeof packBatch> => log.batch(
      rent('1', 1), { kind: 'passed-over', reason: 'heartbeat' }, { kind: 'passed-over', reason: 'other_table' }, { kind: 'passed-over', reason: 'heartbeat' }, bad(),
    );
    const first = newState();
    first.step(batch(), CONTEXT);
    const second = newState(seedOf(first));
    second.step(batch(), CONTEXT);
    expect(second.counters()).toEqual([{
      topic: 'topic', partition: 0, read: 10, applied: 2, unchanged: 0, superseded: 0, passedOver: 6, deadLetters: 2, unattributed: 2, orderAmbiguous: 0,
      passedOverReasons: { heartbeat: 4, other_table: 2 },
    }]);
  });

  it('the newest change is the newest commit time, whatever order it came in', () => {
    const state = newState();
    expect(state.newestChangeAt).toBeNull();
    state.step(new TestLog().batch(rent('1', 1, { time: 50 }), rent('2', 1, { time: 40 }), rent('3', 1)), CONTEXT);
    expect(state.newestChangeAt).toBe(50);
    state.step(new TestLog().batch(bad('AMOUNT_INVALID', { time: 60 })), CONTEXT);
    expect(state.newestChangeAt, 'a dead letter is not folded').toBe(50);
    expect(newState(seedOf(state)).newestChangeAt).toBe(50);
  });

  it('tables seen are remembered', () => {
    const state = newState();
    state.step({ ...packBatch([]), seenTables: { rents: 'db.public' } }, CONTEXT);
    state.step({ ...packBatch([]), seenTables: { expenses: 'db.public' } }, CONTEXT);
    expect(state.seenTables).toEqual({ rents: 'db.public', expenses: 'db.public' });
  });
});

describe('a partition stops', () => {
  const stopsOf = (state: State, records: readonly TestRecord[], log = new TestLog()): string[] =>
    state.step(log.batch(...records), CONTEXT).stops.map(({ code, message, offset }) => `${code} ${offset}: ${message}`);

  it('when its first 100 row events cannot be understood, naming the reason, what to do and the option', () => {
    const records = [...repeat(60, () => bad('COLUMN_MISSING')), ...repeat(39, () => bad('AMOUNT_INVALID'))];
    const log = new TestLog();
    const state = newState();
    expect(stopsOf(state, records, log)).toEqual([]);
    const [stop] = stopsOf(state, [bad('AMOUNT_INVALID')], log);
    expect(stop).toMatch(/^PARTITION_NOT_UNDERSTOOD 99: topic\/0 stops at offset 99: its first 100 row events cannot be understood\. The commonest reason is COLUMN_MISSING \(60 of the last 100\)\. A column .* Set RENTFOLD_COLUMNS_EXPENSES/);
    expect(stopsOf(state, [bad()], log)).toEqual([]);
  });

  it('names the options that decide decoding when the reason names none', () => {
    expect(stopsOf(newState(), repeat(100, () => bad('JSON_INVALID')))[0]).toMatch(/JSON_INVALID .*RENTFOLD_DECIMALS/);
  });

  it('counts neither what is passed over nor tombstones as row events', () => {
    const noise = repeat(99, (index): TestRecord => (index % 2 === 0 ? { kind: 'passed-over' } : { kind: 'tombstone', table: 'rents', key: 'x' }));
    expect(stopsOf(newState(), repeat(99, () => bad()).flatMap((record, index) => [record, noise[index]]))).toEqual([]);
    expect(stopsOf(newState(), [...repeat(99, () => bad()).flatMap((record, index) => [record, noise[index]]), bad()]).length).toBe(1);
  });

  it('not when one of the first 100 was understood', () => {
    expect(stopsOf(newState(), [rent('1', 1), ...repeat(200, () => bad())])).toEqual([]);
  });

  it('when more than half of 1 000 cannot be understood', () => {
    const half = (index: number): TestRecord => (index % 2 === 0 ? rent(`${index}`, 1) : bad());
    const log = new TestLog();
    const state = newState();
    expect(stopsOf(state, repeat(3000, half), log)).toEqual([]);
    expect(stopsOf(state, [bad()], log)[0]).toMatch(/501 of its last 1000 row events/);
  });

  it('not for bad ones further apart', () => {
    const third = (index: number): TestRecord => (index % 3 !== 0 ? rent(`${index}`, 1) : bad());
    expect(stopsOf(newState(), repeat(4000, third))).toEqual([]);
  });

  it('each partition by itself', () => {
    const stops = stopsOf(newState(), repeat(198, (index) => bad('AMOUNT_INVALID', { partition: index % 2 })));
    expect(stops).toEqual([]);
  });

  it('counting partial updates that turned out to be dead letters', () => {
    const partial = (index: number): TestRecord => ({ kind: 'partial', table: 'rents', key: `${index}`, present: 8, amount: 1, position: postgres(1, index) });
    expect(stopsOf(newState(), repeat(100, partial))[0]).toMatch(/PARTIAL_UNORDERED \(100 of the last 100\)/);
  });

  it('after a restart in the middle of its first 100', () => {
    const log = new TestLog();
    const first = newState();
    stopsOf(first, repeat(60, () => bad()), log);
    expect(stopsOf(newState(seedOf(first)), repeat(40, () => bad()), log).length).toBe(1);
  });

  it('when decoding stopped', () => {
    const stop = { topic: 'topic', partition: 0, offset: 4, code: 'TABLE_AMBIGUOUS', message: 'two schemas' };
    expect(newState().step({ ...packBatch([]), stop }, CONTEXT).stops).toEqual([stop]);
  });
});
