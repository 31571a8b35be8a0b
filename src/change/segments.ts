import { WHOLE_EVENTS_MAX } from './change.ts';
import type { DeadLetter, IncompletePieces, RecordPlace } from './change.ts';

/** What a message of SQL Server's change event streaming says about itself as a piece of an event that was split. */
export interface Piece {
  /** `logicalid`: all pieces of an event have the same. */
  readonly event: string;
  /** Counted from 0 or from 1: the documentation does not say. */
  readonly index: number;
  /** By the current names: this piece is the last one. */
  readonly isFinal: boolean;
  /** By the older names: how many pieces there are, or how many cuts; 0 when the message does not say. */
  readonly total: number;
  /** Where its part of the text in `data` stands among the bytes it was read from: what is between the quotes. */
  readonly dataStart: number;
  readonly dataEnd: number;
}

/** A record that holds a piece: its place, when it was written (milliseconds, NaN unknown), and the bytes `[start, end)` of its value. */
export interface PieceRecord extends RecordPlace {
  readonly time: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** An event whose pieces are all there: one message that holds the whole text, and the places of the pieces that were kept. */
export interface JoinedEvent {
  /** Its name, see `JoinedPieces`. */
  readonly event: string;
  readonly message: Uint8Array;
  readonly pieces: readonly RecordPlace[];
}

/** The piece is kept until the others come. */
export const PIECE_KEPT = 1;
/** The piece is there already, or its event has been whole before. */
export const PIECE_REPEATED = 2;

/** Pieces and bytes kept at most; beyond, the event begun first is given up. */
const PIECES_MAX = 4_096;
const BYTES_MAX = 64 * 1024 * 1024;
/** An event whose newest piece was written so long before the newest record of its topic is told as incomplete. It is kept all the same: a partition may lag. */
const LATE_MS = 10 * 60_000;

interface SplitEvent {
  readonly topic: string;
  readonly id: string;
  /** The escaped text by index. */
  readonly texts: Map<number, Uint8Array>;
  readonly places: RecordPlace[];
  bytes: number;
  finalIndex: number;
  total: number;
  newest: number;
  isTold: boolean;
}

/** Limits of a `SegmentMemory`, for tests that want smaller ones. */
export interface SegmentLimits {
  readonly piecesMax: number;
  readonly bytesMax: number;
  readonly lateMs: number;
}

/** True for the letter of a piece that a decoder must be given back after a restart. */
export function isPieceLetter({ code }: DeadLetter): boolean {
  return code === 'SEGMENT_PENDING' || code === 'SEGMENTS_INCOMPLETE';
}

/**
 * The pieces of events that are not whole yet, whatever partitions and batches they came in, and in whatever order. The same are kept in the state as
 * letters, which a checkpoint holds and `restore` takes back.
 */
export class SegmentMemory {
  readonly #limits: SegmentLimits;
  readonly #events = new Map<string, SplitEvent>();
  readonly #whole: Set<string>;
  #pieces = 0;
  #bytes = 0;
  #incomplete: IncompletePieces[] = [];

  /** Begins with the names of the events that were whole before a restart, the latest last. */
  constructor(whole: readonly string[] = [], limits: SegmentLimits = { piecesMax: PIECES_MAX, bytesMax: BYTES_MAX, lateMs: LATE_MS }) {
    this.#whole = new Set(whole);
    this.#limits = limits;
  }

  /** True while no event waits for a piece. */
  get isEmpty(): boolean {
    return this.#events.size === 0;
  }

