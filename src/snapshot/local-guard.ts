import { join } from 'node:path';
import { RentfoldError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { errnoOf, ignoreMissing, temporaryName, writeDurably, type FileSystem } from './local-files.ts';
import { isKnownDead, type ProcessIdentity } from './process-identity.ts';

/**
 * Mutual exclusion between processes for the few operations that read, decide and rename: a file made by `link`, which only one of
 * them can make. Held for milliseconds. One left by a dead process is broken at once, one of a process that cannot be judged after 10 s.
 */

const RETRY_MS = 10;
const STALE_MS = 10_000;
const WAIT_MS_MAX = 30_000;

export interface GuardPlace {
  readonly files: FileSystem;
  /** Folder that holds the guard and unfinished writes. */
  readonly folder: string;
  readonly own: ProcessIdentity;
  readonly clock: Clock;
}

/** Runs `action` while no other process or caller is inside. Throws STORE_UNAVAILABLE when the guard stays taken. */
export async function withGuard<T>(place: GuardPlace, action: () => Promise<T>): Promise<T> {
  const path = join(place.folder, 'guard');
  const mine = join(place.folder, temporaryName(place.own));
  await writeDurably(place.files, mine, Buffer.from(JSON.stringify({ ...place.own, token: mine })));
  try {
    await takeGuard(place, path, mine);
    try {
      return await action();
    } finally {
      if (await holds(place.files, path, mine)) await place.files.unlink(path);
    }
  } finally {
    await ignoreMissing(place.files.unlink(mine));
  }
}

async function takeGuard(place: GuardPlace, path: string, mine: string): Promise<void> {
  const begun = place.clock.monotonicMs();
  let seen = '';
  let seenSince = begun;
  for (;;) {
    try {
      await place.files.link(mine, path);
      return;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    const holder = await ignoreMissing(place.files.readFile(path, 'utf8'));
    const now = place.clock.monotonicMs();
    if (holder === null) continue;
    if (holder !== seen) {
      seen = holder;
      seenSince = now;
    }
    if (isAbandoned(holder, place.own) || now - seenSince >= STALE_MS) await breakGuard(place, path, holder);
    else if (now - begun >= WAIT_MS_MAX) throw new RentfoldError('STORE_UNAVAILABLE', `the guard ${path} stays taken: ${holder}; remove it if no such process runs`);
    else await place.clock.sleep(RETRY_MS);
  }
}

function isAbandoned(holder: string, own: ProcessIdentity): boolean {
  try {
    return isKnownDead(JSON.parse(holder) as ProcessIdentity, own);
  } catch {
    return false;
  }
}

/** Moves the guard away and looks whether it was the one judged; another's, taken meanwhile, is put back. */
async function breakGuard(place: GuardPlace, path: string, judged: string): Promise<void> {
  const aside = join(place.folder, temporaryName(place.own));
  if (await ignoreMissing(place.files.rename(path, aside).then(() => true)) === null) return;
  if (await place.files.readFile(aside, 'utf8') !== judged) await place.files.link(aside, path).catch(() => undefined);
  await place.files.unlink(aside);
}

async function holds(files: FileSystem, path: string, mine: string): Promise<boolean> {
  const [there, own] = await Promise.all([ignoreMissing(files.stat(path)), files.stat(mine)]);
  return there !== null && there.ino === own.ino;
}
