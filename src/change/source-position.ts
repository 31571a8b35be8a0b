import type { Envelope } from './envelope.ts';
import { readInteger, readUnsigned, readUnsignedToken } from './integers.ts';
import {
  POSITION_BINLOG, POSITION_CES, POSITION_COMMIT_MISSING, POSITION_EPOCH_SHIFT, POSITION_NONE, POSITION_POSTGRES, POSITION_SNAPSHOT, POSITION_SQLSERVER, POSITION_TIME,
} from './position.ts';
import { TOKEN_NULL, TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';
import {
  SOURCE_CHANGE_LSN, SOURCE_COMMIT_LSN, SOURCE_EVENT_SERIAL_NO, SOURCE_FILE, SOURCE_LSN, SOURCE_POS, SOURCE_ROW, SOURCE_SEQUENCE, SOURCE_SERVER_ID, SOURCE_TS_MS,
} from './vocabulary.ts';

const LSN_DIGITS = 20;

/**
 * Packs the event's position (layout in `position.ts`) and reads its commit time, from whatever the source told: Postgres' sequence or
 * LSN, a binlog place, SQL Server's LSNs, else the commit time alone. Notes POSITION_INVALID when something is there and unreadable.
 */
export function readPosition(event: Envelope, epochs: readonly number[]): void {
  const { source, sourceTokens: tokens, position } = event;
  const time = present(source, tokens[SOURCE_TS_MS]);
  if (time >= 0) {
    event.commitTime = readInteger(source, time);
    if (Number.isNaN(event.commitTime)) return event.fail('POSITION_INVALID', 'The commit time, source.ts_ms, is not a whole number.');
  }
  const sequence = present(source, tokens[SOURCE_SEQUENCE]);
  const lsn = present(source, tokens[SOURCE_LSN]);
  const file = present(source, tokens[SOURCE_FILE]);
  const commit = present(source, tokens[SOURCE_COMMIT_LSN]);
  let wrong = '';
  if (sequence >= 0 || lsn >= 0) wrong = packPostgres(event, sequence, lsn);
  else if (file >= 0) wrong = packBinlog(event, file);
  else if (commit >= 0) wrong = packSqlServer(event, commit);
  else packTime(position, event.commitTime);
  if (wrong !== '') return event.fail('POSITION_INVALID', `The source position cannot be read: ${wrong}.`);
  finishPosition(event, epochs);
}

/** Adds snapshot bit and epoch to a packed position. */
export function finishPosition(event: Envelope, epochs: readonly number[]): void {
  if (event.isSnapshot) event.position[0] |= POSITION_SNAPSHOT;
  let epoch = 0;
  while (epoch < epochs.length && epochs[epoch] <= event.commitTime) epoch++;
  if (epoch > 0) event.position[0] |= epoch << POSITION_EPOCH_SHIFT;
}

function present(tape: Tape, token: number): number {
  return token >= 0 && tape.kind(token) !== TOKEN_NULL ? token : -1;
}

function packTime(position: Uint32Array, commitTime: number): void {
  if (!(commitTime >= 0)) {
    position[0] = POSITION_NONE;
    return;
  }
  position[0] = POSITION_TIME;
  position[1] = Math.floor(commitTime / 0x100000000);
  position[2] = commitTime % 0x100000000;
}

/** `sequence` is the text `["<last commit LSN>","<own LSN>"]`, either may be null. Answers what is wrong, or ''. */
function packPostgres(event: Envelope, sequence: number, lsn: number): string {
  const { source, position } = event;
  let found = 0;
  if (sequence >= 0) {
    found = source.kind(sequence) === TOKEN_STRING ? readSequence(source.bytes, source.start(sequence), source.end(sequence), position) : -1;
    if (found < 0) return 'sequence is not a list of two LSNs';
  }
  if ((found & 2) === 0) {
    if (lsn >= 0) {
      if (!readUnsignedToken(source, lsn, position, 3)) return 'lsn is not a whole number';
    } else if ((found & 1) !== 0) position.copyWithin(3, 1, 3);
    else {
      packTime(position, event.commitTime);
      return '';
    }
  }
  position[0] = POSITION_POSTGRES;
  if ((found & 1) === 0) {
    // A snapshot row without an LSN of its own is an incremental snapshot's, here the first thing of its stream: see `position.ts`.
    // A flattened row has no LSN unless it was asked for.
    if (lsn >= 0 || !event.isSnapshot || event.isFlattened) position[0] |= POSITION_COMMIT_MISSING;
    position.copyWithin(1, 3, 5);
  }
  return '';
}

/** Reads `[a,b]` with a and b null or quoted numbers; the quotes may be escaped. Bit 0: a was there, bit 1: b; -1 when malformed. */
function readSequence(bytes: Uint8Array, start: number, end: number, position: Uint32Array): number {
  let found = 0;
  let at = start;
  for (let element = 0; element < 2; element++) {
    at = skipBlanks(bytes, at, end);
    if (at >= end || bytes[at] !== (element === 0 ? 91 : 44)) return -1;
    at = skipBlanks(bytes, at + 1, end);
    if (at + 4 <= end && bytes[at] === 110 && bytes[at + 1] === 117 && bytes[at + 2] === 108 && bytes[at + 3] === 108) {
      at += 4;
      continue;
    }
    at = afterQuote(bytes, at, end);
    if (at < 0) return -1;
    at = readUnsigned(bytes, at, end, position, 1 + 2 * element);
    if (at < 0) return -1;
    at = afterQuote(bytes, at, end);
    if (at < 0) return -1;
    found |= 1 << element;
  }
  at = skipBlanks(bytes, at, end);
  return at + 1 === end && bytes[at] === 93 ? found : -1;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === 32) at++;
  return at;
}

