import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './free-ports.ts';
import { GuardedProcess, ownInstance } from './guarded-process.ts';
import type { OwnInstance, PostgresService } from './service.ts';
import { openPostgres } from './sql-clients.ts';
import { sqlServiceAt } from './sql-service.ts';
import type { SqlPlace } from './sql-service.ts';
import { asUser, giveTo, postgresFolders, programPath } from './system-user.ts';
import { removeData } from './log-tails.ts';
import { inNewFolder } from './service-folder.ts';

const run = promisify(execFile);
/** The user of Debian's package, for the server refuses root. */
const SYSTEM_USER = 'postgres';

/** Settings of every test server. A killed server loses nothing that was committed without fsync: the system keeps running. */
export const POSTGRES_SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'logical', max_wal_senders: '40', max_replication_slots: '40', max_connections: '100', shared_buffers: '64MB', fsync: 'off', log_min_messages: 'log', timezone: 'UTC',
};

/** Methods over where a Postgres is. */
export function postgresAt(place: SqlPlace): PostgresService {
  return sqlServiceAt(place, openPostgres);
}

/** Starts a Postgres of Debian on a fresh cluster and a free port of loopback, with logical decoding. */
export function startLocalPostgres(): Promise<PostgresService & OwnInstance> {
  return inNewFolder('postgres', startIn);
}

async function startIn(folder: string): Promise<PostgresService & OwnInstance> {
  const programs = await postgresFolders();
  const [[port], initdb, postgres] = await Promise.all([freePorts(1) as Promise<[number]>, programPath('initdb', programs), programPath('postgres', programs)]);
  const data = join(folder, 'data');
  await giveTo(SYSTEM_USER, folder);
  const user = asUser(SYSTEM_USER);
  await run('/usr/bin/env', [...user, initdb!, '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'], { cwd: folder });
  const settings = { ...POSTGRES_SETTINGS, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: folder };
  const server = await GuardedProcess.start({
    name: 'Postgres',
    command: [...user, postgres!, '-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    folder,
    logFile: join(folder, 'postgres.log'),
    ready: () => postgresAnswers(port),
  });
  const place: SqlPlace = {
    host: '127.0.0.1', port, username: 'postgres', password: 'postgres', seenFromConnect: { host: '127.0.0.1', port }, maintenanceDatabase: 'postgres', logFiles: [join(folder, 'postgres.log')],
  };
  return { ...postgresAt(place), ...ownInstance(server, () => removeData(folder, place.logFiles)) };
}

/** Whether a Postgres answers at this port of loopback. */
export async function postgresAnswers(port: number): Promise<boolean> {
  try {
    await using session = await openPostgres({ host: '127.0.0.1', port, user: 'postgres', password: 'postgres', database: 'postgres' });
    return (await session.query('SELECT 1')).length === 1;
  } catch {
    return false;
  }
}
