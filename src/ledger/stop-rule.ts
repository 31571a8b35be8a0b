import { ERROR_CODES } from '../errors.ts';
import type { Code } from '../errors.ts';

/** A partition whose first so many row events cannot be understood stops (2.6 of the design: a wrong option would make everything a dead letter). */
const FIRST_EVENTS = 100;
/** And one with more than half of any so many. */
const WINDOW_EVENTS = 1_000;

const UNDERSTOOD = 0;

/** Options that decide what a record means, named where a code's own action names none. */
const DECODING_OPTIONS = 'RENTFOLD_DECIMALS, RENTFOLD_COLUMNS_EXPENSES, …_RENTS, …_PROPERTIES, RENTFOLD_TABLE_EXPENSES, …_RENTS and …_PROPERTIES';

/**
 * Watches the row events of one partition for the rule above. A row event is a record that was neither passed over nor a tombstone.
 */
export class StopRule {
  readonly #codes: string[] = [''];
  /** The last row events: 0 understood, else the number of its code. */
  readonly #window = new Uint16Array(WINDOW_EVENTS);
  #next = 0;
  #inWindow = 0;
  #bad = 0;
  #firstBad = 0;
  #isFirst: boolean;

  /** A partition read before a restart goes on: with what was understood and what was not. */
  constructor(understoodBefore: number, deadLettersBefore: number) {
    this.#isFirst = understoodBefore === 0;
    this.#firstBad = deadLettersBefore;
  }

  understood(): void {
    this.#isFirst = false;
    if (this.#bad > 0) this.#push(UNDERSTOOD);
  }

  /** Notes an event that was not; answers why the partition must stop, in words, or null. */
  notUnderstood(code: string): string | null {
    let number = this.#codes.indexOf(code, 1);
    if (number < 0) number = this.#codes.push(code) - 1;
    this.#push(number);
    if (this.#isFirst && ++this.#firstBad >= FIRST_EVENTS) return `its first ${this.#firstBad} row events cannot be understood`;
    if (this.#bad * 2 > WINDOW_EVENTS) return `${this.#bad} of its last ${this.#inWindow} row events cannot be understood`;
    return null;
  }

  /** The commonest reason among the last row events, and what to do about it. */
  advice(): string {
    const counts = new Uint32Array(this.#codes.length);
    for (let i = 0; i < this.#inWindow; i++) counts[this.#window[i]]++;
    counts[UNDERSTOOD] = 0;
    const commonest = counts.indexOf(Math.max(...counts));
    const code = this.#codes[commonest];
    const entry = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as Code] : null;
    const what = entry === null ? '' : ` ${entry.meaning} ${entry.action}`;
    const options = what.includes('RENTFOLD_') ? '' : ` If the source is as it should be, an option is wrong: look at ${DECODING_OPTIONS}.`;
    return `The commonest reason is ${code} (${counts[commonest]} of the last ${this.#inWindow}).${what}${options}`;
  }

  /** While nothing in the window is bad, understood events need no place in it. */
  #push(event: number): void {
    if (this.#inWindow === WINDOW_EVENTS) {
      if (this.#window[this.#next] !== UNDERSTOOD) this.#bad--;
    } else this.#inWindow++;
    this.#window[this.#next] = event;
    if (event !== UNDERSTOOD) this.#bad++;
    this.#next = (this.#next + 1) % WINDOW_EVENTS;
  }
}
