/** Hand-made change batches: records as small objects, packed the way a decoder packs them. */
import {
  ENTRY_DEAD_LETTER, ENTRY_DELETE, ENTRY_PASSED_OVER, ENTRY_TOMBSTONE, ENTRY_TRUNCATE, ENTRY_UPSERT, FLAG_CONTINUED, FLAG_PARTIAL, FLAG_ROW,
  FLAG_SNAPSHOT, HAS_ALL, NO_DAY, NO_STRING, PASSED_OVER, POSITION_WORDS, TABLE_NAMES, TABLE_NONE,
} from '../../src/change/change.ts';
import type { BatchLetter, BatchPartition, ChangeBatch, DeadLetter, PassedOverReason, TableName } from '../../src/change/change.ts';
import { parseDate } from '../../src/change/dates.ts';
import { ID_NONE, encodeIdentifierText } from '../../src/change/identifier.ts';
import {
  POSITION_BINLOG, POSITION_CES, POSITION_COMMIT_MISSING, POSITION_EPOCH_SHIFT, POSITION_NONE, POSITION_POSTGRES, POSITION_SNAPSHOT, POSITION_SQLSERVER,
  POSITION_TIME,
} from '../../src/change/position.ts';
import { partitionName } from '../../src/source/positions.ts';

/** A source position in parts; `pack` makes its words. */
export interface TestPosition {
  readonly family: 'none' | 'time' | 'postgres' | 'binlog' | 'sqlserver' | 'ces';
  readonly numbers: readonly number[];
  readonly epoch?: number;
  readonly snapshot?: boolean;
  readonly commitMissing?: boolean;
}

interface Common {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly position?: TestPosition;
  /** Commit time, milliseconds; missing means unknown. */
  readonly time?: number | undefined;
}

interface Columns {
  readonly property?: string;
  readonly unit?: string | null;
  /** ISO date. */
  readonly date?: string;
  /** Units of 1/10 000; of a property `cash_invested`. */
  readonly amount?: number | null;
  /** `down_payment`. */
  readonly amount2?: number | null;
  readonly type?: string | null;
  readonly flag?: boolean;
}

export type TestRecord =
  | (Common & Columns & { readonly kind: 'upsert'; readonly table: TableName; readonly key: string; readonly continued?: boolean })
  | (Common & Columns & { readonly kind: 'partial'; readonly table: TableName; readonly key: string; readonly present: number })
  | (Common & { readonly kind: 'delete'; readonly table: TableName; readonly key: string; readonly continued?: boolean })
  | (Common & { readonly kind: 'tombstone'; readonly table: TableName; readonly key: string })
  | (Common & { readonly kind: 'truncate'; readonly table: TableName })
  | (Common & { readonly kind: 'passed-over'; readonly reason?: PassedOverReason })
  | (Common & { readonly kind: 'letter'; readonly table?: TableName; readonly key?: string; readonly property?: string; readonly code?: string; readonly recordTime?: number });

const FAMILIES = {
  none: POSITION_NONE, time: POSITION_TIME, postgres: POSITION_POSTGRES, binlog: POSITION_BINLOG, sqlserver: POSITION_SQLSERVER, ces: POSITION_CES,
};

export const noPosition: TestPosition = { family: 'none', numbers: [] };

/** Postgres: last commit LSN and own LSN. `null` for a missing commit. */
export function postgres(commit: number | null, own: number, more: { epoch?: number; snapshot?: boolean } = {}): TestPosition {
  return { family: 'postgres', numbers: [commit ?? own, own], commitMissing: commit === null, ...more };
}

/** Binlog: file number, pos, row, server. */
export function binlog(file: number, pos: number, row: number, server: number, more: { epoch?: number; snapshot?: boolean } = {}): TestPosition {
  return { family: 'binlog', numbers: [file, pos, row, server], ...more };
}

export function timePosition(milliseconds: number): TestPosition {
  return { family: 'time', numbers: [milliseconds] };
}

function wordsOf({ family, numbers }: TestPosition): number[] {
  const two = (value: number): [number, number] => [Math.floor(value / 2 ** 32), value % 2 ** 32];
  switch (family) {
    case 'none': return [];
    case 'time': return two(numbers[0]);
    case 'postgres': return [...two(numbers[0]), ...two(numbers[1])];
    case 'binlog': return [numbers[0], ...two(numbers[1]), numbers[2], numbers[3]];
    case 'sqlserver': return [0, ...two(numbers[0]), ...two(numbers[1]), numbers[2]];
    case 'ces': return [0, ...two(numbers[0]), ...two(numbers[1])];
  }
}

export function pack(position: TestPosition, words = new Uint32Array(POSITION_WORDS), at = 0): Uint32Array {
  const epoch = ((position.epoch ?? 0) << POSITION_EPOCH_SHIFT) >>> 0;
  words[at] = FAMILIES[position.family] | (position.snapshot === true ? POSITION_SNAPSHOT : 0)
    | (position.commitMissing === true ? POSITION_COMMIT_MISSING : 0) | epoch;
  wordsOf(position).forEach((word, index) => { words[at + 1 + index] = word; });
  return words;
}

const KINDS = {
  upsert: ENTRY_UPSERT, partial: ENTRY_UPSERT, delete: ENTRY_DELETE, tombstone: ENTRY_TOMBSTONE, truncate: ENTRY_TRUNCATE,
  'passed-over': ENTRY_PASSED_OVER, letter: ENTRY_DEAD_LETTER,
};

