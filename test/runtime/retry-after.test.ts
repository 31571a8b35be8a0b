/**
 * Goal: a service that asks to be left alone is, in both forms the header has; what is neither asks for nothing.
 * Method: headers as servers send them, against a fixed clock.
 */
import { expect, it } from 'vitest';
import { retryAfterMs } from '../../src/runtime/retry-after.ts';

const NOW = Date.UTC(2026, 9, 21, 7, 28, 0);

it.each([
  ['7', 7_000], [' 120 ', 120_000], ['0', 0], ['9999999', 9_999_999_000],
  ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000], ['Wednesday, 21-Oct-26 07:29:00 GMT', 60_000], ['Wed Oct 21 07:28:05 2026 GMT', 5_000], ['Wed, 21 Oct 2026 07:00:00 GMT', 0],
  ['', null], ['soon', null], ['-5', null], ['1.5', null], ['7 s', null], [null, null], [undefined, null],
])('%o is %o ms', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
