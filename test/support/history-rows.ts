import type { Random } from './history-random.ts';

/**
 * The three tables as the source database holds them. Money is decimal text with at most four decimals, days are counted from
 * 1970-01-01. Everything a reader must normalise (blank units, odd types, null flags) is here on purpose.
 */
export const TABLES = ['expenses', 'rents', 'properties'] as const;
export type Table = (typeof TABLES)[number];

/** One row; `id` is text or a whole number, as the history's key type says. */
export interface Row {
  readonly id: string | number;
  /** Of rents and expenses; the row's own id for properties. */
  readonly property: string;
  readonly unit: string | null;
  readonly day: number;
  readonly amount: string;
  readonly type: string | null;
  readonly flag: boolean | null;
  /** Properties only. */
  readonly cashInvested: string | null;
  readonly downPayment: string | null;
}

export type Ids = 'uuid' | 'integer';

const TYPES = [
  'pandi', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'rehab', 'landscaping', '', null,
] as const;
const UNITS = [null, null, null, 'unit-a', 'unit-b', '', 'None', '11111111-2222-4333-8444-555555555555'] as const;
/** Few properties, so that rows of several tables and moves meet. */
const PROPERTY_COUNT = 5;
/** Few keys, so that deletes, re-creations and key changes meet. */
const KEY_COUNT = 12;
const FIRST_DAY = 19_700;
const DAY_COUNT = 1_200;

function identifier(ids: Ids, family: number, index: number): string | number {
  if (ids === 'integer') return index + 1;
  const hex = (family * 0x1000 + index).toString(16).padStart(12, '0');
  return `0f${family}a3c5e-7d1b-4c2f-9e8a-${hex}`;
}

export function propertyIdentifier(ids: Ids, index: number): string {
  return String(identifier(ids, 9, index % PROPERTY_COUNT));
}

/** One of the few keys of a table. Integer keys repeat between tables: the same number in two tables is two rows. */
export function rowIdentifier(ids: Ids, table: Table, index: number): string | number {
  if (table === 'properties') return identifier(ids, 9, index % PROPERTY_COUNT);
  return identifier(ids, TABLES.indexOf(table), index % KEY_COUNT);
}

function money(random: Random): string {
  const whole = random.pick([0, 1, random.below(100), random.below(10_000), random.below(3_000_000), 99_999_999]);
  const decimals = random.pick([0, 2, 2, 4]);
  const fraction = decimals === 0 ? '' : `.${String(random.below(10 ** decimals)).padStart(decimals, '0')}`;
  return `${random.chance(0.15) ? '-' : ''}${whole}${fraction}`;
}

/** A row with random values under the given key. */
export function randomRow(random: Random, ids: Ids, table: Table, id: string | number): Row {
  const isProperty = table === 'properties';
  return {
    id,
    property: isProperty ? String(id) : propertyIdentifier(ids, random.below(PROPERTY_COUNT)),
    unit: isProperty ? null : random.pick(UNITS),
    day: FIRST_DAY + random.below(DAY_COUNT),
    amount: money(random),
    type: table === 'expenses' ? random.pick(TYPES) : null,
    flag: random.pick([true, false, false, null]),
    cashInvested: isProperty && random.chance(0.7) ? money(random) : null,
    downPayment: isProperty && random.chance(0.7) ? money(random) : null,
  };
}

/** The row with some of its values changed; key and property stay. A property row keeps nothing but its key. */
export function changedRow(random: Random, ids: Ids, table: Table, row: Row): Row {
  const fresh = randomRow(random, ids, table, row.id);
  if (table === 'properties') return random.chance(0.2) ? row : fresh;
  return {
    ...row,
    unit: random.chance(0.3) ? fresh.unit : row.unit,
    day: random.chance(0.4) ? fresh.day : row.day,
    amount: random.chance(0.6) ? fresh.amount : row.amount,
    type: random.chance(0.3) ? fresh.type : row.type,
    flag: random.chance(0.3) ? fresh.flag : row.flag,
  };
}

/** The row on another property. */
export function movedRow(random: Random, ids: Ids, row: Row): Row {
  return { ...row, property: propertyIdentifier(ids, random.below(PROPERTY_COUNT)) };
}
