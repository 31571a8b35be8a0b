import type { PipelineParts } from '../pipeline.ts';
import { ParquetTrigger } from '../pipeline-parquet.ts';
import type { CheckpointOutcome, CheckpointRequest } from '../snapshot/checkpointer.ts';
import type { OpenedLog } from '../source/source.ts';
import type { Folding, RestoredState } from './folding.ts';

/** Checkpoints of a folding process, and the parquet file that is written with them when it is due. */
export function checkpointsOf(folding: Folding, restored: RestoredState, log: OpenedLog): Required<Pick<PipelineParts, 'checkpoint' | 'parquet'>> {
  const { parts: { config, clock }, snapshots, control, events } = folding;
  const { seconds, money, overwrite } = config.parquet;
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
        outcome = await events.checkpoint(snapshots, { ...requestOf(folding, restored, log), parquet: wanted === null ? null : { ...wanted, money, overwrite, isReason: isForFile } });
      } finally {
        trigger.ended(outcome);
      }
      if (outcome.kind === 'skipped') return 'skipped';
      return outcome.kind === 'standby' ? null : outcome.positions;
    },
  };
}

/** What a checkpoint taken now has to know. */
function requestOf({ parts, definitions, control }: Folding, { state }: RestoredState, log: OpenedLog): CheckpointRequest {
  return {
    state, decoding: parts.config.decode, definitions, sourceIdentity: log.identity, caughtUpOnce: control.state().caughtUpOnce,
    incompleteHistory: control.state().incompleteHistory,
  };
}
