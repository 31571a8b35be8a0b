import { dateText } from '../change/dates.ts';
import {
  caughtUp, isReady, lagRecords, partitionLag, sortedPartitions, type ControlState, type PartitionStatus, type StopStatus,
} from '../control-state.ts';
import { partitionName } from '../source/positions.ts';
import type { PartitionCounters } from '../state.ts';
import type { ReadModel } from './read-model.ts';
import { isoText } from './text.ts';

/** The answer of `/health/status`: everything an operator may want to know, positions of all partitions included. */
export function buildStatus(model: ReadModel, versions: Readonly<Record<string, string>>): Record<string, unknown> {
  const control = model.control();
  const counters = model.counters();
  const sum = sumCounters(counters);
  const counts = model.counts();
  return {
    phase: control.phase,
    ready: isReady(control),
    caught_up: caughtUp(control),
    lag_records: lagRecords(control),
    newest_change_at: isoText(model.newestChangeAt()),
    role: control.role,
    role_reason: control.roleReason,
    lineage: control.lineage,
    generation: control.generation,
    incomplete_history: control.incompleteHistory,
    waiting_topics: control.waitingTopics,
    source_stop: stopOf(control.sourceStop),
    ...outcomesOf(sum),
    open_dead_letters: counts.openDeadLetters,
    incomplete_properties: counts.incompleteProperties,
    rows: counts.rows,
    properties: counts.properties,
    accounts: counts.accounts,
    out_of_range_accounts: counts.outOfRangeAccounts,
    remembered_deletes: counts.rememberedDeletes,
    truncate_marks: counts.truncateMarks,
    ledger_bytes: counts.ledgerBytes,
    account_bytes: counts.accountBytes,
    partitions: partitionsOf(control, counters),
    unpublished: unpublishedOf(control, counts.unpublishedRows),
    checkpoints: checkpointsOf(control),
    parquet: parquetOf(control),
    warnings: Object.entries(control.warnings).map(([code, { count, message, at }]) => ({ code, count, message, at: isoText(at) })),
    started_at: isoText(control.startedAt),
    restored_at: isoText(control.restoredAt),
    ready_at: isoText(control.readyAt),
    versions,
  };
}

/** Counters of all partitions in one. */
function sumCounters(counters: readonly PartitionCounters[]): PartitionCounters {
  const reasons: Record<string, number> = {};
  const sum = { ...NOTHING_COUNTED, topic: '', partition: -1, passedOverReasons: reasons };
  for (const counted of counters) {
    for (const name of COUNTED) sum[name] += counted[name];
    for (const [reason, count] of Object.entries(counted.passedOverReasons)) reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  return sum;
}

const NOTHING_COUNTED = { read: 0, applied: 0, unchanged: 0, superseded: 0, passedOver: 0, deadLetters: 0, unattributed: 0, orderAmbiguous: 0 };
const COUNTED = Object.keys(NOTHING_COUNTED) as (keyof typeof NOTHING_COUNTED)[];

function outcomesOf(counters: PartitionCounters): Record<string, unknown> {
  return {
    records: {
      read: counters.read, applied: counters.applied, unchanged: counters.unchanged, superseded: counters.superseded,
      passed_over: counters.passedOver, dead_letters: counters.deadLetters,
    },
    passed_over_reasons: counters.passedOverReasons,
    unattributed: counters.unattributed,
    order_ambiguous: counters.orderAmbiguous,
  };
}

/** Every partition that the control state knows; a partition is counted only after it was folded, so counters know no others. */
function partitionsOf(control: ControlState, counters: readonly PartitionCounters[]): unknown[] {
  const counted = new Map(counters.map((entry) => [partitionName(entry), entry]));
  return sortedPartitions(control).map((partition) => ({
    ...placeOf(partition),
    ...outcomesOf(counted.get(partitionName(partition)) ?? sumCounters([])),
  }));
}

function placeOf(partition: PartitionStatus): Record<string, unknown> {
  return {
    topic: partition.topic,
    partition: partition.partition,
    position: partition.next,
    end: partition.end,
    end_at_start: partition.endAtStart,
    lag_records: partitionLag(partition),
    stop: stopOf(partition.stop),
  };
}

function stopOf(stop: StopStatus | null): unknown {
  return stop === null ? null : { code: stop.code, message: stop.message, offset: stop.offset, at: isoText(stop.at) };
}

function unpublishedOf({ publishing: { unpublishedSince, failuresInARow, lastFailure } }: ControlState, rows: number): unknown {
  return {
    rows, since: isoText(unpublishedSince), failures: failuresInARow,
    last_failure: lastFailure === null ? null : { attempt: lastFailure.attempt, code: lastFailure.code, message: lastFailure.message, at: isoText(lastFailure.at) },
  };
}

function checkpointsOf(control: ControlState): unknown {
  return {
    succeeded: control.checkpointsSucceeded,
    failed: control.checkpointsFailed,
    history: control.checkpoints.map((checkpoint) => ({
      generation: checkpoint.generation, rows: checkpoint.rows, bytes: checkpoint.bytes, duration_ms: checkpoint.durationMs,
      at: isoText(checkpoint.at), error: checkpoint.error,
    })),
  };
}

function parquetOf({ parquet: { file, succeeded, failed, error } }: ControlState): unknown {
  return {
    succeeded, failed, error,
    file: file === null ? null : { generation: file.generation, as_of: dateText(file.asOf), accounts: file.accounts, at: isoText(file.at) },
  };
}
