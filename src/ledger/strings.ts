/** Texts with numbers 0, 1, 2, … in order of arrival: long identifiers and expense types. */
export class StringTable {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** The number, or -1. */
  find(text: string): number {
    return this.#numbers.get(text) ?? -1;
  }

  text(index: number): string {
    return this.#texts[index];
  }
}
