import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { RentfoldError } from '../errors.ts';
import { createSystemClock, type Clock } from '../runtime/clock.ts';
import {
  errnoOf, ignoreMissing, makeFolder, nodeFileSystem, outage, pathOf, removeAbandoned, syncFolder, temporaryName, writeDurably, type FileSystem,
} from './local-files.ts';
import { withGuard, type GuardPlace } from './local-guard.ts';
import { LOCAL_LEASE_TERMS, takeLocalLease, type LeasePlace } from './local-lease.ts';
import { ownIdentity, type ProcessIdentity } from './process-identity.ts';
import type { Lease, LeaseHeld, Store } from './store.ts';

/** A checkpoint store in a folder of this machine. */
export interface LocalStoreOptions {
  /** The root; made when it does not exist. */
  readonly directory: string;
  /** Folder below the root that is ours, ending in `/`: lock, guard and unfinished writes go into `.rentfold/` in it. */
  readonly ownFolder: string;
}

/** What a test replaces. */
export interface LocalStoreParts {
  readonly clock?: Clock;
  readonly files?: FileSystem;
  readonly identity?: ProcessIdentity;
}

const PIECE_BYTES = 1 << 20;

/**
 * Makes the store; `open` makes its folders. A new file is written under a temporary name, synced, and linked to its name, which fails when
 * there is one; a replacement is renamed over its name under a guard. Then the folder is synced.
 */
export function createLocalStore(options: LocalStoreOptions, parts: LocalStoreParts = {}): Store {
  return new LocalStore(options, parts);
}

class LocalStore implements Store {
  readonly place: string;
  readonly leaseTerms = LOCAL_LEASE_TERMS;
  readonly #work: string;
  readonly #clock: Clock;
  readonly #files: FileSystem;
  readonly #own: ProcessIdentity;
  readonly #guard: GuardPlace;
  readonly #leases: LeasePlace;
  readonly #folders = new Set<string>();

  constructor(options: LocalStoreOptions, parts: LocalStoreParts) {
    this.place = resolve(options.directory);
    this.#work = join(this.place, options.ownFolder, '.rentfold');
    this.#clock = parts.clock ?? createSystemClock();
    this.#files = parts.files ?? nodeFileSystem;
    this.#own = parts.identity ?? ownIdentity();
    this.#guard = { files: this.#files, folder: this.#work, own: this.#own, clock: this.#clock };
    this.#leases = { ...this.#guard, observed: { content: '', sinceMs: 0 } };
  }

