import { TextShape } from './text-shape.ts';
import { TOKEN_WORDS } from './token.ts';

/** A table's creations, updates, deletes and snapshot rows have each their own shape, and there are three tables. */
const SHAPES_MAX = 12;
/** Longer texts are rare, and a shape of one would hold memory for as long as nothing else is met. */
const BYTES_MAX = 65_536;
const TOKENS_MAX = 1_024;
/** So many texts without a shape in a row are all learnt; of those after them, one of so many. */
const MISSES_LEARNT = 64;
const MISSES_PASSED = 32;

/** The shapes of the texts read lately, the newest first. */
export class TextShapes {
  /** Where the value that `find` was asked for ends. */
  end = 0;
  readonly #shapes: TextShape[] = [];
  #misses = 0;

  /** The shape of the value at `start`, its `words` set to the value's tokens, or null when it has none that is known. `view` is over `bytes`. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): TextShape | null {
    const shapes = this.#shapes;
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i];
      const close = shape.match(bytes, view, start, end);
      if (close < 0) continue;
      for (let k = i; k > 0; k--) shapes[k] = shapes[k - 1];
      shapes[0] = shape;
      this.end = close;
      this.#misses = 0;
      return shape;
    }
    return null;
  }

  /** Learns the shape of `bytes[start..end)`, a value that was found to have none, from its tokens. Texts of ever new shapes are not all learnt. */
  learn(bytes: Uint8Array, start: number, end: number, words: Int32Array, size: number): void {
    const misses = ++this.#misses;
    if (end - start > BYTES_MAX || size > TOKENS_MAX * TOKEN_WORDS || (misses > MISSES_LEARNT && misses % MISSES_PASSED !== 0)) return;
    if (this.#shapes.length === SHAPES_MAX) this.#shapes.pop();
    this.#shapes.unshift(new TextShape(bytes, start, end, words, size));
  }
}
