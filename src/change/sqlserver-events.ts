import { ASKS_DELETE, ASKS_UPSERT, POSITION_IN_SOURCE, POSITION_PACKED } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { parseInstant } from './date-text.ts';
import { readInteger, readUnsigned, readUnsignedToken } from './integers.ts';
import type { FormatContext } from './recognise.ts';
import { NO_SLOTS } from './members.ts';
import { markChangeEventPosition, packLsn, packLsnText } from './source-position.ts';
import { TOKEN_NULL, TOKEN_OBJECT, TOKEN_STRING, TOKEN_TRUE } from './token.ts';
import type { JsonTape } from './json-tape.ts';
import type { Tape } from './tape.ts';
import type { TextView } from './text-view.ts';
import {
  CES_COMMIT_LSN, CES_COMMIT_TIME, CES_CURRENT, CES_DB, CES_EVENT_ROW, CES_EVENT_SOURCE, CES_FINAL_SEGMENT, CES_KEY, CES_LOGICAL_ID, CES_OLD, CES_OPERATION, CES_SCHEMA,
  CES_SEGMENT_INDEX, CES_SEQUENCE, CES_SPLIT_INDEX, CES_SPLIT_TOTAL, CES_TABLE, CES_TIME, CES_TRANSACTION, SOURCE_DB, SOURCE_SCHEMA, SOURCE_TABLE, TOP_DATA,
} from './vocabulary.ts';

const decoder = new TextDecoder();

/**
 * SQL Server's change event streaming: a CloudEvent whose `data` is JSON text, in it `eventsource` and `eventrow`, whose images are
 * JSON text again. Of a message that holds a piece of an event, only what it says about itself is read.
 */
export function readChangeEvent(event: Envelope, tape: Tape, token: number, context: FormatContext): void {
  const { top } = context;
  const { slots, twice } = tape.collect(token, context.vocabulary.ces, context.otherMembers);
  if (twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'An attribute of the CloudEvent stands twice.');
  const whole = event.isJoined ? WHOLE : wholeness(tape, slots);
  if (whole === PIECE) return readPiece(event, tape, slots, context);
  const data = openJson(event, tape, top[TOP_DATA], context.inner, context.innerView, 'data');
  if (event.problem !== null) {
    if (whole === PERHAPS && event.problem === 'JSON_INVALID' && mayBePiece(tape, slots, context.innerView)) readPiece(event, tape, slots, context);
    return;
  }
  const inner = opened(tape, top[TOP_DATA], context.inner);
  if (data < 0) return event.fail('ENVELOPE_UNKNOWN', 'The change event has no data.');
  const members = inner.collect(data, context.vocabulary.ces, context.innerMembers);
  const source = members.slots[CES_EVENT_SOURCE];
  const row = members.slots[CES_EVENT_ROW];
  if (members.twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'A name of the change event\'s data stands twice.');
  if (source < 0 || row < 0 || inner.kind(source) !== TOKEN_OBJECT || inner.kind(row) !== TOKEN_OBJECT) {
    return event.fail('ENVELOPE_UNKNOWN', 'The change event has no eventsource or eventrow.');
  }
  readImages(event, inner, row, context);
  readOperation(event, tape, slots[CES_OPERATION], context);
  const transaction = readSource(event, inner, source, context);
  readPlace(event, tape, slots, inner, transaction, context.view);
}

const WHOLE = 0;
const PIECE = 1;
/** Index 1 of pieces counted from 0, or 1 in a total that counts cuts: then the text in `data` is no JSON. */
const PERHAPS = 2;

/** Whether a message holds a whole event, by the current names (`finalsegment`, `segmentindex`) or the older ones (`splittotalcnt`, `splitindex`). */
function wholeness(tape: Tape, slots: Readonly<Int32Array>): number {
  const final = present(tape, slots[CES_FINAL_SEGMENT]);
  const total = present(tape, slots[CES_SPLIT_TOTAL]);
  if (final >= 0) return tape.kind(final) === TOKEN_TRUE ? byCount(tape, slots[CES_SEGMENT_INDEX]) : PIECE;
  return byCount(tape, total >= 0 ? total : slots[CES_SEGMENT_INDEX]);
}

