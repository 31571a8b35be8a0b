import type { Code } from '../errors.ts';
import type { RecordBatch } from '../source/source.ts';
import type { BatchBuilder } from './batch.ts';
import {
  ENTRY_DEAD_LETTER, ENTRY_DELETE, ENTRY_PASSED_OVER, ENTRY_TOMBSTONE, ENTRY_TRUNCATE, ENTRY_UPSERT, FLAG_CONTINUED, FLAG_PARTIAL, FLAG_SNAPSHOT, PASSED_OVER, POSITION_WORDS,
  TABLE_NAMES, TABLE_NONE,
} from './change.ts';
import type { PassedOverReason, RecordPlace } from './change.ts';
import { ASKS_DELETE, ASKS_TRUNCATE } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { ID_NONE, identifierText } from './identifier.ts';
import type { KeyReader } from './keys.ts';
import { ROW_KEY } from './layout.ts';
import type { TableLayout } from './layout.ts';
import { bytesOf } from './partition-memory.ts';
import type { RowReader } from './row.ts';
import type { Piece } from './segments.ts';
import { TOKEN_OBJECT } from './token.ts';

/** Writes the entries of events whose table is one of ours, and dead letters with all that can be said about them. */
export class EntryWriter {
  readonly #rows: RowReader;
  readonly #keys: KeyReader;
  readonly #oldKey = new Uint32Array(4);
  #records!: RecordBatch;
  #batch!: BatchBuilder;

  constructor(rows: RowReader, keys: KeyReader) {
    this.#rows = rows;
    this.#keys = keys;
  }

  /** Begins a batch: records come from `records`, entries go to `batch`. */
  begin(records: RecordBatch, batch: BatchBuilder): void {
    this.#records = records;
    this.#batch = batch;
  }

  /** Passes record `index` over. */
  passOver(index: number, reason: PassedOverReason): void {
    const entry = this.#add(ENTRY_PASSED_OVER, index);
    this.#batch.entries.detail[entry] = PASSED_OVER.indexOf(reason);
  }

  /** Passes a piece of an event over, and keeps its bytes until the others have come. */
  keepPiece(index: number, event: Envelope, piece: Piece, layout: TableLayout | null): void {
    const entry = this.#add(ENTRY_PASSED_OVER, index);
    const { entries } = this.#batch;
    entries.detail[entry] = PASSED_OVER.indexOf('segment');
    entries.commitTime[entry] = event.commitTime;
    this.#nameByMessage(entry, index, layout);
    this.#letter(entry, index, 'SEGMENT_PENDING', `The record holds piece ${piece.index} of the change event ${piece.event}; the others have not all come yet.`);
  }

  /** Notes that the record written last was the last missing piece of an event of that name: `pieces` are the others. */
  joined(event: string, pieces: readonly RecordPlace[]): void {
    this.#batch.addJoined(event, pieces);
  }

  /** A record that cannot be understood and says nothing about a row; its message key may, if its topic is a table. */
  unreadable(index: number, event: Envelope, layout: TableLayout | null): void {
    const entry = this.#add(ENTRY_DEAD_LETTER, index);
    this.#bury(entry, index, event, layout);
  }

  /** A row event: upsert, delete or truncate. */
  change(index: number, event: Envelope, layout: TableLayout): void {
    const kind = event.asks === ASKS_DELETE ? ENTRY_DELETE : event.asks === ASKS_TRUNCATE ? ENTRY_TRUNCATE : ENTRY_UPSERT;
    let entry = this.#add(kind, index);
    const { entries } = this.#batch;
    entries.table[entry] = layout.table;
    if (event.problem === null) {
      for (let word = 0; word < POSITION_WORDS; word++) entries.position[POSITION_WORDS * entry + word] = event.position[word];
      entries.commitTime[entry] = event.commitTime;
      if (event.isSnapshot) entries.flags[entry] = FLAG_SNAPSHOT;
      if (kind === ENTRY_UPSERT) entry = this.#upsert(entry, index, event, layout);
      else if (kind === ENTRY_DELETE) this.#delete(entry, index, event, layout);
    }
    if (event.problem !== null) {
      if (kind === ENTRY_UPSERT) this.#rows.name(event, layout, this.#batch, entry);
      this.#bury(entry, index, event, layout);
    } else if ((this.#batch.entries.flags[entry] & FLAG_PARTIAL) !== 0) {
      this.#letter(entry, index, 'PARTIAL_UNORDERED', `The row of ${TABLE_NAMES[layout.table]} is not known, or its newest image came from another partition.`);
    }
  }

  /** A null value: deletes the row its key names, under the conditions of ENTRY_TOMBSTONE. */
  tombstone(index: number, layout: TableLayout): void {
    const { keyStart, keyEnd, bytes } = this.#records;
    const entry = this.#add(ENTRY_TOMBSTONE, index);
    const { entries } = this.#batch;
    this.#keys.open(bytes, keyStart[index], keyEnd[index]);
    const kind = this.#keys.fromMessage(layout, entries.key, 4 * entry, this.#batch.internLong);
    if (kind === ID_NONE) {
      entries.kind[entry] = ENTRY_PASSED_OVER;
      entries.detail[entry] = PASSED_OVER.indexOf('tombstone_without_primary_key');
      return;
    }
    entries.table[entry] = layout.table;
    entries.keyKind[entry] = kind;
  }

  #add(kind: number, index: number): number {
    return this.#batch.add(kind, this.#records.partitionOf[index], this.#records.offset[index]);
  }

