import { Collections } from './members.ts';
import { TOKEN_ARRAY, TOKEN_FIXED, TOKEN_KIND, TOKEN_NAME_SHIFT, TOKEN_STRING, TOKEN_WORDS, readScalar } from './token.ts';

/** No value follows the last run. */
const NO_TOKEN = -1;

/**
 * A JSON text that was read, as a pattern for the next ones: runs of bytes that stay the same (names, punctuation, values that never changed), and between them scalar values that
 * change. A text that fits is valid JSON of the same tokens, so only its changing values are scanned; all else is compared, eight bytes at a time. A value counts as one that stays
 * the same until a text is met that fits up to there.
 */
export class TextShape {
  /** Tokens of the text that fitted last, as a `Tape` holds them; those inside runs are fixed, and `placeOf` tells their places. */
  readonly words: Int32Array;
  /** What was collected of objects: where members are is the same in all texts that fit. */
  readonly collections = new Collections();
  /** The text the shape was learnt from, its tokens counted from its beginning, and a mark for those whose values change. */
  readonly #text: Uint8Array;
  readonly #view: DataView;
  readonly #tokens: Int32Array;
  readonly #changes: Uint8Array;
  /** Per run: its place in the text, its length, the token behind it and that one's name; and how far from its place it stands in the text that fitted last. */
  #runs = 0;
  readonly #runStart: Int32Array;
  readonly #runLength: Int32Array;
  readonly #runToken: Int32Array;
  readonly #runName: Int32Array;
  readonly #runShift: Int32Array;
  /** The run that the place in a word is in. */
  readonly #runOf: Int32Array;
  /** Where the text and the last one that did not fit part, in that one, and the run it is in. */
  #partedAt = 0;
  #partedRun = 0;

  /** Learns from `bytes[start..end)`, a JSON value, and its tokens. */
  constructor(bytes: Uint8Array, start: number, end: number, words: Int32Array, size: number) {
    const count = size / TOKEN_WORDS;
    this.#text = bytes.slice(start, end);
    this.#view = new DataView(this.#text.buffer);
    this.#tokens = words.slice(0, size);
    for (let token = 0; token < size; token += TOKEN_WORDS) {
      this.#tokens[token + 1] -= start;
      this.#tokens[token + 2] -= start;
    }
    this.words = this.#tokens.slice();
    this.#changes = new Uint8Array(count);
    this.#runStart = new Int32Array(count + 1);
    this.#runLength = new Int32Array(count + 1);
    this.#runToken = new Int32Array(count + 1);
    this.#runName = new Int32Array(count + 1);
    this.#runShift = new Int32Array(count + 1);
    this.#runOf = new Int32Array(size);
    this.#cut();
  }

  /** Where the value at `start` ends, if it has this shape; then `words` are its tokens. Else -1. `view` is over `bytes`. */
  match(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let close = this.#fit(bytes, view, start, end);
    while (close < 0 && this.#giveWay(bytes, end)) close = this.#fit(bytes, view, start, end);
    return close;
  }

  /** Where a fixed token begins or ends in the text that fitted last, by the word that says it. */
  placeOf(word: number): number {
    return this.words[word] + this.#runShift[this.#runOf[word]];
  }

  #fit(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const words = this.words;
    const runs = this.#runs;
    let at = start;
    for (let run = 0; run < runs; run++) {
      const from = this.#runStart[run];
      const length = this.#runLength[run];
      if (at + length > end || !this.#isRun(view, at, from, length)) {
        this.#partedAt = at;
        this.#partedRun = run;
        return -1;
      }
      this.#runShift[run] = at - from;
      at += length;
      const token = this.#runToken[run];
      if (token === NO_TOKEN) return at;
      at = readScalar(bytes, view, at, end, words, token, this.#runName[run]);
      if (at < 0) break;
    }
    this.#partedRun = runs;
    return -1;
  }

  /** Whether `view` at `at` has the run of `length` bytes that stands at `from` in the text. */
  #isRun(view: DataView, at: number, from: number, length: number): boolean {
    const text = this.#view;
    // Eight bytes as a double: in JSON there are neither zero bytes nor, as it is UTF-8, those of a NaN, so equal doubles are equal bytes.
    const last = length - 8;
    if (last >= 0) {
      for (let i = 0; i < last; i += 8) if (view.getFloat64((at + i) | 0, true) !== text.getFloat64((from + i) | 0, true)) return false;
      return view.getFloat64(at + last, true) === text.getFloat64(from + last, true);
    }
    if (length >= 4) return view.getInt32(at) === text.getInt32(from) && view.getInt32(at + length - 4) === text.getInt32(from + length - 4);
    for (let i = 0; i < length; i++) if (view.getUint8(at + i) !== text.getUint8(from + i)) return false;
    return true;
  }

