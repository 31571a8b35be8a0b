import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import type { OpenDeadLetter } from '../ledger/ledger.ts';
import { messageOf } from '../runtime/message-of.ts';
import { Damage } from './damage.ts';
import { sha256Of } from './file-entry.ts';
import type { LettersEntry } from './manifest.ts';
import { fields, finite, list, nullable, oneOf, text, whole } from './shape.ts';
import type { Store } from './store.ts';

/** The open dead letters of a generation: one JSON object a line, exact bytes as base64, so that any tool can show and re-drive them. */

const base64 = text(/^[A-Za-z0-9+/]*={0,2}$/);

const line = fields({
  topic: text(), partition: whole(0), offset: whole(0), time: nullable(finite()), code: text(/^[A-Z0-9_]+$/), message: text(), table: nullable(oneOf(...TABLE_NAMES)), key: nullable(text()),
  property: nullable(text()), keyBytes: nullable(base64), valueBytes: nullable(base64), properties: list(text()),
  imageProperty: nullable(text()), position: list(whole(0, 0xffffffff), POSITION_WORDS, POSITION_WORDS), commitTime: nullable(finite()),
});

/** All letters as one file. */
export function encodeLetters(letters: readonly OpenDeadLetter[]): Uint8Array {
  return Buffer.from(letters.map(({ letter, ...marks }) => `${JSON.stringify({
    topic: letter.topic, partition: letter.partition, offset: letter.offset, time: letter.time, code: letter.code, message: letter.message, table: letter.table, key: letter.key,
    property: letter.property, keyBytes: toBase64(letter.keyBytes), valueBytes: toBase64(letter.valueBytes),
    properties: marks.properties, imageProperty: marks.imageProperty, position: marks.position, commitTime: marks.commitTime,
  })}\n`).join(''));
}

/** Reads the letters a manifest names, verified. Throws `Damage`. */
export async function readLetters(store: Store, folder: string, entry: LettersEntry): Promise<OpenDeadLetter[]> {
  const file = folder + entry.name;
  const content = await store.read(file);
  if (content === null) throw new Damage(file, 'the file is missing');
  if (content.bytes.length !== entry.bytes || sha256Of(content.bytes) !== entry.sha256) throw new Damage(file, 'it does not have the SHA-256 that was written (torn or altered)');
  try {
    const letters = Buffer.from(content.bytes).toString('utf8').split('\n').slice(0, -1).map((text, i) => decodeLetter(text, i));
    if (letters.length !== entry.count) throw new Error(`it holds ${letters.length} letters, the manifest says ${entry.count}`);
    return letters;
  } catch (error) {
    throw new Damage(file, messageOf(error));
  }
}

function decodeLetter(json: string, index: number): OpenDeadLetter {
  const { properties, imageProperty, position, commitTime, keyBytes, valueBytes, ...letter } = line(JSON.parse(json), `line ${index + 1}`);
  return { letter: { ...letter, keyBytes: fromBase64(keyBytes), valueBytes: fromBase64(valueBytes) }, properties, imageProperty, position, commitTime };
}

function toBase64(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

function fromBase64(text: string | null): Uint8Array | null {
  return text === null ? null : new Uint8Array(Buffer.from(text, 'base64'));
}
