import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { SqlDatabase, SqlRow, SqlSession } from './service.ts';

/** Where a database is and who asks. */
export interface SqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Opens one connection. */
export type OpenSession = (address: SqlAddress) => Promise<SqlSession>;

/** A connection to Postgres: decimals and 64-bit integers are text, as the driver has them; so are dates here. */
export async function openPostgres(address: SqlAddress): Promise<SqlSession> {
  const client = new Client({ ...address, types: { getTypeParser: (type: number) => POSTGRES_PARSERS[type] ?? String } });
  client.on('error', () => undefined);
  await client.connect();
  return {
    query: async (sql) => {
      const answer = await client.query<SqlRow>(sql) as { rows?: SqlRow[] } | { rows?: SqlRow[] }[];
      return (Array.isArray(answer) ? answer.at(-1)?.rows : answer.rows) ?? [];
    },
    [Symbol.asyncDispose]: () => client.end().catch(() => undefined),
  };
}

/** By type number: booleans and 16- and 32-bit integers; everything else stays text. */
const POSTGRES_PARSERS: Readonly<Record<number, (text: string) => unknown>> = { 16: (text) => text === 't', 21: Number, 23: Number };

/** A connection to MariaDB: decimals, dates and 64-bit integers are text. */
export async function openMariadb(address: SqlAddress): Promise<SqlSession> {
  const connection = await createConnection({ ...address, dateStrings: true, supportBigNumbers: true, bigNumberStrings: true, multipleStatements: true });
  connection.on('error', () => undefined);
  return {
    query: async (sql) => {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) ? rows as SqlRow[] : [];
    },
    [Symbol.asyncDispose]: async () => connection.destroy(),
  };
}

/** A database by its address. Queries of its own go one after the other over one connection, which is opened again when it was lost. */
export function sqlDatabase(open: OpenSession, address: SqlAddress): SqlDatabase {
  let own: Promise<SqlSession> | null = null;
  const query = async (sql: string): Promise<readonly SqlRow[]> => {
    own ??= open(address);
    const session = own;
    try {
      return await (await session).query(sql);
    } catch (error) {
      if (own === session) own = null;
      await session.then((opened) => opened[Symbol.asyncDispose](), () => undefined);
      throw error;
    }
  };
  return {
    name: address.database,
    query,
    session: () => open(address),
    [Symbol.asyncDispose]: async () => own?.then((session) => session[Symbol.asyncDispose](), () => undefined),
  };
}