function byCount(tape: Tape, token: number): number {
  const value = present(tape, token) < 0 ? 0 : readInteger(tape, token);
  return value === 0 ? WHOLE : value === 1 ? PERHAPS : PIECE;
}

/** Whether a text that is no JSON may be a piece: one of index 1, counted from 0, does not begin as an event does. */
function mayBePiece(tape: Tape, slots: Readonly<Int32Array>, { bytes, start, end }: TextView): boolean {
  return present(tape, slots[CES_SPLIT_TOTAL]) >= 0 || !/^\s*\{\s*"event(source|row)"/.test(decoder.decode(bytes.subarray(start, Math.min(end, start + 64))));
}

/** Largest index of a piece: the largest column values make about two hundred of the smallest messages. */
const INDEX_MAX = 65_535;
const EVENT_NAME_BYTES_MAX = 512;

/** What a piece says: of which event it is which part, and when that was committed. Its position is in the text that is not whole yet. */
function readPiece(event: Envelope, tape: Tape, slots: Readonly<Int32Array>, { top, view }: FormatContext): void {
  const data = top[TOP_DATA];
  const id = present(tape, slots[CES_LOGICAL_ID]);
  const final = present(tape, slots[CES_FINAL_SEGMENT]);
  const indexToken = present(tape, slots[CES_SEGMENT_INDEX]) >= 0 ? slots[CES_SEGMENT_INDEX] : present(tape, slots[CES_SPLIT_INDEX]);
  const total = present(tape, slots[CES_SPLIT_TOTAL]) < 0 ? 0 : readInteger(tape, slots[CES_SPLIT_TOTAL]);
  const index = indexToken < 0 ? Number.NaN : readInteger(tape, indexToken);
  event.problem = null;
  if (!(index >= 0 && index <= INDEX_MAX) || !(total >= 0 && total <= INDEX_MAX)) return event.fail('SEGMENTED', 'The message holds a piece of a change event and does not say which.');
  if (id < 0 || tape.kind(id) !== TOKEN_STRING || !view.see(tape, id) || view.end === view.start || view.end - view.start > EVENT_NAME_BYTES_MAX) {
    return event.fail('SEGMENTED', 'The message holds a piece of a change event and has no logicalid that says of which.');
  }
  const name = view.text();
  if (data < 0 || tape.kind(data) !== TOKEN_STRING) return event.fail('SEGMENTED', 'The message holds a piece of a change event whose data is no text.');
  event.commitTime = instantOf(tape, present(tape, slots[CES_TIME]), view);
  event.piece = { event: name, index, isFinal: final >= 0 && tape.kind(final) === TOKEN_TRUE, total, dataStart: tape.start(data), dataEnd: tape.end(data) };
}

function present(tape: Tape, token: number): number {
  return token >= 0 && tape.kind(token) !== TOKEN_NULL ? token : -1;
}

/** The object a token holds as JSON text (read into `target`) or is itself; -1 when it is neither. `opened` tells in which tape it is. */
function openJson(event: Envelope, tape: Tape, token: number, target: JsonTape, view: TextView, what: string): number {
  if (token < 0) return -1;
  if (tape.kind(token) === TOKEN_OBJECT) return token;
  if (tape.kind(token) !== TOKEN_STRING) return -1;
  view.seeJson(tape, token);
  const answer = target.read(view.bytes, view.start, view.end);
  if (answer < 0) event.failJson(answer, `The text in ${what}`);
  return answer >= 0 && target.kind(0) === TOKEN_OBJECT ? 0 : -1;
}

function opened(tape: Tape, token: number, target: Tape): Tape {
  return token >= 0 && tape.kind(token) === TOKEN_OBJECT ? tape : target;
}

function readImages(event: Envelope, inner: Tape, row: number, context: FormatContext): void {
  const { slots, twice } = inner.collect(row, context.vocabulary.ces, context.innerMembers);
  if (twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'An image of the row stands twice.');
  event.rowToken = openJson(event, inner, slots[CES_CURRENT], context.current, context.currentView, 'current');
  event.row = opened(inner, slots[CES_CURRENT], context.current);
  event.beforeToken = openJson(event, inner, slots[CES_OLD], context.old, context.oldView, 'old');
  event.before = opened(inner, slots[CES_OLD], context.old);
}

function readOperation(event: Envelope, tape: Tape, operation: number, context: FormatContext): void {
  const { view } = context;
  const text = operation >= 0 && tape.kind(operation) === TOKEN_STRING && view.see(tape, operation) ? view.text() : '';
  event.asks = text === 'DEL' ? ASKS_DELETE : ASKS_UPSERT;
  event.isUpdate = text === 'UPD';
  event.mayBePartial = event.isUpdate;
  if (text !== 'INS' && text !== 'UPD' && text !== 'DEL') event.doubt('OPERATION_UNKNOWN', 'The operation is none of INS, UPD, DEL.');
  else if (event.asks === ASKS_UPSERT && event.rowToken < 0) event.doubt('IMAGE_MISSING', 'There is no current row.');
}

/** Table and primary key of `eventsource`. Answers the members of its transaction. */
function readSource(event: Envelope, inner: Tape, source: number, context: FormatContext): Readonly<Int32Array> {
  const { slots, twice } = inner.collect(source, context.vocabulary.ces, context.innerMembers);
  if (twice !== 0) {
    event.fail('JSON_DUPLICATE_KEY', 'A name of eventsource stands twice.');
    return NO_SLOTS;
  }
  const sourceTokens = event.ownSourceTokens();
  event.source = inner;
  sourceTokens[SOURCE_DB] = slots[CES_DB];
  sourceTokens[SOURCE_SCHEMA] = slots[CES_SCHEMA];
  sourceTokens[SOURCE_TABLE] = slots[CES_TABLE];
  event.keyList = inner;
  event.keyListToken = slots[CES_KEY];
  const transaction = slots[CES_TRANSACTION];
  return transaction >= 0 && inner.kind(transaction) === TOKEN_OBJECT ? inner.collect(transaction, context.vocabulary.ces, context.innerMembers).slots : NO_SLOTS;
}

/** Position (commit LSN, sequence number) and commit time: of the transaction, else of `logicalid` and `time`. */
function readPlace(event: Envelope, tape: Tape, slots: Readonly<Int32Array>, inner: Tape, transaction: Readonly<Int32Array>, view: TextView): void {
  const { position } = event;
  const innerTime = present(inner, transaction[CES_COMMIT_TIME]);
  event.commitTime = innerTime >= 0 ? instantOf(inner, innerTime, view) : instantOf(tape, present(tape, slots[CES_TIME]), view);
  if (Number.isNaN(event.commitTime) && (innerTime >= 0 || present(tape, slots[CES_TIME]) >= 0)) event.doubt('POSITION_INVALID', 'The commit time is no timestamp.');
  event.positionForm = POSITION_PACKED;
  markChangeEventPosition(position);
  const lsn = present(inner, transaction[CES_COMMIT_LSN]);
  const sequence = present(inner, transaction[CES_SEQUENCE]);
  const logical = present(tape, slots[CES_LOGICAL_ID]);
  let isRead: boolean;
  if (lsn >= 0 && sequence >= 0) isRead = packLsn(inner, lsn, position, 1, 0) && readUnsignedToken(inner, sequence, position, 4);
  else if (logical >= 0) isRead = packLogicalId(tape, logical, position);
  else {
    event.positionForm = POSITION_IN_SOURCE;
    position.fill(0);
    return;
  }
  if (!isRead) event.doubt('POSITION_INVALID', 'The source position cannot be read: neither the transaction nor logicalid has LSN and sequence number.');
}

/** `stream:LSN:sequence`, 20 hexadecimal and 20 decimal digits. */
function packLogicalId(tape: Tape, token: number, position: Uint32Array): boolean {
  if (tape.kind(token) !== TOKEN_STRING) return false;
  const { bytes } = tape;
  const end = tape.end(token);
  let sequence = end;
  while (sequence > tape.start(token) && bytes[sequence - 1] !== 58) sequence--;
  const lsn = sequence - 21;
  if (lsn <= tape.start(token) || bytes[lsn - 1] !== 58) return false;
  return packLsnText(bytes, lsn, sequence - 1, position, 1, 0) && readUnsigned(bytes, sequence, end, position, 4) === end;
}

function instantOf(tape: Tape, token: number, view: TextView): number {
  if (token < 0 || tape.kind(token) !== TOKEN_STRING || !view.see(tape, token)) return Number.NaN;
  return parseInstant(view.bytes, view.start, view.end);
}
