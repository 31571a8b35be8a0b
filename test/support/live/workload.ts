import type { Random } from '../history-random.ts';
import { createRandom } from '../history-random.ts';
import type { SqlDatabase, SqlSession } from '../services/service.ts';
import type { Dialect } from './tables.ts';

/**
 * A random workload on the three tables by several sessions whose transactions overlap: inserts, updates, upserts, deletes, moves between properties and
 * units, changed primary keys, statements over many rows, truncates, savepoints, rollbacks. What it leaves in the tables is whatever the database says.
 */

const SESSIONS = 3;
/** A session rests between two transactions, so that the volume is bounded however long something is down. */
const REST_MS = 15;
const KEYS = 60;
const ROWS_AT_REST = 40;
const PROPERTIES = ['p1', 'p2', 'p3', 'p4', 'p5', '6', '11111111-1111-4111-8111-111111111111', 'Ü 8/9'];
const UNITS = ['u1', 'u2', 'u 3', '', 'None', null];
const TYPES = ['pandi', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'rehab', 'Rehab', 'landscaping', '', null];

/** A workload that runs until it is stopped. */
export interface Workload {
  /** Transactions that were committed so far. */
  readonly committed: number;
  /** Stops after the transactions under way, and adds some rows, so that no marked moment finds the tables empty; fails if a session failed. */
  stop(): Promise<void>;
}

/**
 * Starts the sessions. The seed decides what each of them does, not how they interleave. Without `truncates` no table is truncated: a consistent read of InnoDB
 * fails when its table is (error 1412), and with it a connector's snapshot.
 */
export async function startWorkload(database: SqlDatabase, dialect: Dialect, seed: number, truncates: boolean): Promise<Workload> {
  const progress = { committed: 0, stopping: false };
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => database.session()));
  const running = sessions.map(async (session, index) => {
    await session.query(dialect === 'postgres' ? "SET lock_timeout = '1s'" : 'SET innodb_lock_wait_timeout = 1');
    const statements = new Statements(createRandom(seed * 31 + index), dialect, truncates);
    while (!progress.stopping) {
      if (await transaction(session, statements)) progress.committed++;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    await session[Symbol.asyncDispose]();
  });
  const all = Promise.all(running);
  all.catch(() => undefined);
  return {
    get committed() {
      return progress.committed;
    },
    stop: async () => {
      progress.stopping = true;
      await all;
      await using session = await database.session();
      const statements = new Statements(createRandom(seed * 31 + SESSIONS), dialect, truncates);
      for (let row = 0; row < ROWS_AT_REST; row++) await attempt(session, statements.insert());
    },
  };
}

/** One transaction of one to four statements, or a statement on its own. True when it was committed; false when it was rolled back, by choice or by a conflict. */
async function transaction(session: SqlSession, statements: Statements): Promise<boolean> {
  const { random } = statements;
  if (random.chance(0.3)) return attempt(session, statements.next());
  await session.query('BEGIN');
  for (let count = 1 + random.below(4); count > 0; count--) {
    const isTried = random.chance(0.2);
    if (isTried) await session.query('SAVEPOINT s');
    if (!await attempt(session, statements.next())) {
      await session.query(isTried ? 'ROLLBACK TO SAVEPOINT s' : 'ROLLBACK').catch(() => undefined);
      if (!isTried) return false;
    } else if (isTried && random.chance(0.5)) {
      await session.query('ROLLBACK TO SAVEPOINT s').catch(() => undefined);
    }
  }
  const isKept = random.chance(0.85);
  await session.query(isKept ? 'COMMIT' : 'ROLLBACK');
  return isKept;
}

/** Conflicts (a key that exists, a lock not given, a deadlock) are part of the workload. */
const CONFLICT = /duplicate|lock|deadlock|aborted|SAVEPOINT/i;

async function attempt(session: SqlSession, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (error instanceof Error && CONFLICT.test(error.message)) return false;
    throw error;
  }
}

class Statements {
  readonly random: Random;
  readonly #dialect: Dialect;
  readonly #truncates: boolean;

  constructor(random: Random, dialect: Dialect, truncates: boolean) {
    this.random = random;
    this.#dialect = dialect;
    this.#truncates = truncates;
  }