function afterQuote(bytes: Uint8Array, at: number, end: number): number {
  const quote = at < end && bytes[at] === 92 ? at + 1 : at;
  return quote < end && bytes[quote] === 34 ? quote + 1 : -1;
}

function packBinlog(event: Envelope, file: number): string {
  const { source, sourceTokens: tokens, position } = event;
  if (source.kind(file) !== TOKEN_STRING) return 'file is not text';
  const pos = present(source, tokens[SOURCE_POS]);
  if (pos < 0 || !readUnsignedToken(source, pos, position, 2)) return 'pos is not a whole number';
  return packBinlogFile(position, source.bytes, source.start(file), source.end(file))
    || packBinlogRow(event, present(source, tokens[SOURCE_ROW]), present(source, tokens[SOURCE_SERVER_ID]));
}

/** The number behind the last point of a binlog's name. */
export function packBinlogFile(position: Uint32Array, bytes: Uint8Array, start: number, end: number): string {
  let digits = end;
  while (digits > start && bytes[digits - 1] >= 48 && bytes[digits - 1] <= 57) digits--;
  if (digits === end || digits === start || bytes[digits - 1] !== 46) return 'the binlog file has no number';
  let number = 0;
  for (let at = digits; at < end; at++) number = number * 10 + bytes[at] - 48;
  if (number > 0xffffffff) return 'the binlog file has no number';
  position[0] = POSITION_BINLOG;
  position[1] = number;
  return '';
}

/** Row within the binlog event, and the server; tokens of the event's source, -1 for zero. */
export function packBinlogRow(event: Envelope, row: number, serverId: number): string {
  const rowNumber = row < 0 ? 0 : readInteger(event.source, row);
  const server = serverId < 0 ? 0 : readInteger(event.source, serverId);
  if (!(rowNumber >= 0 && rowNumber <= 0xffffffff)) return 'row is not a whole number';
  if (!(server >= 0 && server <= 0xffffffff)) return 'server_id is not a whole number';
  event.position[4] = rowNumber;
  event.position[5] = server;
  return '';
}

function packSqlServer(event: Envelope, commit: number): string {
  const { source, sourceTokens: tokens, position } = event;
  const change = present(source, tokens[SOURCE_CHANGE_LSN]);
  const serial = present(source, tokens[SOURCE_EVENT_SERIAL_NO]);
  if (!packLsn(source, commit, position, 1, 0)) return 'commit_lsn is not an LSN';
  if (change >= 0 && !packLsn(source, change, position, 3, 16)) return 'change_lsn is not an LSN';
  const serialNumber = serial < 0 ? 0 : readInteger(source, serial);
  if (!(serialNumber >= 0 && serialNumber <= 0xffffffff)) return 'event_serial_no is not a whole number';
  position[0] = POSITION_SQLSERVER;
  position[6] = serialNumber;
  return '';
}

/** `packLsnText` for a token. */
export function packLsn(tape: Tape, token: number, out: Uint32Array, word: number, shift: number): boolean {
  return tape.kind(token) === TOKEN_STRING && packLsnText(tape.bytes, tape.start(token), tape.end(token), out, word, shift);
}

/** SQL Server's LSN, 80 bits as 20 hexadecimal digits (`8:8:4`, colons optional, `0x` before them too), into `out` from bit `shift` of `word` on. */
export function packLsnText(bytes: Uint8Array, start: number, end: number, out: Uint32Array, word: number, shift: number): boolean {
  let digits = 0;
  const isPrefixed = end - start > 2 && bytes[start] === 48 && (bytes[start + 1] | 0x20) === 120;
  for (let at = isPrefixed ? start + 2 : start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 58 && (digits === 8 || digits === 16)) continue;
    const letter = byte | 0x20;
    const value = byte >= 48 && byte <= 57 ? byte - 48 : letter >= 97 && letter <= 102 ? letter - 87 : -1;
    if (value < 0 || digits === LSN_DIGITS) return false;
    const bit = shift + digits * 4;
    out[word + (bit >> 5)] |= value << (28 - (bit & 31));
    digits++;
  }
  return digits === LSN_DIGITS;
}

/** Marks a position as one of SQL Server's change events (commit LSN and sequence number are in place). */
export function markChangeEventPosition(position: Uint32Array): void {
  position[0] = POSITION_CES;
}
