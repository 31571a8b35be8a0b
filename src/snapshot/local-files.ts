import { randomBytes } from 'node:crypto';
import { type FileHandle } from 'node:fs/promises';
import * as nodeFiles from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RentfoldError } from '../errors.ts';
import { isKnownDead, type ProcessIdentity } from './process-identity.ts';
import { checkedName } from './store-name.ts';

/** File operations of the local store: names to paths, durable writes, and errors in words. */

/** The part of `node:fs/promises` used; a test may give one that fails. */
export type FileSystem = Pick<typeof nodeFiles, 'open' | 'link' | 'rename' | 'unlink' | 'mkdir' | 'readdir' | 'readFile' | 'stat'>;
export const nodeFileSystem: FileSystem = nodeFiles;

/** Path of a store name. Throws for what is no name of a store. */
export function pathOf(root: string, name: string): string {
  return join(root, ...checkedName(name).split('/'));
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the quota is used up: make room',
  EROFS: 'the file system is read-only: mount it writable',
  EIO: 'the disk failed: check it',
  EACCES: 'not permitted: give this user the right to write there',
  EPERM: 'not permitted: give this user the right to write there',
  EMFILE: 'too many open files: raise the limit',
  ENFILE: 'too many open files: raise the limit',
};

/** The outage behind a failed file operation, as an error that says what to do. Errors that are not the file system's pass. */
export function outage(operation: string, path: string, error: unknown): Error {
  if (!(error instanceof Error)) return new RentfoldError('UNEXPECTED', String(error));
  const code = errnoOf(error);
  if (error instanceof RentfoldError || code === 'UNKNOWN') return error;
  const cause = error.message;
  return new RentfoldError('STORE_UNAVAILABLE', `could not ${operation} ${path}: ${HINTS[code] ?? cause} (${code})`, { cause: error });
}

/** The system's error code, `UNKNOWN` when there is none. */
export function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

/** Makes a folder and all above it, each entry durable. */
export async function makeFolder(files: FileSystem, folder: string): Promise<void> {
  const first = await files.mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let at = folder; at.length >= top.length; at = dirname(at)) {
    await syncFolder(files, at);
    if (at === top) break;
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(files: FileSystem, folder: string): Promise<void> {
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a new file with durable content; leaves none behind when it fails. */
export async function writeDurably(files: FileSystem, path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const handle: FileHandle = await files.open(path, 'wx');
  try {
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await files.unlink(path).catch(() => undefined);
    throw error;
  }
}

/** Name of an unfinished write: says whose it is, so that what a dead process left can be told from what a living one is writing. */
export function temporaryName(owner: ProcessIdentity): string {
  return `tmp-${owner.space}-${owner.pid}-${owner.started ?? 'x'}-${randomBytes(8).toString('hex')}`;
}

const TEMPORARY = /^tmp-([0-9a-f]{12})-(\d{1,10})-(\w+)-[0-9a-f]{16}$/;
const ABANDONED_MS = 24 * 3_600_000;

/** Removes unfinished writes of processes that are gone: known to be dead, or of another host and a day old. */
export async function removeAbandoned(files: FileSystem, folder: string, own: ProcessIdentity, now: number): Promise<void> {
  for (const name of await files.readdir(folder)) {
    const match = TEMPORARY.exec(name);
    if (match === null) continue;
    const owner = { host: '', space: match[1], pid: Number(match[2]), started: match[3] === 'x' ? null : match[3] };
    const path = join(folder, name);
    const gone = owner.space === own.space ? isKnownDead(owner, own) : await isOlderThan(files, path, now - ABANDONED_MS);
    if (gone) await ignoreMissing(files.unlink(path));
  }
}

async function isOlderThan(files: FileSystem, path: string, time: number): Promise<boolean> {
  const stat = await ignoreMissing(files.stat(path));
  return stat !== null && stat.mtimeMs < time;
}

/** The operation's result, or null when the file was not there. */
export async function ignoreMissing<T>(operation: Promise<T>): Promise<T | null> {
  try {
    return await operation;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
