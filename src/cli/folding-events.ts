import type { PublishFailure } from '../control-state.ts';
import type { Control } from '../control.ts';
import { RentfoldError } from '../errors.ts';
import type { PipelineEvents } from '../pipeline.ts';
import { printable } from '../read/text.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { messageOf } from '../runtime/message-of.ts';
import type { CheckpointOutcome, CheckpointRequest, Role, Snapshots } from '../snapshot/checkpointer.ts';
import { createParquetEvents } from './parquet-events.ts';

/** What happens while folding, told to the log and to the control state together. The words operators search for stand here. */
export interface FoldingEvents extends PipelineEvents {
  warned(warning: { readonly code: string; readonly message: string }): void;
  failedToClaim(error: unknown): void;
  /** Writes one checkpoint and tells how it went. */
  checkpoint(snapshots: Snapshots, request: CheckpointRequest): Promise<CheckpointOutcome>;
}

/** Events of a folding process. */
export function createFoldingEvents(log: Logger, control: Control, clock: Clock): FoldingEvents {
  const now = (): number => clock.now();
  const warned: FoldingEvents['warned'] = (warning) => {
    control.warned(warning, now());
    log.warn({ code: warning.code }, warning.message);
  };
  /** True while the lease is ours and nothing may be published all the same. */
  let isBarred = false;
  const notPublished = (role: Role, reason: string): void => {
    const wasBarred = isBarred;
    isBarred = role === 'publisher';
    if (isBarred && !wasBarred) warned({ code: 'CHECKPOINT_FAILED', message: `no checkpoint is written: ${reason}` });
    else log.debug(`no checkpoint: ${reason}`);
  };
  const parquetEvents = createParquetEvents(log, control, warned);
  return {
    warned,
    folded: (_batch, positions) => control.folded(positions, now()),
    bounds: (bounds, waiting) => control.boundsSeen(bounds, waiting),
    gap(gap) {
      control.gapFound(gap);
      warned({ code: 'HISTORY_INCOMPLETE', message: `${gap}; every answer says complete: false` });
    },
    stopped(stop) {
      control.stopped(stop, now());
      log.error({ code: stop.code, topic: stop.topic, partition: stop.partition, offset: stop.offset }, `stopped: ${stop.message}`);
    },
    deadLetters(opened) {
      for (const { letter, properties } of opened) {
        log.warn({ code: letter.code, topic: letter.topic, partition: letter.partition, offset: letter.offset, properties }, `dead letter: ${letter.message}`);
      }
    },
    warnings: (warnings) => warnings.forEach(warned),
    updated(properties) {
      for (const property of properties) log.debug(`[FP-CACHE] Updated property ${printable(property)}`);
    },
    checkpointFailed(error, isLast) {
      const { generation } = control.state();
      const last = generation === null ? 'the next start reads the log from its beginning' : `the next start goes on from generation ${generation}`;
      const message = `checkpoint failed: ${codedMessageOf(error)}; ${isLast ? last : 'folding and reading go on, and it is tried again'}`;
      control.publishFailed(failureOf('checkpoint', error, now()));
      control.checkpointed({ generation: control.state().generation ?? 0, rows: 0, bytes: 0, durationMs: 0, at: now(), error: codedMessageOf(error) }, control.state().lineage);
      warned({ code: 'CHECKPOINT_FAILED', message });
    },
    commitFailed: (error) => warned({ code: 'COMMIT_FAILED', message: `the source did not take the positions of the last checkpoint: ${codedMessageOf(error)}` }),
    failedToClaim(error) {
      control.publishFailed(failureOf('lease', error, now()));
      log.debug(`the lease could not be asked for: ${codedMessageOf(error)}`);
    },
    async checkpoint(snapshots, request) {
      control.checkpointBegun();
      const outcome = await snapshots.checkpoint({
        ...request,
        onDurable({ generation, rows, bytes, ms }) {
          control.checkpointed({ generation, rows, bytes, durationMs: ms, at: now(), error: null }, snapshots.status().lineage);
          log.info({ generation, rows, bytes, ms: Math.round(ms) }, `[FP-CACHE] Checkpoint: generation ${generation}, ${rows} rows, ${bytes} bytes`);
        },
      });
      if (outcome.kind === 'standby') {
        notPublished(snapshots.status().role, outcome.reason);
        return outcome;
      }
      isBarred = false;
      if (outcome.parquet !== null) parquetEvents(outcome.parquet);
      if (outcome.kind === 'published') await snapshots.maintain();
      return outcome;
    },
  };
}

function failureOf(attempt: PublishFailure['attempt'], error: unknown, at: number): PublishFailure {
  return { attempt, code: error instanceof RentfoldError ? error.code : 'UNEXPECTED', message: messageOf(error), at };
}

function codedMessageOf(error: unknown): string {
  return error instanceof RentfoldError ? `${error.code}: ${error.message}` : messageOf(error);
}
