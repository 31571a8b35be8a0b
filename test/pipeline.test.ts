/**
 * Goal: the order of effects. What is folded is checkpointed in time, again after a failure, and by nobody twice; only durable positions are told to the
 * source; whatever ends reading, the process goes on serving and keeping what it has; at the end nothing that arrived is left out.
 * Method: real state and books; ingest, clock and checkpoints are the test's own, so that every moment is chosen.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ChangeBatch } from '../src/change/change.ts';
import { createBooks } from '../src/ledger/books.ts';
import { runPipeline, type PipelineEnd, type PipelineParts } from '../src/pipeline.ts';
import type { CheckpointSchedule } from '../src/pipeline-trigger.ts';
import type { PartitionPosition } from '../src/source/positions.ts';
import type { PartitionStop } from '../src/source/source.ts';
import { createState, type State } from '../src/state.ts';
import { ChangeWriter, type Change } from './support/change-writer.ts';
import { ManualClock, turns } from './support/manual-clock.ts';
import { ScriptedIngest } from './support/scripted-ingest.ts';

const TOPIC = 'rents';
const rent = (n: number): Change => ({ op: 'upsert', table: 'rents', key: `r${n}`, amount: n });
const letter = (n: number): Change => ({ op: 'letter', property: 'p1', key: `l${n}` });

/** What one checkpoint does. */
type Outcome = 'written' | 'standby' | Error | Promise<void>;

class Bench {
  readonly clock = new ManualClock();
  readonly ingest = new ScriptedIngest();
  readonly log = new ChangeWriter(TOPIC, 1);
  readonly state: State;
  /** Position covered by each checkpoint begun, in order. */
  readonly begun: number[] = [];
  /** What the next checkpoints do; written once the list is used up. */
  readonly outcomes: Outcome[] = [];
  readonly told: string[] = [];
  readonly stops: PartitionStop[] = [];
  readonly shutdown = new AbortController();
  until: PipelineParts['until'] = 'asked';
  endAtStart = 0;
  ended: Promise<PipelineEnd> = Promise.resolve('asked');
  #rents = 0;

  constructor(state: State = createState(createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 }))) {
    this.state = state;
  }

  get position(): number {
    return this.state.position(TOPIC, 0)?.next ?? 0;
  }

  start(schedule: Partial<CheckpointSchedule> = {}): this {
    this.ended = runPipeline({
      ingest: this.ingest, state: this.state, clock: this.clock, reachedEndAtStart: () => this.position >= this.endAtStart, checkpoint: () => this.#checkpoint(), until: this.until,
      options: { checkpointSeconds: 30, checkpointChanges: 1_000, ...schedule },
      events: {
        folded: (_batch, positions) => this.told.push(`folded to ${positions.map(({ next }) => next).join()}`),
        bounds: (bounds) => this.told.push(`end ${bounds.map(({ end }) => end).join()}`),
        gap: (gap) => this.told.push(`gap ${gap}`),
        stopped: (stop) => this.stops.push(stop),
        deadLetters: (opened) => this.told.push(`letters ${opened.length}`),
        warnings: (warnings) => this.told.push(...warnings.map(({ code }) => code)),
        updated: (properties) => this.told.push(`updated ${properties.join()}`),
        checkpointFailed: (error, isLast) => this.told.push(`${isLast ? 'last checkpoint' : 'checkpoint'} failed: ${(error as Error).message}`),
        commitFailed: (error) => this.told.push(`commit failed: ${(error as Error).message}`),
      },
    }, this.shutdown.signal);
    this.ended.catch(() => undefined);
    onTestFinished(() => this.shutdown.abort());
    return this;
  }

  /** So many records in one batch, folded before this returns. */
  async fold(records: number): Promise<void> {
    this.ingest.give(this.batch(records));
    await turns();
  }

  batch(records: number): ChangeBatch {
    return this.log.batch(Array.from({ length: records }, () => rent(this.#rents++)));
  }

  async end(): Promise<void> {
    this.shutdown.abort();
    await this.ended;
  }

  async #checkpoint(): Promise<readonly PartitionPosition[] | null> {
    const positions = this.state.positions();
    this.begun.push(this.position);
    const outcome = this.outcomes.shift() ?? 'written';
    if (outcome instanceof Error) throw outcome;
    if (outcome instanceof Promise) await outcome;
    return outcome === 'standby' ? null : positions;
  }
}

/** A promise to be kept later. */
function later(): { readonly promise: Promise<void>; readonly keep: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, keep: resolve };
}

