import { createHash } from 'node:crypto';
import type { Lease, LeaseHeld, Store } from '../../src/snapshot/store.ts';

/** What several store objects share, as processes share a place: files by name, and who holds the lease. */
export interface MemoryPlace {
  readonly files: Map<string, Uint8Array>;
  holder: { readonly writer: string; readonly lost: (reason: string) => void } | null;
}

export function createMemoryPlace(): MemoryPlace {
  return { files: new Map(), holder: null };
}

/** A store in memory, for tests that need many. It keeps the contract; a lease ends only by release or `breakLease`. */
export class MemoryStore implements Store {
  readonly place = 'memory';
  readonly leaseTerms = { askEveryMs: 1_000, takeOverMs: 1_000 };
  readonly #shared: MemoryPlace;

  constructor(shared: MemoryPlace = createMemoryPlace()) {
    this.#shared = shared;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  read(name: string): Promise<{ readonly bytes: Uint8Array; readonly tag: string } | null> {
    return this.#later(name, () => {
      const bytes = this.#shared.files.get(name);
      return bytes === undefined ? null : { bytes: bytes.slice(), tag: tagOf(bytes) };
    });
  }

  async readStream(name: string): Promise<AsyncIterable<Uint8Array> | null> {
    const content = await this.read(name);
    return content === null ? null : inPieces(content.bytes);
  }

  async readEnd(name: string, bytesMax: number): Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly tag: string } | null> {
    const content = await this.read(name);
    return content === null ? null : { bytes: content.bytes.slice(Math.max(0, content.bytes.length - bytesMax)), size: content.bytes.length, tag: content.tag };
  }

  async create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'> {
    await this.#later(name, () => null);
    const bytes = await wholeOf(content);
    if (this.#shared.files.has(name)) return 'exists';
    this.#shared.files.set(name, bytes);
    return 'created';
  }

  async replace(name: string, content: Uint8Array | AsyncIterable<Uint8Array>, tag: string | null): Promise<string | null> {
    await this.#later(name, () => null);
    const bytes = await wholeOf(content);
    const there = this.#shared.files.get(name);
    if ((there === undefined ? null : tagOf(there)) !== tag) return null;
    this.#shared.files.set(name, bytes);
    return tagOf(bytes);
  }

  async *list(prefix: string): AsyncIterable<{ readonly name: string; readonly size: number }> {
    await Promise.resolve();
    for (const [name, bytes] of [...this.#shared.files].sort(([a], [b]) => (a < b ? -1 : 1))) if (name.startsWith(prefix)) yield { name, size: bytes.length };
  }

  remove(name: string): Promise<void> {
    return this.#later(name, () => { this.#shared.files.delete(name); });
  }

  acquireLease(writer: string, lost: (reason: string) => void): Promise<Lease | LeaseHeld> {
    const shared = this.#shared;
    if (shared.holder !== null) return Promise.resolve({ held: false, by: `writer ${shared.holder.writer}` });
    const holder = { writer, lost };
    shared.holder = holder;
    return Promise.resolve({
      held: true,
      valid: () => shared.holder === holder,
      release: () => {
        if (shared.holder === holder) shared.holder = null;
        return Promise.resolve();
      },
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #later<T>(name: string, action: () => T): Promise<T> {
    if (name.length > 1000 || !name.split('/').every((part) => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(part))) throw new Error(`"${name}" is no name for the store`);
    await Promise.resolve();
    return action();
  }
}

/** Takes the lease away; `told`: the holder hears of it. */
export function breakLease(place: MemoryPlace, told: boolean): void {
  const { holder } = place;
  place.holder = null;
  if (told) holder?.lost('broken by the test');
}

async function wholeOf(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return Uint8Array.from(content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += 65_521) yield bytes.subarray(at, at + 65_521);
}

function tagOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
