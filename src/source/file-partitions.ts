import type { PartitionBounds, PartitionPosition } from './positions.ts';
import { partitionName } from './positions.ts';
import type { PartitionStop, SourceEvent } from './source.ts';
import { JsonFault } from './file-json.ts';
import type { FileLine } from './file-line.ts';

/** What the source knows of one file. */
export class FileState {
  readonly name: string;
  readonly path: string;
  /** First byte not yet worked through: always the first of a line. */
  position = 0;
  /** Lines before `position`. */
  lines = 0;
  /** End of the stretch that was scanned for the ends of its partitions. */
  scannedEnd = 0;
  /** Lines before this byte may already be applied: their place is read first, the rest only when needed. */
  appliedEnd = 0;
  /** Size at the last visit, so that an unchanged file is left alone. */
  seenBytes = -1;
  /** Where the last line worked through begins, and its hash: compared again at the next visit. */
  lastLineStart = -1;
  lastLineHash = '';
  stopped = false;
  readonly partitions: PartitionState[] = [];

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }
}

/** What a scan of the files found out about a partition, beyond bounds. */
export interface ScanFindings {
  /** Highest offset seen; -1 for none. */
  scanned: number;
  /** Time and hash of the record that was applied last; null when its offset is not in the file. */
  applied: { readonly time: number; readonly hash: string } | null;
  /** First line before the place where reading begins whose offset was not above the one before it. */
  fall: { readonly line: number; readonly offset: number; readonly before: number } | null;
  /** Another file that has lines of the partition too. */
  second: FileState | null;
}

/** What the source knows of one partition. */
export class PartitionState {
  readonly topic: string;
  readonly partition: number;
  /** The file it lives in. */
  readonly file: FileState;
  /** Position it was opened at; null when it starts at its beginning. */
  readonly opened: PartitionPosition | null;
  /** First offset of the file; -1 until a line was seen. */
  start = -1;
  /** Offset the next record will get, as far as known. */
  end = 0;
  /** Offset of the last line worked through, delivered or not; -1 before the first. */
  last = -1;
  /** Offset of the next record to deliver. */
  next: number;
  stopped = false;
  readonly found: ScanFindings = { scanned: -1, applied: null, fall: null, second: null };
  /** Its place among the partitions of batch number `slotBatch`. */
  slot = 0;
  slotBatch = -1;

  constructor(topic: string, partition: number, file: FileState, opened: PartitionPosition | null) {
    this.topic = topic;
    this.partition = partition;
    this.file = file;
    this.opened = opened;
    this.next = opened?.next ?? 0;
  }

  get bounds(): PartitionBounds {
    return { topic: this.topic, partition: this.partition, start: Math.max(0, this.start), end: this.end };
  }
}

interface TopicEntry {
  readonly name: Uint8Array;
  readonly text: string;
  readonly partitions: Map<number, PartitionState>;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** All partitions by topic and number, found from a line's bytes without making a string. */
export class FilePartitions {
  readonly #topics: TopicEntry[] = [];
  readonly #positions: ReadonlyMap<string, PartitionPosition>;
  #lastTopic: TopicEntry | null = null;

  constructor(positions: readonly PartitionPosition[]) {
    this.#positions = new Map(positions.map((position) => [partitionName(position), position]));
  }

  /** The partition a line belongs to; a new one lives in `file`. Throws `JsonFault` when the topic's name is not UTF-8. */
  of(line: FileLine, file: FileState): PartitionState {
    const topic = this.#lastTopic !== null && isNamed(this.#lastTopic, line) ? this.#lastTopic : this.#topicOf(line);
    const known = topic.partitions.get(line.partition);
    if (known !== undefined) return known;
    const position = this.#positions.get(partitionName({ topic: topic.text, partition: line.partition })) ?? null;
    const made = new PartitionState(topic.text, line.partition, file, position !== null && position.next > 0 ? position : null);
    topic.partitions.set(line.partition, made);
    file.partitions.push(made);
    return made;
  }

  get(topic: string, partition: number): PartitionState | null {
    return this.#topics.find((entry) => entry.text === topic)?.partitions.get(partition) ?? null;
  }

  /** In the order they were met. */
  all(): PartitionState[] {
    return this.#topics.flatMap((topic) => [...topic.partitions.values()]);
  }

  #topicOf(line: FileLine): TopicEntry {
    let topic = this.#topics.find((entry) => isNamed(entry, line));
    if (topic === undefined) {
      const name = line.topicBytes.slice(line.topicStart, line.topicEnd);
      topic = { name: new Uint8Array(name), text: textOf(name), partitions: new Map() };
      this.#topics.push(topic);
    }
    this.#lastTopic = topic;
    return topic;
  }
}

function textOf(name: Uint8Array): string {
  try {
    return utf8.decode(name);
  } catch {
    throw new JsonFault('`topic` is not UTF-8', 1);
  }
}

function isNamed(topic: TopicEntry, line: FileLine): boolean {
  const length = line.topicEnd - line.topicStart;
  if (topic.name.length !== length) return false;
  for (let i = 0; i < length; i++) if (topic.name[i] !== line.topicBytes[line.topicStart + i]) return false;
  return true;
}

/** Marks a file and every partition in it as stopped, and says so. */
export function* stopFile(file: FileState, stops: readonly PartitionStop[]): Generator<SourceEvent, void, void> {
  if (file.stopped) return;
  file.stopped = true;
  for (const state of file.partitions) state.stopped = true;
  for (const stop of stops) yield { kind: 'stopped', stop };
}
