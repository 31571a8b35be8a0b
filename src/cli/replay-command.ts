import { isReady, sortedPartitions, type ControlState } from '../control-state.ts';
import { ERROR_CODES, RentfoldError, type Code } from '../errors.ts';
import { runPipeline, type PipelineEnd } from '../pipeline.ts';
import { createNames } from '../snapshot/names.ts';
import { newestManifest } from '../snapshot/newest.ts';
import { partitionName } from '../source/positions.ts';
import type { OpenedLog } from '../source/source.ts';
import { checkpointsOf } from './checkpoints.ts';
import { closeAll, unlessEnded } from './ending.ts';
import { claimFirst, claimLoop, openLog, prepareFolding, restoreState, type Folding, type FoldingParts, type RestoredState } from './folding.ts';
import { ReplayMeter } from './replay-meter.ts';
import { showProgress, type ProgressLine } from './replay-progress.ts';
import { summaryText } from './replay-summary.ts';

/** Everything `replay` needs from the outside. */
export interface ReplayParts extends FoldingParts {
  /** A line of a terminal that is drawn again and again; null: progress goes to the log. */
  readonly progressLine: ProgressLine | null;
}

/**
 * Reads the whole log, from its beginning to the end seen at start, into a store without a history, with checkpoints on the way and one at the end. A history that
 * has never caught up is an unfinished replay, and is gone on with. Answers the summary. Throws a `RentfoldError`: REPLAY_STORE_NOT_EMPTY, STORE_IN_USE,
 * REPLAY_INTERRUPTED when asked to end earlier, the code of what stopped a partition, and what opening store or source throws.
 */
export async function replay(parts: ReplayParts): Promise<string> {
  const { log, ingest, store, shutdown, config } = parts;
  const folding = prepareFolding({ ...parts, config: { ...config, batchRecordsMax: config.replayBatchRecordsMax, checkpointSeconds: config.replayCheckpointSeconds } });
  const stopped = new AbortController();
  const running = AbortSignal.any([shutdown, stopped.signal]);
  const besides: Promise<void>[] = [];
  try {
    const begun = await unlessEnded(begin(folding), shutdown);
    if (begun === null) throw new RentfoldError('REPLAY_INTERRUPTED', 'asked to end before anything was read; run replay again');
    const { restored, opened } = begun;
    const meter = new ReplayMeter({ state: restored.state, control: folding.control, clock: parts.clock });
    besides.push(claimLoop(folding, running), showProgress({ meter, log, clock: parts.clock, line: parts.progressLine }, running));
    await fold(folding, begun, { shutdown, ended: stopped.signal });
    return summaryText({ folding, state: restored.state, opened, progress: meter.measure() });
  } finally {
    stopped.abort();
    await closeAll(log, [...besides.map((each) => () => each), () => ingest.close(), () => folding.snapshots.close(), () => store.close()]);
  }
}

interface Begun {
  readonly restored: RestoredState;
  readonly opened: OpenedLog;
}

async function begin(folding: Folding): Promise<Begun> {
  const { parts, control } = folding;
  const { store, log } = parts;
  await store.open();
  // Looked at before the lease is asked for: a store that is refused stays as it is.
  const found = await newestManifest(store, createNames(parts.prefix));
  if (found?.caughtUpOnce === true) throw notEmpty(folding, found.lineage, found.generation);
  if (await claimFirst(folding) === 'standby') throw inUse(folding);
  const restored = await restoreState(folding);
  const { caughtUpOnce, lineage, generation } = control.state();
  if (caughtUpOnce) throw notEmpty(folding, lineage!, generation!);
  if (generation !== null) log.info({ lineage, generation }, `going on with the unfinished replay of lineage ${lineage} from generation ${generation}`);
  if (parts.shutdown.aborted) throw new Error('asked to end before the source was opened');
  return { restored, opened: await openLog(folding, restored.state) };
}

/** Folds to the end and makes sure that it is durable. */
async function fold(folding: Folding, { restored, opened }: Begun, { shutdown, ended }: { readonly shutdown: AbortSignal; readonly ended: AbortSignal }): Promise<void> {
  const { parts, control, events } = folding;
  const { ingest, clock, config } = parts;
  const checkpoints = checkpointsOf(folding, restored, opened, ended);
  let lastIsDurable = true;
  const end = await runPipeline({
    ingest, state: restored.state, clock, events, options: config, until: 'end-at-start', reachedEndAtStart: () => isReady(control.state()),
    ...checkpoints,
    async checkpoint(isForFile) {
      const durable = await checkpoints.checkpoint(isForFile);
      lastIsDurable = durable !== null;
      return durable;
    },
  }, shutdown);
  const failure = failureOf(end, control.state());
  if (failure !== null) throw failure;
  if (!lastIsDurable) throw inUse(folding);
}

/** Why a replay that ended so has not done its work; null when it has. */
function failureOf(end: PipelineEnd, control: ControlState): RentfoldError | null {
  if (end === 'end-at-start') return null;
  if (end === 'asked') return new RentfoldError('REPLAY_INTERRUPTED', `asked to end before the end of the log; ${goneOnWith(control)}`);
  const partition = sortedPartitions(control).find(({ stop }) => stop !== null);
  const stop = partition?.stop ?? control.sourceStop;
  const code: Code = stop !== null && Object.hasOwn(ERROR_CODES, stop.code) ? stop.code as Code : 'SOURCE_FAILED';
  const message = stop?.message ?? 'the source stopped';
  const place = partition === undefined || message.includes(partitionName(partition)) ? '' : `${partitionName(partition)}: `;
  return new RentfoldError(code, `${place}${message}. Then ${goneOnWith(control)}`);
}

function goneOnWith({ lineage, generation }: ControlState): string {
  return generation === null ? 'run replay again: it begins at the beginning, nothing was written' : `run replay again: it goes on from generation ${generation} of lineage ${lineage}`;
}

function notEmpty({ parts }: Folding, lineage: string, generation: number): RentfoldError {
  const empty = parts.config.store.kind === 'local' ? 'set RENTFOLD_STORE_DIR to an empty folder' : 'set CDC_CACHE_CONTAINER_NAME to an empty container';
  return new RentfoldError('REPLAY_STORE_NOT_EMPTY', `the store ${parts.store.place} holds generation ${generation} of lineage ${lineage}, which has caught up with its log; nothing was changed. To read the log from its beginning ${empty}; to go on with this history run rentfold serve`);
}

function inUse({ parts, snapshots }: Folding): RentfoldError {
  return new RentfoldError('STORE_IN_USE', `the store ${parts.store.place} is in use: ${snapshots.status().reason ?? 'another process publishes'}. Let it end, or use another store`);
}
