import type { Code } from '../errors.ts';
import { POSITION_WORDS } from './change.ts';
import type { PassedOverReason } from './change.ts';
import type { ColumnTypes } from './schema-block.ts';
import type { Piece } from './segments.ts';
import { NO_SLOTS } from './members.ts';
import type { Members } from './members.ts';
import { SCAN_NOT_UTF8, SCAN_TOO_DEEP } from './json-scan.ts';
import { DEPTH_MAX } from './tape.ts';
import type { Tape } from './tape.ts';
import { SLOTS_MAX } from './vocabulary.ts';

/** What an event asks for. */
export const ASKS_UPSERT = 1;
export const ASKS_DELETE = 2;
export const ASKS_TRUNCATE = 3;
/** A null value: see ENTRY_TOMBSTONE. */
export const ASKS_TOMBSTONE = 4;
/** To be passed over for `passedOver`. */
export const ASKS_NOTHING = 5;

/** Where an event's position is: in the source fields, in Maxwell's own, or already packed. */
export const POSITION_IN_SOURCE = 0;
export const POSITION_PACKED = 1;

/**
 * What an event's envelope says, the same for all formats: the second step of decoding writes it, the third reads it. One is
 * reused for all events; token fields are indexes into the tape beside them, -1 when there is none.
 */
export class Envelope {
  asks = 0;
  passedOver: PassedOverReason = 'other';
  /** A row of a snapshot. */
  isSnapshot = false;
  /** An update, which may have changed the primary key. */
  isUpdate = false;
  /** The image may hold changed columns only. */
  mayBePartial = false;
  /** A row that was flattened: there is no envelope to tell it from anything else. */
  isFlattened = false;

  /** Set when the message holds a piece of an event that was split over several messages: nothing but its position is read. */
  piece: Piece | null = null;
  /** The message was joined from all pieces of its event, so that what it says about pieces says nothing any more. */
  isJoined = false;

  /** Row image after the change. */
  row: Tape;
  rowToken = -1;
  /** Row image before the change: good for its primary key and nothing else. */
  before: Tape;
  beforeToken = -1;
  /** Primary key beside the images (SQL Server's change events): list of names and values. */
  keyList: Tape;
  keyListToken = -1;
  /** Types of the row's columns by the schema block; null without one. */
  columns: ColumnTypes | null = null;

  /** Fields about the source, by SOURCE slots. */
  source: Tape;
  sourceTokens: Readonly<Int32Array> = NO_SLOTS;
  /** Whose slots these are; null when they are of no one object. */
  sourceMembers: Members | null = null;
  readonly #ownSourceTokens = new Int32Array(SLOTS_MAX);
  positionForm = POSITION_IN_SOURCE;
  readonly position = new Uint32Array(POSITION_WORDS);
  /** Milliseconds; NaN when the event does not say. */
  commitTime = Number.NaN;

  /** Why the event cannot be understood; null while it can. */
  problem: Code | null = null;
  problemText = '';
  doubtCode: Code | null = null;
  doubtText = '';

  constructor(tape: Tape) {
    this.row = tape;
    this.before = tape;
    this.keyList = tape;
    this.source = tape;
  }

  /** Forgets the event before. */
  reset(tape: Tape): void {
    this.asks = 0;
    this.isSnapshot = false;
    this.isUpdate = false;
    this.mayBePartial = false;
    this.isFlattened = false;
    this.piece = null;
    this.isJoined = false;
    this.row = tape;
    this.rowToken = -1;
    this.before = tape;
    this.beforeToken = -1;
    this.keyListToken = -1;
    this.columns = null;
    this.source = tape;
    this.sourceTokens = NO_SLOTS;
    this.sourceMembers = null;
    this.positionForm = POSITION_IN_SOURCE;
    for (let word = 0; word < POSITION_WORDS; word++) this.position[word] = 0;
    this.commitTime = Number.NaN;
    this.problem = null;
    this.doubtCode = null;
  }

  /** Takes the fields about the source from the members of an object. */
  setSource(members: Members): void {
    this.sourceMembers = members;
    this.sourceTokens = members.slots;
  }

  /** Memory for `sourceTokens` of an event whose fields about the source are not the members of one object; empty. */
  ownSourceTokens(): Int32Array {
    const tokens = this.#ownSourceTokens.fill(-1);
    this.sourceTokens = tokens;
    this.sourceMembers = null;
    return tokens;
  }

  /** Notes why the event is a dead letter. */
  fail(code: Code, text: string): void {
    this.problem = code;
    this.problemText = text;
  }

  /** Notes a problem that matters only if the event's table is one of ours. The first one stays. */
  doubt(code: Code, text: string): void {
    if (this.doubtCode !== null) return;
    this.doubtCode = code;
    this.doubtText = text;
  }

  /** Notes what is wrong with a JSON text by the answer of its reader. */
  failJson(answer: number, what: string): void {
    if (answer === SCAN_NOT_UTF8) this.fail('UTF8_INVALID', `${what} is not UTF-8.`);
    else if (answer === SCAN_TOO_DEEP) this.fail('JSON_TOO_DEEP', `${what} is nested deeper than ${DEPTH_MAX} levels.`);
    else this.fail('JSON_INVALID', `${what} is not JSON.`);
  }

  /** Passes the event over. */
  passOver(reason: PassedOverReason): void {
    this.asks = ASKS_NOTHING;
    this.passedOver = reason;
  }
}
