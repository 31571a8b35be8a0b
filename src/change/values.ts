import { NO_DAY } from './change.ts';
import { DATE_BY_SIZE, DATE_DAYS, DATE_MICROSECONDS, DATE_MILLISECONDS, DATE_NANOSECONDS, parseDateInteger, parseDateText } from './date-text.ts';
import { dayOf } from './dates.ts';
import type { DecodeOptions } from './decoder.ts';
import { IDENTIFIER_BYTES_MAX, ID_NONE, encodeIdentifier } from './identifier.ts';
import { readInteger } from './integers.ts';
import { Members } from './members.ts';
import { MONEY_INVALID, parseDecimal, parseUnscaled } from './money.ts';
import { TYPE_BYTES, TYPE_DAYS, TYPE_DECIMAL, TYPE_MICROSECONDS, TYPE_MILLISECONDS, TYPE_NANOSECONDS, TYPE_PLAIN, TYPE_UNTYPED } from './schema-block.ts';
import { TOKEN_FALSE, TOKEN_NULL, TOKEN_NUMBER, TOKEN_OBJECT, TOKEN_STRING, TOKEN_TRUE } from './token.ts';
import type { Tape } from './tape.ts';
import { TextView } from './text-view.ts';
import { BLOCK_DAY, BLOCK_MONTH, BLOCK_SCALE, BLOCK_VALUE, BLOCK_YEAR } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Negative answers of `identifier` beside the kinds. */
export const IDENTIFIER_INVALID = -1;
export const IDENTIFIER_TOO_LONG = -2;
/** Answer of `flag` to a value that is no flag. */
export const FLAG_INVALID = -1;

/** What Debezium sends for a large value that did not change, as text and as bytes in base64. */
const UNAVAILABLE = '__debezium_unavailable_value';
const UNAVAILABLE_BASE64 = 'X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==';

const DATE_UNITS = new Map([[TYPE_DAYS, DATE_DAYS], [TYPE_MILLISECONDS, DATE_MILLISECONDS], [TYPE_MICROSECONDS, DATE_MICROSECONDS], [TYPE_NANOSECONDS, DATE_NANOSECONDS]]);

/** Reads single values of a row: identifiers, amounts, dates, flags, in every form the formats have. */
export class ValueReader {
  readonly view = new TextView();
  readonly #options: DecodeOptions;
  readonly #vocabulary: Vocabulary;
  readonly #members = new Members();

  constructor(options: DecodeOptions, vocabulary: Vocabulary) {
    this.#options = options;
    this.#vocabulary = vocabulary;
  }

  /** True when the value stands for one that was not sent. */
  isUnavailable(tape: Tape, token: number): boolean {
    if (tape.kind(token) !== TOKEN_STRING) return false;
    const length = tape.end(token) - tape.start(token);
    if (length !== UNAVAILABLE.length && length !== UNAVAILABLE_BASE64.length) return false;
    return this.view.see(tape, token) && (this.view.is(UNAVAILABLE) || this.view.is(UNAVAILABLE_BASE64));
  }

  /** Encodes an id into `out[at..]` and returns its kind; null, '' and `None` are ID_NONE. Negative when it is no id. */
  identifier(tape: Tape, token: number, out: Uint32Array, at: number, intern: (text: string) => number): number {
    const kind = tape.kind(token);
    if (kind === TOKEN_NULL) return ID_NONE;
    if (kind === TOKEN_NUMBER) {
      if (!isWholeNumber(tape, token)) return IDENTIFIER_INVALID;
    } else if (kind !== TOKEN_STRING) return IDENTIFIER_INVALID;
    const { view } = this;
    if (!view.see(tape, token)) return IDENTIFIER_INVALID;
    return encodeText(view.bytes, view.start, view.end, out, at, intern);
  }

