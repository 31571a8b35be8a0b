import { unescape } from './json-scan.ts';
import { TOKEN_STRING } from './token.ts';
import type { Tape } from './tape.ts';

const decoder = new TextDecoder();

/** The text of a token as a range of bytes: in place when the JSON has no escapes, unescaped into memory of its own when it has. */
export class TextView {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  #scratch = new Uint8Array(256);

  /** Points at a string's contents, or at the source text of any other token. False when the text has no UTF-8 form. */
  see(tape: Tape, token: number): boolean {
    // Writing what is there already is not free: the collector is told of every object that is written into an older one.
    if (this.bytes !== tape.bytes) this.bytes = tape.bytes;
    this.start = tape.start(token);
    this.end = tape.end(token);
    return !tape.isEscaped(token) || this.#unescape(true);
  }

  /** The same for a string that holds JSON again: a surrogate without its partner becomes U+FFFD. */
  seeJson(tape: Tape, token: number): void {
    this.bytes = tape.bytes;
    this.start = tape.start(token);
    this.end = tape.end(token);
    if (tape.isEscaped(token)) this.#unescape(false);
  }

  /** Text of the range. */
  text(): string {
    return decoder.decode(this.bytes.subarray(this.start, this.end));
  }

  /** True when the range is exactly `text` (ASCII). */
  is(text: string): boolean {
    if (this.end - this.start !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[this.start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  #unescape(strict: boolean): boolean {
    const room = this.end - this.start;
    if (this.#scratch.length < room || this.#scratch.length > Math.max(65_536, 4 * room)) this.#scratch = new Uint8Array(Math.max(256, room));
    const length = unescape(this.bytes, this.start, this.end, this.#scratch, strict);
    if (length < 0) return false;
    this.bytes = this.#scratch;
    this.start = 0;
    this.end = length;
    return true;
  }
}

/** True when the token is a string of exactly `text` (ASCII), however it is escaped. */
export function isText(tape: Tape, token: number, text: string, view: TextView): boolean {
  return token >= 0 && tape.kind(token) === TOKEN_STRING && view.see(tape, token) && view.is(text);
}
