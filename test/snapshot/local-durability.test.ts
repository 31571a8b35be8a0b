/**
 * Goal: a write that returned survives the loss of power: its bytes were synced before its name was given, and the folder that holds the name afterwards.
 * Method: the real store on a file system that notes what is not yet synced; at every name given, and at every return, nothing of it may be outstanding.
 */
import type { FileHandle } from 'node:fs/promises';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { FileSystem } from '../../src/snapshot/local-files.ts';
import { createLocalStore } from '../../src/snapshot/local-store.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await files.rm(folder, { recursive: true, force: true });
});

/** What a loss of power would take: files written and folders changed since their last sync. */
class Unsynced {
  readonly files = new Set<string>();
  readonly folders = new Set<string>();
  /** Files that got a name before their bytes were safe. */
  readonly tooEarly: string[] = [];

  fileSystem(): FileSystem {
    const named = async (from: string, to: string, give: () => Promise<void>): Promise<void> => {
      if (this.files.has(from)) this.tooEarly.push(to);
      await give();
      this.folders.add(dirname(to));
    };
    return {
      ...files,
      open: (async (path: string, ...rest: [string]) => this.#watched(path, await files.open(path, ...rest))) as typeof files.open,
      link: (from, to) => named(String(from), String(to), () => files.link(from, to)),
      rename: (from, to) => named(String(from), String(to), () => files.rename(from, to)),
      unlink: async (path) => {
        await files.unlink(path);
        this.folders.add(dirname(String(path)));
      },
    };
  }

  #watched(path: string, handle: FileHandle): FileHandle {
    return new Proxy(handle, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (['write', 'writev', 'writeFile', 'appendFile'].includes(String(name))) this.files.add(path);
          const result: unknown = value.apply(target, given);
          if (name !== 'sync') return result;
          return Promise.resolve(result).then(() => {
            this.files.delete(path);
            this.folders.delete(path);
          });
        };
      },
    });
  }
}

it('what was created, replaced or removed is safe when the call returns', async () => {
  const directory = await files.mkdtemp(join(tmpdir(), 'rentfold-durable-'));
  folders.push(directory);
  const unsynced = new Unsynced();
  const store = createLocalStore({ directory, ownFolder: 'own/' }, { files: unsynced.fileSystem() });
  await store.open();
  const expectSafe = (what: string): void => {
    expect([what, unsynced.tooEarly, [...unsynced.folders].filter((folder) => !folder.includes('.rentfold'))]).toEqual([what, [], []]);
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const piece of ['one', 'two']) yield await Promise.resolve(Buffer.from(piece));
  }
  expect(await store.create('own/a/manifest.json', Buffer.from('1'))).toBe('created');
  expectSafe('create');
  expect(await store.create('own/a/segment.arrow', pieces())).toBe('created');
  expectSafe('create in pieces');
  unsynced.folders.add(join(directory, 'own/a'));
  expect(await store.create('own/a/manifest.json', Buffer.from('2'))).toBe('exists');
  expectSafe('create of what another made and did not live to sync');
  const tag = await store.replace('own/current.json', Buffer.from('old'), null);
  expectSafe('first replace');
  expect(await store.replace('own/current.json', Buffer.from('new'), tag)).not.toBeNull();
  expectSafe('replace');
  await store.remove('own/a/segment.arrow');
  expectSafe('remove');
  await store.close();
});