  /** Takes back a piece kept before a restart. One for which there is no room stays a letter and nothing more. */
  restore(piece: Piece, record: PieceRecord, isTold: boolean): void {
    if (this.#pieces >= this.#limits.piecesMax || this.#bytes + piece.dataEnd - piece.dataStart > this.#limits.bytesMax) return;
    const event = this.#eventOf(piece, record.topic);
    this.#keep(event, piece, record);
    event.isTold = isTold;
  }

  /** Takes a piece that was read. */
  add(piece: Piece, record: PieceRecord): JoinedEvent | typeof PIECE_KEPT | typeof PIECE_REPEATED {
    const name = nameOf(record.topic, piece.event);
    if (this.#whole.has(name)) return PIECE_REPEATED;
    const event = this.#eventOf(piece, record.topic);
    const held = event.texts.get(piece.index);
    if (held !== undefined && isSame(held, record.bytes, piece)) return PIECE_REPEATED;
    const others = [...event.places];
    this.#keep(event, piece, record);
    const text = joinedText(event);
    if (text !== null) {
      this.#forget(name, event);
      this.#rememberWhole(name);
      return { event: name, message: inPlaceOfData(record, piece, text), pieces: others };
    }
    while (this.#pieces > this.#limits.piecesMax || this.#bytes > this.#limits.bytesMax) this.#letGoFirst();
    return PIECE_KEPT;
  }

  /** Tells events of a topic that are late, by the time its newest record was written, milliseconds. */
  passed(topic: string, time: number): void {
    for (const event of this.#events.values()) {
      if (event.isTold || event.topic !== topic || !(time - event.newest > this.#limits.lateMs)) continue;
      event.isTold = true;
      this.#tell(event, false);
    }
  }

  /** What there is to tell of events that are not whole, since it was last asked for. */
  takeIncomplete(): readonly IncompletePieces[] {
    const incomplete = this.#incomplete;
    if (incomplete.length > 0) this.#incomplete = [];
    return incomplete;
  }

  #eventOf({ event: id }: Piece, topic: string): SplitEvent {
    const name = nameOf(topic, id);
    let event = this.#events.get(name);
    if (event === undefined) {
      event = { topic, id, texts: new Map(), places: [], bytes: 0, finalIndex: -1, total: 0, newest: Number.NaN, isTold: false };
      this.#events.set(name, event);
    }
    return event;
  }

  /** A piece of the same index and another text is a re-send that was cut otherwise: the later one counts. */
  #keep(event: SplitEvent, { index, isFinal, total, dataStart, dataEnd }: Piece, { topic, partition, offset, time, bytes }: PieceRecord): void {
    const text = bytes.slice(dataStart, dataEnd);
    const grown = text.length - (event.texts.get(index)?.length ?? 0);
    event.texts.set(index, text);
    event.places.push({ topic, partition, offset });
    event.bytes += grown;
    if (isFinal) event.finalIndex = index;
    if (total > 0) event.total = total;
    if (!Number.isNaN(time) && !(time <= event.newest)) event.newest = time;
    event.isTold = false;
    this.#bytes += grown;
    this.#pieces++;
  }

  #forget(name: string, event: SplitEvent): void {
    this.#events.delete(name);
    this.#bytes -= event.bytes;
    this.#pieces -= event.places.length;
  }

  #rememberWhole(name: string): void {
    this.#whole.add(name);
    if (this.#whole.size <= WHOLE_EVENTS_MAX) return;
    const [first] = this.#whole;
    this.#whole.delete(first);
  }

  #letGoFirst(): void {
    const [[name, event]] = this.#events;
    this.#forget(name, event);
    this.#tell(event, true);
  }

  #tell(event: SplitEvent, isLetGo: boolean): void {
    const indexes = [...event.texts.keys()].sort((a, b) => a - b).join(', ');
    const known = event.finalIndex >= 0 ? `piece ${event.finalIndex} is the last` : event.total > 0 ? `there should be ${event.total}` : 'the last one is not among them';
    const wait = isLetGo ? 'there is no room to wait for the others' : `the others have not come within ${this.#limits.lateMs / 60_000} minutes`;
    this.#incomplete.push({
      pieces: event.places, isLetGo, code: 'SEGMENTS_INCOMPLETE',
      message: `Of the change event ${event.id} there are the pieces ${indexes} (${known}); ${wait}.`,
    });
  }
}

function nameOf(topic: string, id: string): string {
  return `${topic}\n${id}`;
}

function isSame(held: Uint8Array, bytes: Uint8Array, { dataStart, dataEnd }: Piece): boolean {
  if (held.length !== dataEnd - dataStart) return false;
  for (let i = 0; i < held.length; i++) if (held[i] !== bytes[dataStart + i]) return false;
  return true;
}

/**
 * The text of all pieces, or null while one is missing. Whether the first has index 0 or 1, and whether the older names count pieces or cuts, shows in the text:
 * only the whole of it is a JSON object, none of its beginnings or ends is. A text that can grow no more is the whole, whatever it is.
 */
function joinedText(event: SplitEvent): Uint8Array | null {
  const { texts, finalIndex, total } = event;
  const first = texts.has(0) ? 0 : 1;
  const last = finalIndex >= 0 ? finalIndex : Math.max(...texts.keys());
  if (finalIndex < 0 && (total === 0 || last < total - 1)) return null;
  const parts: Uint8Array[] = [];
  for (let index = first; index <= last; index++) {
    const part = texts.get(index);
    if (part === undefined) return null;
    parts.push(part);
  }
  const text = concatenated(parts);
  const canGrow = first === 1 || (finalIndex < 0 && last < total);
  return !canGrow || isObject(text) ? text : null;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether the contents of a JSON string are, unescaped, a JSON object. */
function isObject(text: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(JSON.parse(`"${new TextDecoder().decode(text)}"`) as string);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The last piece's message with the whole text where its own part was. */
function inPlaceOfData({ bytes, start, end }: PieceRecord, { dataStart, dataEnd }: Piece, text: Uint8Array): Uint8Array {
  return concatenated([bytes.subarray(start, dataStart), text, bytes.subarray(dataEnd, end)]);
}
