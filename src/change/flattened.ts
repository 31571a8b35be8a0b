import { ASKS_DELETE, ASKS_TRUNCATE, ASKS_UPSERT } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import type { FormatContext } from './recognise.ts';
import { TOKEN_FALSE, TOKEN_NULL, TOKEN_STRING, TOKEN_TRUE } from './token.ts';
import type { Tape } from './tape.ts';
import { isText } from './text-view.ts';
import { SOURCE_SLOTS, TOP_ROW_DELETED, TOP_ROW_OP } from './vocabulary.ts';

/**
 * A row flattened by Debezium's ExtractNewRecordState: columns beside `__op`, `__deleted`, `__table`, `__source_…`. A row marked as
 * deleted holds the before image, so nothing but its key is read.
 */
export function readFlattened(event: Envelope, tape: Tape, token: number, context: FormatContext): void {
  const operation = context.top[TOP_ROW_OP];
  const deleted = context.top[TOP_ROW_DELETED];
  const { slots, twice } = tape.collect(token, context.vocabulary.flattened, context.sourceMembers);
  if (twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'A field added to the row stands twice.');
  const tokens = event.ownSourceTokens();
  for (let slot = 0; slot < SOURCE_SLOTS; slot++) tokens[slot] = slots[slot] < 0 || tape.kind(slots[slot]) === TOKEN_NULL ? slots[slot + SOURCE_SLOTS] : slots[slot];
  event.source = tape;
  event.isFlattened = true;
  event.row = tape;
  event.rowToken = token;
  event.before = tape;
  event.asks = ASKS_UPSERT;
  readMark(event, tape, deleted, context);
  if (operation >= 0 && tape.kind(operation) !== TOKEN_NULL) readOperation(event, tape, operation, context);
  if (event.asks === ASKS_DELETE) event.beforeToken = token;
}

function readMark(event: Envelope, tape: Tape, deleted: number, context: FormatContext): void {
  if (deleted < 0 || tape.kind(deleted) === TOKEN_NULL) return;
  if (tape.kind(deleted) === TOKEN_TRUE || isText(tape, deleted, 'true', context.view)) event.asks = ASKS_DELETE;
  else if (tape.kind(deleted) !== TOKEN_FALSE && !isText(tape, deleted, 'false', context.view)) event.doubt('OPERATION_UNKNOWN', '__deleted is neither true nor false.');
}

function readOperation(event: Envelope, tape: Tape, operation: number, context: FormatContext): void {
  const { view } = context;
  const text = tape.kind(operation) === TOKEN_STRING && view.see(tape, operation) ? view.text() : '';
  event.isSnapshot = text === 'r';
  event.isUpdate = text === 'u';
  if (text === 'd') event.asks = ASKS_DELETE;
  else if (text === 't') event.asks = ASKS_TRUNCATE;
  else if (text !== 'c' && text !== 'u' && text !== 'r') event.doubt('OPERATION_UNKNOWN', '__op is none of c, u, d, r, t.');
}