  /** Units of an amount, or one of the parsers' answers. `type` and `scale` are the schema block's. */
  amount(tape: Tape, token: number, type: number, scale: number): number {
    const kind = tape.kind(token);
    if (kind === TOKEN_NUMBER) return parseDecimal(tape.bytes, tape.start(token), tape.end(token));
    if (kind === TOKEN_OBJECT) return this.#variableScale(tape, token);
    if (kind !== TOKEN_STRING || type === TYPE_BYTES || !this.view.see(tape, token)) return MONEY_INVALID;
    const { bytes, start, end } = this.view;
    if (type === TYPE_DECIMAL) return parseUnscaled(bytes, start, end, scale);
    const { decimals } = this.#options;
    if (type === TYPE_UNTYPED && decimals.kind === 'base64') return parseUnscaled(bytes, start, end, decimals.scale);
    return parseDecimal(bytes, start, end);
  }

  /** Debezium's VariableScaleDecimal: `{"scale":2,"value":"MDk="}`. */
  #variableScale(tape: Tape, token: number): number {
    const { slots, twice } = tape.collect(token, this.#vocabulary.block, this.#members);
    const scale = slots[BLOCK_SCALE];
    const value = slots[BLOCK_VALUE];
    if (twice !== 0 || scale < 0 || value < 0 || tape.kind(value) !== TOKEN_STRING || !this.view.see(tape, value)) return MONEY_INVALID;
    const digits = readInteger(tape, scale);
    return Number.isNaN(digits) ? MONEY_INVALID : parseUnscaled(this.view.bytes, this.view.start, this.view.end, digits);
  }

  /** Epoch day of a date, or NO_DAY. `type` is the schema block's. */
  day(tape: Tape, token: number, type: number): number {
    const kind = tape.kind(token);
    if (kind === TOKEN_STRING) {
      if (!this.view.see(tape, token)) return NO_DAY;
      return parseDateText(this.view.bytes, this.view.start, this.view.end, this.#options.timeZone);
    }
    if (kind === TOKEN_NUMBER) {
      const unit = type <= TYPE_PLAIN ? DATE_BY_SIZE : DATE_UNITS.get(type) ?? DATE_BY_SIZE;
      return parseDateInteger(tape.bytes, tape.start(token), tape.end(token), unit);
    }
    return kind === TOKEN_OBJECT ? this.#structuredDay(tape, token) : NO_DAY;
  }

  /** `{"year":2026,"month":1,"day":31}` and nothing more: with a time in it, it might be an instant. */
  #structuredDay(tape: Tape, token: number): number {
    const { slots, twice, count } = tape.collect(token, this.#vocabulary.block, this.#members);
    if (twice !== 0 || count !== 3) return NO_DAY;
    const [year, month, day] = [slots[BLOCK_YEAR], slots[BLOCK_MONTH], slots[BLOCK_DAY]].map((part) => (part < 0 ? Number.NaN : readInteger(tape, part)));
    return dayOf(year, month, day);
  }

  /** 1 or 0 of a flag, null being 0; FLAG_INVALID when it is none. */
  flag(tape: Tape, token: number): number {
    const kind = tape.kind(token);
    if (kind === TOKEN_FALSE || kind === TOKEN_NULL) return 0;
    if (kind === TOKEN_TRUE) return 1;
    if ((kind !== TOKEN_NUMBER && kind !== TOKEN_STRING) || !this.view.see(tape, token)) return FLAG_INVALID;
    const { view } = this;
    if (view.is('0')) return 0;
    if (view.is('1')) return 1;
    if (kind === TOKEN_STRING) {
      if (view.is('f') || view.is('false')) return 0;
      if (view.is('t') || view.is('true')) return 1;
    }
    return FLAG_INVALID;
  }
}

/** Encodes the text of an id: see `ValueReader.identifier`. */
export function encodeText(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number, intern: (text: string) => number): number {
  const length = end - start;
  if (length > IDENTIFIER_BYTES_MAX) return IDENTIFIER_TOO_LONG;
  if (length === 0 || (length === 4 && bytes[start] === 78 && bytes[start + 1] === 111 && bytes[start + 2] === 110 && bytes[start + 3] === 101)) return ID_NONE;
  return encodeIdentifier(bytes, start, end, out, at, intern);
}

function isWholeNumber(tape: Tape, token: number): boolean {
  const { bytes } = tape;
  const start = tape.start(token);
  const end = tape.end(token);
  for (let at = bytes[start] === 45 ? start + 1 : start; at < end; at++) if (bytes[at] < 48 || bytes[at] > 57) return false;
  return true;
}
