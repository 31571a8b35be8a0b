import type { SqlDatabase, SqlService } from '../services/service.ts';
/** What differs between the databases that live tests follow. */
export type Dialect = 'postgres' | 'mariadb';

/** Makes a database with the seed's three tables. `isFull`: REPLICA IDENTITY FULL, so that old images are whole (MariaDB's always are). */
export async function createTables(server: SqlService, dialect: Dialect, name: string, isFull: boolean): Promise<SqlDatabase> {
  const database = await server.createDatabase(name);
  // MariaDB's default collation takes `Rehab` for `rehab`.
  if (dialect === 'mariadb') await database.query(`ALTER DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  for (const [table, columns] of Object.entries(COLUMNS)) {
    await database.query(`CREATE TABLE ${table} (${columns})`);
    if (isFull && dialect === 'postgres') await database.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`);
  }
  return database;
}

const COLUMNS = {
  expenses: 'id bigint PRIMARY KEY, property_id varchar(64) NOT NULL, unit_id varchar(64), date date NOT NULL, amount numeric(15,4) NOT NULL, expense_type varchar(64), is_planned boolean, note varchar(64)',
  rents: 'id varchar(64) PRIMARY KEY, property_id varchar(64) NOT NULL, unit_id varchar(64), payment_date date NOT NULL, amount numeric(15,4) NOT NULL, is_non_irs_revenue boolean',
  properties: 'id varchar(64) PRIMARY KEY, user_id varchar(64), display_name varchar(64), cash_invested numeric(15,4), down_payment numeric(15,4), purchase_price numeric(15,4), current_market_value numeric(15,4)',
} as const;