  /** Lets the value in which the last text parted from this one be one that changes. False when it parted in no scalar value: then it has another shape. */
  #giveWay(bytes: Uint8Array, end: number): boolean {
    if (this.#partedRun === this.#runs) return false;
    const from = this.#runStart[this.#partedRun];
    const at = this.#partedAt;
    let same = 0;
    while (at + same < end && same < this.#runLength[this.#partedRun] && bytes[at + same] === this.#text[from + same]) same++;
    const parted = from + same;
    for (let token = 0; token < this.#tokens.length; token += TOKEN_WORDS) {
      const kind = this.#tokens[token] & TOKEN_KIND;
      if (kind >= TOKEN_ARRAY || this.#changes[token / TOKEN_WORDS] === 1 || this.#beginOf(token) > parted || parted > this.#tokens[token + 2]) continue;
      this.#changes[token / TOKEN_WORDS] = 1;
      this.#cut();
      return true;
    }
    return false;
  }

  /** Where a token begins, a string's quote included. */
  #beginOf(token: number): number {
    return this.#tokens[token + 1] - ((this.#tokens[token] & TOKEN_KIND) === TOKEN_STRING ? 1 : 0);
  }

  /** Where a token ends, a string's quote included. */
  #endOf(token: number): number {
    return this.#tokens[token + 2] + ((this.#tokens[token] & TOKEN_KIND) === TOKEN_STRING ? 1 : 0);
  }

  /** Cuts the text into runs at the values that change. */
  #cut(): void {
    this.#runs = 0;
    let from = 0;
    for (let token = 0; token < this.#tokens.length; token += TOKEN_WORDS) {
      if (this.#changes[token / TOKEN_WORDS] === 0) continue;
      this.#addRun(from, this.#beginOf(token), token);
      from = this.#endOf(token);
    }
    this.#addRun(from, this.#text.length, NO_TOKEN);
    this.#fix();
  }

  #addRun(from: number, to: number, token: number): void {
    const run = this.#runs++;
    this.#runStart[run] = from;
    this.#runLength[run] = to - from;
    this.#runToken[run] = token;
    this.#runName[run] = token === NO_TOKEN ? 0 : this.#tokens[token] >> TOKEN_NAME_SHIFT;
  }

  /** Marks the tokens that do not change as fixed, and finds the run that each of their places is in. */
  #fix(): void {
    let run = 0;
    for (let token = 0; token < this.#tokens.length; token += TOKEN_WORDS) {
      if (this.#changes[token / TOKEN_WORDS] === 1) continue;
      this.words[token] = this.#tokens[token] | TOKEN_FIXED;
      // Tokens stand in the order of their beginnings.
      run = this.#placeWord(token + 1, run);
      this.#placeWord(token + 2, run);
    }
  }

  /** Sets a word to its place in the text, and answers the run that this is in: `first` or one behind. */
  #placeWord(word: number, first: number): number {
    const place = this.#tokens[word];
    let run = first;
    while (place > this.#runStart[run] + this.#runLength[run]) run++;
    this.words[word] = place;
    this.#runOf[word] = run;
    return run;
  }
}
