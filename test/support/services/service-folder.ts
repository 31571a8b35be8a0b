import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts a service in a new folder of its own for its data; the folder is removed when it does not start. */
export async function inNewFolder<Service>(name: string, start: (folder: string) => Promise<Service>): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), `rentfold-${name}-`));
  try {
    return await start(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