  /** Reads the row; returns its entry, which stands one further when the old key of the row had to be deleted first. */
  #upsert(entry: number, index: number, event: Envelope, layout: TableLayout): number {
    if (!this.#rows.read(event, layout, this.#batch, entry)) return entry;
    if (!event.isUpdate || event.beforeToken < 0 || event.before.kind(event.beforeToken) !== TOKEN_OBJECT || this.#keys.sameKey(event, layout)) return entry;
    const oldKey = this.#oldKey;
    const kind = this.#keys.fromBefore(event, layout, oldKey, 0, this.#batch.internLong);
    const { key, keyKind } = this.#batch.entries;
    const at = 4 * entry;
    if (kind === ID_NONE) return entry;
    if (kind === keyKind[entry] && oldKey[0] === key[at] && oldKey[1] === key[at + 1] && oldKey[2] === key[at + 2] && oldKey[3] === key[at + 3]) return entry;
    const moved = this.#add(ENTRY_UPSERT, index);
    const { entries } = this.#batch;
    entries.move(entry, moved);
    entries.clearValues(entry);
    entries.kind[entry] = ENTRY_DELETE;
    entries.flags[entry] = FLAG_CONTINUED;
    entries.propertyKind[entry] = ID_NONE;
    entries.property.fill(0, at, at + 4);
    entries.keyKind[entry] = kind;
    entries.key.set(oldKey, at);
    return moved;
  }

  #delete(entry: number, index: number, event: Envelope, layout: TableLayout): void {
    const { entries, internLong } = this.#batch;
    let kind = this.#keys.fromBefore(event, layout, entries.key, 4 * entry, internLong);
    if (event.problem !== null) return;
    if (kind === ID_NONE) kind = Math.max(ID_NONE, this.#keys.fromList(event, layout, entries.key, 4 * entry, internLong));
    if (kind === ID_NONE) kind = this.#fromMessage(entry, index, layout);
    entries.keyKind[entry] = kind;
    if (kind === ID_NONE) event.fail('KEY_MISSING', `Neither the image before the delete nor the message key has the column ${layout.columns[ROW_KEY]} of ${TABLE_NAMES[layout.table]}.`);
  }

  #fromMessage(entry: number, index: number, layout: TableLayout): number {
    const { bytes, keyStart, keyEnd } = this.#records;
    this.#keys.open(bytes, keyStart[index], keyEnd[index]);
    return this.#keys.fromMessage(layout, this.#batch.entries.key, 4 * entry, this.#batch.internLong);
  }

  /** Turns an entry into a dead letter. A row whose key could not be read is named by the message key, if that has it. */
  #bury(entry: number, index: number, event: Envelope, layout: TableLayout | null): void {
    const { entries } = this.#batch;
    entries.kind[entry] = ENTRY_DEAD_LETTER;
    entries.flags[entry] = 0;
    this.#nameByMessage(entry, index, layout);
    this.#letter(entry, index, event.problem!, event.problemText);
  }

  #nameByMessage(entry: number, index: number, layout: TableLayout | null): void {
    if (layout === null) return;
    const { entries } = this.#batch;
    entries.table[entry] = layout.table;
    if (entries.keyKind[entry] === ID_NONE) entries.keyKind[entry] = this.#fromMessage(entry, index, layout);
  }

  #letter(entry: number, index: number, code: Code, message: string): void {
    const { entries, longText } = this.#batch;
    const records = this.#records;
    const partition = records.partitions[records.partitionOf[index]];
    const table = entries.table[entry];
    const time = records.time[index];
    this.#batch.addLetter(entry, {
      topic: partition.topic, partition: partition.partition, offset: records.offset[index], time: Number.isNaN(time) ? null : time, code, message,
      table: table === TABLE_NONE ? null : TABLE_NAMES[table],
      key: identifierText(entries.keyKind[entry], entries.key, 4 * entry, longText),
      property: identifierText(entries.propertyKind[entry], entries.property, 4 * entry, longText),
      keyBytes: bytesOf(records.bytes, records.keyStart[index], records.keyEnd[index])?.slice() ?? null,
      valueBytes: bytesOf(records.bytes, records.valueStart[index], records.valueEnd[index])?.slice() ?? null,
    });
  }
}
