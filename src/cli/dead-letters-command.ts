import { RentfoldError } from '../errors.ts';
import type { OpenDeadLetter } from '../ledger/ledger.ts';
import { oneLine } from '../runtime/one-line.ts';
import { damageAsError } from '../snapshot/damage.ts';
import { readLetters } from '../snapshot/dead-letter-file.ts';
import { listAll } from '../snapshot/listing.ts';
import { createNames } from '../snapshot/names.ts';
import { readManifestFile } from '../snapshot/restore.ts';
import { findServed } from '../snapshot/served-lineage.ts';
import type { Store } from '../snapshot/store.ts';

/** Text of `rentfold dead-letters`: the open ones of the newest checkpoint, or one of them with its bytes. */
export async function deadLettersText(store: Store, prefix: string, parameters: readonly string[]): Promise<string> {
  const [action = 'list', place] = parameters;
  if (action !== 'list' && action !== 'show') throw new RentfoldError('CONFIGURATION_INVALID', `\`${action}\` is neither list nor show; usage: rentfold dead-letters [list | show TOPIC/PARTITION/OFFSET]`);
  if ((action === 'show') !== (place !== undefined)) throw new RentfoldError('CONFIGURATION_INVALID', 'usage: rentfold dead-letters [list | show TOPIC/PARTITION/OFFSET]');
  const { letters, from } = await newestLetters(store, prefix);
  if (place === undefined) return listText(letters, from);
  const found = letters.find(({ letter }) => placeOf(letter) === place);
  if (found === undefined) throw new RentfoldError('CONFIGURATION_INVALID', `there is no open dead letter ${place} in ${from}; rentfold dead-letters lists them`);
  return showText(found);
}

async function newestLetters(store: Store, prefix: string): Promise<{ letters: readonly OpenDeadLetter[]; from: string }> {
  const names = createNames(prefix);
  const listing = await listAll(store, names);
  const { lineage } = await findServed(store, names, listing);
  const generation = lineage === null ? undefined : listing.lineages.get(lineage)?.manifests[0];
  if (lineage === null || generation === undefined) return { letters: [], from: `${store.place}, which holds no checkpoint yet` };
  try {
    const manifest = await readManifestFile(store, names, lineage, generation);
    const entry = manifest?.parts[0].deadLetters ?? null;
    return { letters: entry === null ? [] : await readLetters(store, names.lineage(lineage), entry), from: `generation ${generation} of lineage ${lineage}` };
  } catch (error) {
    throw damageAsError(error);
  }
}

function placeOf(letter: OpenDeadLetter['letter']): string {
  return `${letter.topic}/${letter.partition}/${letter.offset}`;
}

function listText(letters: readonly OpenDeadLetter[], from: string): string {
  if (letters.length === 0) return `no open dead letters in ${from}\n`;
  const lines = letters.map(({ letter, properties }) =>
    `${placeOf(letter)}  ${letter.code}  ${properties.length === 0 ? 'no property known' : `property ${properties.map(oneLine).join(', ')}`}  ${oneLine(letter.message)}`);
  return [`${letters.length} open dead ${letters.length === 1 ? 'letter' : 'letters'} in ${from}`, ...lines, ''].join('\n');
}

function showText({ letter, properties }: OpenDeadLetter): string {
  return [
    `place       ${placeOf(letter)}`,
    `time        ${letter.time === null ? 'unknown' : new Date(letter.time).toISOString()}`,
    `code        ${letter.code}`,
    `message     ${oneLine(letter.message)}`,
    `row         ${letter.table ?? 'unknown table'}, key ${letter.key === null ? 'unknown' : oneLine(letter.key)}`,
    `properties  ${properties.length === 0 ? 'none known' : properties.map(oneLine).join(', ')}`,
    '',
    ...bytesText('key', letter.keyBytes),
    ...bytesText('value', letter.valueBytes),
  ].join('\n');
}

/** Bytes as text where they are text, and byte for byte below. */
function bytesText(name: string, bytes: Uint8Array | null): string[] {
  if (bytes === null) return [`${name}: null`, ''];
  const lines = [`${name}: ${bytes.length} bytes`];
  try {
    lines.push(oneLine(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    lines.push('(not UTF-8)');
  }
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return [...lines, ''];
}
