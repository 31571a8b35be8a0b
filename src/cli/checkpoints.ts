import type { PipelineParts } from '../pipeline.ts';
import { ParquetTrigger } from '../pipeline-parquet.ts';
import type { CheckpointOutcome, CheckpointRequest } from '../snapshot/checkpointer.ts';
import type { OpenedLog } from '../source/source.ts';
import type { Folding, RestoredState } from './folding.ts';

/** Checkpoints of a folding process, and the parquet file that is written with them when it is due. `ended` aborts when there will be none any more. */
export function checkpointsOf(folding: Folding, restored: RestoredState, log: OpenedLog, ended: AbortSignal): Required<Pick<PipelineParts, 'checkpoint' | 'parquet'>> {
  const { parts: { config, clock }, snapshots, control, events } = folding;
  const { seconds, money, overwrite } = config.parquet;
  const giveUp = halfTimeOf(folding, ended);
  const trigger = new ParquetTrigger(clock, { seconds, timeZone: config.decode.timeZone }, {
    mayWrite: () => snapshots.status().role === 'publisher' && control.state().caughtUpOnce,
    changes: () => restored.state.books.changedSinceCut,
    hasGeneration: () => control.state().generation !== null,
  });
  return {
    parquet: trigger,
    async checkpoint(isForFile) {
      const wanted = trigger.begin();
      let outcome: CheckpointOutcome | null = null;
      try {
        outcome = await events.checkpoint(snapshots, { ...requestOf(folding, restored, log), parquet: wanted === null ? null : { ...wanted, money, overwrite, isReason: isForFile, giveUp } });
      } finally {
        trigger.ended(outcome);
      }
      if (outcome.kind === 'skipped') return 'skipped';
      return outcome.kind === 'standby' ? null : outcome.positions;
    },
  };
}

/** Aborts when half the time to end is over: the other half is the last generation's, and for giving the lease back. */
function halfTimeOf({ parts: { config, clock, shutdown } }: Folding, ended: AbortSignal): AbortSignal {
  const half = new AbortController();
  const begin = (): void => void clock.sleep(config.shutdownSeconds * 500, ended).then(() => half.abort());
  if (shutdown.aborted) begin();
  else shutdown.addEventListener('abort', begin, { once: true });
  return half.signal;
}

/** What a checkpoint taken now has to know. */
function requestOf({ parts, definitions, control }: Folding, { state }: RestoredState, log: OpenedLog): CheckpointRequest {
  return {
    state, decoding: parts.config.decode, definitions, sourceIdentity: log.identity, caughtUpOnce: control.state().caughtUpOnce,
    incompleteHistory: control.state().incompleteHistory,
  };
}
