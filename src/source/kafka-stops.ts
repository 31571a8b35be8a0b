import type { LastRecord } from './kafka-batch.ts';
import type { RecordFault } from './kafka-record-batch.ts';
import type { KafkaPartition } from './kafka-partitions.ts';
import { partitionName, type TopicPartition } from './positions.ts';
import type { PartitionStop } from './source.ts';
import { ACCEPT, stop } from './stops.ts';

/** The ways a partition of a Kafka log can come to a stop while it is read, with the words an operator reads. */

const OTHER_LOG = 'Check that it is the log this store was made from; otherwise replay into an empty store';

/** A partition that appeared while running, and whose beginning is gone, in words. */
export function beginsTooLate(place: TopicPartition, start: number): string {
  return `${partitionName(place)} appeared with offset ${start}: offsets 0 to ${start - 1} are missing`;
}

/** Retention, or somebody who deletes records, was faster than we are, in words. */
export function overtakenText(partition: KafkaPartition, start: number): string {
  return `${partitionName(partition)} was read up to offset ${partition.next}, and now begins at offset ${start}: offsets ${partition.next} to ${start - 1} are gone (retention)`;
}

/** POSITION_TOO_OLD: see `overtakenText`. */
export function overtaken(partition: KafkaPartition, start: number): PartitionStop {
  return stop(partition, 'POSITION_TOO_OLD', partition.next, `${overtakenText(partition, start)}. Raise the topic's retention and replay into an empty store from a log that reaches back, or accept the gap with ${ACCEPT}, then restart.`);
}

/** OFFSETS_MISSING: a hole in a log that is not compacted. `hole`: see `holeText`. */
export function offsetsMissing(partition: KafkaPartition, hole: string): PartitionStop {
  return stop(partition, 'OFFSETS_MISSING', partition.next, `${hole}, although the topic is not compacted (cleanup.policy). Look at the segments with \`kafka-dump-log\`; replay into an empty store from a log that is whole, or accept the gap with ${ACCEPT}, then restart. If the topic was compacted once, accepting it loses nothing but older versions of rows.`);
}

/** A hole between offsets in words. `isWhole`: all of them are missing, not some. */
export function holeText(partition: KafkaPartition, from: number, to: number, isWhole: boolean): string {
  return `${isWhole ? 'offsets' : 'some of the offsets'} ${from} to ${to} of ${partitionName(partition)} are missing in the topic`;
}

/** POSITION_BEYOND_END: the log is shorter than what was read of it. */
export function beyondEnd(partition: KafkaPartition, end: number): PartitionStop {
  return stop(partition, 'POSITION_BEYOND_END', partition.next, `${partitionName(partition)} was read up to offset ${partition.next}, and now ends before offset ${end}: it was truncated or made again. ${OTHER_LOG}.`);
}

/** POSITION_BEYOND_END: the topic is gone. */
export function topicGone(partition: KafkaPartition): PartitionStop {
  return stop(partition, 'POSITION_BEYOND_END', partition.next, `${partitionName(partition)} was read up to offset ${partition.next}, and the cluster does not have it any more: the topic was deleted. ${OTHER_LOG}.`);
}

/** POSITION_RECORD_CHANGED: the record before our position is another one than the one that was delivered. */
export function recordChanged(partition: KafkaPartition, expected: LastRecord, difference: string): PartitionStop {
  return stop(partition, 'POSITION_RECORD_CHANGED', expected.offset, `${partitionName(partition)} was read up to offset ${partition.next}, but the record at offset ${expected.offset} ${difference} now: the topic was made again, or a broker that lacked records became its leader. ${OTHER_LOG}.`);
}

/** RECORDS_CORRUPT, RECORDS_TOO_LARGE, RECORDS_UNSUPPORTED, OFFSET_FELL: what the broker sent cannot be read. */
export function unreadable(partition: KafkaPartition, fault: RecordFault): PartitionStop {
  return stop(partition, fault.code, fault.offset ?? partition.next, `${partitionName(partition)} cannot be read on from offset ${partition.next}: ${fault.message}. Look at the segment with \`kafka-dump-log\`, repair the topic or replay from a copy of it, then restart.`);
}

/** SOURCE_FAILED: the broker refuses with something that does not pass. */
export function refused(partition: KafkaPartition, reason: string): PartitionStop {
  return stop(partition, 'SOURCE_FAILED', partition.next, `${partitionName(partition)} cannot be read on from offset ${partition.next}: ${reason}. Restart when the cause is gone.`);
}
