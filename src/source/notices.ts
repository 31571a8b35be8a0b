import type { Code } from '../errors.ts';
import type { SourceEvent } from './source.ts';

/** Warnings of a source, each said once until it is over. */
export class Notices {
  readonly #say: (event: SourceEvent) => void;
  readonly #said = new Set<string>();

  constructor(say: (event: SourceEvent) => void) {
    this.#say = say;
  }

  warn(about: string, message: string, code: Code = 'SOURCE_RETRYING'): void {
    if (this.#said.has(about)) return;
    this.#said.add(about);
    this.#say({ kind: 'warned', warning: { code, message } });
  }

  over(about: string): void {
    this.#said.delete(about);
  }
}