describe('when a checkpoint is written', () => {
  it('after so many records', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    await bench.fold(9);
    expect(bench.begun).toEqual([]);
    await bench.fold(1);
    expect(bench.begun).toEqual([10]);
    await bench.fold(25);
    expect(bench.begun).toEqual([10, 35]);
  });

  it('after so many seconds when something was read, and never when nothing was', async () => {
    const bench = new Bench().start();
    await bench.clock.pass(1_000);
    expect(bench.begun).toEqual([]);
    await bench.fold(1);
    expect(bench.begun).toEqual([1]);
    await bench.fold(1);
    await bench.clock.pass(29);
    expect(bench.begun).toEqual([1]);
    await bench.clock.pass(1);
    expect(bench.begun).toEqual([1, 2]);
    await bench.clock.pass(1_000);
    expect(bench.begun).toEqual([1, 2]);
    await bench.end();
    expect(bench.begun).toEqual([1, 2]);
  });

  it('after so many seconds although batches never pause', async () => {
    const bench = new Bench().start({ checkpointChanges: 1_000_000_000 });
    let isGiving = true;
    const giving = (async () => {
      while (isGiving) {
        bench.ingest.give(bench.batch(2));
        await turns(1);
      }
    })();
    await bench.clock.pass(30);
    expect(bench.begun.length).toBe(1);
    await bench.clock.pass(30);
    expect(bench.begun.length).toBe(2);
    isGiving = false;
    await giving;
  });

  it('and only what is durable is told to the source', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    const slow = later();
    bench.outcomes.push(slow.promise, new Error('no room'), 'standby');
    await bench.fold(10);
    await bench.fold(5);
    expect(bench.ingest.committed).toEqual([]);
    slow.keep();
    await turns();
    expect(bench.ingest.committed.map(([{ next }]) => next)).toEqual([10]);
    await bench.fold(5);
    await bench.clock.pass(1);
    expect(bench.begun).toEqual([10, 20, 20]);
    expect(bench.ingest.committed.length).toBe(1);
    await bench.clock.pass(1);
    expect(bench.ingest.committed.map(([{ next }]) => next)).toEqual([10, 20]);
  });

  it('folding goes on while one is being written, and what it does not cover is in the next', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    const slow = later();
    bench.outcomes.push(slow.promise);
    await bench.fold(10);
    for (let i = 0; i < 5; i++) await bench.fold(10);
    expect(bench.position).toBe(60);
    expect(bench.begun).toEqual([10]);
    slow.keep();
    await turns();
    expect(bench.begun).toEqual([10, 60]);
  });
});

