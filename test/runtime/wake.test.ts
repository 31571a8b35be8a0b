/**
 * Goal: a ring is never lost and never counted twice.
 * Method: rings before, during and after waits. The bell has no other door than `ring` and `wait`.
 */
import { describe, expect, it } from 'vitest';
import { Wake } from '../../src/runtime/wake.ts';

async function isAsleep(wait: Promise<void>): Promise<boolean> {
  const turn = new Promise<string>((resolve) => setImmediate(() => resolve('asleep')));
  return (await Promise.race([wait.then(() => 'awake'), turn])) === 'asleep';
}

describe('a bell', () => {
  it('wakes the one who sleeps', async () => {
    const wake = new Wake();
    const wait = wake.wait();
    expect(await isAsleep(wait)).toBe(true);
    wake.ring();
    expect(await isAsleep(wait)).toBe(false);
  });

  it('rung while nobody sleeps lets the next wait pass, and only that', async () => {
    const wake = new Wake();
    wake.ring();
    wake.ring();
    await wake.wait();
    const second = wake.wait();
    expect(await isAsleep(second)).toBe(true);
    wake.ring();
    await second;
  });

  it('lets the sleeper go after the time given', async () => {
    const wake = new Wake();
    await wake.wait(1);
    const later = wake.wait(1_000_000);
    expect(await isAsleep(later)).toBe(true);
    wake.ring();
    await later;
  });
});
