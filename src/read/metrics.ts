import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { caughtUp, isReady, partitionLag, sortedPartitions } from '../control-state.ts';
import type { BooksCounts } from '../ledger/ledger.ts';
import type { ReadModel } from './read-model.ts';

/** Prometheus metrics. Everything but requests is read from the state when it is asked for, so nothing is counted twice. */
export interface Metrics {
  readonly contentType: string;
  /** The exposition text. */
  text(): Promise<string>;
  /** Counts a finished request. */
  answered(route: RequestRoute, status: number, durationMs: number): void;
}

/** Groups of routes, so that ids never become labels. */
export type RequestRoute = 'figures' | 'health' | 'metrics' | 'openapi' | 'other';

/** The group of a request's URL. */
export function requestRoute(url: string | undefined): RequestRoute {
  if (url === undefined) return 'other';
  if (url.startsWith('/financial-performance/')) return 'figures';
  if (url.startsWith('/health/')) return 'health';
  if (url.startsWith('/metrics')) return 'metrics';
  return url.startsWith('/openapi.json') ? 'openapi' : 'other';
}

type Labels = Readonly<Record<string, string | number>>;
/** Gives a value; null means unknown, and leaves the series out. */
type Emit = (labels: Labels, value: number | null) => void;

/** Makes the metrics in a registry of their own. */
export function createMetrics(model: ReadModel): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addRecordMetrics(registry, model);
  addPartitionMetrics(registry, model);
  let counts = model.counts();
  addBookMetrics(registry, () => counts);
  addProcessMetrics(registry, model);
  const requests = new Counter({
    name: 'rentfold_http_requests_total', help: 'Requests answered, by group of routes and status.', labelNames: ['route', 'status'], registers: [registry],
  });
  const durations = new Histogram({
    name: 'rentfold_http_request_duration_seconds', help: 'Time from routing a request to its last byte, by group of routes.', labelNames: ['route'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1], registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text() {
      counts = model.counts();
      return registry.metrics();
    },
    answered(route, status, durationMs) {
      requests.inc({ route, status });
      durations.observe({ route }, durationMs / 1000);
    },
  };
}

/** A counter whose values are kept elsewhere and read at every scrape. */
function counter(registry: Registry, name: string, help: string, labelNames: string[], collect: (emit: Emit) => void): void {
  new Counter({
    name, help, labelNames, registers: [registry],
    collect() {
      this.reset();
      collect((labels, value) => { if (value !== null) this.inc(labels, value); });
    },
  });
}

/** A gauge whose values are kept elsewhere and read at every scrape. */
function gauge(registry: Registry, name: string, help: string, labelNames: string[], collect: (emit: Emit) => void): void {
  new Gauge({
    name, help, labelNames, registers: [registry],
    collect() {
      if (labelNames.length > 0) this.reset();
      collect((labels, value) => (value === null ? this.remove(labels) : this.set(labels, value)));
    },
  });
}

function addRecordMetrics(registry: Registry, model: ReadModel): void {
  counter(registry, 'rentfold_records_total', 'Records folded, by partition and outcome; the outcomes of a partition sum to what was read.', ['topic', 'partition', 'outcome'], (emit) => {
    for (const { topic, partition, ...counts } of model.counters()) {
      emit({ topic, partition, outcome: 'applied' }, counts.applied);
      emit({ topic, partition, outcome: 'unchanged' }, counts.unchanged);
      emit({ topic, partition, outcome: 'superseded' }, counts.superseded);
      emit({ topic, partition, outcome: 'passed_over' }, counts.passedOver);
      emit({ topic, partition, outcome: 'dead_letter' }, counts.deadLetters);
    }
  });
  counter(registry, 'rentfold_passed_over_records_total', 'Records recognised and not folded, by reason.', ['topic', 'partition', 'reason'], (emit) => {
    for (const { topic, partition, passedOverReasons } of model.counters()) {
      for (const [reason, count] of Object.entries(passedOverReasons)) emit({ topic, partition, reason }, count);
    }
  });
  counter(registry, 'rentfold_unattributed_dead_letters_total', 'Dead letters that name no row, by partition.', ['topic', 'partition'], (emit) => {
    for (const { topic, partition, unattributed } of model.counters()) emit({ topic, partition }, unattributed);
  });
  counter(registry, 'rentfold_order_ambiguous_records_total', 'Records whose position could not be compared with the row\'s, by partition; the later commit time won.', ['topic', 'partition'], (emit) => {
    for (const { topic, partition, orderAmbiguous } of model.counters()) emit({ topic, partition }, orderAmbiguous);
  });
}

function addPartitionMetrics(registry: Registry, model: ReadModel): void {
  const place = ['topic', 'partition'];
  gauge(registry, 'rentfold_partition_position_offset', 'Offset folded next.', place, (emit) => {
    for (const { topic, partition, next } of sortedPartitions(model.control())) emit({ topic, partition }, next);
  });
  gauge(registry, 'rentfold_partition_lag_records', 'Records between the offset folded next and the newest known end.', place, (emit) => {
    for (const partition of sortedPartitions(model.control())) emit({ topic: partition.topic, partition: partition.partition }, partitionLag(partition));
  });
  gauge(registry, 'rentfold_partition_stopped_info', '1 for a partition that cannot go on, with the code of the reason.', [...place, 'code'], (emit) => {
    for (const { topic, partition, stop } of sortedPartitions(model.control())) if (stop !== null) emit({ topic, partition, code: stop.code }, 1);
  });
}

