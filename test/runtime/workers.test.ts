/**
 * Goal: an error that crosses a thread border still says what happened, with its code.
 * Method: errors of all kinds taken apart, cloned as a port clones them, and put together.
 */
import { describe, expect, it } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import { asRentfoldError, errorFromWire, errorToWire } from '../../src/runtime/workers.ts';

const across = (error: unknown): RentfoldError => errorFromWire(structuredClone(errorToWire(error)), 'SOURCE_FAILED');

describe('an error across threads', () => {
  it('keeps its code, message, exit code and the stack it had', () => {
    const error = new RentfoldError('POSITION_TOO_OLD', 'where and what');
    const there = across(error);
    expect(there).toBeInstanceOf(RentfoldError);
    expect(there).toMatchObject({ code: 'POSITION_TOO_OLD', message: 'where and what', exit: 3 });
    expect((there.cause as Error).stack).toBe(error.stack);
  });

  it('without a code gets the one given, and keeps its message, whatever was thrown', () => {
    expect(across(new TypeError('x is not a function'))).toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringContaining('x is not a function') as string });
    expect(across('just text')).toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringContaining('just text') as string });
    expect(across(undefined).message).toContain('undefined');
  });

  it('stays the same object when it has a code and stays here', () => {
    const error = new RentfoldError('STORE_FOREIGN', 'm');
    expect(asRentfoldError(error, 'UNEXPECTED')).toBe(error);
    expect(asRentfoldError(new Error('m'), 'UNEXPECTED')).toMatchObject({ code: 'UNEXPECTED' });
  });
});
