/**
 * Goal: a query string is read once, strictly, and never throws, whatever it holds.
 * Method: random parameters are encoded and read back; hostile ones by name.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQueryString } from '../../src/read/query-string.ts';

describe('parseQueryString', () => {
  it('reads back what the platform encodes', () => {
    const wellFormed = fc.string({ unit: 'grapheme' }).map((text) => text.toWellFormed());
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(wellFormed, wellFormed), { selector: ([name]) => name, maxLength: 5 }), (pairs) => {
      const parsed = parseQueryString(new URLSearchParams(pairs).toString());
      expect(Object.entries(parsed).sort()).toEqual(pairs.map(([name, value]) => [name, value]).sort());
    }));
  });

  it('never throws, and gives texts, nulls and arrays of them only', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'%&=+#a0Ff;\u0000é') }), (text) => {
      for (const value of Object.values(parseQueryString(text)).flat()) expect(value === null || typeof value === 'string').toBe(true);
    }));
  });

  it.each([
    ['', {}],
    ['&&', {}],
    ['a', { a: '' }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
    ['a=%zz', { a: null }],
    ['a=%ff', { a: null }],
    ['a=%', { a: null }],
    ['a=x+y%2Bz', { a: 'x y+z' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=%2500', { a: '%00' }],
    ['%61=1&a=2', { a: ['1', '2'] }],
    ['unit_id[]=1', { 'unit_id[]': '1' }],
  ])('reads %j', (text, expected) => {
    expect({ ...parseQueryString(text) }).toEqual(expected);
  });

  it('takes names of the prototype for names', () => {
    const parsed = parseQueryString('__proto__=1&constructor=2');
    expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });
});
