// Goal: identifiers and their texts are one to one, in every kind. Method: fast-check over texts near the kinds' borders; round trip, and no two texts alike.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ID_LONG, ID_SHORT, ID_UUID, ID_UUID_UPPER, encodeIdentifierText, hashIdentifier, identifierText } from '../../src/change/identifier.ts';

function encode(text: string): { kind: number; words: string; back: string | null } {
  const words = new Uint32Array(6).fill(0xdeadbeef);
  const strings: string[] = [];
  const kind = encodeIdentifierText(text, words, 1, (long) => strings.push(long) - 1);
  expect([words[0], words[5]]).toEqual([0xdeadbeef, 0xdeadbeef]);
  return { kind, words: kind === ID_LONG ? strings[0] : words.subarray(1, 5).join(), back: identifierText(kind, words, 1, (index) => strings[index]) };
}

const UUID = '01234567-89ab-cdef-0123-456789abcdef';

test.each([
  [UUID, ID_UUID], [UUID.toUpperCase(), ID_UUID_UPPER], ['01234567-8901-2345-6789-012345678901', ID_UUID], [`${UUID.slice(0, 35)}F`, ID_LONG], [`${UUID.slice(0, 35)}g`, ID_LONG], [UUID.replaceAll('-', '0'), ID_LONG],
  [UUID.replace('-', '_'), ID_LONG], [`-${UUID.slice(0, 35)}`, ID_LONG], [UUID.slice(1), ID_LONG], [`${UUID}0`, ID_LONG], ['a', ID_SHORT], ['é'.repeat(7), ID_SHORT], ['é'.repeat(8), ID_LONG], ['123456789012345', ID_SHORT], ['1234567890123456', ID_LONG],
  ['\u0000', ID_SHORT], ['\u0000\u0000', ID_SHORT],
])('%s is of kind %d', (text, kind) => expect(encode(text)).toMatchObject({ kind, back: text }));

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }), fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }), fc.uuid(), fc.uuid().map((uuid) => uuid.toUpperCase()),
  fc.tuple(fc.uuid(), fc.nat(35), fc.constantFrom(...'0aFg-Z é')).map(([uuid, at, c]) => uuid.slice(0, at) + c + uuid.slice(at + 1)), fc.nat().map(String));

test('every text comes back', () => {
  fc.assert(fc.property(text, (given) => encode(given).back === given), { numRuns: 2000 });
});

test('equal exactly when the texts are', () => {
  fc.assert(fc.property(text, text, (a, b) => {
    const [left, right] = [encode(a), encode(b)];
    expect(left.kind === right.kind && left.words === right.words).toBe(a === b);
  }), { numRuns: 2000 });
});

test('hashes spread', () => {
  const hashes = new Set<number>();
  for (let i = 0; i < 10_000; i++) {
    const words = new Uint32Array(4);
    hashes.add(hashIdentifier(encodeIdentifierText(String(i), words, 0, () => 0), words[0], words[1], words[2], words[3]));
  }
  expect(hashes.size).toBeGreaterThan(9_990);
});
