import type { Code } from '../errors.ts';
import type { TopicPartition } from './positions.ts';
import type { PartitionStop } from './source.ts';

/** What the stops of every kind of source have in common. */

/** Option with which a log that is not whole is read all the same, as it is set. */
export const ACCEPT = 'RENTFOLD_ACCEPT_INCOMPLETE_HISTORY=true';

/** A stop of a partition. `message` says what happened, where, and what to do. */
export function stop({ topic, partition }: TopicPartition, code: Code, offset: number | null, message: string): PartitionStop {
  return { topic, partition, code, offset, message };
}

/** HISTORY_INCOMPLETE: a partition that appeared while running, and whose beginning is gone; those there at start are checked by `open`. `missing` says so in words. */
export function beginningMissing(place: TopicPartition, offset: number, missing: string): PartitionStop {
  return stop(place, 'HISTORY_INCOMPLETE', offset, `${missing}. Provide the whole partition, or set ${ACCEPT}, then restart.`);
}
