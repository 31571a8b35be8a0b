// Goal: money is exact in every encoding and bounded as the design says. Method: tables of named cases, and fast-check against BigInt arithmetic.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MONEY_INVALID, MONEY_OUT_OF_BOUNDS, formatUnits, jsonNumber, parseMoney, parseUnscaled } from '../../src/change/money.ts';

function unscaled(base64: string, scale: number): number {
  const bytes = new TextEncoder().encode(base64);
  return parseUnscaled(bytes, 0, bytes.length, scale);
}

/** Two's complement of minimal length, as Java's BigInteger.toByteArray gives it. */
function twosComplement(value: bigint, extraBytes = 0): string {
  let length = 1;
  while (value < -(1n << BigInt(8 * length - 1)) || value >= 1n << BigInt(8 * length - 1)) length++;
  length += extraBytes;
  const hex = BigInt.asUintN(8 * length, value).toString(16).padStart(2 * length, '0');
  return Buffer.from(hex, 'hex').toString('base64');
}

/** Slow oracle: units of mantissa·10^exponent. */
function oracle(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const shift = exponent + 4;
  let units = mantissa;
  if (shift >= 0) units *= 10n ** BigInt(shift);
  else {
    const power = 10n ** BigInt(-shift);
    if (units % power !== 0n) return MONEY_OUT_OF_BOUNDS;
    units /= power;
  }
  return units < 10n ** 15n && units > -(10n ** 15n) ? Number(units) : MONEY_OUT_OF_BOUNDS;
}

describe('text', () => {
  test.each([
    ['0', 0], ['-0', 0], ['-0.00', 0], ['0e99999999999', 0], ['12.5', 125_000], ['-12.50', -125_000], ['10.000000', 100_000], ['007.10', 71_000],
    ['1.2e3', 12_000_000], ['1.2E+3', 12_000_000], ['125e-1', 125_000], ['0.0001', 1], ['1e-4', 1], ['10e-5', 1],
    ['99999999999.9999', 999_999_999_999_999], ['-99999999999.9999', -999_999_999_999_999], ['0.00000000000000000001e20', 10_000],
    ['100000000000000000000e-20', 10_000],
  ])('%s is %d units', (text, units) => {
    expect(Object.is(parseMoney(text), units)).toBe(true);
  });

  test.each(['100000000000', '-1e11', '1e400', '1e-5', '0.00001', '1.23456', '99999999999.99999', '1e99999999999999999999', '1'.repeat(1_000_000)])(
    '%# is out of bounds', (text) => {
      expect(parseMoney(text)).toBe(MONEY_OUT_OF_BOUNDS);
    });

  test.each(['', '-', '+1', '.5', '5.', '1.', '-.5', 'NaN', 'Infinity', '1,234.56', ' 12', '12 ', '0x10', '1_000', '１２', '1e', '1e+', '1.2.3', '1e2.5', '--1', 'e5', '1-1', '$5'])(
    '"%s" is no number', (text) => {
      expect(parseMoney(text)).toBe(MONEY_INVALID);
    });

  test('any decimal number against BigInt', () => {
    fc.assert(fc.property(
      fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 24 }), fc.integer({ min: -12, max: 12 }), fc.boolean(),
      (mantissa, decimals, exponent, withExponent) => {
        const digits = (mantissa < 0n ? -mantissa : mantissa).toString().padStart(decimals + 1, '0');
        const point = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
        const text = `${mantissa < 0n ? '-' : ''}${point}${withExponent ? `e${exponent}` : ''}`;
        expect(parseMoney(text)).toBe(oracle(mantissa, (withExponent ? exponent : 0) - decimals));
      }), { numRuns: 2000 });
  });
});

describe('unscaled bytes', () => {
  test.each([
    ['MDk=', 2, 1_234_500], ['A70I', 2, 24_500_000], ['+x4=', 2, -125_000], ['AIA=', 2, 12_800], ['/w==', 2, -100], ['AA==', 2, 0],
    ['AQ==', -3, 10_000_000], ['AQ==', 4, 1], ['ZA==', 6, 1],
  ])('%s at scale %d is %d units', (base64, scale, units) => {
    expect(unscaled(base64, scale)).toBe(units);
  });

  test.each([['', 2], ['MDk', 2], ['MDk=MDk=', 2], ['M===', 2], ['====', 2], ['MD*=', 2], ['MDl=', 2], ['/x==', 2], ['123.45', 2], [' MDk', 0]])(
    '"%s" is not base64', (base64, scale) => {
      expect(unscaled(base64, scale)).toBe(MONEY_INVALID);
    });

  test.each([['AQ==', 5], ['AQ==', -11], ['AQ==', 2_000_000_000], ['AQ==', -2_000_000_000], [Buffer.alloc(20_000, 1).toString('base64'), 2]])(
    '%# is out of bounds', (base64, scale) => {
      expect(unscaled(base64, scale)).toBe(MONEY_OUT_OF_BOUNDS);
    });

  test('any integer, scale and length against BigInt', () => {
    const value = fc.oneof(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }), fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }));
    fc.assert(fc.property(value, fc.integer({ min: 0, max: 24 }), fc.integer({ min: -20, max: 44 }), fc.integer({ min: 0, max: 9 }),
      (base, zeros, scale, extraBytes) => {
        const integer = base * 10n ** BigInt(zeros);
        expect(unscaled(twosComplement(integer, extraBytes), scale)).toBe(oracle(integer, -scale));
      }), { numRuns: 2000 });
  });
});

describe('output', () => {
  test.each([[0, '0.0000', '0'], [-0, '0.0000', '0'], [-125_000, '-12.5000', '-12.5'], [1, '0.0001', '0.0001'], [-1, '-0.0001', '-0.0001'], [12_005_000, '1200.5000', '1200.5'],
    [5_000_000_000_000_000, '500000000000.0000', '500000000000'], [Number.MAX_SAFE_INTEGER, '900719925474.0991', '900719925474.0991']])('%d', (units, four, short) => {
    expect(formatUnits(units)).toBe(four);
    expect(jsonNumber(units)).toBe(short);
  });

  test('what is written is read again, and JSON reads the same', () => {
    fc.assert(fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), (units) => {
      expect(parseMoney(formatUnits(units))).toBe(units);
      expect(parseMoney(jsonNumber(units))).toBe(units);
      expect(String(JSON.parse(jsonNumber(units)))).toBe(Math.abs(units) < 1 ? '0' : jsonNumber(units));
    }));
  });

  test('a sum that is no longer exact is refused', () => {
    expect(() => formatUnits(2 ** 53)).toThrow(RangeError);
    expect(() => jsonNumber(0.5)).toThrow(RangeError);
  });
});
