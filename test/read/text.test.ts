/**
 * Goal: no text from outside can forge, hide or break a log line.
 * Method: any text, and the known tricks.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoText, printable } from '../../src/read/text.ts';

describe('printable', () => {
  it('gives one well-formed line of bounded length without controls, whatever comes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
      const shown = printable(text);
      expect(shown).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]/u);
      expect(shown.isWellFormed()).toBe(true);
      expect(shown.length).toBeLessThanOrEqual(6 * 601);
    }));
  });

  it('leaves what a person can read as it is', () => {
    expect(printable('Maison Élysée 12 / 日本 🏠 "q" \\')).toBe('Maison Élysée 12 / 日本 🏠 "q" \\');
  });

  it.each([['a\nb', 'a\\u000ab'], ['\u001b[2J', '\\u001b[2J'], ['\u202egpj', '\\u202egpj'], ['\ud800x', '\\ud800x'], ['\u0085', '\\u0085']])('writes %j as %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe('isoText', () => {
  it('is null for what is no instant', () => {
    expect([null, Number.NaN, Infinity, 8.65e15].map(isoText)).toEqual([null, null, null, null]);
    expect(isoText(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});
