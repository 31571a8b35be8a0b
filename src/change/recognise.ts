import { readChangeEvent } from './sqlserver-events.ts';
import { ASKS_DELETE, ASKS_TOMBSTONE, ASKS_TRUNCATE, ASKS_UPSERT } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { readFlattened } from './flattened.ts';
import { JsonTape } from './json-tape.ts';
import { readMaxwell } from './maxwell.ts';
import { Members, NO_SLOTS } from './members.ts';
import type { SchemaBlocks } from './schema-block.ts';
import { TOKEN_NULL, TOKEN_OBJECT, TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import { TextView, isText } from './text-view.ts';
import {
  TOP_AFTER, TOP_AGGREGATE_TYPE, TOP_BEFORE, TOP_DATA, TOP_DATABASE, TOP_DATABASE_NAME, TOP_DDL, TOP_EVENT_COUNT, TOP_EVENT_OP, TOP_ID, TOP_MESSAGE, TOP_OP, TOP_PAYLOAD,
  TOP_ROW_DELETED, TOP_ROW_LSN, TOP_ROW_OP, TOP_ROW_SEQUENCE, TOP_ROW_TABLE, TOP_ROW_TS_MS, TOP_SCHEMA, TOP_SOURCE, TOP_SPECVERSION, TOP_STATUS, TOP_TS_MS, TOP_TS_NS, TOP_TS_US, TOP_TYPE,
} from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Names whose doubling makes an envelope unreadable. */
const TOP_ONCE = [TOP_OP, TOP_BEFORE, TOP_AFTER, TOP_SOURCE, TOP_DATA, TOP_SCHEMA, TOP_PAYLOAD, TOP_ROW_OP, TOP_ROW_DELETED, TOP_EVENT_OP, TOP_TYPE, TOP_SPECVERSION]
  .reduce((bits, slot) => bits | (1 << slot), 0);
/** Names that only a flattened row has. */
const ROW_MARKS = [TOP_ROW_OP, TOP_ROW_DELETED, TOP_ROW_TABLE, TOP_ROW_SEQUENCE, TOP_ROW_LSN, TOP_ROW_TS_MS].reduce((bits, slot) => bits | (1 << slot), 0);
const ROW_MARKS_ONCE = (1 << TOP_ROW_OP) | (1 << TOP_ROW_DELETED);
/** CloudEvents and schema wrappers may hold one another; this deep and no deeper. */
const NESTING_MAX = 4;

/** What the formats' readers share: the vocabulary, memory for slots and texts, and tapes for JSON inside JSON. */
export interface FormatContext {
  readonly vocabulary: Vocabulary;
  readonly schemas: SchemaBlocks;
  /** Slots of the top-level object: set by `recognise`. */
  top: Readonly<Int32Array>;
  /** Memory for the members of the top-level object, of the source, and of what a format has else. */
  readonly members: Members;
  readonly sourceMembers: Members;
  readonly otherMembers: Members;
  readonly innerMembers: Members;
  readonly view: TextView;
  readonly inner: JsonTape;
  readonly current: JsonTape;
  readonly old: JsonTape;
  readonly innerView: TextView;
  readonly currentView: TextView;
  readonly oldView: TextView;
}

/** Makes what the formats' readers share. */
export function createFormatContext(vocabulary: Vocabulary, schemas: SchemaBlocks): FormatContext {
  return {
    vocabulary, schemas, top: NO_SLOTS, members: new Members(), sourceMembers: new Members(), otherMembers: new Members(), innerMembers: new Members(), view: new TextView(),
    inner: new JsonTape(vocabulary.names), current: new JsonTape(vocabulary.names), old: new JsonTape(vocabulary.names),
    innerView: new TextView(), currentView: new TextView(), oldView: new TextView(),
  };
}

/**
 * The second step of decoding: tells by a message's members which format it has and lets that format's reader say what it asks for.
 * `topicIsTable`: the topic is named after one of our tables, so a bare row is a flattened event.
 */
export function recognise(event: Envelope, tape: Tape, token: number, context: FormatContext, topicIsTable: boolean, depth = 0): void {
  if (tape.kind(token) === TOKEN_NULL) {
    event.asks = ASKS_TOMBSTONE;
    return;
  }
  if (tape.kind(token) !== TOKEN_OBJECT) return event.fail('ENVELOPE_UNKNOWN', 'The JSON is not an object.');
  const { slots: top, twice, found, count } = tape.collect(token, context.vocabulary.top, context.members);
  context.top = top;
  if (count === 2 && top[TOP_SCHEMA] >= 0 && top[TOP_PAYLOAD] >= 0 && depth < NESTING_MAX) {
    event.columns ??= context.schemas.read(tape, top[TOP_SCHEMA]);
    return recognise(event, tape, top[TOP_PAYLOAD], context, topicIsTable, depth + 1);
  }
  const isRow = (found & ROW_MARKS) !== 0;
  if ((twice & TOP_ONCE) !== 0 && (!isRow || (twice & ROW_MARKS_ONCE) !== 0)) {
    return event.fail('JSON_DUPLICATE_KEY', 'A name of the envelope stands twice.');
  }
  const hasSource = top[TOP_SOURCE] >= 0 && tape.kind(top[TOP_SOURCE]) === TOKEN_OBJECT;
  if (top[TOP_OP] >= 0 && (top[TOP_BEFORE] >= 0 || top[TOP_AFTER] >= 0 || hasSource)) return readDebezium(event, tape, context);
  if (isRow) return readFlattened(event, tape, token, context);
  if (top[TOP_SPECVERSION] >= 0) return readCloudEvent(event, tape, token, context, depth);
  if (top[TOP_BEFORE] >= 0 || top[TOP_AFTER] >= 0) return event.fail('ENVELOPE_UNKNOWN', 'There is a row image and no operation.');
  if (passesOver(event, tape, context, count, topicIsTable)) return;
  if (top[TOP_TYPE] >= 0 && top[TOP_DATABASE] >= 0 && tape.kind(top[TOP_TYPE]) === TOKEN_STRING) return readMaxwell(event, tape, token, context);
  if (topicIsTable) return readFlattened(event, tape, token, context);
  event.row = tape;
  event.rowToken = token;
  event.fail('ENVELOPE_UNKNOWN', 'The JSON is no change event of a format that is known.');
}

/** Records about the source or the connector, not about rows. A bare row may well have columns `type` and `data`: in its topic it is no signal. */
function passesOver(event: Envelope, tape: Tape, context: FormatContext, members: number, topicIsTable: boolean): boolean {
  const { top, view } = context;
  const times = (top[TOP_TS_MS] >= 0 ? 1 : 0) + (top[TOP_TS_US] >= 0 ? 1 : 0) + (top[TOP_TS_NS] >= 0 ? 1 : 0);
  if (top[TOP_TS_MS] >= 0 && members === times) event.passOver('heartbeat');
  else if (top[TOP_STATUS] >= 0 && top[TOP_ID] >= 0 && top[TOP_EVENT_COUNT] >= 0
    && (isText(tape, top[TOP_STATUS], 'BEGIN', view) || isText(tape, top[TOP_STATUS], 'END', view))) event.passOver('transaction');
  else if (top[TOP_DDL] >= 0 && top[TOP_DATABASE_NAME] >= 0) event.passOver('schema_change');
  else if (!topicIsTable && top[TOP_TYPE] >= 0 && (top[TOP_AGGREGATE_TYPE] >= 0 || (top[TOP_DATA] >= 0 && top[TOP_DATABASE] < 0))) event.passOver('signal');
  else return false;
  return true;
}

/** Debezium's own envelope: `before`, `after`, `op`, `source`. */
function readDebezium(event: Envelope, tape: Tape, context: FormatContext): void {
  const { top } = context;
  if (top[TOP_MESSAGE] >= 0 && isText(tape, top[TOP_OP], 'm', context.view)) return event.passOver('logical_message');
  event.source = tape;
  if (top[TOP_SOURCE] >= 0 && tape.kind(top[TOP_SOURCE]) === TOKEN_OBJECT) {
    const members = tape.collect(top[TOP_SOURCE], context.vocabulary.source, context.sourceMembers);
    event.setSource(members);
    if (members.twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'A name of the source block stands twice.');
  }
  readOperation(event, tape, top[TOP_OP], top[TOP_BEFORE], top[TOP_AFTER]);
}

/** What Debezium's one-letter operation asks for, with the images of the row. Noted only: a table that is not ours may do as it likes. */
function readOperation(event: Envelope, tape: Tape, op: number, before: number, after: number): void {
  event.row = tape;
  event.before = tape;
  event.beforeToken = before;
  event.rowToken = after >= 0 && tape.kind(after) === TOKEN_OBJECT ? after : -1;
  const isLetter = op >= 0 && tape.kind(op) === TOKEN_STRING && tape.end(op) - tape.start(op) === 1;
  switch (isLetter ? tape.bytes[tape.start(op)] : 0) {
    case 99: // c
      event.asks = ASKS_UPSERT;
      break;
    case 117: // u
      event.asks = ASKS_UPSERT;
      event.isUpdate = true;
      break;
    case 114: // r
      event.asks = ASKS_UPSERT;
      event.isSnapshot = true;
      break;
    case 100: // d
      event.asks = ASKS_DELETE;
      break;
    case 116: // t
      event.asks = ASKS_TRUNCATE;
      break;
    case 109: // m
      return event.passOver('logical_message');
    default:
      return event.doubt('OPERATION_UNKNOWN', 'The operation is none of c, u, d, r, t, m.');
  }
  if (event.asks === ASKS_UPSERT && event.rowToken < 0) event.doubt('IMAGE_MISSING', 'There is no row after the change.');
}

/** A CloudEvent: Debezium's, with the source in attributes, or SQL Server's. */
function readCloudEvent(event: Envelope, tape: Tape, token: number, context: FormatContext, depth: number): void {
  const { top, view } = context;
  const type = top[TOP_TYPE];
  const typeText = type >= 0 && tape.kind(type) === TOKEN_STRING && view.see(tape, type) ? view.text() : '';
  if (typeText.startsWith('com.microsoft.SQL.CES')) return readChangeEvent(event, tape, token, context);
  if (top[TOP_EVENT_OP] < 0 && !typeText.startsWith('io.debezium')) return event.fail('ENVELOPE_UNKNOWN', 'The CloudEvent is neither Debezium\'s nor SQL Server\'s.');
  const operation = top[TOP_EVENT_OP];
  const members = tape.collect(token, context.vocabulary.cloudEvent, context.sourceMembers);
  event.setSource(members);
  if (members.twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'An attribute of the CloudEvent stands twice.');
  event.source = tape;
  const data = unwrap(event, tape, top[TOP_DATA], context);
  let images = NO_SLOTS;
  if (data >= 0 && tape.kind(data) === TOKEN_OBJECT) {
    images = tape.collect(data, context.vocabulary.top, context.members).slots;
    if (operation < 0) {
      if (depth >= NESTING_MAX) return event.fail('ENVELOPE_UNKNOWN', 'CloudEvents hold one another.');
      return recognise(event, tape, data, context, false, depth + 1);
    }
  }
  readOperation(event, tape, operation, images[TOP_BEFORE], images[TOP_AFTER]);
}

/** The payload of a value that brings its schema, else the value. */
function unwrap(event: Envelope, tape: Tape, value: number, context: FormatContext): number {
  if (value < 0 || tape.kind(value) !== TOKEN_OBJECT) return value;
  const { slots, count } = tape.collect(value, context.vocabulary.top, context.members);
  if (count !== 2 || slots[TOP_SCHEMA] < 0 || slots[TOP_PAYLOAD] < 0) return value;
  event.columns ??= context.schemas.read(tape, slots[TOP_SCHEMA]);
  return slots[TOP_PAYLOAD];
}
