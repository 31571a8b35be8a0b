import { TABLE_NAMES } from '../change/change.ts';
import { identifierText } from '../change/identifier.ts';
import { ACCOUNT_WORDS } from './account-store.ts';
import { Accounts } from './accounts.ts';
import { ExpenseTypes } from './categories.ts';
import { Changes } from './changes.ts';
import { ControlSums } from './control-sums.ts';
import { DeadLetters } from './dead-letters.ts';
import { FiscalCalendar } from './fiscal-calendar.ts';
import type { Definitions } from './ledger.ts';
import { PartitionTable } from './partition-table.ts';
import { RememberedDeletes } from './remembered-deletes.ts';
import { RowIndex } from './row-index.ts';
import { RowStore } from './row-store.ts';
import { StringTable } from './strings.ts';
import { TruncateMarks } from './truncate-marks.ts';

/** All that the books hold; the files of this folder work on it, each for one subject. */
export interface Core {
  readonly definitions: Definitions;
  readonly calendar: FiscalCalendar;
  readonly rows: RowStore;
  readonly index: RowIndex;
  readonly accounts: Accounts;
  readonly types: ExpenseTypes;
  /** Texts of long identifiers. */
  readonly longIds: StringTable;
  readonly partitions: PartitionTable;
  readonly changes: Changes;
  readonly sums: ControlSums;
  readonly marks: TruncateMarks;
  readonly letters: DeadLetters;
  readonly deletes: RememberedDeletes;
  /** Live rows per logical table. */
  readonly liveRows: number[];
}

/** An empty core. Throws a RangeError for a start month that is none. */
export function createCore(definitions: Definitions, rowsExpected: number): Core {
  const calendar = new FiscalCalendar(definitions.fiscalYearStartMonth);
  const rows = new RowStore();
  return {
    definitions, calendar, rows,
    index: new RowIndex(rows, rowsExpected),
    accounts: new Accounts(calendar),
    types: new ExpenseTypes(),
    longIds: new StringTable(),
    partitions: new PartitionTable(),
    changes: new Changes(),
    sums: new ControlSums(),
    marks: new TruncateMarks(),
    letters: new DeadLetters(),
    deletes: new RememberedDeletes(),
    liveRows: TABLE_NAMES.map(() => 0),
  };
}

/** Text of a row's primary key. */
export function keyText(core: Core, row: number): string {
  const words = Uint32Array.of(core.rows.keyWord(row, 0), core.rows.keyWord(row, 1), core.rows.keyWord(row, 2), core.rows.keyWord(row, 3));
  return identifierText(core.rows.keyKind(row), words, 0, (index) => core.longIds.text(index)) ?? '';
}

/** Text of an account's own identifier: the property's id, or the unit's. */
export function accountText(core: Core, account: number): string {
  const { store } = core.accounts;
  return identifierText(store.kind(account), store.words, account * ACCOUNT_WORDS, (index) => core.longIds.text(index)) ?? '';
}
