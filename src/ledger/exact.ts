/** Largest total, in units of 1/10 000, that an account may have: beyond it, it answers TOTAL_OUT_OF_RANGE. */
export const TOTAL_LIMIT_UNITS = 5e15;

/** A sum that is exact whatever its size: a number while it is safe, a bigint for what overflows from it. */
export class ExactSum {
  #low = 0;
  #high = 0n;

  /** `units` must be a safe integer not beyond TOTAL_LIMIT_UNITS. */
  add(units: number): void {
    const low = this.#low + units;
    if (Number.isSafeInteger(low)) this.#low = low;
    else {
      this.#high += BigInt(this.#low) + BigInt(units);
      this.#low = 0;
    }
  }

  get value(): bigint {
    return this.#high + BigInt(this.#low);
  }

  /** The sum as a number, or null when it is no total an account may have. */
  withinRange(): number | null {
    if (this.#high !== 0n) return numberWithinRange(this.value);
    return Math.abs(this.#low) <= TOTAL_LIMIT_UNITS ? this.#low : null;
  }
}

/** Exact sum of safe integers, or null when it is no total an account may have. */
export function sumWithinRange(units: readonly number[]): number | null {
  let sum = 0;
  for (const value of units) {
    sum += value;
    if (!Number.isSafeInteger(sum)) return numberWithinRange(units.reduce((total, each) => total + BigInt(each), 0n));
  }
  return Math.abs(sum) <= TOTAL_LIMIT_UNITS ? sum : null;
}

/** The number, or null when it is no total an account may have. */
function numberWithinRange(total: bigint): number | null {
  return total <= BigInt(TOTAL_LIMIT_UNITS) && total >= -BigInt(TOTAL_LIMIT_UNITS) ? Number(total) : null;
}

/** `numerator` ÷ `denominator` (above 0), rounded half to even. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n;
  const size = negative ? -numerator : numerator;
  let quotient = size / denominator;
  const twice = (size % denominator) * 2n;
  if (twice > denominator || (twice === denominator && quotient % 2n === 1n)) quotient += 1n;
  return negative ? -quotient : quotient;
}
