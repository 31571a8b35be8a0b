import { endOfNumber } from './file-number.ts';

/**
 * Reading JSON straight from bytes, as strict as `JSON.parse` on syntax, without making strings or objects. Bytes of 0x80 and above are carried through as they
 * are, so a value that is not UTF-8 reaches the decoder with its exact bytes. An escaped half of a surrogate pair, which no UTF-8
 * can express, becomes the three bytes that decoders refuse, not a replacement character.
 */

/** What is wrong with a text, in words, and where: `column` counts bytes from 1. */
export class JsonFault extends Error {
  readonly column: number;
  override readonly name = 'JsonFault';

  constructor(reason: string, column: number) {
    super(reason);
    this.column = column;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LETTER_U = 0x75;

/** What the character after a backslash stands for; 0 when it stands for nothing on its own. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)])) {
  SHORT_ESCAPES[letter] = meaning;
}
const ascii = new TextDecoder('latin1');
const LITERALS = [[...'true'], [...'false'], [...'null']].map((letters) => Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));

/**
 * A cursor over one text. `bytes[end]` must be a line feed: it belongs to no token, so that only skipping space needs to look for the end.
 * Every method throws `JsonFault` where the text is no JSON.
 */
export class JsonCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  start = 0;
  end = 0;

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.start = start;
    this.end = end;
  }

  fault(reason: string, at: number = this.at): never {
    throw new JsonFault(at >= this.end ? `${reason}, but the line ends` : reason, at - this.start + 1);
  }

  /** Skips white space; the byte that follows stays unread and is returned, a line feed at the end of the text. */
  peek(): number {
    let at = this.at;
    while (at < this.end) {
      const byte = this.bytes[at];
      if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a) break;
      at++;
    }
    this.at = at;
    return this.bytes[at];
  }

  /** Skips white space and then exactly this byte. */
  expect(byte: number): void {
    if (this.at >= this.end || this.bytes[this.at] !== byte) {
      if (this.peek() !== byte || this.at >= this.end) this.fault(`'${String.fromCharCode(byte)}' was expected`);
    }
    this.at++;
  }

  /** Skips a string whose opening quote is next; true when it holds escapes. */
  skipString(): boolean {
    const bytes = this.bytes;
    let at = this.at + 1;
    let escaped = false;
    for (;;) {
      const byte = bytes[at++];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        escaped = true;
        at = this.#skipEscape(at);
      } else if (byte < 0x20) this.#faultInString(at - 1);
    }
    this.at = at;
    return escaped;
  }

  /**
   * Reads a string whose opening quote is next into `into` from `to` on and returns the end of what was written. The caller
   * has made room for as many bytes as the text has.
   */
  readString(into: Uint8Array, to: number): number {
    const bytes = this.bytes;
    let at = this.at + 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte !== QUOTE && byte !== BACKSLASH && byte >= 0x20) {
        into[to++] = byte;
      } else if (byte === BACKSLASH) {
        const meaning = SHORT_ESCAPES[bytes[at++]];
        if (meaning !== 0) into[to++] = meaning;
        else {
          this.at = at - 1;
          to = this.#readUnicode(into, to);
          at = this.at;
        }
      } else if (byte === QUOTE) {
        this.at = at;
        return to;
      } else this.#faultInString(at - 1);
    }
  }

  /** Reads a number. Digits alone, up to fifteen, take the short way. */
  readNumber(): number {
    const first = this.at;
    let at = first;
    let value = 0;
    for (;;) {
      const digit = this.bytes[at] - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      at++;
    }
    const next = this.bytes[at];
    if (at > first && at - first <= 15 && (this.bytes[first] !== 48 || at === first + 1) && next !== 0x2e && next !== 0x65 && next !== 0x45) {
      this.at = at;
      return value;
    }
    this.#skipNumber();
    return Number(ascii.decode(this.bytes.subarray(first, this.at)));
  }

  /** Skips one value of any kind and depth. */
  skipValue(): void {
    const open: number[] = [];
    for (;;) {
      const byte = this.peek();
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        const close = byte + 2;
        this.at++;
        if (this.peek() === close) this.at++;
        else {
          open.push(close);
          if (close === CLOSE_OBJECT) this.#skipName();
          continue;
        }
      } else this.#skipScalar(byte);
      while (open.length > 0) {
        const close = open[open.length - 1];
        const after = this.peek();
        if (after === COMMA) {
          this.at++;
          if (close === CLOSE_OBJECT) this.#skipName();
          break;
        }
        if (after !== close) this.fault(close === CLOSE_ARRAY ? "',' or ']' was expected" : "',' or '}' was expected");
        this.at++;
        open.pop();
      }
      if (open.length === 0) return;
    }
  }

  #skipName(): void {
    if (this.peek() !== QUOTE) this.fault('a name in quotes was expected');
    this.skipString();
    this.expect(COLON);
  }

  #skipScalar(byte: number): void {
    const literal = LITERALS.find(([first]) => first === byte);
    if (byte === QUOTE) this.skipString();
    else if (literal !== undefined) this.skipLiteral(literal);
    else this.#skipNumber();
  }

  #skipNumber(): void {
    const end = endOfNumber(this.bytes, this.at);
    if (end < 0) this.fault('a value was expected');
    this.at = end;
  }

  /** Skips exactly these letters. */
  skipLiteral(letters: Uint8Array): void {
    for (const letter of letters) {
      if (this.bytes[this.at++] !== letter) this.fault(`\`${String.fromCharCode(...letters)}\` was expected`, this.at - 1);
    }
  }

  #skipEscape(at: number): number {
    const letter = this.bytes[at];
    if (SHORT_ESCAPES[letter] !== 0) return at + 1;
    if (letter !== LETTER_U) this.#faultInEscape(at);
    this.#hexadecimal(at + 1);
    return at + 5;
  }

  /** Reads `uXXXX` at the cursor, or two of them that form a pair, as UTF-8. */
  #readUnicode(into: Uint8Array, to: number): number {
    if (this.bytes[this.at] !== LETTER_U) this.#faultInEscape(this.at);
    let code = this.#hexadecimal(this.at + 1);
    this.at += 5;
    if (code >= 0xd800 && code < 0xdc00 && this.bytes[this.at] === BACKSLASH && this.bytes[this.at + 1] === LETTER_U) {
      const low = this.#hexadecimal(this.at + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        this.at += 6;
      }
    }
    if (code < 0x80) into[to++] = code;
    else if (code < 0x800) into[to++] = 0xc0 | (code >> 6);
    else if (code < 0x10000) into[to++] = 0xe0 | (code >> 12);
    else into[to++] = 0xf0 | (code >> 18);
    if (code >= 0x10000) into[to++] = 0x80 | ((code >> 12) & 63);
    if (code >= 0x800) into[to++] = 0x80 | ((code >> 6) & 63);
    if (code >= 0x80) into[to++] = 0x80 | (code & 63);
    return to;
  }

  #hexadecimal(at: number): number {
    let value = 0;
    for (let i = at; i < at + 4; i++) {
      const byte = this.bytes[i];
      const digit = byte >= 48 && byte <= 57 ? byte - 48 : (byte | 32) >= 97 && (byte | 32) <= 102 ? (byte | 32) - 87 : -1;
      if (digit < 0) this.fault('four hexadecimal digits were expected after \\u', i);
      value = (value << 4) | digit;
    }
    return value;
  }

  #faultInEscape(at: number): never {
    return this.fault('a backslash is followed by no escape that JSON knows', at);
  }

  #faultInString(at: number): never {
    return this.fault(at >= this.end ? 'a quote was expected' : 'a control character stands bare in a string', at);
  }
}