function addBookMetrics(registry: Registry, counts: () => BooksCounts): void {
  gauge(registry, 'rentfold_rows', 'Live rows, by table.', ['table'], (emit) => {
    for (const [table, rows] of Object.entries(counts().rows)) emit({ table }, rows);
  });
  const single = (name: string, help: string, read: (counts: BooksCounts) => number): void => {
    gauge(registry, name, help, [], (emit) => emit({}, read(counts())));
  };
  single('rentfold_properties', 'Properties known.', (now) => now.properties);
  single('rentfold_accounts', 'Accounts: one a property and one a unit.', (now) => now.accounts);
  single('rentfold_remembered_deletes', 'Deletes remembered with their position.', (now) => now.rememberedDeletes);
  single('rentfold_open_dead_letters', 'Records that could not be understood and still mark a property, or name none.', (now) => now.openDeadLetters);
  single('rentfold_incomplete_properties', 'Properties that answer `complete: false` because of a dead letter.', (now) => now.incompleteProperties);
  single('rentfold_out_of_range_accounts', 'Accounts with a total beyond the range of exact numbers.', (now) => now.outOfRangeAccounts);
  single('rentfold_unpublished_rows', 'Rows, deletes and marks that no generation of this process holds, each counted once.', (now) => now.unpublishedRows);
  single('rentfold_ledger_bytes', 'Bytes held for rows, index and chains.', (now) => now.ledgerBytes);
  single('rentfold_accounts_bytes', 'Bytes held for accounts.', (now) => now.accountBytes);
}

function addProcessMetrics(registry: Registry, model: ReadModel): void {
  const single = (name: string, help: string, read: () => number | null): void => gauge(registry, name, help, [], (emit) => emit({}, read()));
  gauge(registry, 'rentfold_phase_info', '1 for the phase the process is in.', ['phase'], (emit) => emit({ phase: model.control().phase }, 1));
  single('rentfold_ready', '1 when restored, folded up to the end seen at start, and nothing stopped.', () => Number(isReady(model.control())));
  single('rentfold_caught_up', '1 when everything up to the newest known end is folded.', () => asNumber(caughtUp(model.control())));
  single('rentfold_publisher', '1 when this process publishes, 0 when it stands by.', () => Number(model.control().role === 'publisher'));
  single('rentfold_history_incomplete', '1 when history is known to be missing.', () => Number(model.control().incompleteHistory.length > 0));
  single('rentfold_newest_change_timestamp_seconds', 'Newest commit time folded.', () => seconds(model.newestChangeAt()));
  single('rentfold_checkpoint_generation', 'Newest durable generation.', () => model.control().generation);
  single('rentfold_checkpoint_success_timestamp_seconds', 'When the last checkpoint of this process became durable.', () => seconds(lastCheckpoint(model)?.at ?? null));
  single('rentfold_checkpoint_duration_seconds', 'Time the last durable checkpoint took.', () => seconds(lastCheckpoint(model)?.durationMs ?? null));
  single('rentfold_checkpoint_size_bytes', 'Bytes the last durable checkpoint wrote.', () => lastCheckpoint(model)?.bytes ?? null);
  single('rentfold_unpublished_since_timestamp_seconds', 'When the oldest change was folded that no generation of this process holds.', () => seconds(model.control().publishing.unpublishedSince));
  single('rentfold_publish_failures', 'Attempts to publish, or to get the lease, that failed since the last that did not.', () => model.control().publishing.failuresInARow);
  counter(registry, 'rentfold_checkpoints_total', 'Checkpoints tried by this process, by outcome.', ['outcome'], (emit) => {
    emit({ outcome: 'succeeded' }, model.control().checkpointsSucceeded);
    emit({ outcome: 'failed' }, model.control().checkpointsFailed);
  });
  single('rentfold_parquet_generation', 'Generation in the parquet file, as last written or found.', () => model.control().parquet.file?.generation ?? null);
  single('rentfold_parquet_success_timestamp_seconds', 'When the figures in the parquet file were taken.', () => seconds(model.control().parquet.file?.at ?? null));
  counter(registry, 'rentfold_parquet_writes_total', 'Parquet files tried by this process, by outcome.', ['outcome'], (emit) => {
    emit({ outcome: 'succeeded' }, model.control().parquet.succeeded);
    emit({ outcome: 'failed' }, model.control().parquet.failed);
  });
  counter(registry, 'rentfold_warnings_total', 'Warnings, by code.', ['code'], (emit) => {
    for (const [code, { count }] of Object.entries(model.control().warnings)) emit({ code }, count);
  });
}

function lastCheckpoint(model: ReadModel): { readonly at: number; readonly durationMs: number; readonly bytes: number } | undefined {
  return model.control().checkpoints.findLast((checkpoint) => checkpoint.error === null);
}

function asNumber(value: boolean | null): number | null {
  return value === null ? null : Number(value);
}

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}
