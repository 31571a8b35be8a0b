import { sha256Of } from './file-entry.ts';

/**
 * Sealed JSON: `{format, version, …, sha256}`, written in one fixed way with a hash of all that stands before it. What is read must be, byte for
 * byte, what would be written for its content: so no changed bit goes unseen. The layout stays the same for all versions.
 */
export type Unsealed =
  | { readonly kind: 'sound'; readonly version: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'unsound'; readonly reason: string };

/** Bytes of a sealed file. `body` is plain JSON. */
export function seal(format: string, version: number, body: object): Uint8Array {
  return Buffer.from(textOf({ format, version, ...body }));
}

function textOf(content: object): string {
  return `${JSON.stringify({ ...content, sha256: sha256Of(Buffer.from(JSON.stringify(content))) }, null, 1)}\n`;
}

/** Content of a sealed file, without `format`, `version` and `sha256`. */
export function unseal(format: string, bytes: Uint8Array): Unsealed {
  if (bytes.length === 0) return { kind: 'unsound', reason: 'the file is empty' };
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { kind: 'unsound', reason: 'the file is not JSON (torn or altered)' };
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return { kind: 'unsound', reason: 'the file is no JSON object' };
  const { sha256, ...content } = read as Record<string, unknown>;
  if (typeof sha256 !== 'string' || !Buffer.from(textOf(content)).equals(bytes)) return { kind: 'unsound', reason: 'the content does not have the SHA-256 it names (the file was altered)' };
  const { format: found, version, ...body } = content;
  if (found !== format) return { kind: 'unsound', reason: `it is of format ${String(found)}, not ${format}` };
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) return { kind: 'unsound', reason: 'it has no format version' };
  return { kind: 'sound', version, body };
}
