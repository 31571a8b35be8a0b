import type { AccountColumns } from './ledger.ts';

/** Own numbers of the accounts that blocks hold, filled as blocks of a segment come: an identifier is looked up once a segment, not once a block. */
export class SegmentNumbers {
  /** The segment the last numbered block was read from, and own numbers plus one by number there. */
  #segment: { readonly name: string; readonly known: Uint32Array } | null = null;

  /** Calls `use` with the own number of each account of a block. `find` answers the number of one that was not met in its segment, or whose block is of none. */
  forEach({ count, numbered }: AccountColumns, find: (at: number) => number, use: (number: number, at: number) => void): void {
    if (numbered === undefined) {
      for (let at = 0; at < count; at++) use(find(at), at);
      return;
    }
    const { segment, size, numbers } = numbered;
    if (this.#segment?.name !== segment) this.#segment = { name: segment, known: new Uint32Array(size) };
    const { known } = this.#segment;
    for (let at = 0; at < count; at++) {
      const met = known[numbers[at]];
      const number = met > 0 ? met - 1 : find(at);
      known[numbers[at]] = number + 1;
      use(number, at);
    }
  }
}