/** A log under construction: numbers the offsets of each partition and packs batches. */
export class TestLog {
  readonly #next = new Map<string, number>();
  readonly #offsets = new Map<TestRecord, number>();

  /** Gives a record its offset now, so that it can be packed later, alone or with others. */
  place(record: TestRecord): TestRecord {
    const { topic = 'topic', partition = 0 } = record;
    const name = partitionName({ topic, partition });
    const offset = record.offset ?? this.#next.get(name) ?? 0;
    this.#next.set(name, offset + ('continued' in record && record.continued === true ? 0 : 1));
    const placed = { ...record, topic, partition, offset };
    this.#offsets.set(placed, offset);
    return placed;
  }

  batch(...records: readonly TestRecord[]): ChangeBatch {
    return packBatch(records.map((record) => (this.#offsets.has(record) ? record : this.place(record))));
  }
}

/** Packs records whose offsets are set. */
export function packBatch(records: readonly TestRecord[]): ChangeBatch {
  const strings: string[] = [];
  const intern = (text: string): number => {
    const known = strings.indexOf(text);
    return known >= 0 ? known : strings.push(text) - 1;
  };
  const partitions: BatchPartition[] = [];
  const letters: BatchLetter[] = [];
  const count = records.length;
  const columns = {
    partitionOf: new Uint16Array(count), offset: new Float64Array(count), kind: new Uint8Array(count), detail: new Uint8Array(count),
    table: new Uint8Array(count).fill(TABLE_NONE), flags: new Uint8Array(count), present: new Uint8Array(count), keyKind: new Uint8Array(count),
    key: new Uint32Array(count * 4), propertyKind: new Uint8Array(count), property: new Uint32Array(count * 4), unitKind: new Uint8Array(count),
    unit: new Uint32Array(count * 4), day: new Int32Array(count).fill(NO_DAY), amount: new Float64Array(count).fill(Number.NaN),
    amount2: new Float64Array(count).fill(Number.NaN), expenseType: new Uint16Array(count).fill(NO_STRING),
    position: new Uint32Array(count * POSITION_WORDS), commitTime: new Float64Array(count).fill(Number.NaN),
  };
  const identifier = (text: string | null | undefined, kinds: Uint8Array, words: Uint32Array, index: number): void => {
    kinds[index] = text === null || text === undefined ? ID_NONE : encodeIdentifierText(text, words, index * 4, intern);
  };
  records.forEach((record, index) => {
    const { topic = 'topic', partition = 0, offset = index } = record;
    let number = partitions.findIndex((each) => each.topic === topic && each.partition === partition);
    if (number < 0) number = partitions.push(partitionAfter(topic, partition, offset)) - 1;
    partitions[number] = partitionAfter(topic, partition, offset);
    columns.partitionOf[index] = number;
    columns.offset[index] = offset;
    columns.kind[index] = KINDS[record.kind];
    if ('table' in record && record.table !== undefined) columns.table[index] = TABLE_NAMES.indexOf(record.table);
    if (record.position !== undefined) {
      pack(record.position, columns.position, index * POSITION_WORDS);
      if (record.position.snapshot === true) columns.flags[index] |= FLAG_SNAPSHOT;
    }
    if (record.time !== undefined) columns.commitTime[index] = record.time;
    if ('continued' in record && record.continued === true) columns.flags[index] |= FLAG_CONTINUED;
    if ('key' in record) identifier(record.key, columns.keyKind, columns.key, index);
    if (record.kind === 'passed-over') columns.detail[index] = PASSED_OVER.indexOf(record.reason ?? 'heartbeat');
    if (record.kind === 'upsert' || record.kind === 'partial') {
      identifier(record.table === 'properties' ? record.key : record.property, columns.propertyKind, columns.property, index);
      identifier(record.unit, columns.unitKind, columns.unit, index);
      columns.present[index] = record.kind === 'partial' ? record.present : HAS_ALL;
      if (record.date !== undefined) columns.day[index] = parseDate(record.date)!;
      columns.amount[index] = record.amount ?? Number.NaN;
      columns.amount2[index] = record.amount2 ?? Number.NaN;
      if (record.type !== undefined && record.type !== null) columns.expenseType[index] = intern(record.type);
      if (record.flag === true) columns.flags[index] |= FLAG_ROW;
    }
    if (record.kind === 'partial') columns.flags[index] |= FLAG_PARTIAL;
    if (record.kind === 'letter' || record.kind === 'partial') letters.push({ entry: index, letter: letterOf(record, topic, partition, offset) });
  });
  const continued = columns.flags.reduce((sum, flags) => sum + ((flags & FLAG_CONTINUED) === 0 ? 0 : 1), 0);
  return { records: count - continued, count, partitions, ...columns, strings, letters, seenTables: null, stop: null };
}

function partitionAfter(topic: string, partition: number, offset: number): BatchPartition {
  return { topic, partition, next: offset + 1, token: null, lastOffset: offset, lastTime: offset * 1000, lastHash: `hash-${offset}`, deleteKeyHash: null };
}

function letterOf(record: TestRecord & { kind: 'letter' | 'partial' }, topic: string, partition: number, offset: number): DeadLetter {
  return {
    topic, partition, offset,
    time: record.kind === 'letter' ? record.recordTime ?? null : null,
    code: record.kind === 'letter' ? record.code ?? 'AMOUNT_INVALID' : 'PARTIAL_UNORDERED',
    message: 'not understood',
    table: record.table ?? null, key: record.key ?? null, property: record.property ?? null,
    keyBytes: null, valueBytes: Uint8Array.of(1, 2, 3),
  };
}
