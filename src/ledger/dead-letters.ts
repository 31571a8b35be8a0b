import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import type { DeadLetter, RecordPlace, TableName } from '../change/change.ts';
import { encodeIdentifierText } from '../change/identifier.ts';
import { POSITION_FAMILY, POSITION_NONE, POSITION_TIME } from '../change/position.ts';
import { ORDER_EQUAL, ORDER_HIGHER, ORDER_INCOMPARABLE } from '../change/position-order.ts';
import { partitionName } from '../source/positions.ts';
import type { OpenDeadLetter } from './ledger.ts';
import { VERDICT_ACCEPTED, compareWith, isTruncated, judge } from './order.ts';
import type { Place } from './order.ts';
import { hashRow } from './row-index.ts';
import type { StringTable } from './strings.ts';

/** A row's key in the books' own numbers. */
export interface RowKey {
  table: number;
  keyKind: number;
  a: number;
  b: number;
  c: number;
  d: number;
  hash: number;
}

interface Open {
  letter: OpenDeadLetter;
  readonly key: RowKey | null;
  /** Where the record stands, as far as it could be read; its position may be none. */
  readonly place: Place;
}

/** The open dead letters, by place, by the row they name, and by the property they mark incomplete. */
export class DeadLetters {
  readonly #byPlace = new Map<string, Open>();
  readonly #byRow = new Map<number, Open[]>();
  readonly #lettersOfProperty = new Map<string, number>();

  get count(): number {
    return this.#byPlace.size;
  }

  /** Opens a letter as it is, also one from a checkpoint. `partition` is the record's, in the books' own number. */
  open(opened: OpenDeadLetter, key: RowKey | null, partition: number): void {
    const { letter } = opened;
    this.dismiss(letter.topic, letter.partition, letter.offset);
    const place = { partition, position: Uint32Array.from(opened.position), positionAt: 0, commitTime: opened.commitTime ?? Number.NaN };
    const open: Open = { letter: opened, key, place };
    this.#byPlace.set(placeName(letter), open);
    for (const property of opened.properties) this.#mark(property, 1);
    if (key !== null) {
      const others = this.#byRow.get(key.hash);
      if (others === undefined) this.#byRow.set(key.hash, [open]);
      else others.push(open);
    }
  }

  /** Takes a letter off the register; false when there is none at this place. */
  dismiss(topic: string, partition: number, offset: number): boolean {
    const open = this.#byPlace.get(placeName({ topic, partition, offset }));
    if (open === undefined) return false;
    this.#close(open);
    return true;
  }

  /** The letter at a place and where its record stands, or undefined. */
  at(place: RecordPlace): { readonly letter: DeadLetter; readonly place: Place } | undefined {
    const open = this.#byPlace.get(placeName(place));
    return open === undefined ? undefined : { letter: open.letter.letter, place: open.place };
  }

  /** True while no letter names a row: then there is nothing for `folded` to do. */
  get namesNoRow(): boolean {
    return this.#byRow.size === 0;
  }

  /**
   * A record of a row was folded (applied or unchanged): letters of that row end, unless the record is older than the letter's; then
   * they mark the property the row is on now, and no longer the one it was on before: as if the records had been read in time. A piece that
   * awaits the others ends with its event.
   */
  folded(key: RowKey, record: Place, deletes: boolean, propertyOfRow: () => string | null): void {
    for (const open of this.#byRow.get(key.hash) ?? []) {
      if (open.key === null || !isSameKey(open.key, key)) continue;
      if (!isPending(open) && isAfter(record, deletes, open)) this.#close(open);
      else this.#follow(open, propertyOfRow());
    }
  }

  /** A table was truncated: letters about rows that stood there before say nothing any more. */
  truncated(table: TableName, mark: Place): void {
    for (const open of this.#byPlace.values()) if (open.letter.letter.table === table && !isPending(open) && isEmptied(open.place, mark)) this.#close(open);
  }

  /** Whether a letter marks the property. */
  marks(property: string): boolean {
    return this.#lettersOfProperty.has(property);
  }

  markedProperties(): Iterable<string> {
    return this.#lettersOfProperty.keys();
  }

  all(): OpenDeadLetter[] {
    return Array.from(this.#byPlace.values(), (open) => open.letter);
  }

  #close(open: Open): void {
    this.#byPlace.delete(placeName(open.letter.letter));
    for (const property of open.letter.properties) this.#mark(property, -1);
    if (open.key === null) return;
    const others = this.#byRow.get(open.key.hash)?.filter((other) => other !== open) ?? [];
    if (others.length === 0) this.#byRow.delete(open.key.hash);
    else this.#byRow.set(open.key.hash, others);
  }

  #follow(open: Open, property: string | null): void {
    const { letter } = open;
    for (const marked of letter.properties) this.#mark(marked, -1);
    open.letter = { ...letter, ...marksOf(letter.properties.filter((marked) => marked !== letter.imageProperty), property) };
    for (const marked of open.letter.properties) this.#mark(marked, 1);
  }

