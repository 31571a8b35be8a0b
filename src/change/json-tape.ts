import { NameGuesses } from './name-guesses.ts';
import { NAME_UNKNOWN } from './names.ts';
import type { Names } from './names.ts';
import { PLAIN, SCAN_ESCAPED, SCAN_INVALID, SCAN_TOO_DEEP, scanString, skipSpace } from './json-scan.ts';
import { DEPTH_MAX, Tape } from './tape.ts';
import { TextShapes } from './text-shapes.ts';
import { TOKEN_ARRAY, TOKEN_KIND, TOKEN_NAME_SHIFT, TOKEN_OBJECT, TOKEN_WORDS, readScalar } from './token.ts';

const TOKENS_KEPT_MAX = 1 << 18;

/** Reads JSON texts as tapes: it validates the whole text and writes one token per value. A text of the shape of one read lately is told by comparing the two. */
export class JsonTape extends Tape {
  readonly #shapes = new TextShapes();
  readonly #open = new Int32Array(DEPTH_MAX);
  readonly #names: Names;
  readonly #guesses: NameGuesses;
  #viewed = this.bytes;
  #view = new DataView(this.bytes.buffer);
  #place = 0;
  #name = NAME_UNKNOWN;

  constructor(names: Names) {
    super();
    this.#names = names;
    this.#guesses = new NameGuesses(names);
  }

  /** Reads one whole JSON text, `bytes[start..end)`. Returns `end`, or a negative answer of `json-scan.ts`. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const at = this.readValue(bytes, start, end);
    if (at < 0) return at;
    return skipSpace(bytes, at, end) === end ? end : SCAN_INVALID;
  }

  /** Reads the JSON value at `start` and returns where it ends, or a negative answer. What follows it is not looked at. */
  readValue(bytes: Uint8Array, start: number, end: number): number {
    if (bytes !== this.bytes) this.bytes = bytes;
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const from = skipSpace(bytes, start, end);
    const shape = this.#shapes.find(bytes, this.#view, from, end);
    if (shape !== null) {
      this.shape = shape;
      this.words = shape.words;
      this.size = shape.words.length;
      return this.#shapes.end;
    }
    const close = this.#tokenize(bytes, from, end);
    if (close >= 0 && this.kind(0) >= TOKEN_ARRAY) this.#shapes.learn(bytes, from, close, this.words, this.size);
    return close;
  }

  #tokenize(bytes: Uint8Array, from: number, end: number): number {
    this.#makeRoom(end - from);
    this.#name = NAME_UNKNOWN;
    this.#place = 0;
    this.words = this.own;
    this.shape = null;
    const words = this.words;
    const open = this.#open;
    let depth = 0;
    let size = 0;
    let at = from;
    for (;;) {
      const byte = at < end ? bytes[at] : 0;
      const token = size;
      size += TOKEN_WORDS;
      if (byte === 123 || byte === 91) {
        if (depth === DEPTH_MAX) return SCAN_TOO_DEEP;
        words[token] = (byte === 123 ? TOKEN_OBJECT : TOKEN_ARRAY) | (this.#name << TOKEN_NAME_SHIFT);
        words[token + 1] = at;
        open[depth++] = token;
        at = skipSpace(bytes, at + 1, end);
        if (at >= end || bytes[at] !== byte + 2) {
          this.#name = NAME_UNKNOWN;
          if (byte === 123) at = this.#readName(bytes, at, end, depth);
          if (at < 0) return at;
          continue;
        }
      } else {
        at = readScalar(bytes, this.#view, at, end, words, token, this.#name);
        if (at < 0) return at;
      }
      for (;;) {
        if (depth === 0) {
          this.size = size;
          return at;
        }
        at = skipSpace(bytes, at, end);
        const next = at < end ? bytes[at] : 0;
        const container = open[depth - 1];
        const isObject = (words[container] & TOKEN_KIND) === TOKEN_OBJECT;
        if (next === 44) {
          at = isObject ? this.#readName(bytes, at + 1, end, depth) : skipSpace(bytes, at + 1, end);
          if (at < 0) return at;
          break;
        }
        if (next !== (isObject ? 125 : 93)) return SCAN_INVALID;
        words[container + 2] = ++at;
        words[container + 3] = size;
        depth--;
      }
    }
  }

  /** Reads `"name":`, keeps the name's id for the value that follows, and returns where that begins. */
  #readName(bytes: Uint8Array, from: number, end: number, depth: number): number {
    let at = skipSpace(bytes, from, end);
    const guess = this.#guesses.after(this.#place);
    const length = this.#guesses.match(guess, this.#view, at, end);
    if (length > 0) {
      this.#place = guess;
      this.#name = this.#guesses.nameOf[guess];
      return skipSpace(bytes, at + length, end);
    }
    if (at >= end || bytes[at] !== 34) return SCAN_INVALID;
    const start = at + 1;
    let close = start;
    while (PLAIN[bytes[close]] === 1) close++;
    if (close + 1 < end && bytes[close] === 34 && bytes[close + 1] === 58) {
      this.#name = this.#names.find(bytes, start, close);
      this.#place = this.#guesses.learn(this.#place, depth, bytes, start, close);
      return skipSpace(bytes, close + 2, end);
    } else {
      close = scanString(bytes, close < end ? close : start, end);
      if (close < 0) return close;
      const escaped = close >= SCAN_ESCAPED;
      close &= SCAN_ESCAPED - 1;
      this.#name = escaped ? this.#names.findEscaped(bytes, start, close) : this.#names.find(bytes, start, close);
    }
    at = skipSpace(bytes, close + 1, end);
    if (at >= end || bytes[at] !== 58) return SCAN_INVALID;
    return skipSpace(bytes, at + 1, end);
  }

  /** A text of `length` bytes has at most one token per two bytes, and open containers. */
  #makeRoom(length: number): void {
    const tokens = (length >> 1) + DEPTH_MAX + 2;
    const held = this.own.length / TOKEN_WORDS;
    if (tokens > held || (held > TOKENS_KEPT_MAX && tokens <= TOKENS_KEPT_MAX)) this.own = new Int32Array(Math.max(1024, tokens) * TOKEN_WORDS);
  }
}
