import type { RecordBatch } from '../source/source.ts';
import { partitionName } from '../source/positions.ts';
import { BatchBuilder } from './batch.ts';
import { TABLE_NONE, TABLE_PROPERTIES } from './change.ts';
import type { BatchPartition, BatchStop, ChangeBatch, DeadLetter } from './change.ts';
import { dayInZone } from './dates.ts';
import type { DecodeOptions, Decoder, DecoderMemory } from './decoder.ts';
import { ASKS_DELETE, ASKS_NOTHING, ASKS_TOMBSTONE, Envelope, POSITION_PACKED } from './envelope.ts';
import { EntryWriter } from './entry-writer.ts';
import { ExpenseTypes } from './expense-types.ts';
import { JsonTape } from './json-tape.ts';
import { KeyReader } from './keys.ts';
import { ROW_AMOUNT, ROW_DATE, ROW_PROPERTY, tableLayouts } from './layout.ts';
import type { TableLayout } from './layout.ts';
import { Members } from './members.ts';
import { MessageReader } from './message.ts';
import { PartitionMemory } from './partition-memory.ts';
import { createFormatContext } from './recognise.ts';
import { RowReader } from './row.ts';
import { SchemaBlocks } from './schema-block.ts';
import { Schemas } from './schemas.ts';
import { PIECE_KEPT, PIECE_REPEATED, SegmentMemory } from './segments.ts';
import type { Piece } from './segments.ts';
import { finishPosition, readPosition } from './source-position.ts';
import { TableLookup, namesSchema, says } from './table-lookup.ts';
import { Tables } from './tables.ts';
import type { PhysicalTable } from './tables.ts';
import { Topics } from './topics.ts';
import type { Topic } from './topics.ts';
import { ValueReader } from './values.ts';
import { SOURCE_TABLE, Vocabulary } from './vocabulary.ts';

/** Makes a decoder that goes on where `memory` left off. Throws only for options that name no time zone. */
export function createDecoder(options: DecodeOptions, memory: DecoderMemory): Decoder {
  return new ChangeDecoder(options, memory);
}

class ChangeDecoder implements Decoder {
  readonly schemas: Schemas;
  readonly #options: DecodeOptions;
  readonly #positions: DecoderMemory['positions'];
  readonly #vocabulary = new Vocabulary();
  readonly #layouts: readonly TableLayout[];
  readonly #tables: Tables;
  readonly #lookup: TableLookup;
  readonly #messages: MessageReader;
  readonly #keys: KeyReader;
  readonly #writer: EntryWriter;
  readonly #types = new ExpenseTypes();
  readonly #event: Envelope;
  readonly #partitions = new Map<string, PartitionMemory>();
  readonly #topics: Topics;
  readonly #segments: SegmentMemory;
  #stop: BatchStop | null = null;

