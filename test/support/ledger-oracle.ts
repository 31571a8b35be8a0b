/**
 * The rules of the ledger a second time, slowly: Maps of objects, BigInt sums, positions as plain numbers. Written from the rules, not
 * from the code; shares no code with it but the table's names.
 */
import type { TestPosition, TestRecord } from './batches.ts';

interface Seen {
  partition: number;
  position: TestPosition;
  time: number;
}

export interface OracleRow extends Seen {
  readonly table: string;
  readonly key: string;
  /** Null: a remembered delete. */
  image: OracleImage | null;
  foldedAt: number;
}

export interface OracleImage {
  readonly property: string;
  readonly unit: string | null;
  readonly day: number;
  readonly amount: bigint | null;
  readonly amount2: bigint | null;
  readonly type: string | null;
  readonly flag: boolean;
}

export type OracleOutcome = 'applied' | 'unchanged' | 'superseded' | 'passedOver' | 'deadLetters';

type Order = 'lower' | 'equal' | 'higher' | 'incomparable';

const NOWHERE: TestPosition = { family: 'none', numbers: [] };

function compareLists(a: readonly number[], b: readonly number[]): Order {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? 'lower' : 'higher';
  return 'equal';
}

export function compareSlowly(a: Seen, b: Seen): Order {
  const [p, q] = [a.position, b.position];
  const epochs = compareLists([p.epoch ?? 0], [q.epoch ?? 0]);
  if (epochs !== 'equal') return epochs;
  if (p.family !== q.family || p.family === 'none') return 'incomparable';
  const snapshots = compareLists([p.snapshot === true ? 0 : 1], [q.snapshot === true ? 0 : 1]);
  if (p.family === 'binlog') {
    const [s, t] = [p.numbers[3], q.numbers[3]];
    if (s !== t && s !== 0 && t !== 0) return 'incomparable';
    const place = compareLists(p.numbers.slice(0, 2), q.numbers.slice(0, 2));
    if (place !== 'equal') return place;
    return snapshots !== 'equal' ? snapshots : compareLists([p.numbers[2]], [q.numbers[2]]);
  }
  if (p.family === 'postgres') {
    const first = compareLists([p.numbers[0]], [q.numbers[0]]);
    const isInFlight = (change: TestPosition, row: TestPosition): boolean => change.commitMissing === true && change.snapshot !== true && row.snapshot === true;
    if (first === 'lower' && isInFlight(p, q) && a.time === a.time && b.time === b.time) return a.time >= b.time ? 'higher' : 'lower';
    if (first === 'higher' && isInFlight(q, p) && a.time === a.time && b.time === b.time) return b.time >= a.time ? 'lower' : 'higher';
    if (first !== 'equal') return first;
    return snapshots !== 'equal' ? snapshots : compareLists([p.numbers[1]], [q.numbers[1]]);
  }
  const numbers = compareLists(p.numbers, q.numbers);
  return numbers !== 'equal' ? numbers : snapshots;
}

export class LedgerOracle {
  readonly rows = new Map<string, OracleRow>();
  readonly counts = { applied: 0, unchanged: 0, superseded: 0, passedOver: 0, deadLetters: 0 };
  #marks: { table: string; seen: Seen }[] = [];
  readonly #days: number;

  constructor(deletedKeysDays: number) {
    this.#days = deletedKeysDays;
  }

  fold(records: readonly TestRecord[], now: number, mayForgetDeletes: boolean): void {
    let carried = false;
    for (const record of records) {
      let outcome = this.#foldRecord(record, now);
      if ('continued' in record && record.continued === true) {
        carried ||= outcome === 'applied';
        continue;
      }
      if (carried && (outcome === 'unchanged' || outcome === 'superseded')) outcome = 'applied';
      carried = false;
      this.counts[outcome]++;
    }
    if (!mayForgetDeletes) return;
    for (const [key, row] of this.rows) if (row.image === null && row.foldedAt <= now - this.#days * 86_400_000) this.rows.delete(key);
  }

  get live(): OracleRow[] {
    return [...this.rows.values()].filter((row) => row.image !== null);
  }

  #foldRecord(record: TestRecord, now: number): OracleOutcome {
    switch (record.kind) {
      case 'passed-over': return 'passedOver';
      case 'letter': return 'deadLetters';
      case 'truncate': return this.#truncate(record, now);
      case 'tombstone': return this.#tombstone(record, now);
      case 'delete':
      case 'upsert':
      case 'partial': return this.#row(record, now);
    }
  }

