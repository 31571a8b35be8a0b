import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { azureSettings, clientOf, newAzurePlace, type AzurePlace } from './azure-place.ts';
import { generationsIn, generationsInContainer, type Generation } from './generations.ts';
import { RentfoldProcess } from './process.ts';
import type { AzuriteService } from './services/service.ts';

/** A folder for one test with the dumps in `log` and the checkpoints in `store`, or in a container of its own; removed afterwards. */
export class Workplace implements AsyncDisposable {
  readonly folder: string;
  /** The container and its service, or null for a local store. */
  readonly azure: { readonly service: AzuriteService; readonly place: AzurePlace } | null;
  readonly #azure: AzurePlace | null;

  private constructor(folder: string, service: AzuriteService | null) {
    this.folder = folder;
    this.azure = service === null ? null : { service, place: newAzurePlace(service) };
    this.#azure = this.azure?.place ?? null;
  }

  static async create(service: AzuriteService | null = null): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'rentfold-system-'));
    await mkdir(join(folder, 'log'));
    return new Workplace(folder, service);
  }

  /** Environment that names this folder's log and store. */
  get settings(): Readonly<Record<string, string>> {
    const store = this.#azure === null ? { RENTFOLD_STORE: 'local', RENTFOLD_STORE_DIR: join(this.folder, 'store') } : azureSettings(this.#azure);
    return { RENTFOLD_SOURCE: 'file', RENTFOLD_FILE_DIR: join(this.folder, 'log'), ...store };
  }

  /** Makes the folder of the local store, which the program else makes. */
  async makeStoreFolder(): Promise<void> {
    await mkdir(join(this.folder, 'store'), { recursive: true });
  }

  /** All generations that lie in the store, the newest last. */
  async generations(): Promise<readonly Generation[]> {
    return this.#azure === null ? generationsIn(join(this.folder, 'store')) : await generationsInContainer(await clientOf(this.#azure));
  }

  /** Number of the newest, 0 when there is none. */
  async newestGeneration(): Promise<number> {
    return (await this.generations()).at(-1)?.generation ?? 0;
  }

  /** Path of the parquet file, or of a copy of it. */
  async parquetFile(): Promise<string> {
    const name = 'cdc/financial_performance/financial_performance_current.parquet';
    if (this.#azure === null) return join(this.folder, 'store', name);
    const path = join(this.folder, 'downloaded.parquet');
    await (await clientOf(this.#azure)).getBlobClient(name).downloadToFile(path);
    return path;
  }

  async write(file: string, lines: readonly string[]): Promise<void> {
    await writeFile(join(this.folder, 'log', file), lines.map((line) => `${line}\n`).join(''));
  }

  async append(file: string, lines: readonly string[]): Promise<void> {
    await appendFile(join(this.folder, 'log', file), lines.map((line) => `${line}\n`).join(''));
  }

  /** Starts the program on this folder's log and store. */
  start(settings: Readonly<Record<string, string>> = {}, command: readonly string[] = ['serve']): RentfoldProcess {
    return new RentfoldProcess({ ...this.settings, ...settings }, command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    if (this.#azure !== null) await (await clientOf(this.#azure)).deleteIfExists();
  }
}