  constructor(options: DecodeOptions, memory: DecoderMemory) {
    dayInZone(0, options.timeZone);
    this.#options = options;
    this.#positions = memory.positions;
    this.#layouts = tableLayouts(options.columns, this.#vocabulary.names);
    this.#tables = new Tables(options.tables, memory.seenTables);
    this.#lookup = new TableLookup(this.#tables);
    this.schemas = new Schemas(this.#vocabulary.names);
    this.#messages = new MessageReader(createFormatContext(this.#vocabulary, new SchemaBlocks(this.#vocabulary)), this.schemas);
    const values = new ValueReader(options, this.#vocabulary);
    this.#keys = new KeyReader(this.#vocabulary, values, this.schemas);
    this.#topics = new Topics(this.#tables, this.#keys);
    this.#writer = new EntryWriter(new RowReader(values, this.#keys, options), this.#keys);
    this.#event = new Envelope(new JsonTape(this.#vocabulary.names));
    this.#segments = new SegmentMemory(memory.wholeEvents);
    for (const letter of memory.pieces ?? []) this.#restorePiece(letter);
  }

  decode(given: RecordBatch): ChangeBatch {
    const batch = withPlainBytes(given);
    const builder = new BatchBuilder(batch.count, this.#types);
    const memories = batch.partitions.map(({ topic, partition }) => this.#memoryOf(topic, partition));
    const topics = batch.partitions.map(({ topic }) => this.#topics.of(topic));
    for (const memory of memories) memory.begin();
    this.#messages.begin(batch);
    this.#writer.begin(batch, builder);
    let read = 0;
    while (read < batch.count && this.#stop === null) {
      const partition = batch.partitionOf[read];
      if (!this.#decodeRecord(batch, read, memories[partition], topics[partition])) break;
      memories[partition].passed(read, this.#event.asks === ASKS_DELETE && this.#event.problem === null);
      read++;
    }
    if (!this.#segments.isEmpty) this.#passLate(batch, memories);
    builder.setIncomplete(this.#segments.takeIncomplete());
    return builder.finish(read, this.#ends(batch, read, memories), this.#tables.takeNews(), this.#stop);
  }

  /** Decodes one record into entries. False when reading must stop before it. */
  #decodeRecord(batch: RecordBatch, index: number, memory: PartitionMemory, topic: Topic): boolean {
    const event = this.#event;
    this.#messages.read(event, index, topic.prefixes, topic.isTable);
    if (event.problem === 'ENVELOPE_UNKNOWN' && !topic.isTable) {
      const routed = this.#topics.routed(batch, index, topic);
      if (routed.isTable) this.#messages.read(event, index, topic.prefixes, true);
      else if (routed.name.includes('.') && this.#keys.standsIn(event)) {
        this.#strange(index, routed.table);
        return true;
      }
    }
    if (event.piece !== null) return this.#piece(batch, index, memory, topic, event.piece);
    return this.#whole(batch, index, memory, topic);
  }

  /** A piece of an event: the last one that was missing makes the event whole, and is decoded as if it were the whole of it. */
  #piece(batch: RecordBatch, index: number, memory: PartitionMemory, topic: Topic, piece: Piece): boolean {
    const event = this.#event;
    const joined = this.#segments.add(piece, {
      topic: memory.topic, partition: memory.partition, offset: batch.offset[index], time: batch.time[index], bytes: batch.bytes, start: batch.valueStart[index], end: batch.valueEnd[index],
    });
    if (joined === PIECE_KEPT) this.#writer.keepPiece(index, event, piece, this.#layoutOf(this.#topics.routed(batch, index, topic).table));
    else if (joined === PIECE_REPEATED) this.#writer.passOver(index, 'segment');
    else {
      this.#messages.readJoined(event, joined.message, topic.prefixes, topic.isTable);
      if (!this.#whole(batch, index, memory, topic)) return false;
      this.#writer.joined(joined.event, joined.pieces);
    }
    return true;
  }

  /** Decodes an event that is whole, or what is no event. */
  #whole(batch: RecordBatch, index: number, memory: PartitionMemory, topic: Topic): boolean {
    const event = this.#event;
    if (event.problem !== null) this.#writer.unreadable(index, event, this.#layoutOf(this.#topics.routed(batch, index, topic).table));
    else if (event.asks === ASKS_TOMBSTONE) this.#tombstone(batch, index, memory, topic);
    else if (event.asks === ASKS_NOTHING) this.#writer.passOver(index, event.passedOver);
    else return this.#change(batch, index, memory, topic);
    return true;
  }

  #change(batch: RecordBatch, index: number, memory: PartitionMemory, topic: Topic): boolean {
    const event = this.#event;
    const table = this.#lookup.find(event, topic.isTable || namesSchema(event) ? topic.name : this.#topics.routed(batch, index, topic).name);
    if (table.ambiguous !== null) {
      this.#stop = { topic: memory.topic, partition: memory.partition, offset: batch.offset[index], code: 'TABLE_AMBIGUOUS', message: `${partitionName(memory)} offset ${batch.offset[index]}: ${table.ambiguous}` };
      return false;
    }
    const layout = this.#layoutOf(table);
    if (layout === null) {
      this.#strange(index, table);
      return true;
    }
    if (event.doubtCode !== null) event.fail(event.doubtCode, event.doubtText);
    if (event.problem === null) {
      if (event.positionForm === POSITION_PACKED) finishPosition(event, this.#options.epochs);
      else readPosition(event, this.#options.epochs);
    }
    this.#writer.change(index, event, layout);
    return true;
  }

  /** A row of a table that is not ours is passed over; one that may be ours, but does not say so, is not. */
  #strange(index: number, table: PhysicalTable): void {
    const event = this.#event;
    if (table.perhaps !== TABLE_NONE) event.fail('TABLE_UNKNOWN', `A pattern asks for the schema of ${table.name}, and neither the event nor its topic names one.`);
    else if (!table.isElsewhere && !says(event, SOURCE_TABLE) && this.#layouts.some((layout) => carriesMoney(event, layout))) {
      event.fail('TABLE_UNKNOWN', 'The row has columns of our tables, and neither the event nor its topic names the table.');
    } else return this.#writer.passOver(index, 'other_table');
    this.#writer.unreadable(index, event, null);
  }

  /** A tombstone says no schema; it reaches no row but of its own partition, so the table that its topic may be is good enough. */
  #tombstone(batch: RecordBatch, index: number, memory: PartitionMemory, topic: Topic): void {
    if (memory.followsDelete(batch, index)) return this.#writer.passOver(index, 'tombstone_of_delete');
    this.#keys.open(batch.bytes, batch.keyStart[index], batch.keyEnd[index]);
    const physical = this.#keys.physicalTopic();
    const table = physical === null ? topic.table : this.#tables.findByTopic(physical);
    const layout = this.#layoutOf(table) ?? this.#layouts[table.perhaps] ?? null;
    if (layout === null) this.#writer.passOver(index, 'other_table');
    else if (this.#keys.problem !== null) {
      this.#event.fail(this.#keys.problem, this.#keys.problemText);
      this.#writer.unreadable(index, this.#event, layout);
    } else this.#writer.tombstone(index, layout);
  }

  #layoutOf(table: PhysicalTable): TableLayout | null {
    return table.logical === TABLE_NONE ? null : this.#layouts[table.logical];
  }

  /** Positions after the first `read` records. A partition with records left stands before the first of these, and has no token. */
  #ends(batch: RecordBatch, read: number, memories: readonly PartitionMemory[]): BatchPartition[] {
    const left = new Map<number, number>();
    for (let i = batch.count - 1; i >= read; i--) left.set(batch.partitionOf[i], batch.offset[i]);
    return batch.partitions.map(({ next, token }, p) => {
      const first = left.get(p);
      return memories[p].end(batch, first ?? next, first === undefined ? token : null);
    });
  }

  #restorePiece(letter: DeadLetter): void {
    const { topic, partition, offset, valueBytes } = letter;
    if (valueBytes === null) return;
    const { prefixes, isTable } = this.#topics.of(topic);
    this.#messages.readPiece(this.#event, valueBytes, prefixes, isTable);
    const { piece } = this.#event;
    if (piece === null) return;
    const record = { topic, partition, offset, time: letter.time ?? Number.NaN, bytes: valueBytes, start: 0, end: valueBytes.length };
    this.#segments.restore(piece, record, letter.code === 'SEGMENTS_INCOMPLETE');
  }

  #passLate(batch: RecordBatch, memories: readonly PartitionMemory[]): void {
    for (const memory of memories) this.#segments.passed(memory.topic, memory.lastTimeIn(batch));
  }

  #memoryOf(topic: string, partition: number): PartitionMemory {
    const name = partitionName({ topic, partition });
    let memory = this.#partitions.get(name);
    if (memory === undefined) {
      const position = this.#positions.find((p) => p.topic === topic && p.partition === partition) ?? null;
      this.#partitions.set(name, (memory = new PartitionMemory(topic, partition, position)));
    }
    return memory;
  }
}

/** One kind of array for the hot path, also when a source hands over Buffers. */
function withPlainBytes(batch: RecordBatch): RecordBatch {
  const { bytes } = batch;
  return bytes.constructor === Uint8Array ? batch : { ...batch, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** True when the row has the columns that make a rent or an expense. */
function carriesMoney(event: Envelope, layout: TableLayout): boolean {
  if (event.rowToken < 0 || layout.table === TABLE_PROPERTIES) return false;
  const { slots } = event.row.collect(event.rowToken, layout.slots, new Members());
  return slots[ROW_PROPERTY] >= 0 && slots[ROW_AMOUNT] >= 0 && slots[ROW_DATE] >= 0;
}
