import { RentfoldError } from '../errors.ts';
import { Backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { brokerFailure, kafkaErrorText } from './kafka-errors.ts';
import type { PartitionPosition } from './positions.ts';

const ATTEMPTS_MAX = 5;
/** For all attempts together: nothing is lost when positions are not told. */
const TOTAL_MS = 3_000;
const RETRY_MS = [100, 1_000] as const;
/** The group's coordinator is loading, not chosen yet, or another broker by now. */
const PASSING: ReadonlySet<number> = new Set([14, 15, 16]);

/**
 * Tells the broker how far the state is durable, as a group without members does: lag tools show it, and nobody reads it back. Throws SOURCE_FAILED when the group's coordinator does not
 * take it after a few attempts, within three seconds.
 */
export async function commitPositions(cluster: KafkaCluster, group: string, positions: readonly PartitionPosition[], clock: Clock, signal: AbortSignal): Promise<void> {
  if (positions.length === 0) return;
  const done = new AbortController();
  const ended = AbortSignal.any([signal, done.signal]);
  const late = clock.sleep(TOTAL_MS, ended).then(() => (signal.aborted ? 'rentfold is ending' : `it was not taken within ${TOTAL_MS} ms`));
  const reason = await Promise.race([tryToCommit(cluster, group, positions, clock, ended), late]);
  done.abort();
  if (reason !== null) throw new RentfoldError('SOURCE_FAILED', `RENTFOLD_KAFKA_GROUP: the positions of group ${group} could not be told to the broker: ${reason}. Reading is not concerned.`);
}

/** Why it was not taken; null when it was. */
async function tryToCommit(cluster: KafkaCluster, group: string, positions: readonly PartitionPosition[], clock: Clock, signal: AbortSignal): Promise<string | null> {
  const backoff = new Backoff(RETRY_MS);
  let reason = '';
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !signal.aborted; attempt++) {
    if (attempt > 0) await clock.sleep(backoff.next(), signal);
    try {
      const error = await cluster.commit(group, positions);
      if (error === 0) return null;
      reason = kafkaErrorText(error);
      if (!PASSING.has(error)) break;
    } catch (error) {
      reason = brokerFailure(error, true).text;
    }
  }
  return reason;
}
