import { createHash, type Hash } from 'node:crypto';
import { RentfoldError } from '../errors.ts';
import { Damage } from './damage.ts';
import type { Store } from './store.ts';

/**
 * Files as manifests name them: length and SHA-256 of the whole, for people and their tools, and of each piece, so that reading can verify
 * a piece before it looks inside, holding no more than one.
 */
export interface FileEntry {
  /** File name inside the lineage's folder. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** In file order; together they are the whole file. */
  readonly pieces: readonly PieceEntry[];
}

export interface PieceEntry {
  readonly bytes: number;
  readonly sha256: string;
}

/** SHA-256 as hexadecimal text. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Counts and hashes what is written to a file, piece by piece. */
export class FileSummary {
  readonly #whole: Hash = createHash('sha256');
  readonly #pieces: PieceEntry[] = [];
  #bytes = 0;

  /** Adds a piece and gives it back. */
  piece(bytes: Uint8Array): Uint8Array {
    this.#whole.update(bytes);
    this.#pieces.push({ bytes: bytes.length, sha256: sha256Of(bytes) });
    this.#bytes += bytes.length;
    return bytes;
  }

  entry(name: string, rows: number): FileEntry {
    return { name, rows, bytes: this.#bytes, sha256: this.#whole.copy().digest('hex'), pieces: this.#pieces };
  }
}

/**
 * Creates a file whose name only this writer uses. When it exists already, an earlier reply was lost: it must then be what was to be written.
 * `entry` is asked after the content has been read through.
 */
export async function createOwn(store: Store, folder: string, content: AsyncIterable<Uint8Array>, name: string, entry: () => FileEntry): Promise<FileEntry> {
  if (await store.create(folder + name, content) === 'created') return entry();
  const expected = entry();
  try {
    for await (const piece of verifiedPieces(store, folder, expected)) void piece;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    throw new RentfoldError('STORE_UNAVAILABLE', `${error.file} is there already and not as it was to be written (${error.reason}); the checkpoint is tried again under another name`);
  }
  return expected;
}

/** The pieces of a file, each verified before it is handed over and in memory of its own. Throws `Damage`. */
export async function* verifiedPieces(store: Store, folder: string, entry: FileEntry): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const file = folder + entry.name;
  const stream = await store.readStream(file);
  if (stream === null) throw new Damage(file, 'the file is missing');
  let index = 0;
  let filled = 0;
  let piece = new Uint8Array(entry.pieces[0]?.bytes ?? 0);
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length;) {
      if (index >= entry.pieces.length) throw new Damage(file, `the file is longer than the ${entry.bytes} bytes written`);
      const take = Math.min(chunk.length - at, piece.length - filled);
      piece.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < piece.length) continue;
      verify(file, index, piece, entry.pieces[index]);
      yield piece;
      index++;
      filled = 0;
      piece = new Uint8Array(entry.pieces[index]?.bytes ?? 0);
    }
  }
  if (index < entry.pieces.length) throw new Damage(file, `the file ends early: ${entry.bytes} bytes were written`);
}

function verify(file: string, index: number, piece: Uint8Array, expected: PieceEntry): void {
  if (sha256Of(piece) !== expected.sha256) throw new Damage(file, `piece ${index + 1} does not have the SHA-256 that was written (the file was altered)`);
}

/** Asserts what a writer must have produced; a difference is a fault of the program. */
export function assertWritten(condition: boolean, what: string): asserts condition {
  if (!condition) throw new RentfoldError('UNEXPECTED', `a segment was not written as it should: ${what}`);
}
