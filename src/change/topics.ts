import type { RecordBatch } from '../source/source.ts';
import { TABLE_NONE } from './change.ts';
import type { KeyReader } from './keys.ts';
import { SchemaPrefixes } from './schema-prefixes.ts';
import type { PhysicalTable, Tables } from './tables.ts';

/** What a topic's name says. */
export interface TopicName {
  readonly name: string;
  /** The table the topic is named after. */
  readonly table: PhysicalTable;
  /** That table is one of ours, or would be if its schema were known. */
  readonly isTable: boolean;
}

/** A topic as decoding sees it. */
export interface Topic extends TopicName {
  readonly prefixes: SchemaPrefixes;
}

/** The topics that records come from, and those that the keys of routed records name. */
export class Topics {
  readonly #tables: Tables;
  readonly #keys: KeyReader;
  readonly #known = new Map<string, Topic>();

  constructor(tables: Tables, keys: KeyReader) {
    this.#tables = tables;
    this.#keys = keys;
  }

  /** The topic of that name; the same object every time. */
  of(name: string): Topic {
    let topic = this.#known.get(name);
    if (topic === undefined) {
      topic = { ...this.#named(name), prefixes: new SchemaPrefixes() };
      this.#known.set(name, topic);
    }
    return topic;
  }

  /** The topic a record came from when it was routed to one that is no table of ours: its key may say. Else the topic it is in. */
  routed(batch: RecordBatch, index: number, topic: Topic): TopicName {
    if (topic.isTable) return topic;
    this.#keys.open(batch.bytes, batch.keyStart[index], batch.keyEnd[index]);
    const physical = this.#keys.physicalTopic();
    return physical === null ? topic : this.#named(physical);
  }

  #named(topic: string): TopicName {
    const table = this.#tables.findByTopic(topic);
    return { name: topic, table, isTable: table.logical !== TABLE_NONE || table.perhaps !== TABLE_NONE };
  }
}