  async open(): Promise<void> {
    try {
      await makeFolder(this.#files, this.#work);
      await access(this.#work, constants.W_OK);
      const probe = join(this.#work, temporaryName(this.#own));
      await writeDurably(this.#files, probe, new Uint8Array(1));
      await this.#files.unlink(probe);
      await removeAbandoned(this.#files, this.#work, this.#own, this.#clock.now());
    } catch (error) {
      const code = errnoOf(error);
      if (!['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST'].includes(code)) throw outage('prepare', this.#work, error);
      throw new RentfoldError('STORE_NOT_WRITABLE', `the store ${this.place} cannot be made or written (${code}): create the folder or give this user the right to write there`, { cause: error });
    }
  }

  async read(name: string): Promise<{ readonly bytes: Uint8Array; readonly tag: string } | null> {
    const path = pathOf(this.place, name);
    return this.#try('read', path, async () => {
      const bytes = await ignoreMissing(this.#files.readFile(path));
      return bytes === null ? null : { bytes, tag: tagOf(bytes) };
    });
  }

  async readStream(name: string): Promise<AsyncIterable<Uint8Array> | null> {
    const path = pathOf(this.place, name);
    const handle = await this.#try('read', path, () => ignoreMissing(this.#files.open(path, 'r')));
    if (handle === null) return null;
    const stream = handle.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: true });
    return piecesOf(stream, path);
  }

  async readEnd(name: string, bytesMax: number): Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly tag: string } | null> {
    const stream = await this.readStream(name);
    if (stream === null) return null;
    const { hash, size, end } = await hashOf(stream, bytesMax);
    return { bytes: end, size, tag: hash };
  }

  async create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'> {
    const path = pathOf(this.place, name);
    return this.#try('write', path, async () => {
      await this.#ensureFolder(dirname(path));
      const temporary = join(this.#work, temporaryName(this.#own));
      await writeDurably(this.#files, temporary, content);
      try {
        await this.#files.link(temporary, path);
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
        // Whoever made it may have ended before this: what is answered to exist must stay.
        await syncFolder(this.#files, dirname(path));
        return 'exists';
      } finally {
        await ignoreMissing(this.#files.unlink(temporary));
      }
      await syncFolder(this.#files, dirname(path));
      return 'created';
    });
  }

  async replace(name: string, content: Uint8Array | AsyncIterable<Uint8Array>, tag: string | null): Promise<string | null> {
    const path = pathOf(this.place, name);
    return this.#try('replace', path, async () => {
      await this.#ensureFolder(dirname(path));
      const temporary = join(this.#work, temporaryName(this.#own));
      const hash = createHash('sha256');
      await writeDurably(this.#files, temporary, hashing(content, hash));
      try {
        return await withGuard(this.#guard, async () => {
          const there = await this.readEnd(name, 0);
          if ((there?.tag ?? null) !== tag) return null;
          await this.#files.rename(temporary, path);
          await syncFolder(this.#files, dirname(path));
          return tagText(hash);
        });
      } finally {
        await ignoreMissing(this.#files.unlink(temporary));
      }
    });
  }

  async *list(prefix: string): AsyncIterable<{ readonly name: string; readonly size: number }> {
    const folder = prefix === '' ? this.place : pathOf(this.place, prefix.replace(/\/$/, ''));
    for (const name of (await this.#namesBelow(folder, prefix)).sort(byCodeUnits)) {
      const stat = await this.#try('look at', join(this.place, name), () => ignoreMissing(this.#files.stat(join(this.place, name))));
      if (stat !== null) yield { name, size: stat.size };
    }
  }

  async remove(name: string): Promise<void> {
    const path = pathOf(this.place, name);
    await this.#try('remove', path, async () => {
      if (await ignoreMissing(this.#files.unlink(path).then(() => true)) !== null) await syncFolder(this.#files, dirname(path));
    });
  }

  acquireLease(writer: string, lost: (reason: string) => void): Promise<Lease | LeaseHeld> {
    return this.#try('take the lease in', this.#work, () => takeLocalLease(this.#leases, writer, lost));
  }

  async close(): Promise<void> {
    this.#folders.clear();
  }

  async #namesBelow(folder: string, prefix: string): Promise<string[]> {
    const entries = await this.#try('list', folder, () => ignoreMissing(this.#files.readdir(folder, { withFileTypes: true })));
    const names: string[] = [];
    for (const entry of entries ?? []) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) names.push(...await this.#namesBelow(join(folder, entry.name), `${prefix}${entry.name}/`));
      else names.push(prefix + entry.name);
    }
    return names;
  }

  async #ensureFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await makeFolder(this.#files, folder);
    this.#folders.add(folder);
  }

  async #try<T>(operation: string, path: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      this.#folders.clear();
      throw outage(operation, path, error);
    }
  }
}

async function* piecesOf(stream: AsyncIterable<Buffer>, path: string): AsyncIterable<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw outage('read', path, error);
  }
}

function tagOf(bytes: Uint8Array): string {
  return tagText(createHash('sha256').update(bytes));
}

/** A version tag: what the content is. */
function tagText(hash: Hash): string {
  return hash.digest('hex').slice(0, 32);
}

/** The content on its way, hashed. */
async function* hashing(content: Uint8Array | AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of content instanceof Uint8Array ? [content] : content) {
    hash.update(piece);
    yield piece;
  }
}

/** Hash, size and last bytes of a stream. */
async function hashOf(stream: AsyncIterable<Uint8Array>, endMax: number): Promise<{ readonly hash: string; readonly size: number; readonly end: Uint8Array }> {
  const hash = createHash('sha256');
  let size = 0;
  let end = Buffer.alloc(0);
  for await (const piece of stream) {
    hash.update(piece);
    size += piece.length;
    end = Buffer.concat([end, piece.subarray(Math.max(0, piece.length - endMax))]);
    end = end.subarray(Math.max(0, end.length - endMax));
  }
  return { hash: tagText(hash), size, end };
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
