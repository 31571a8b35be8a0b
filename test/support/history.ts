import fc from 'fast-check';
import { KEYINGS } from './history-log.ts';
import type { LogOptions, LogRecord } from './history-log.ts';
import type { Row, Table } from './history-rows.ts';
import { playPlan } from './history-player.ts';

/**
 * Random histories: a plan of small steps is played on a tiny database with overlapping transactions while a connector records
 * it as Debezium would. Any plan is a possible history, so fast-check may leave out steps to shrink a failing one.
 */

const STEPS = [
  'insert', 'insert', 'insert', 'insert', 'insert', 'insert', 'update', 'update', 'update', 'update', 'move', 'move', 'move',
  'delete', 'delete', 'rekey', 'rekey', 'recreate', 'commit', 'commit', 'commit', 'commit', 'rollback', 'tick',
  'truncate', 'slow-insert', 'snapshot', 'outage', 'incremental', 'incremental', 'failover', 'grow', 'restart', 'restart', 'restart', 'break',
] as const;
/** Each history has only some of these: what happens rarely in reality is tested long and undisturbed, too. */
const RARE = ['truncate', 'slow-insert', 'snapshot', 'outage', 'incremental', 'failover', 'grow', 'restart', 'break'] as const;
export type StepKind = (typeof STEPS)[number];

export interface Step {
  readonly kind: StepKind;
  readonly seed: number;
}

export interface Plan extends LogOptions {
  /** Steps after which the connector starts, with a snapshot of the rows then there; null when it was there from the first. */
  readonly startsAfter: number | null;
  readonly startsKnowingCommit: boolean;
  /** False: an operator has not noted failovers. Only single partitions can then be read right. */
  readonly declaresEpochs: boolean;
  readonly firstPosition: number;
  readonly steps: readonly Step[];
}

export interface History {
  /** All partitions, in offset order each. */
  readonly partitions: readonly (readonly LogRecord[])[];
  /** The tables' final contents. */
  readonly rows: Readonly<Record<Table, readonly Row[]>>;
  /** Value of RENTFOLD_SOURCE_EPOCHS, as milliseconds, rising. */
  readonly epochs: readonly number[];
}

/** Positions around which LSNs are drawn: ordinary, and about to pass a 32-bit boundary. */
const FIRST_POSITIONS = [23_000_000, 2 ** 32 - 2_000, 5 * 2 ** 32 - 500, 9_000] as const;

/** Plans for random histories; `stepsMax` bounds their length. */
export function plans(stepsMax = 120, declaresEpochs = true): fc.Arbitrary<Plan> {
  const style = fc.record({
    ids: fc.constantFrom('uuid' as const, 'integer' as const),
    dates: fc.constantFrom('days' as const, 'iso' as const, 'zulu' as const, 'millis' as const, 'micros' as const),
    decimals: fc.constantFrom('text' as const, 'number' as const),
    withSchema: fc.boolean(),
  });
  return fc.record({
    keying: fc.constantFrom(...KEYINGS),
    isFull: fc.boolean(),
    tombstones: fc.boolean(),
    partitions: fc.integer({ min: 1, max: 3 }),
    isOneTopic: fc.boolean(),
    repeatsBatches: fc.boolean(),
    startsAfter: fc.option(fc.nat(20), { nil: null }),
    startsKnowingCommit: fc.boolean(),
    style,
    firstPosition: fc.constantFrom(...FIRST_POSITIONS),
    rare: fc.subarray([...RARE]),
    steps: fc.array(fc.record({ kind: fc.constantFrom(...STEPS), seed: fc.nat(0x7fffffff) }), { minLength: 1, maxLength: stepsMax, size: 'max' }),
  }).map(({ rare, steps, ...plan }) => ({
    ...plan,
    declaresEpochs,
    partitions: declaresEpochs ? plan.partitions : 1,
    isFull: plan.isFull || plan.keying === 'none',
    steps: steps.filter(({ kind }) => declaresEpochs || kind !== 'grow').filter(({ kind }) => !RARE.some((one) => one === kind) || rare.some((one) => one === kind)),
  }));
}

/** Plays a plan. */
export function makeHistory(plan: Plan): History {
  return playPlan(plan);
}

/** A plan narrowed to rows that move between properties, keyed by property, and are sent again after the topic grew. */
export function movesSentAgain(plan: Plan): Plan {
  const kinds: readonly StepKind[] = ['insert', 'move', 'grow', 'restart', 'commit'];
  const seed = plan.steps.length;
  return {
    ...plan, keying: 'property', isFull: true, partitions: 1, startsAfter: null, repeatsBatches: false,
    steps: [...plan.steps.filter(({ kind }) => kinds.includes(kind)), { kind: 'grow', seed }, { kind: 'restart', seed: seed + 1 }],
  };
}
