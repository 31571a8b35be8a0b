import type { Members } from './members.ts';
import type { SlotMap } from './names.ts';
import type { TextShape } from './text-shape.ts';
import { TOKEN_ESCAPED, TOKEN_FIXED, TOKEN_KIND, TOKEN_NAME_SHIFT, TOKEN_WORDS } from './token.ts';

/** Deepest nesting read; no change event comes near. */
export const DEPTH_MAX = 128;

/**
 * A value as a flat list of tokens over bytes: four words each (kind, flags and the member name's id; start; end; the token after it). Strings and numbers are text: they span
 * what is between the quotes, and the digits. The first token is 0; a container's first child is at `first`, siblings follow by `next`. A tape is reused from value to value; its
 * words are written by the reader of JSON (`json-tape.ts`), or one by one with `put` and `close`.
 */
export class Tape {
  bytes: Uint8Array = new Uint8Array(0);
  /** Index after the last token. */
  size = 0;
  /** Memory of the tape's own, and the tokens of the value last read: they lie there, or are those of the shape that a JSON text has. */
  protected own: Int32Array = new Int32Array(1024 * TOKEN_WORDS);
  protected words = this.own;
  /** The shape whose tokens they are; null when they are the tape's own. */
  protected shape: TextShape | null = null;

  /** Begins a value that is put together: its texts lie in `bytes`. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.size = 0;
    this.words = this.own;
    this.shape = null;
  }

  /** Adds a token and answers its index; `name` is the member name's id. A container is empty until it is closed. */
  put(kind: number, name: number, start: number, end: number): number {
    const token = this.size;
    if (token === this.words.length) {
      this.own = new Int32Array(2 * this.words.length);
      this.own.set(this.words);
      this.words = this.own;
    }
    this.words[token] = kind | (name << TOKEN_NAME_SHIFT);
    this.words[token + 1] = start;
    this.words[token + 2] = end;
    this.words[token + 3] = token + TOKEN_WORDS;
    this.size = token + TOKEN_WORDS;
    return token;
  }

  /** Ends a container: what was put since is in it. */
  close(container: number): void {
    this.words[container + 3] = this.size;
  }

  kind(token: number): number {
    return this.words[token] & TOKEN_KIND;
  }

  /** Id of the member name the token is the value of; NAME_UNKNOWN outside objects. */
  name(token: number): number {
    return this.words[token] >> TOKEN_NAME_SHIFT;
  }

  /** A string with escapes: its bytes are not its text. */
  isEscaped(token: number): boolean {
    return (this.words[token] & TOKEN_ESCAPED) !== 0;
  }

  start(token: number): number {
    return (this.words[token] & TOKEN_FIXED) === 0 ? this.words[token + 1] : this.shape!.placeOf(token + 1);
  }

  end(token: number): number {
    return (this.words[token] & TOKEN_FIXED) === 0 ? this.words[token + 2] : this.shape!.placeOf(token + 2);
  }

  /** True when the token's text is the same as in all texts before that had this shape. */
  isFixed(token: number): boolean {
    return (this.words[token] & TOKEN_FIXED) !== 0;
  }

  /** First child of a container; `next(container)` when it is empty. */
  first(token: number): number {
    return token + TOKEN_WORDS;
  }

  /** The token behind this value and all it holds. */
  next(token: number): number {
    return this.words[token + 3];
  }

  /** Finds the members of an object that `map` has slots for. They are in `own`, or the same that a text of this shape had before: to be read only, until the next value is read. */
  collect(object: number, map: SlotMap, own: Members): Members {
    if (this.shape === null) {
      own.gather(this.words, object, map);
      return own;
    }
    const { collections } = this.shape;
    return collections.find(object, map) ?? collections.add(this.words, object, map, own);
  }
}
