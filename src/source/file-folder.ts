import { watch, type FSWatcher } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A dump in the folder, with its size now. */
export interface ListedFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Every `*.jsonl` file directly in the folder, by rising name (code units). Names that begin with a dot are no dumps: copying tools put unfinished files there. */
export async function listFolder(folder: string): Promise<ListedFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl') && !name.startsWith('.'));
  const listed = await Promise.all(names.sort().map(async (name): Promise<ListedFile | null> => {
    const path = join(folder, name);
    try {
      const found = await stat(path);
      return found.isFile() ? { name, path, bytes: found.size } : null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }));
  return listed.filter((file) => file !== null);
}

/**
 * Calls `changed` soon after something in the folder changed. Only a hint: where the platform cannot watch, or events are lost,
 * the folder must be listed again from time to time.
 */
export function watchFolder(folder: string, changed: () => void): { close(): void } {
  let watcher: FSWatcher | null = null;
  try {
    watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', () => watcher?.close());
  } catch {
    watcher = null;
  }
  return { close: () => watcher?.close() };
}
