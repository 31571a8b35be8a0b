import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One message as it lies in a log. Text stands for its UTF-8 bytes. */
export interface TestRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly time: number | null;
  readonly key: string | null;
  readonly value: string | null;
}

/** A record's line as `kcat -C -J` writes it, with its line feed. */
export function dumpLine({ topic, partition, offset, time, key, value }: TestRecord): string {
  return `${JSON.stringify({ topic, partition, offset, tstype: time === null ? 'unknown' : 'create', ts: time ?? -1, broker: 1, key, payload: value })}\n`;
}

export function dumpText(records: readonly TestRecord[]): string {
  return records.map(dumpLine).join('');
}

/** Record number `offset` of a partition, with a key and value that no other has. */
export function recordAt(topic: string, partition: number, offset: number): TestRecord {
  return { topic, partition, offset, time: 1_700_000_000_000 + offset, key: `{"id":"${topic}-${partition}-${offset}"}`, value: `{"after":{"n":${offset},"text":"a \\"quoted\\" ü"}}` };
}

/** Records `from` to `to` - 1 of a partition. */
export function recordsOf(topic: string, partition: number, from: number, to: number): TestRecord[] {
  return Array.from({ length: to - from }, (_, i) => recordAt(topic, partition, from + i));
}

/** A folder for one test. */
export class DumpFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<DumpFolder> {
    return new DumpFolder(await mkdtemp(join(tmpdir(), 'rentfold-dumps-')));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(this.file(name), content);
  }

  async append(name: string, content: string | Uint8Array): Promise<void> {
    await appendFile(this.file(name), content);
  }

  async remove(name: string): Promise<void> {
    await rm(this.file(name));
  }

  async dispose(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