  #mark(property: string, by: 1 | -1): void {
    const letters = (this.#lettersOfProperty.get(property) ?? 0) + by;
    if (letters === 0) this.#lettersOfProperty.delete(property);
    else this.#lettersOfProperty.set(property, letters);
  }
}

/** A letter as it is opened: it marks `named`, and `image`, the property its row is on, if that is known. */
export function openedLetter(letter: DeadLetter, named: readonly (string | null)[], image: string | null, place: Place): OpenDeadLetter {
  const { position, positionAt, commitTime } = place;
  return {
    letter,
    ...marksOf([...new Set(named.filter((property) => property !== null))], image),
    position: [...position.subarray(positionAt, positionAt + POSITION_WORDS)],
    commitTime: Number.isNaN(commitTime) ? null : commitTime,
  };
}

function marksOf(named: readonly string[], image: string | null): Pick<OpenDeadLetter, 'properties' | 'imageProperty'> {
  return image === null || named.includes(image) ? { properties: named, imageProperty: null } : { properties: [...named, image], imageProperty: image };
}

/** The row a letter names, or null. */
export function keyOfLetter(letter: DeadLetter, longIds: StringTable): RowKey | null {
  if (letter.table === null || letter.key === null) return null;
  const words = new Uint32Array(4);
  const keyKind = encodeIdentifierText(letter.key, words, 0, (text) => longIds.intern(text));
  const table = TABLE_NAMES.indexOf(letter.table);
  const [a, b, c, d] = words;
  return { table, keyKind, a, b, c, d, hash: hashRow(table, keyKind, a, b, c, d) };
}

/** Whether a truncate read after a letter is later than the letter's record. Elsewhere than in its own partition, what cannot be told is not. */
function isEmptied(letter: Place, mark: Place): boolean {
  if (letter.partition === mark.partition) return isTruncated(letter, mark);
  const order = compareWith(letter, mark);
  return order === ORDER_INCOMPARABLE ? letter.commitTime < mark.commitTime : order !== ORDER_HIGHER;
}

/** Whether a good record read after a letter is later than the letter's. In one partition it is, unless it is a re-send. */
function isAfter(record: Place, deletes: boolean, { place, letter }: Open): boolean {
  if (record.partition === place.partition) return (judge(record, place, deletes) & VERDICT_ACCEPTED) !== 0;
  return isLater(record, deletes, place, letter.letter.time) ?? !deletes;
}

/**
 * Whether a good record of another partition is later than a letter's, which stands at `letter` and was written at `writtenAt`. Positions
 * decide, if the letter's could be read: at the same one, which must be more than a time, a delete gives way. Otherwise a commit time
 * before the letter's own record was written says that it may not be. Null: the record says nothing about when it was.
 */
function isLater(record: Place, deletes: boolean, letter: Place, writtenAt: number | null): boolean | null {
  const family = letter.position[letter.positionAt] & POSITION_FAMILY;
  if (family !== POSITION_NONE) {
    const order = compareWith(record, letter);
    if (order !== ORDER_INCOMPARABLE) return order === ORDER_HIGHER || (order === ORDER_EQUAL && !deletes && family > POSITION_TIME);
  }
  return Number.isNaN(record.commitTime) ? null : !(record.commitTime < (writtenAt ?? Number.NaN));
}

/**
 * Whether a letter says nothing any more when it is read, because what is known of its row is later: so the answer is the same as if it
 * had been read in time. In the row's own partition that is a re-send.
 */
export function isOvertaken(letter: Place, writtenAt: number | null, known: Place, isDeleted: boolean): boolean {
  if (letter.partition === known.partition) return (judge(letter, known, false) & VERDICT_ACCEPTED) === 0;
  return isLater(known, isDeleted, letter, writtenAt) ?? false;
}

function isSameKey(a: RowKey, b: RowKey): boolean {
  return a.table === b.table && a.keyKind === b.keyKind && a.a === b.a && a.b === b.b && a.c === b.c && a.d === b.d;
}

/** A letter that is none yet: a piece of an event whose other pieces may come. */
function isPending({ letter }: Open): boolean {
  return letter.letter.code === 'SEGMENT_PENDING';
}

function placeName(place: RecordPlace): string {
  return `${partitionName(place)}/${place.offset}`;
}
