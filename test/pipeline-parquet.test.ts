/**
 * Goal: the parquet file is due when it should be and never else: at start, when the local date turns, when figures changed and enough time passed, at the end;
 * later and later after failures; never by who may not write.
 * Method: the trigger alone, with a clock moved by hand and outcomes of the test's own.
 */
import { describe, expect, it } from 'vitest';
import { RentfoldError } from '../src/errors.ts';
import { ParquetTrigger } from '../src/pipeline-parquet.ts';
import type { CheckpointOutcome, ParquetOutcome } from '../src/snapshot/checkpointer.ts';
import { ManualClock } from './support/manual-clock.ts';

/** 22:00 UTC of day 20 000 (2024-10-04); in New York (UTC−4) 18:00 of the same day. */
const START = 20_000 * 86_400_000 + 22 * 3_600_000;

class Bench {
  readonly clock = new ManualClock(START);
  mayWrite = true;
  changes = 0;
  hasGeneration = true;
  readonly trigger: ParquetTrigger;

  constructor(seconds = 300, timeZone = 'UTC') {
    this.trigger = new ParquetTrigger(this.clock, { seconds, timeZone }, { mayWrite: () => this.mayWrite, changes: () => this.changes, hasGeneration: () => this.hasGeneration });
  }

  /** A checkpoint of so many rows; what becomes of the file when it is wanted. Answers the day it was wanted for. */
  checkpoint(rows: number, becomes: 'written' | 'current' | 'left' | 'failed' = 'written', isAlone = false): number | null {
    const wanted = this.trigger.begin();
    const parquet = wanted === null ? null : outcomeOf(becomes, wanted.asOf);
    this.changes = 0;
    const positions: never[] = [];
    const outcome: CheckpointOutcome = !isAlone || parquet === null ? { kind: 'published', generation: 2, rows, bytes: 0, ms: 0, positions, parquet }
      : becomes === 'written' ? { kind: 'unchanged', generation: 2, positions, parquet } : { kind: 'skipped', parquet };
    this.trigger.ended(outcome);
    return wanted?.asOf ?? null;
  }
}

function outcomeOf(kind: 'written' | 'current' | 'left' | 'failed', asOf: number): ParquetOutcome {
  switch (kind) {
    case 'written': return { kind, generation: 2, asOf, at: 0, accounts: 1, bytes: 1, outOfRange: 0, copiedTo: null, ms: 1 };
    case 'current': return { kind, generation: 2, asOf, at: 0, accounts: 1 };
    case 'left': return { kind, why: 'foreign', message: 'x', tag: 't' };
    case 'failed': return { kind, error: new RentfoldError('STORE_UNAVAILABLE', 'x') };
  }
}

describe('the parquet file is due', () => {
  it('at start, once, and a file that is as it should be may stand', () => {
    const bench = new Bench();
    expect(bench.trigger.isDue()).toBe(true);
    expect(bench.trigger.begin()).toEqual({ asOf: 20_000, mayStand: true });
    bench.trigger.ended({ kind: 'skipped', parquet: outcomeOf('current', 20_000) });
    expect(bench.trigger.isDue()).toBe(false);
    expect(bench.checkpoint(5)).toBeNull();
  });

  it('with the first checkpoint when there is none yet, and does not ask for it', () => {
    const bench = new Bench();
    bench.hasGeneration = false;
    expect(bench.trigger.isDue()).toBe(false);
    expect(bench.checkpoint(5)).toBe(20_000);
  });

  it('when figures changed and the time has passed, also when they were checkpointed before', async () => {
    const bench = new Bench(300);
    bench.checkpoint(1);
    await bench.clock.pass(1_000);
    expect(bench.trigger.isDue()).toBe(false);
    bench.changes = 1;
    expect(bench.trigger.isDue()).toBe(true);
    expect(bench.checkpoint(1)).toBe(20_000);
    bench.changes = 1;
    expect(bench.checkpoint(1)).toBeNull();
    await bench.clock.pass(299);
    expect(bench.trigger.isDue()).toBe(false);
    await bench.clock.pass(1);
    expect(bench.trigger.isDue()).toBe(true);
    expect(bench.checkpoint(0, 'written', true)).toBe(20_000);
    await bench.clock.pass(1_000);
    expect(bench.trigger.isDue()).toBe(false);
  });

  it('when rows changed only between asking and cutting', async () => {
    const bench = new Bench();
    bench.checkpoint(1);
    expect(bench.trigger.begin()).toBeNull();
    bench.trigger.ended({ kind: 'published', generation: 3, rows: 7, bytes: 0, ms: 0, positions: [], parquet: null });
    await bench.clock.pass(300);
    expect(bench.trigger.isDue()).toBe(true);
  });

  it.each([['UTC', 2], ['America/New_York', 6], ['Asia/Kolkata', 20.5]] as const)('when the date turns in %s, %s hours later, though nothing changed', async (zone, hours) => {
    const bench = new Bench(300, zone);
    const day = bench.checkpoint(1)!;
    await bench.clock.pass(hours * 3_600 - 1);
    expect(bench.trigger.isDue()).toBe(false);
    await bench.clock.pass(1);
    expect(bench.trigger.isDue()).toBe(true);
    expect(bench.checkpoint(0, 'written', true)).toBe(day + 1);
    expect(bench.trigger.isDue()).toBe(false);
  });

  it('at the end when figures changed, whatever the time or an earlier failure', () => {
    const bench = new Bench();
    bench.checkpoint(1);
    bench.changes = 1;
    expect(bench.trigger.isDue()).toBe(false);
    bench.trigger.ending();
    expect(bench.trigger.isDue()).toBe(true);
    expect(bench.checkpoint(1, 'failed')).toBe(20_000);
    expect(bench.trigger.isDue()).toBe(true);
    expect(bench.checkpoint(1)).toBe(20_000);
    expect(bench.trigger.isDue()).toBe(false);
  });

  it('never when it is switched off, when another process publishes, or before the lineage was caught up', async () => {
    const off = new Bench(0);
    off.changes = 1;
    expect([off.trigger.isDue(), off.checkpoint(1)]).toEqual([false, null]);
    const standby = new Bench();
    standby.mayWrite = false;
    standby.changes = 1;
    await standby.clock.pass(100_000);
    expect([standby.trigger.isDue(), standby.checkpoint(1)]).toEqual([false, null]);
    standby.trigger.ending();
    expect(standby.trigger.isDue()).toBe(false);
    standby.mayWrite = true;
    expect(standby.trigger.isDue()).toBe(true);
  });
});

describe('after it was not written', () => {
  it.each(['failed', 'no checkpoint'] as const)('%s: it is due again later and later, up to a minute; after a success the next failure begins small', async (which) => {
    const bench = new Bench();
    const fail = (): void => {
      if (which === 'failed') bench.checkpoint(0, 'failed', true);
      else {
        bench.trigger.begin();
        bench.trigger.ended(null);
      }
    };
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      fail();
      let waited = 0;
      for (; !bench.trigger.isDue(); waited++) await bench.clock.pass(1);
      waits.push(waited);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    bench.checkpoint(0, 'written', true);
    expect(bench.trigger.isDue()).toBe(false);
    await bench.clock.pass(86_400);
    fail();
    await bench.clock.pass(1);
    expect(bench.trigger.isDue()).toBe(true);
  });

  it('left to another program: it is looked at again a minute later', async () => {
    const bench = new Bench();
    bench.checkpoint(0, 'left', true);
    await bench.clock.pass(59);
    expect(bench.trigger.isDue()).toBe(false);
    await bench.clock.pass(1);
    expect(bench.trigger.isDue()).toBe(true);
  });
});
