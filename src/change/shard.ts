import { ID_LONG, SHARDS, hashIdentifier } from './identifier.ts';

/**
 * Virtual shard (0 to SHARDS - 1) of the row whose key is `words[at..at+4)` of `kind` in a logical table. The same for every batch,
 * partition and instance: a long identifier is hashed by its text (`textOf` its index), not by its index.
 */
export function shardOf(table: number, kind: number, words: Uint32Array, at: number, textOf: (index: number) => string): number {
  const hash = kind === ID_LONG ? hashText(textOf(words[at])) : hashIdentifier(kind, words[at], words[at + 1], words[at + 2], words[at + 3]);
  return (Math.imul(hash ^ table, 0x9e3779b1) >>> 16) % SHARDS;
}

/** FNV-1a over UTF-16 code units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
