import { readFile } from 'node:fs/promises';
import type { HostPort, SqlService } from './service.ts';
import { sqlDatabase } from './sql-clients.ts';
import type { OpenSession } from './sql-clients.ts';

/** Where a database server is: plain data. */
export interface SqlPlace {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly seenFromConnect: HostPort;
  /** A database that is always there. */
  readonly maintenanceDatabase: string;
  readonly logFiles: readonly string[];
}

/** Methods over where a server is. */
export function sqlServiceAt(place: SqlPlace, open: OpenSession): SqlService {
  const database = (name: string): ReturnType<typeof sqlDatabase> => sqlDatabase(open, { host: place.host, port: place.port, user: place.username, password: place.password, database: name });
  return {
    ...place,
    createDatabase: async (name) => {
      await using maintenance = database(place.maintenanceDatabase);
      await maintenance.query(`CREATE DATABASE ${name}`);
      return database(name);
    },
    logs: async () => (await Promise.all(place.logFiles.map((file) => readFile(file, 'utf8')))).join('\n'),
  };
}
