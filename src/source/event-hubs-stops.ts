import type { HubPartition, LastEvent } from './event-hubs-partition.ts';
import { partitionName, type TopicPartition } from './positions.ts';
import type { PartitionStop } from './source.ts';
import { ACCEPT, stop } from './stops.ts';

/** The ways a partition of a hub can come to a stop while it is read, with the words an operator reads. Offsets are sequence numbers. */

const OTHER_LOG = 'Check that it is the hub this store was made from; otherwise replay into an empty store';

/** A partition that appeared while running, and whose beginning is gone, in words. */
export function beginsTooLate(place: TopicPartition, start: number): string {
  return `${partitionName(place)} appeared with sequence number ${start}: events 0 to ${start - 1} are missing`;
}

/** What retention took, in words. */
export function overtakenText(partition: HubPartition, start: number): string {
  return `${partitionName(partition)} was read up to sequence number ${partition.arrivedNext}, and now begins at ${start}: events ${partition.arrivedNext} to ${start - 1} are gone (retention)`;
}

/** POSITION_TOO_OLD: retention was faster than we are. */
export function overtaken(partition: HubPartition, start: number): PartitionStop {
  return stop(partition, 'POSITION_TOO_OLD', partition.arrivedNext, `${overtakenText(partition, start)}. Raise the hub's retention and replay into an empty store from a log that reaches back, or accept the gap with ${ACCEPT}, then restart.`);
}

/** A hole between sequence numbers, in words. */
export function holeText(partition: HubPartition, next: number): string {
  return `events ${partition.arrivedNext} to ${next - 1} of ${partitionName(partition)} are missing in the hub`;
}

/** OFFSETS_MISSING: a hole in the sequence numbers that stayed when the events were asked for again. */
export function eventsMissing(partition: HubPartition, next: number): PartitionStop {
  return stop(partition, 'OFFSETS_MISSING', partition.arrivedNext, `${holeText(partition, next)}, although it holds events before and behind them. If the hub is compacted, rentfold cannot know what is missing: read one that is not. Replay into an empty store from a log that is whole, or accept the gap with ${ACCEPT}, then restart.`);
}

/** POSITION_BEYOND_END: the log is shorter than what was read of it. */
export function beyondEnd(partition: HubPartition, end: number): PartitionStop {
  return stop(partition, 'POSITION_BEYOND_END', partition.arrivedNext, `${partitionName(partition)} was read up to sequence number ${partition.arrivedNext}, and now ends before ${end}: the hub was made again, or a failover of the namespace lost events. ${OTHER_LOG}.`);
}

/** POSITION_BEYOND_END: the service does not take our position, although its numbers are in bounds. */
export function positionRefused(partition: TopicPartition & { readonly arrivedNext: number }, reason: string): PartitionStop {
  return stop(partition, 'POSITION_BEYOND_END', partition.arrivedNext, `${partitionName(partition)} was read up to sequence number ${partition.arrivedNext}, and the service refuses to go on from there: ${reason}. The hub was made again, or a failover of the namespace lost events. ${OTHER_LOG}.`);
}

/** POSITION_BEYOND_END: the hub is gone. */
export function hubGone(partition: HubPartition): PartitionStop {
  return stop(partition, 'POSITION_BEYOND_END', partition.arrivedNext, `${partitionName(partition)} was read up to sequence number ${partition.arrivedNext}, and the namespace does not have it any more: the hub was deleted. ${OTHER_LOG}.`);
}

/** POSITION_RECORD_CHANGED: the event before our position is another one than the one that was delivered. */
export function eventChanged(partition: HubPartition, expected: LastEvent, difference: string): PartitionStop {
  return stop(partition, 'POSITION_RECORD_CHANGED', expected.sequence, `${partitionName(partition)} was read up to sequence number ${partition.arrivedNext}, but the event at ${expected.sequence} ${difference} now: the hub was made again, or a failover of the namespace lost events. ${OTHER_LOG}.`);
}

/** SOURCE_FAILED: an event does not say where it stands. */
export function unnumbered(partition: HubPartition): PartitionStop {
  return stop(partition, 'SOURCE_FAILED', partition.arrivedNext, `${partitionName(partition)} cannot be read on from sequence number ${partition.arrivedNext}: the service sent an event without a sequence number. Restart when the cause is gone.`);
}
