import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RentfoldProcess } from './process.ts';

/** A folder for one test with the dumps in `log` and the checkpoints in `store`; removed afterwards. */
export class Workplace implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'rentfold-system-'));
    await mkdir(join(folder, 'log'));
    return new Workplace(folder);
  }

  async write(file: string, lines: readonly string[]): Promise<void> {
    await writeFile(join(this.folder, 'log', file), lines.map((line) => `${line}\n`).join(''));
  }

  async append(file: string, lines: readonly string[]): Promise<void> {
    await appendFile(join(this.folder, 'log', file), lines.map((line) => `${line}\n`).join(''));
  }

  /** Starts the program on this folder's log and store. */
  start(settings: Readonly<Record<string, string>> = {}, command: readonly string[] = ['serve']): RentfoldProcess {
    return new RentfoldProcess({
      RENTFOLD_SOURCE: 'file', RENTFOLD_FILE_DIR: join(this.folder, 'log'), RENTFOLD_STORE: 'local', RENTFOLD_STORE_DIR: join(this.folder, 'store'),
      ...settings,
    }, command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
