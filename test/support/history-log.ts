import type { EventSink, StreamEvent } from './history-connector.ts';
import { hashText } from './history-random.ts';
import type { Random } from './history-random.ts';
import { renderKey, renderValue } from './history-render.ts';
import type { RenderStyle } from './history-render.ts';
import type { Row, Table } from './history-rows.ts';

/** One record of the log, as a reader gets it. Offsets are dense from 0 in each partition. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly time: number;
  readonly key: string | null;
  readonly value: string | null;
}

/**
 * How messages are spread: by the row's key; by its property (`message.key.columns`); with the row's key but to any partition
 * (round-robin producers); or with no key at all.
 */
export const KEYINGS = ['row', 'property', 'scattered', 'none'] as const;
export type Keying = (typeof KEYINGS)[number];

export interface LogOptions {
  readonly keying: Keying;
  /** REPLICA IDENTITY FULL: before images are whole. Otherwise a delete has its key and plausible fakes, an update nothing. */
  readonly isFull: boolean;
  readonly tombstones: boolean;
  readonly partitions: number;
  readonly isOneTopic: boolean;
  /** The producer sometimes writes its newest batch to a partition twice. */
  readonly repeatsBatches: boolean;
  readonly style: RenderStyle;
}

interface Message {
  readonly key: string | null;
  readonly value: string | null;
}

/** Writes a connector's events as records into partitions, the way Debezium and a Kafka producer do. */
export class Log implements EventSink {
  readonly #random: Random;
  readonly #options: LogOptions;
  readonly #topics = new Map<string, LogRecord[][]>();
  #partitionCount: number;
  #now = 0;
  /** Offset before which a partition's batches were acknowledged: they are not repeated. */
  readonly #batchFloor = new Map<readonly LogRecord[], number>();

  constructor(random: Random, options: LogOptions) {
    this.#random = random;
    this.#options = options;
    this.#partitionCount = options.partitions;
  }

  /** All partitions, each in offset order. */
  get partitions(): readonly (readonly LogRecord[])[] {
    return [...this.#topics.values()].flat().filter((records) => records.length > 0);
  }

  /** Topics get more partitions; keys are spread anew from here on. */
  grow(partitions: number): void {
    this.#partitionCount = Math.max(this.#partitionCount, partitions);
  }

  /** Wall clock of the connector: the time in envelopes and records, new on every sending. */
  setTime(now: number): void {
    this.#now = now;
  }

  begin(): void {
    for (const records of this.partitions) this.#batchFloor.set(records, records.length);
  }

  write(event: StreamEvent, recordsMax = Infinity): void {
    this.#messages(event).slice(0, recordsMax).forEach((message) => this.#append(this.#topic(event.table), message));
  }

  /** A record that is none of our tables' rows. */
  writeOther(topic: string, key: string | null, value: string): void {
    this.#append(this.#options.isOneTopic ? this.#topic('expenses') : topic, { key, value });
  }

  #topic(table: Table): string {
    return this.#options.isOneTopic ? 'cdc' : `pg.public.${table}`;
  }

  #messages(event: StreamEvent): readonly Message[] {
    const { before, after } = event;
    if (event.operation === 'u' && before !== null && after !== null && this.#changesKey(event.table, before, after)) {
      return [...this.#deletion(event, before), this.#message({ ...event, operation: 'c', before: null })];
    }
    if (event.operation === 'd' && before !== null) return this.#deletion(event, before);
    return [this.#message(event)];
  }

  #message(event: StreamEvent): Message {
    const shown = this.#options.isFull ? event : { ...event, before: null };
    return { key: event.after === null ? null : this.#key(event.table, event.after), value: this.#value(shown) };
  }

  #deletion(event: StreamEvent, before: Row): readonly Message[] {
    const image = this.#options.isFull ? before : fakeImage(before);
    const key = this.#key(event.table, image);
    const value = this.#value({ ...event, operation: 'd', before: image, after: null });
    const hasTombstone = this.#options.tombstones && key !== null && this.#options.keying !== 'scattered';
    return hasTombstone ? [{ key, value }, { key, value: null }] : [{ key, value }];
  }

  /** A changed message key makes a delete and a create of an update. Without before image only a changed primary key shows. */
  #changesKey(table: Table, before: Row, after: Row): boolean {
    const { keying, isFull } = this.#options;
    if (keying === 'none') return false;
    if (isFull) return this.#key(table, before) !== this.#key(table, after);
    return before.id !== after.id;
  }

  #key(table: Table, row: Row): string | null {
    if (this.#options.keying === 'none') return null;
    return renderKey(table, row, this.#options.keying === 'property', this.#options.style);
  }

  #value(event: StreamEvent): string {
    return renderValue(event, this.#now, this.#options.style);
  }

  #append(topic: string, message: Message): void {
    const partitions = this.#topics.get(topic) ?? [];
    this.#topics.set(topic, partitions);
    const isKeyed = message.key !== null && this.#options.keying !== 'scattered';
    const partition = isKeyed ? hashText(message.key) % this.#partitionCount : this.#random.below(this.#partitionCount);
    while (partitions.length <= partition) partitions.push([]);
    const records = partitions[partition];
    const put = (one: Message): void => {
      records.push({ topic, partition, offset: records.length, time: this.#now, key: one.key, value: one.value });
    };
    put(message);
    if (!this.#options.repeatsBatches || !this.#random.chance(0.08)) return;
    let start = Math.max(this.#batchFloor.get(records) ?? 0, records.length - 1 - this.#random.below(4));
    // A delete and its tombstone are written together, so a batch does not begin between them.
    if (records[start]?.value === null) start--;
    const batch = records.slice(start);
    batch.forEach(put);
    this.#batchFloor.set(records, records.length);
  }
}

/** What the database sends of a deleted row without REPLICA IDENTITY FULL: its key, null, and defaults that look like values. */
function fakeImage(row: Row): Row {
  return { id: row.id, property: '', unit: null, day: 0, amount: '0.00', type: null, flag: null, cashInvested: null, downPayment: null };
}
