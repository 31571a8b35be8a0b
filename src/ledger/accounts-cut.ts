import { sumAccounts } from './account-sums.ts';
import type { FigureWatcher } from './changes.ts';
import { controlTotalsOf } from './control-totals.ts';
import type { Core } from './core.ts';
import { FigureBlock } from './figure-block.ts';
import type { AccountsCut, FigureColumns } from './figure-columns.ts';
import { cashOnCashOf, investment, knownUnits, totalsOf } from './figures.ts';
import { BitSet } from './index-list.ts';
import type { ControlTotals } from './ledger.ts';

/** A block that has this many accounts takes no further property: what the thread that also answers reads does between two other things. */
const BLOCK_ACCOUNTS = 4_096;

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
  #nextAccount = 0;
  #isOpen = true;

  constructor(core: Core, asOf: number, incompleteProperties: number) {
    this.#core = core;
    this.asOf = asOf;
    this.controlTotals = controlTotalsOf(core);
    this.properties = core.accounts.knownProperties;
    this.accounts = core.accounts.knownProperties + core.accounts.knownUnits;
    this.incompleteProperties = incompleteProperties;
    this.#days = asOf - core.calendar.firstDay(core.calendar.yearOf(asOf));
    this.#size = core.accounts.ids.count;
    this.#pending.addUpTo(this.#size);
    this.#block = new FigureBlock(core, BLOCK_ACCOUNTS);
    core.changes.figureWatcher = this;
  }

  beforeFigures(property: number): void {
    if (this.#pending.remove(property)) this.#draw(property);
  }

  next(): FigureColumns | null {
    if (!this.#isOpen) throw new Error('the cut of accounts has ended already');
    while (this.#full.length === 0 && this.#nextAccount < this.#size) {
      const account = this.#nextAccount++;
      if (this.#core.accounts.ids.owner[account] === 0 && this.#pending.remove(account)) this.#draw(account);
    }
    const block = this.#full.shift() ?? this.#takeBlock();
    return block.count === 0 ? null : block.finish();
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
    const core = this.#core;
    if (core.accounts.rowCount[property] === 0) return;
    const accounts = [property, ...knownUnits(core, property)];
    const invested = investment(core, property);
    const sums = sumAccounts(core, property, accounts, this.asOf);
    accounts.forEach((account, index) => {
      const span = sums[index];
      const ytd = span === null ? null : totalsOf(span.ytd);
      const cumulative = span === null ? null : totalsOf(span.cumulative);
      const isInRange = ytd !== null && cumulative !== null;
      const cashOnCash = isInRange ? cashOnCashOf(ytd.profitLoss, this.#days, invested.cashInvested, invested.downPayment) : null;
      this.#block.add(property, account, isInRange ? ytd : null, isInRange ? cumulative : null, cashOnCash);
    });
    if (this.#block.count >= BLOCK_ACCOUNTS) this.#full.push(this.#takeBlock());
  }
}