describe('when one cannot be written', () => {
  it('is tried again later and later, up to a minute, with everything still to be written', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    bench.outcomes.push(...Array.from({ length: 9 }, () => new Error('no room')));
    await bench.fold(10);
    const at: number[] = [];
    for (let second = 0; second < 300; second++) {
      while (at.length < bench.begun.length) at.push(second);
      await bench.fold(10);
      await bench.clock.pass(1);
    }
    expect(at.slice(0, 10)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    expect(bench.told.filter((text) => text === 'checkpoint failed: no room').length).toBe(9);
    expect(bench.begun[9]).toBe(10 + 243 * 10);
  });

  it('after a success the next failure begins small again', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    bench.outcomes.push(new Error('a'), new Error('b'), 'written', new Error('c'));
    await bench.fold(10);
    await bench.clock.pass(3);
    await bench.fold(10);
    expect(bench.begun).toEqual([10, 10, 10, 20]);
    await bench.clock.pass(1);
    expect(bench.begun).toEqual([10, 10, 10, 20, 20]);
  });

  it('the time until the next try begins when the failure is known', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    const { promise, reject } = Promise.withResolvers<void>();
    bench.outcomes.push(promise);
    await bench.fold(10);
    await bench.clock.pass(100);
    reject(new Error('timed out'));
    await turns();
    expect(bench.begun).toEqual([10]);
    await bench.clock.pass(1);
    expect(bench.begun).toEqual([10, 10]);
  });

  it('a stand-by asks every second, however much it reads, and writes soon after it takes over though nothing new came', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    bench.outcomes.push(...Array.from({ length: 20 }, () => 'standby' as const));
    await bench.fold(10);
    for (let second = 0; second < 10; second++) {
      await bench.fold(30);
      await bench.clock.pass(1);
    }
    expect(bench.begun.length).toBe(11);
    await bench.clock.pass(9);
    expect(bench.ingest.committed).toEqual([]);
    await bench.clock.pass(1);
    expect(bench.ingest.committed.map(([{ next }]) => next)).toEqual([310]);
    await bench.clock.pass(1_000);
    expect(bench.begun.length).toBe(21);
  });

  it('positions that the source does not take are no reason to write again', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    bench.ingest.commitError = new Error('the broker is away');
    await bench.fold(10);
    await bench.clock.pass(1_000);
    expect(bench.begun).toEqual([10]);
    expect(bench.told).toContain('commit failed: the broker is away');
    expect(bench.told.filter((text) => text.startsWith('checkpoint failed'))).toEqual([]);
    await bench.end();
  });
});

describe('a source that is slow to take positions', () => {
  it('holds up no checkpoint, is told one at a time, and then the newest', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    const slow = later();
    bench.ingest.committing = slow.promise;
    for (let round = 0; round < 3; round++) await bench.fold(10);
    expect(bench.begun).toEqual([10, 20, 30]);
    expect(bench.ingest.committed.map(([{ next }]) => next)).toEqual([10]);
    slow.keep();
    await turns();
    expect(bench.ingest.committed.map(([{ next }]) => next)).toEqual([10, 30]);
    await bench.end();
  });

  it('does not hold up the end: it is waited for a moment, then it is said', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    bench.ingest.committing = new Promise(() => undefined);
    await bench.fold(10);
    let hasEnded = false;
    void bench.ended.then(() => { hasEnded = true; });
    bench.shutdown.abort();
    await turns();
    expect(hasEnded).toBe(false);
    await bench.clock.pass(1);
    expect(hasEnded).toBe(true);
    expect(bench.told.filter((text) => text.startsWith('commit failed'))).toEqual(['commit failed: it did not answer within 1000 ms at the end']);
  });

  it('tells a gap that it met while reading', async () => {
    const bench = new Bench().start();
    bench.ingest.give({ kind: 'gap', gap: 'offsets 5 to 9 of rents/0 are missing' });
    await turns();
    expect(bench.told).toEqual(['gap offsets 5 to 9 of rents/0 are missing']);
  });
});

