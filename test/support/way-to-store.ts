import { randomBytes } from 'node:crypto';
import { rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { azureSettings, newAzurePlace } from './azure-place.ts';
import { FaultProxy, type Fault } from './fault-proxy.ts';
import type { Workplace } from './workplace.ts';

/** A process's own way to the store of a workplace, which can be cut: a proxy before the container, or a link to the folder. */
export class WayToStore implements AsyncDisposable {
  /** Environment that goes this way. */
  readonly settings: Readonly<Record<string, string>>;
  readonly #lead: (there: boolean) => Promise<void>;
  readonly #proxy: FaultProxy | null;

  private constructor(settings: Readonly<Record<string, string>>, lead: (there: boolean) => Promise<void>, proxy: FaultProxy | null) {
    this.settings = settings;
    this.#lead = lead;
    this.#proxy = proxy;
  }

  static async to(place: Workplace): Promise<WayToStore> {
    if (place.azure === null) {
      const link = join(place.folder, `way-${randomBytes(4).toString('hex')}`);
      const lead = async (there: boolean): Promise<void> => {
        await symlink(there ? join(place.folder, 'store') : '/nonexistent/store', `${link}-new`);
        await rename(`${link}-new`, link);
      };
      await place.makeStoreFolder();
      await lead(true);
      return new WayToStore({ RENTFOLD_STORE_DIR: link }, lead, null);
    }
    const { service, place: { container } } = place.azure;
    const proxy = await FaultProxy.start(service.blobEndpoint);
    let cut: Fault | null = null;
    const lead = (there: boolean): Promise<void> => {
      cut?.end();
      cut = there ? null : proxy.add(() => true, { kind: 'cut-upload', afterBytes: 0 }, Infinity);
      return Promise.resolve();
    };
    return new WayToStore(azureSettings({ ...newAzurePlace(service, proxy.endpoint), container }), lead, proxy);
  }

  /** From now on nothing gets through. */
  async cut(): Promise<void> {
    await this.#lead(false);
  }

  async restore(): Promise<void> {
    await this.#lead(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy?.[Symbol.asyncDispose]();
  }
}
