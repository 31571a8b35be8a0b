import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Words to put before a command so that it runs as this user, where we are root and the program refuses root; none otherwise. */
export function asUser(user: string): string[] {
  return isRoot() ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--'] : [];
}

/** Gives a folder to that user, where we are root. */
export async function giveTo(user: string, folder: string): Promise<void> {
  if (isRoot()) await run('chown', ['-R', `${user}:${user}`, folder]);
}

/** Whether we are root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Full path of a program on the path, in the system's folders that a path may lack, or in the ones given; null when there is none. */
export async function programPath(name: string, folders: readonly string[] = []): Promise<string | null> {
  for (const folder of [...folders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin']) {
    const path = join(folder, name);
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path;
  }
  return null;
}

/** Folders with the programs of a Postgres of Debian, newest first. */
export async function postgresFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => []);
  return versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'));
}
