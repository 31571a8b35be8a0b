import { sumAccounts, sumWholeInto } from './account-sums.ts';
import { FIELDS } from './categories.ts';
import type { FigureWatcher } from './changes.ts';
import { controlTotalsOf } from './control-totals.ts';
import type { Core } from './core.ts';
import { FigureBlock } from './figure-block.ts';
import type { AccountsCut, FigureColumns } from './figure-columns.ts';
import { cashOnCashOf, investment, knownUnits } from './figures.ts';
import { BitSet } from './index-list.ts';
import type { ControlTotals } from './ledger.ts';

/** A block that has this many accounts takes no further property. */
const BLOCK_ACCOUNTS = 4_096;
/** Accounts drawn, looked at, and rows walked in a slice: what the thread that also answers reads does between two other things. */
const SLICE_ACCOUNTS = 512;
const SLICE_LOOKS = 65_536;
const SLICE_ROWS = 8_192;

/**
 * A picture of all accounts at one moment. Properties still to be drawn are marked in a bit set. All that the figures of a property and its units
 * follow from is its own: so one that is about to change is drawn as it is, and nothing has to be copied aside.
 */
export class DrawnAccounts implements AccountsCut, FigureWatcher {
  readonly asOf: number;
  readonly controlTotals: ControlTotals;
  readonly accounts: number;
  readonly properties: number;
  readonly incompleteProperties: number;
  readonly #core: Core;
  /** Days from the first of the fiscal year to `asOf`. */
  readonly #days: number;
  readonly #pending = new BitSet();
  /** Accounts of the books at the moment of the cut; those that were unknown then are pending too, and draw nothing. */
  readonly #size: number;
  readonly #full: FigureBlock[] = [];
  #block: FigureBlock;
  /** Scratch. */
  readonly #ytd = new Array<number>(FIELDS).fill(0);
  readonly #cumulative = new Array<number>(FIELDS).fill(0);
  #nextAccount = 0;
  #drawn = 0;
  /** Rows of chains walked so far. */
  #walked = 0;
  #isOpen = true;

  constructor(core: Core, asOf: number, incompleteProperties: number) {
    this.#core = core;
    this.asOf = asOf;
    this.controlTotals = controlTotalsOf(core);
    this.properties = core.accounts.knownProperties;
    this.accounts = core.accounts.knownProperties + core.accounts.knownUnits;
    this.incompleteProperties = incompleteProperties;
    this.#days = asOf - core.calendar.firstDay(core.calendar.yearOf(asOf));
    this.#size = core.accounts.count;
    this.#pending.addUpTo(this.#size);
    this.#block = new FigureBlock(core, BLOCK_ACCOUNTS);
    core.changes.figureWatcher = this;
  }

  beforeFigures(property: number): void {
    if (this.#pending.remove(property)) this.#draw(property);
  }

  draw(): boolean {
    if (!this.#isOpen) throw new Error('the cut of accounts has ended already');
    const { store } = this.#core.accounts;
    const [enough, looked, walked] = [this.#drawn + SLICE_ACCOUNTS, this.#nextAccount + SLICE_LOOKS, this.#walked + SLICE_ROWS];
    while (this.#nextAccount < this.#size && this.#drawn < enough && this.#nextAccount < looked && this.#walked < walked) {
      const account = this.#nextAccount++;
      if (store.owner(account) === 0 && this.#pending.remove(account)) this.#draw(account);
    }
    return this.#nextAccount < this.#size;
  }

  take(): FigureColumns | null {
    const full = this.#full.shift();
    if (full !== undefined) return full.finish();
    if (this.#nextAccount < this.#size || this.#block.count === 0) return null;
    return this.#takeBlock().finish();
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#core.changes.figureWatcher = null;
  }

  #takeBlock(): FigureBlock {
    const block = this.#block;
    this.#block = new FigureBlock(this.#core, BLOCK_ACCOUNTS);
    return block;
  }

  /** The property's own figures and those of its units, as a read would answer each. */
  #draw(property: number): void {
    const { accounts } = this.#core;
    if (accounts.rowCount(property) === 0) return;
    const { cashInvested, downPayment } = investment(this.#core, property);
    const cashOnCash = (profitLoss: number): number | null => cashOnCashOf(profitLoss, this.#days, cashInvested, downPayment);
    const before = this.#block.count;
    if (accounts.newestDay(property) <= this.asOf) this.#drawWhole(property, cashOnCash);
    else {
      const drawn = [property, ...knownUnits(this.#core, property)];
      this.#walked += accounts.rowCount(property);
      const sums = sumAccounts(this.#core, property, drawn, this.asOf);
      drawn.forEach((account, index) => this.#block.add(property, account, sums[index]?.ytd ?? null, sums[index]?.cumulative ?? null, cashOnCash));
    }
    this.#drawn += this.#block.count - before;
    if (this.#block.count >= BLOCK_ACCOUNTS) this.#full.push(this.#takeBlock());
  }

  /** A property without rows dated after `asOf`: nothing is made for it but its place in the columns. */
  #drawWhole(property: number, cashOnCash: (profitLoss: number) => number | null): void {
    const { accounts } = this.#core;
    for (let account = property; account >= 0; account = account === property ? accounts.firstUnit(property) : accounts.nextUnit(account)) {
      if (accounts.rowCount(account) === 0) continue;
      if (accounts.needsRecount(account)) this.#walked += accounts.rowCount(property);
      const isInRange = sumWholeInto(this.#core, account, this.asOf, this.#ytd, this.#cumulative);
      this.#block.add(property, account, isInRange ? this.#ytd : null, isInRange ? this.#cumulative : null, cashOnCash);
    }
  }
}
