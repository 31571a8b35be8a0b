// Goal: a row's shard depends on its table and key alone, and rows spread over all shards. Method: keys of all kinds, encoded in two batches that number
// their long texts differently.
import { expect, test } from 'vitest';
import { SHARDS, encodeIdentifierText } from '../../src/change/identifier.ts';
import { shardOf } from '../../src/change/shard.ts';

function shard(table: number, text: string, strings: string[]): number {
  const words = new Uint32Array(4);
  const kind = encodeIdentifierText(text, words, 0, (long) => strings.push(long) - 1);
  return shardOf(table, kind, words, 0, (index) => strings[index]);
}

test('the same row is in the same shard, whatever the batch', () => {
  for (const text of ['1', 'abc', 'd327c45d-02d5-43ad-8dca-59901b1b1b90', 'D327C45D-02D5-43AD-8DCA-59901B1B1B90', 'an identifier of many words']) {
    expect(shard(1, text, ['another text', 'and one more'])).toBe(shard(1, text, []));
  }
});

test.each([['integers', (i: number) => String(i)], ['UUIDs', (i: number) => `${(i * 2_654_435_761 % 2 ** 32).toString(16).padStart(8, '0')}-02d5-43ad-8dca-59901b1b1b90`], ['texts', (i: number) => `invoice number ${i} of this year`]])(
  '%s spread evenly', (_, text) => {
    const counts = new Array<number>(SHARDS).fill(0);
    for (let i = 0; i < 64_000; i++) counts[shard(i % 3, text(i), [])]++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1200);
  });
