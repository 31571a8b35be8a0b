import { ASKS_DELETE, ASKS_UPSERT, POSITION_PACKED } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { readInteger, readUnsigned, readUnsignedToken } from './integers.ts';
import type { FormatContext } from './recognise.ts';
import { packBinlogFile, packBinlogRow } from './source-position.ts';
import { TOKEN_NULL, TOKEN_OBJECT, TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import {
  MAXWELL_OLD, MAXWELL_POSITION, MAXWELL_SERVER_ID, MAXWELL_TABLE, MAXWELL_TS, MAXWELL_XOFFSET, SOURCE_DB, SOURCE_FILE, SOURCE_POS, SOURCE_TABLE, TOP_DATA, TOP_DATABASE,
  TOP_TYPE,
} from './vocabulary.ts';

const DDL_TYPES = new Set(['table-create', 'table-alter', 'table-drop', 'database-create', 'database-alter', 'database-drop']);

/**
 * Maxwell's JSON: `database`, `table`, `type`, `ts` (commit time in seconds), `data`, `old` (the columns an update changed), `position`
 * (`binlog.000023:1810`, or an object with file and pos).
 */
export function readMaxwell(event: Envelope, tape: Tape, token: number, context: FormatContext): void {
  const { top, view } = context;
  const type = view.see(tape, top[TOP_TYPE]) ? view.text() : '';
  if (type === 'bootstrap-start' || type === 'bootstrap-complete') return event.passOver('bootstrap_marker');
  if (DDL_TYPES.has(type)) return event.passOver('schema_change');
  if (type === 'heartbeat') return event.passOver('heartbeat');
  const { slots, twice } = tape.collect(token, context.vocabulary.maxwell, context.otherMembers);
  if (twice !== 0) return event.fail('JSON_DUPLICATE_KEY', 'A name of the envelope stands twice.');
  const data = top[TOP_DATA];
  event.source = tape;
  const sourceTokens = event.ownSourceTokens();
  sourceTokens[SOURCE_DB] = top[TOP_DATABASE];
  sourceTokens[SOURCE_TABLE] = slots[MAXWELL_TABLE];
  event.row = tape;
  event.before = tape;
  event.rowToken = data >= 0 && tape.kind(data) === TOKEN_OBJECT ? data : -1;
  if (type === 'delete') {
    event.asks = ASKS_DELETE;
    event.beforeToken = event.rowToken;
  } else if (type === 'insert' || type === 'update' || type === 'bootstrap-insert') {
    event.asks = ASKS_UPSERT;
    event.isSnapshot = type === 'bootstrap-insert';
    event.isUpdate = type === 'update';
    if (event.isUpdate) event.beforeToken = slots[MAXWELL_OLD];
    if (event.rowToken < 0) event.doubt('IMAGE_MISSING', 'There is no data.');
  } else event.doubt('OPERATION_UNKNOWN', 'The type is none of Maxwell\'s.');
  readCommitTime(event, tape, slots[MAXWELL_TS]);
  readPlace(event, tape, slots, context);
}

function readCommitTime(event: Envelope, tape: Tape, seconds: number): void {
  if (seconds < 0 || tape.kind(seconds) === TOKEN_NULL) return;
  event.commitTime = readInteger(tape, seconds) * 1000;
  if (Number.isNaN(event.commitTime)) event.doubt('POSITION_INVALID', 'The commit time, ts, is not a whole number.');
}

function readPlace(event: Envelope, tape: Tape, slots: Readonly<Int32Array>, context: FormatContext): void {
  const token = slots[MAXWELL_POSITION];
  if (token < 0 || tape.kind(token) === TOKEN_NULL) return;
  event.positionForm = POSITION_PACKED;
  let wrong = 'position is neither text nor an object';
  if (tape.kind(token) === TOKEN_STRING) wrong = packText(event.position, tape.bytes, tape.start(token), tape.end(token));
  else if (tape.kind(token) === TOKEN_OBJECT) wrong = packObject(event.position, tape, token, context);
  if (wrong === '') wrong = packBinlogRow(event, present(tape, slots[MAXWELL_XOFFSET]), present(tape, slots[MAXWELL_SERVER_ID]));
  if (wrong !== '') event.doubt('POSITION_INVALID', `The source position cannot be read: ${wrong}.`);
}

/** `file:pos`, perhaps with more behind another colon. */
function packText(position: Uint32Array, bytes: Uint8Array, start: number, end: number): string {
  let colon = start;
  while (colon < end && bytes[colon] !== 58) colon++;
  const after = readUnsigned(bytes, colon + 1, end, position, 2);
  if (after < 0 || (after < end && bytes[after] !== 58)) return 'position has no number behind the file';
  return packBinlogFile(position, bytes, start, colon);
}

function packObject(position: Uint32Array, tape: Tape, token: number, context: FormatContext): string {
  const place = tape.collect(token, context.vocabulary.source, context.innerMembers).slots;
  const file = place[SOURCE_FILE];
  const pos = place[SOURCE_POS];
  if (file < 0 || pos < 0 || tape.kind(file) !== TOKEN_STRING || !readUnsignedToken(tape, pos, position, 2)) return 'position has no file and pos';
  return packBinlogFile(position, tape.bytes, tape.start(file), tape.end(file));
}

function present(tape: Tape, token: number): number {
  return token >= 0 && tape.kind(token) !== TOKEN_NULL ? token : -1;
}