describe('what ends reading', () => {
  it('a partition that stops is told; the others go on', async () => {
    const bench = new Bench().start();
    bench.ingest.give({ kind: 'stopped', stop: { topic: 'other', partition: 3, code: 'OFFSET_FELL', message: 'x', offset: 7 } });
    await bench.fold(5);
    expect(bench.stops.map(({ topic, partition, code }) => [topic, partition, code])).toEqual([['other', 3, 'OFFSET_FELL']]);
    expect(bench.position).toBe(5);
  });

  it.each(['decoder', 'rule'])('after a stop by the %s nothing is folded any more, of any partition, and nothing is checkpointed: it must be read again', async (by) => {
    const bench = new Bench().start();
    if (by === 'decoder') bench.ingest.give({ ...bench.batch(4), stop: { topic: TOPIC, partition: 0, offset: 4, code: 'TABLE_AMBIGUOUS', message: 'two of them' } });
    else bench.ingest.give(bench.log.batch(Array.from({ length: 120 }, (_, i) => letter(i))));
    const before = by === 'decoder' ? 4 : 120;
    await bench.fold(5);
    const code = by === 'decoder' ? 'TABLE_AMBIGUOUS' : 'PARTITION_NOT_UNDERSTOOD';
    expect(bench.stops).toMatchObject([{ topic: TOPIC, partition: 0, code }, { topic: '*', partition: -1, code, message: expect.stringContaining(`${TOPIC}/0`) as string }]);
    expect(bench.position).toBe(before);
    expect(bench.ingest.taken).toBe(1);
    await bench.clock.pass(30);
    await bench.end();
    expect(bench.begun).toEqual([]);
    expect(bench.position).toBe(before);
  });

  it('a source that fails is told as SOURCE_FAILED; the process goes on serving, keeps what it has, and ends when asked', async () => {
    const bench = new Bench().start();
    let hasEnded = false;
    void bench.ended.then(() => { hasEnded = true; });
    bench.ingest.commitError = new Error('the worker has ended');
    await bench.fold(5);
    bench.ingest.fail(new Error('the cable is cut'));
    await bench.clock.pass(30);
    expect(bench.stops).toMatchObject([{ topic: '*', partition: -1, code: 'SOURCE_FAILED', message: expect.stringContaining('the cable is cut') as string }]);
    expect(bench.begun).toEqual([5]);
    await bench.clock.pass(1_000);
    expect(bench.begun).toEqual([5]);
    expect(hasEnded).toBe(false);
    await bench.end();
  });

  it('folding that breaks off inside a batch is FOLD_FAILED; nothing is folded or checkpointed any more', async () => {
    const state = createState(createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 }));
    const step = state.step.bind(state);
    let batches = 0;
    state.step = (...given) => {
      const result = step(...given);
      if (++batches === 2) throw new RangeError('out of memory');
      return result;
    };
    const bench = new Bench(state).start();
    await bench.fold(5);
    await bench.fold(5);
    await bench.fold(5);
    expect(bench.stops).toMatchObject([{ topic: '*', partition: -1, code: 'FOLD_FAILED', message: expect.stringMatching(/rents\/0 before offset 10.*out of memory/) as string }]);
    await bench.clock.pass(1_000);
    await bench.end();
    expect([batches, bench.begun]).toEqual([2, []]);
  });
});

describe('asked to end', () => {
  it('folds what has arrived, writes a last checkpoint of it, and takes nothing more', async () => {
    const bench = new Bench().start();
    await bench.fold(5);
    for (let i = 0; i < 8; i++) bench.ingest.give(bench.batch(5));
    bench.shutdown.abort();
    await bench.ended;
    expect([bench.position, bench.begun, bench.ingest.committed.map(([{ next }]) => next)]).toEqual([45, [45], [45]]);
  });

  it('waits for the checkpoint under way, then writes what it did not cover', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    const slow = later();
    bench.outcomes.push(slow.promise);
    await bench.fold(10);
    await bench.fold(3);
    bench.shutdown.abort();
    await turns();
    expect(bench.begun).toEqual([10]);
    slow.keep();
    await bench.ended;
    expect(bench.begun).toEqual([10, 13]);
  });

  it('does not wait for a next try: tries once more at once', async () => {
    const bench = new Bench().start({ checkpointChanges: 10 });
    bench.outcomes.push(new Error('no room'));
    await bench.fold(10);
    await bench.end();
    expect(bench.begun).toEqual([10, 10]);
  });

  it('says by an error that the last checkpoint was not written', async () => {
    const bench = new Bench().start();
    bench.outcomes.push(new Error('no room'));
    await bench.fold(10);
    bench.shutdown.abort();
    await expect(bench.ended).rejects.toThrow('no room');
    expect(bench.told.at(-1)).toBe('last checkpoint failed: no room');
  });

  it('a stand-by ends without one', async () => {
    const bench = new Bench().start();
    bench.outcomes.push('standby');
    await bench.fold(10);
    await bench.end();
    expect(bench.ingest.committed).toEqual([]);
  });

  it('before anything was read, or after reading ended, it ends at once', async () => {
    const idle = new Bench().start();
    await idle.end();
    expect(idle.begun).toEqual([]);
    const early = new Bench();
    early.shutdown.abort();
    early.start();
    await early.ended;
  });
});

