import { Writable } from 'node:stream';

const ERASE_REST = '\x1b[K';

/** One line at the bottom of a terminal that is drawn again and again. What else goes to that terminal is written through `above`, so that it stays whole. */
export class StatusLine {
  /** For other text of the same terminal, in whole lines. */
  readonly above: Writable;
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  #shown = '';

  constructor(terminal: { readonly write: (text: string) => void; readonly columns: () => number }) {
    this.#write = terminal.write;
    this.#columns = terminal.columns;
    this.above = new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        const shown = this.#shown;
        this.clear();
        this.#write(String(chunk));
        if (shown !== '') this.show(shown);
        done();
      },
    });
  }

  /** Draws it; text that is wider than the terminal is cut, since a line that wraps cannot be drawn over. */
  show(text: string): void {
    this.#shown = text.slice(0, Math.max(1, this.#columns() - 1));
    this.#write(`\r${this.#shown}${ERASE_REST}`);
  }

  /** Takes it away. */
  clear(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.#write(`\r${ERASE_REST}`);
  }
}