  #row(record: TestRecord & { kind: 'delete' | 'upsert' | 'partial' }, now: number): OracleOutcome {
    const seen = seenOf(record);
    if (this.#marks.some((mark) => mark.table === record.table && isDropped(seen, mark.seen))) return 'superseded';
    const name = `${record.table} ${record.key}`;
    const row = this.rows.get(name);
    const deletes = record.kind === 'delete';
    if (row === undefined) {
      if (record.kind === 'partial') return 'deadLetters';
      const image = record.kind === 'delete' ? null : imageOf(record, null);
      this.rows.set(name, { table: record.table, key: record.key, ...seen, image, foldedAt: now });
      return 'applied';
    }
    const order = compareSlowly(seen, row);
    const isExact = !['none', 'time'].includes(seen.position.family);
    if (record.kind === 'partial' && row.image !== null && row.partition !== seen.partition) {
      return order === 'equal' && isExact ? 'unchanged' : 'deadLetters';
    }
    let accepted: boolean;
    const loses = deletes && row.image !== null;
    if (row.partition === seen.partition) {
      accepted = !(seen.time <= row.time && (order === 'lower' || (order === 'equal' && loses && isExact)));
    } else if (order === 'incomparable') {
      accepted = seen.time > row.time || (!(seen.time < row.time) && !loses);
    } else accepted = order === 'higher' || (order === 'equal' && !loses);
    if (!accepted) {
      row.time = later(row.time, seen.time);
      return 'superseded';
    }
    if (record.kind === 'partial' && row.image === null) return 'deadLetters';
    const image = record.kind === 'delete' ? null : imageOf(record, record.kind === 'partial' ? row.image : null);
    const changed = JSON.stringify(image, bigints) !== JSON.stringify(row.image, bigints);
    const fell = order === 'lower' && seen.time > row.time;
    const rises = order === 'higher' || order === 'incomparable' || fell;
    const news = rises || later(row.time, seen.time) !== row.time && !(Number.isNaN(row.time) && Number.isNaN(seen.time)) || row.partition !== seen.partition;
    if (rises) row.position = seen.position;
    row.time = later(row.time, seen.time);
    row.partition = seen.partition;
    row.image = image;
    if (deletes && (changed || news)) row.foldedAt = now;
    return changed ? 'applied' : 'unchanged';
  }

  #tombstone(record: TestRecord & { kind: 'tombstone' }, now: number): OracleOutcome {
    const row = this.rows.get(`${record.table} ${record.key}`);
    if (row === undefined) return 'unchanged';
    if (row.partition !== (record.partition ?? 0)) return 'superseded';
    if (row.image === null) return 'unchanged';
    row.image = null;
    row.foldedAt = now;
    return 'applied';
  }

  #truncate(record: TestRecord & { kind: 'truncate' }, now: number): OracleOutcome {
    const seen = seenOf(record);
    const known = this.#marks.find((mark) => mark.table === record.table && includes(mark.seen, seen));
    if (known?.seen.partition === seen.partition) return 'unchanged';
    let removed = false;
    for (const [name, row] of this.rows) {
      if (row.table !== record.table || row.image === null) continue;
      const own = row.partition === seen.partition;
      const order = compareSlowly(row, seen);
      let goes: boolean;
      if (known !== undefined) goes = own && row.time < seen.time;
      else if (order === 'incomparable') goes = own || !(row.time >= seen.time);
      else goes = order !== 'higher' || (own && row.time < seen.time);
      if (!goes) continue;
      removed = true;
      if (isDropped(row, seen)) {
        this.rows.delete(name);
        continue;
      }
      row.image = null;
      row.foldedAt = now;
      if (order === 'higher') row.position = seen.position;
      if (seen.time > row.time) row.time = seen.time;
    }
    if (known === undefined) {
      this.#marks = [...this.#marks.filter((mark) => !(mark.table === record.table && includes(seen, mark.seen))), { table: record.table, seen }];
    }
    return removed || known === undefined ? 'applied' : 'unchanged';
  }
}