describe('until the end seen at start', () => {
  const bench = (endAtStart: number): Bench => Object.assign(new Bench(), { until: 'end-at-start' as const, endAtStart });

  it('folds everything up to it, writes a last checkpoint, and takes nothing more', async () => {
    const replay = bench(12).start();
    replay.ingest.give(replay.batch(5), replay.batch(5));
    await turns();
    expect(replay.begun).toEqual([]);
    replay.ingest.give(replay.batch(5), replay.batch(5));
    expect(await replay.ended).toBe('end-at-start');
    expect([replay.position, replay.begun, replay.ingest.taken]).toEqual([15, [15], 3]);
  });

  it('writes a last checkpoint although the one before has every record: only the last one says that the end is reached', async () => {
    const replay = bench(10).start({ checkpointChanges: 10 });
    replay.ingest.give(replay.batch(10));
    expect(await replay.ended).toBe('end-at-start');
    expect(replay.begun.at(-1)).toBe(10);
    const again = Object.assign(new Bench(replay.state), { until: 'end-at-start' as const, endAtStart: 10 }).start();
    expect(await again.ended).toBe('end-at-start');
    expect([again.begun, again.ingest.taken]).toEqual([[10], 0]);
  });

  it('of an empty log writes none', async () => {
    const replay = bench(0).start();
    expect(await replay.ended).toBe('end-at-start');
    expect(replay.begun).toEqual([]);
  });

  it('ends early at the first stop; what was folded is kept unless it must be read again', async () => {
    const log = bench(20).start();
    log.ingest.give(log.batch(5), { kind: 'stopped', stop: { topic: 'other', partition: 3, code: 'OFFSET_FELL', message: 'x', offset: 7 } }, log.batch(5));
    expect(await log.ended).toBe('stopped');
    expect([log.position, log.begun]).toEqual([5, [5]]);
    const decoder = bench(4).start();
    decoder.ingest.give({ ...decoder.batch(4), stop: { topic: TOPIC, partition: 0, offset: 4, code: 'TABLE_AMBIGUOUS', message: 'two of them' } });
    expect(await decoder.ended).toBe('stopped');
    expect(decoder.begun).toEqual([]);
  });

  it('asked to end before, it keeps what has arrived and says that it was asked', async () => {
    const replay = bench(20).start();
    await replay.fold(5);
    replay.ingest.give(replay.batch(5));
    replay.shutdown.abort();
    expect(await replay.ended).toBe('asked');
    expect([replay.position, replay.begun]).toEqual([10, [10]]);
  });

  it('asked to end when what has arrived holds the end, it has reached it', async () => {
    const replay = bench(10).start();
    await replay.fold(5);
    replay.ingest.give(replay.batch(5));
    replay.shutdown.abort();
    expect(await replay.ended).toBe('end-at-start');
  });
});

it('every batch is told with the positions after it, and reads get their turn between two batches', async () => {
  const bench = new Bench().start();
  const seen: number[] = [];
  let isWatching = true;
  const watch = (): void => {
    if (seen.at(-1) !== bench.position) seen.push(bench.position);
    if (isWatching) setImmediate(watch);
  };
  watch();
  bench.ingest.give({ kind: 'bounds', bounds: [{ topic: TOPIC, partition: 0, start: 0, end: 30 }] }, bench.batch(5), { kind: 'warned', warning: { code: 'SOURCE_RETRYING', message: 'a broker is away' } }, bench.batch(5), bench.log.batch([letter(1)]), bench.batch(5));
  await turns();
  isWatching = false;
  expect(seen).toEqual([0, 5, 10, 11, 16]);
  expect(bench.told).toEqual(['end 30', 'folded to 5', 'SOURCE_RETRYING', 'folded to 10', 'folded to 11', 'letters 1', 'folded to 16']);
});