  /** The next statement. */
  next(): string {
    const { random } = this;
    const draw = random.unit();
    if (draw < 0.28) return this.insert();
    if (draw < 0.40) return this.#upsert();
    if (draw < 0.72) return this.#update();
    if (draw < 0.88) return this.#delete();
    if (draw < 0.95) return this.#changeKey();
    if (draw < 0.996 || !this.#truncates) return this.#property();
    return `TRUNCATE ${random.pick(['expenses', 'rents'])}`;
  }

  /** New rows, one or five. */
  insert(): string {
    const rows = Array.from({ length: this.random.chance(0.2) ? 5 : 1 });
    return this.random.chance(0.5)
      ? `INSERT INTO expenses (id, property_id, unit_id, date, amount, expense_type, is_planned) VALUES ${rows.map(() => this.#expense()).join(', ')}`
      : `INSERT INTO rents (id, property_id, unit_id, payment_date, amount, is_non_irs_revenue) VALUES ${rows.map(() => this.#rent()).join(', ')}`;
  }

  #upsert(): string {
    const insert = this.insert();
    const columns = ['property_id', 'unit_id', 'amount'];
    return this.#dialect === 'postgres'
      // Twice the same key in one statement is an error of its own.
      ? `${insert.replace(/\), \(.*/, ')')} ON CONFLICT (id) DO UPDATE SET ${columns.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`
      : `${insert} ON DUPLICATE KEY UPDATE ${columns.map((name) => `${name} = VALUES(${name})`).join(', ')}`;
  }

  #update(): string {
    const { random } = this;
    const isExpense = random.chance(0.5);
    const [table, day, flag] = isExpense ? ['expenses', 'date', 'is_planned'] : ['rents', 'payment_date', 'is_non_irs_revenue'];
    const change = random.pick([
      () => `amount = ${this.#amount()}`, () => `amount = amount + 0.0001`, () => `property_id = ${this.#propertyId()}`, () => `unit_id = ${this.#unit()}`,
      () => `property_id = ${this.#propertyId()}, unit_id = ${this.#unit()}, amount = ${this.#amount()}`, () => `${day} = ${this.#day()}`, () => `${flag} = ${this.#flag()}`,
      () => (isExpense ? `expense_type = ${text(random.pick(TYPES))}` : `amount = -amount`), () => (isExpense ? `note = ${text(`n${random.below(9)}`)}` : 'amount = amount'),
    ])();
    const which = random.chance(0.1) ? `property_id = ${this.#propertyId()}` : `id = ${isExpense ? this.#expenseId() : this.#rentId()}`;
    return `UPDATE ${table} SET ${change} WHERE ${which}`;
  }

  #delete(): string {
    const { random } = this;
    if (random.chance(0.05)) return `DELETE FROM ${random.pick(['expenses', 'rents'])} WHERE unit_id = 'u1' AND property_id = ${this.#propertyId()}`;
    return random.chance(0.5) ? `DELETE FROM expenses WHERE id = ${this.#expenseId()}` : `DELETE FROM rents WHERE id = ${this.#rentId()}`;
  }

  #changeKey(): string {
    return this.random.chance(0.5)
      ? `UPDATE expenses SET id = ${this.#expenseId()}, amount = amount + 1 WHERE id = ${this.#expenseId()}`
      : `UPDATE rents SET id = ${this.#rentId()} WHERE id = ${this.#rentId()}`;
  }

  #property(): string {
    const { random } = this;
    const id = this.#propertyId();
    if (random.chance(0.25)) return `DELETE FROM properties WHERE id = ${id}`;
    const money = (): string => random.pick(['NULL', '0', '250000.0000', '123456.7891', '1.5']);
    if (random.chance(0.4)) return `UPDATE properties SET cash_invested = ${money()}, down_payment = ${money()} WHERE id = ${id}`;
    return `INSERT INTO properties (id, user_id, display_name, cash_invested, down_payment) VALUES (${id}, 'user', 'A house', ${money()}, ${money()})`;
  }

  #expense(): string {
    return `(${this.#expenseId()}, ${this.#propertyId()}, ${this.#unit()}, ${this.#day()}, ${this.#amount()}, ${text(this.random.pick(TYPES))}, ${this.#flag()})`;
  }

  #rent(): string {
    return `(${this.#rentId()}, ${this.#propertyId()}, ${this.#unit()}, ${this.#day()}, ${this.#amount()}, ${this.#flag()})`;
  }

  #expenseId(): string {
    return String(1 + this.random.below(KEYS));
  }

  #rentId(): string {
    return `'r-${1 + this.random.below(KEYS)}'`;
  }

  #propertyId(): string {
    return text(this.random.pick(PROPERTIES));
  }

  #unit(): string {
    return text(this.random.pick(UNITS));
  }

  #flag(): string {
    return this.random.pick(['true', 'false', 'false', 'NULL']);
  }

  #day(): string {
    return `DATE '${2024 + this.random.below(4)}-${String(1 + this.random.below(12)).padStart(2, '0')}-${String(1 + this.random.below(28)).padStart(2, '0')}'`;
  }

  #amount(): string {
    const units = Math.floor(this.random.unit() * 10 ** (2 + this.random.below(10))) - (this.random.chance(0.1) ? 5_000 : 0);
    return `${units < 0 ? '-' : ''}${Math.floor(Math.abs(units) / 10_000)}.${String(Math.abs(units) % 10_000).padStart(4, '0')}`;
  }
}

function text(value: string | null): string {
  return value === null ? 'NULL' : `'${value}'`;
}

/** Every property that the workload may name. */
export const WORKLOAD_PROPERTIES: readonly string[] = PROPERTIES;
