import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import type { ChangeBatch, DeadLetter, IncompletePieces, RecordPlace } from '../change/change.ts';
import { accountText } from './core.ts';
import type { Core } from './core.ts';
import { isOvertaken, keyOfLetter, openedLetter } from './dead-letters.ts';
import type { RowKey } from './dead-letters.ts';
import type { Entry } from './entry.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE } from './ledger.ts';
import type { OpenDeadLetter, PartitionOutcome } from './ledger.ts';
import type { Place } from './order.ts';

/** What letters say from now on: the reason, and the row as far as it could be read. */
type Reason = Pick<DeadLetter, 'code' | 'message' | 'table' | 'key' | 'property'>;

/** Opens, changes and ends letters while a batch is folded. One object serves a batch; entries are asked for in rising order. */
export class LetterFold {
  /** Dead letters opened so far. */
  readonly opened: OpenDeadLetter[] = [];
  readonly #core: Core;
  readonly #batch: ChangeBatch;
  readonly #counters: readonly PartitionOutcome[];
  #nextLetter = 0;
  #nextJoined = 0;

  constructor(core: Core, batch: ChangeBatch, counters: readonly PartitionOutcome[]) {
    this.#core = core;
    this.#batch = batch;
    this.#counters = counters;
  }

  /** Opens the dead letter of an entry. `removedFrom`: the account that the first half of a changed primary key took a row out of, or -1. */
  open(index: number, entry: Entry, removedFrom: number): void {
    const letter = this.#letterOf(index);
    if (letter === null) throw new RangeError(`entry ${index} of a batch is a dead letter without a letter`);
    if (keyOfLetter(letter, this.#core.longIds) === null && letter.property === null) this.#counters[entry.batchPartition].unattributed++;
    this.#open(letter, entry, removedFrom);
  }

  /** Keeps a piece of an event that awaits the others. A piece that is there already has no letter. */
  keep(index: number, entry: Entry): void {
    const letter = this.#letterOf(index);
    if (letter === null) return;
    entry.read(index);
    const key = keyOfLetter(letter, this.#core.longIds);
    this.#core.letters.open(openedLetter(letter, [letter.property], key === null ? null : propertyOf(this.#core, key), entry), key, entry.partition);
  }

  /** When an entry was joined from pieces: their letters end, or say what the entry's own dead letter says. */
  followJoined(index: number, isDead: boolean, entry: Entry, removedFrom: number): void {
    const { joined } = this.#batch;
    if (joined === undefined || joined[this.#nextJoined]?.entry !== index) return;
    const { pieces } = joined[this.#nextJoined++];
    for (const piece of pieces) {
      if (isDead) this.#change(piece, this.#letterOf(index)!, entry, removedFrom);
      else this.#core.letters.dismiss(piece.topic, piece.partition, piece.offset);
    }
  }

  /** Tells what is known of an event that is not whole. Its pieces name what they named before. */
  incomplete({ pieces, code, message }: IncompletePieces): void {
    for (const piece of pieces) {
      const kept = this.#core.letters.at(piece);
      if (kept !== undefined) this.#change(piece, { ...kept.letter, code, message }, null, -1);
    }
  }

  /** Opens a kept piece's letter anew with another reason. It stands where `place` says, or where it stood. */
  #change(piece: RecordPlace, { code, message, table, key, property }: Reason, place: Place | null, removedFrom: number): void {
    const kept = this.#core.letters.at(piece);
    if (kept === undefined) return;
    this.#core.letters.dismiss(piece.topic, piece.partition, piece.offset);
    this.#open({ ...kept.letter, code, message, table, key, property }, place ?? kept.place, removedFrom);
  }

  /**
   * Opens a dead letter. It marks the property it names, the one its row's known image is on, and, when it is the second half of a
   * changed primary key, the one the old row was on.
   */
  #open(letter: DeadLetter, place: Place, removedFrom: number): void {
    const core = this.#core;
    const key = keyOfLetter(letter, core.longIds);
    if (isLate(core, letter, key, place, removedFrom)) {
      this.opened.push(openedLetter(letter, [], null, place));
      return;
    }
    const named = [letter.property, removedFrom < 0 ? null : accountText(core, core.accounts.propertyOf(removedFrom))];
    const opened = openedLetter(letter, named, key === null ? null : propertyOf(core, key), place);
    core.letters.open(opened, key, place.partition);
    this.opened.push(opened);
  }

  /** The letter of an entry: a dead one, one that stands by for a partial update, or a kept piece's. */
  #letterOf(index: number): DeadLetter | null {
    const { letters } = this.#batch;
    while (this.#nextLetter < letters.length && letters[this.#nextLetter].entry < index) this.#nextLetter++;
    const found = letters[this.#nextLetter];
    return found?.entry === index ? found.letter : null;
  }
}

/** Whether a letter's table was truncated later, or its row, live or deleted, is known as it became later. */
function isLate(core: Core, letter: DeadLetter, key: RowKey | null, place: Place, removedFrom: number): boolean {
  if (letter.table !== null && core.marks.covering(TABLE_NAMES.indexOf(letter.table), place) !== null) return true;
  if (key === null || removedFrom >= 0) return false;
  const { rows } = core;
  const row = findRow(core, key);
  if (row < 0 || rows.state(row) === ROW_FORGOTTEN) return false;
  const known: Place = { partition: rows.partition(row), position: new Uint32Array(POSITION_WORDS), positionAt: 0, commitTime: rows.commitTime(row) };
  rows.loadPosition(row, known.position, 0);
  return isOvertaken(place, letter.time, known, rows.state(row) === ROW_DELETED);
}

function findRow(core: Core, { table, keyKind, a, b, c, d, hash }: RowKey): number {
  return core.index.find(table, keyKind, a, b, c, d, hash);
}

/** Text of the property the known image of a row is on, or null. */
export function propertyOf(core: Core, key: RowKey): string | null {
  const row = findRow(core, key);
  if (row < 0 || core.rows.state(row) !== ROW_LIVE) return null;
  return accountText(core, core.accounts.propertyOf(core.rows.account(row)));
}
