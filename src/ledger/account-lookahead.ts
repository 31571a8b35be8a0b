import type { ChangeBatch } from '../change/change.ts';
import { ID_LONG, ID_NONE } from '../change/identifier.ts';
import { hashAccount } from './account-store.ts';
import type { Core } from './core.ts';

/** Entries whose accounts are looked up together: what they lead to fits the processor's own memory until they are folded. */
export const LOOKAHEAD_ENTRIES = 64;

const UNKNOWN = -1;

/**
 * Looks up the accounts that a group of entries names before they are folded, step by step for all of them, so that the memory they lie in is fetched side by side
 * instead of one after the other. Changes nothing: an account that is not there yet, or has a long identifier, is left to whoever folds.
 */
export class AccountLookahead {
  readonly #core: Core;
  readonly #batch: ChangeBatch;
  readonly #properties = new Int32Array(LOOKAHEAD_ENTRIES);
  readonly #units = new Int32Array(LOOKAHEAD_ENTRIES);
  readonly #hashes = new Uint32Array(LOOKAHEAD_ENTRIES);
  #first = 0;
  #end = 0;
  #touched = 0;

  constructor(core: Core, batch: ChangeBatch) {
    this.#core = core;
    this.#batch = batch;
  }

  /** Looks up for the entries `first` … `end` − 1, at most LOOKAHEAD_ENTRIES. */
  look(first: number, end: number): void {
    this.#first = first;
    this.#end = end;
    const { propertyKind, property, unitKind, unit } = this.#batch;
    this.#find(propertyKind, property, this.#properties, null);
    this.#find(unitKind, unit, this.#units, this.#properties);
    this.#touchTotals();
  }

  /** The account of the property that an entry of the group names, or -1. */
  property(index: number): number {
    return this.#properties[index - this.#first];
  }

  /** The account of the unit that an entry of the group names, within `property`; that of the property when it names none; or -1. */
  unit(index: number, property: number): number {
    return this.#properties[index - this.#first] === property ? this.#units[index - this.#first] : UNKNOWN;
  }

  /** Keeps the reads from being optimised away. */
  get touched(): number {
    return this.#touched;
  }

  #find(kinds: Uint8Array, words: Uint32Array, found: Int32Array, owners: Int32Array | null): void {
    const { store } = this.#core.accounts;
    const hashes = this.#hashes;
    const first = this.#first;
    const count = this.#end - first;
    let touched = 0;
    for (let i = 0; i < count; i++) {
      const at = (first + i) * 4;
      hashes[i] = hashAccount(owners === null ? 0 : owners[i] + 1, kinds[first + i], words[at], words[at + 1], words[at + 2], words[at + 3]);
      touched ^= store.touchPlace(hashes[i]);
    }
    for (let i = 0; i < count; i++) touched ^= store.touchAccount(hashes[i]);
    for (let i = 0; i < count; i++) {
      const at = (first + i) * 4;
      const kind = kinds[first + i];
      const owner = owners === null ? 0 : owners[i] + 1;
      if (kind === ID_LONG || (owners !== null && owner === 0)) found[i] = UNKNOWN;
      else if (kind === ID_NONE) found[i] = owner - 1;
      else found[i] = store.findHashed(hashes[i], owner, kind, words[at], words[at + 1], words[at + 2], words[at + 3]);
    }
    this.#touched ^= touched;
  }

  #touchTotals(): void {
    const { accounts } = this.#core;
    let touched = 0;
    for (let i = this.#end - this.#first - 1; i >= 0; i--) {
      if (this.#properties[i] >= 0) touched ^= accounts.touchTotals(this.#properties[i]);
      if (this.#units[i] >= 0) touched ^= accounts.touchTotals(this.#units[i]);
    }
    this.#touched ^= touched;
  }
}
