import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './free-ports.ts';
import { GuardedProcess, ownInstance } from './guarded-process.ts';
import type { MariadbService, OwnInstance } from './service.ts';
import { openMariadb } from './sql-clients.ts';
import { sqlServiceAt } from './sql-service.ts';
import type { SqlPlace } from './sql-service.ts';
import { giveTo, isRoot, programPath } from './system-user.ts';
import { removeData } from './log-tails.ts';
import { inNewFolder } from './service-folder.ts';

const run = promisify(execFile);
/** The user of Debian's package, for the server refuses root. */
const SYSTEM_USER = 'mysql';
/** The user that tests and Debezium come by. */
export const MARIADB_LOGIN = { username: 'rentfold', password: 'rentfold-password' };

/** Settings of every test server. */
export const MARIADB_SETTINGS: readonly string[] = [
  '--server-id=1', '--log-bin=binlog', '--binlog-format=ROW', '--binlog-row-image=FULL', '--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=64M', '--skip-name-resolve',
  '--default-time-zone=+00:00', '--character-set-server=utf8mb4',
];

/** Methods over where a MariaDB is. */
export function mariadbAt(place: SqlPlace): MariadbService {
  return sqlServiceAt(place, openMariadb);
}

/** Starts a MariaDB of Debian on fresh data and a free port of loopback, with a row binlog of full images. */
export function startLocalMariadb(): Promise<MariadbService & OwnInstance> {
  return inNewFolder('mariadb', startIn);
}

async function startIn(folder: string): Promise<MariadbService & OwnInstance> {
  const [[port], install, mariadbd] = await Promise.all([freePorts(1) as Promise<[number]>, programPath('mariadb-install-db'), programPath('mariadbd')]);
  const data = join(folder, 'data');
  await giveTo(SYSTEM_USER, folder);
  const user = isRoot() ? [`--user=${SYSTEM_USER}`] : [];
  await run(install!, ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve', ...user], { cwd: folder });
  const server = await GuardedProcess.start({
    name: 'MariaDB',
    command: [
      mariadbd!, '--no-defaults', `--datadir=${data}`, ...user, '--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 'mariadb.sock')}`, `--pid-file=${join(folder, 'mariadb.pid')}`,
      ...MARIADB_SETTINGS,
    ],
    folder,
    logFile: join(folder, 'mariadb.log'),
    ready: () => createMariadbUser(port),
  });
  const place: SqlPlace = { host: '127.0.0.1', port, ...MARIADB_LOGIN, seenFromConnect: { host: '127.0.0.1', port }, maintenanceDatabase: 'mysql', logFiles: [join(folder, 'mariadb.log')] };
  return { ...mariadbAt(place), ...ownInstance(server, () => removeData(folder, place.logFiles)) };
}

/** True once our user may come in; it is made the first time that root may. */
export async function createMariadbUser(port: number): Promise<boolean> {
  const address = { host: '127.0.0.1', port, database: 'mysql' };
  try {
    await using root = await openMariadb({ ...address, user: 'root', password: '' });
    await root.query(`CREATE USER IF NOT EXISTS '${MARIADB_LOGIN.username}'@'%' IDENTIFIED BY '${MARIADB_LOGIN.password}'; GRANT ALL ON *.* TO '${MARIADB_LOGIN.username}'@'%' WITH GRANT OPTION`);
    return true;
  } catch {
    return false;
  }
}