function seenOf(record: TestRecord): Seen {
  return { partition: record.partition ?? 0, position: record.position ?? NOWHERE, time: record.time ?? Number.NaN };
}

/** Whether a truncate drops a record that is read after it. */
function isDropped(seen: Seen, mark: Seen): boolean {
  const order = compareSlowly(seen, mark);
  const own = seen.partition === mark.partition;
  if (order === 'incomparable') return !own && seen.time < mark.time;
  const { family, snapshot, commitMissing } = seen.position;
  const saysWhenRead = family === 'postgres' && snapshot === true && commitMissing !== true;
  if (order === 'higher' || (seen.time > mark.time && !saysWhenRead)) return false;
  return !(order === 'equal' && own && seen.position.family === 'time');
}

function includes(mark: Seen, other: Seen): boolean {
  const order = compareSlowly(other, mark);
  return (order === 'lower' || order === 'equal') && (Number.isNaN(mark.time) || other.time <= mark.time);
}

function later(a: number, b: number): number {
  return Number.isNaN(a) || b > a ? b : a;
}

const BITS = { property: 1, unit: 2, date: 4, amount: 8, type: 16, flag: 32, amount2: 64 };

function imageOf(record: TestRecord & { kind: 'upsert' | 'partial' }, known: OracleImage | null): OracleImage {
  const has = (bit: number): boolean => known === null || record.kind !== 'partial' || (record.present & bit) !== 0;
  const isProperty = record.table === 'properties';
  const money = (units: number | null | undefined): bigint | null => (units === null || units === undefined ? null : BigInt(units));
  return {
    property: isProperty ? record.key : has(BITS.property) ? record.property! : known!.property,
    unit: isProperty ? null : has(BITS.unit) ? record.unit ?? null : known!.unit,
    day: isProperty ? 0 : has(BITS.date) ? Date.parse(record.date!) / 86_400_000 : known!.day,
    amount: has(BITS.amount) ? money(record.amount) : known!.amount,
    amount2: !isProperty ? null : has(BITS.amount2) ? money(record.amount2) : known!.amount2,
    type: record.table !== 'expenses' ? null : has(BITS.type) ? record.type ?? null : known!.type,
    flag: isProperty ? false : has(BITS.flag) ? record.flag === true : known!.flag,
  };
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

const CATEGORIES: Record<string, string> = {
  pandi: 'piti', tax: 'tax', utilities: 'utilities', maintenance: 'maintenance', capex: 'capex', insurance: 'insurance', property_management: 'propertyManagement',
};

/** Plain sums over rows of a property (and unit) with days in [from, to]. */
export function sumSlowly(rows: readonly OracleRow[], property: string, unit: string | null, from: number, to: number): Record<string, bigint> {
  const sums: Record<string, bigint> = Object.fromEntries(
    ['totalRevenue', 'rent', 'expenses', 'profitLoss', ...Object.values(CATEGORIES), 'other'].map((name) => [name, 0n]),
  );
  for (const { table, image } of rows) {
    if (image === null || table === 'properties' || image.property !== property || (unit !== null && image.unit !== unit)) continue;
    if (image.day < from || image.day > to) continue;
    if (table === 'rents') {
      sums['totalRevenue'] += image.amount!;
      if (!image.flag) sums['rent'] += image.amount!;
    } else if (image.type !== 'rehab' && !image.flag) {
      sums[CATEGORIES[image.type ?? ''] ?? 'other'] += image.amount!;
      sums['expenses'] += image.amount!;
    }
  }
  sums['profitLoss'] = sums['rent'] - sums['expenses'];
  return sums;
}
