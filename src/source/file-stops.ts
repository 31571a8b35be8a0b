import { partitionName } from './positions.ts';
import type { PartitionStop } from './source.ts';
import { stop } from './stops.ts';
import type { Code } from '../errors.ts';
import { messageOf } from '../runtime/message-of.ts';
import type { FileState, PartitionState } from './file-partitions.ts';

/** The ways a partition of a file can come to a stop, with the words an operator reads. Each names file, line and offset, and what to do next. */

/** OFFSET_FELL: the log's order cannot be trusted from here on. */
export function offsetFell(state: PartitionState, lineNumber: number, offset: number, before: number): PartitionStop {
  const how = offset === before ? 'stands twice' : `follows ${before}`;
  return stop(state, 'OFFSET_FELL', offset, `Offset ${offset} of ${partitionName(state)} ${how} at line ${lineNumber} of ${state.file.path}. Offsets of a partition rise in a dump: repair the file or make the dump again, then restart.`);
}

/** PARTITION_IN_TWO_FILES; no offset when it was seen before anything was read. */
export function inTwoFiles(state: PartitionState, second: FileState, offset: number | null): PartitionStop {
  return stop(state, 'PARTITION_IN_TWO_FILES', offset, `${partitionName(state)} is in ${state.file.path} and in ${second.path}, so the order of its records is not known. Put each partition into one file, then restart.`);
}

/** A partition that appeared while running, and whose beginning is gone, in words. */
export function beginsTooLate(state: PartitionState, offset: number): string {
  return `${partitionName(state)} appeared in ${state.file.path} with offset ${offset}: offsets 0 to ${offset - 1} are missing`;
}

/** FILE_LINE_INVALID: every partition of the file stops, because any of them may have been meant. */
export function lineInvalid(file: FileState, lineNumber: number, column: number | null, reason: string): PartitionStop[] {
  const place = column === null ? `Line ${lineNumber}` : `Line ${lineNumber}, byte ${column}`;
  return ofFile(file, 'FILE_LINE_INVALID', `${place} of ${file.path} is not a record as \`kcat -C -J\` writes it: ${reason}. Nothing after it is read. Repair the line, then restart.`);
}

/** FILE_SHRANK; no bytes when the file is gone. */
export function fileShrank(file: FileState, bytes: number | null): PartitionStop[] {
  const how = bytes === null ? 'is gone' : `has ${bytes} bytes`;
  return ofFile(file, 'FILE_SHRANK', `${file.path} ${how}, but ${file.position} bytes (${file.lines} lines) of it were read. Put the file back as it was, or replay into an empty store.`);
}

/** FILE_REPLACED: the file grew, but what was read of it is not its beginning any more. */
export function fileReplaced(file: FileState): PartitionStop[] {
  return ofFile(file, 'FILE_REPLACED', `${file.path} no longer holds the line that was read last from it, line ${file.lines}. Put the file back as it was, or replay into an empty store.`);
}

/** SOURCE_FAILED: the system refuses to read on. */
export function fileUnreadable(file: FileState, cause: unknown): PartitionStop[] {
  return ofFile(file, 'SOURCE_FAILED', `${file.path} cannot be read after line ${file.lines}: ${messageOf(cause)}. Restart when the cause is gone.`);
}

/** One stop for each partition of the file that still ran; for a file in which none was met, one for the topic its name says. */
function ofFile(file: FileState, code: Code, message: string): PartitionStop[] {
  if (file.partitions.length === 0) return [stop({ topic: file.name.replace(/\.jsonl$/, ''), partition: 0 }, code, null, message)];
  return file.partitions.filter((state) => !state.stopped).map((state) => stop(state, code, state.next, message));
}
