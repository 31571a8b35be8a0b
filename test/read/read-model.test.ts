/**
 * Goal: answers are made of what is true at the moment of the request, and today is today where the houses stand.
 * Method: a state and a clock that are moved by hand.
 */
import { describe, expect, it } from 'vitest';
import { parseDate } from '../../src/change/dates.ts';
import { createControl } from '../../src/control.ts';
import { createReadModel, type ReadModelParts } from '../../src/read/read-model.ts';

function modelAt(timeZone: string) {
  const world = { now: Date.UTC(2026, 11, 31, 23, 59, 59, 999), newestChangeAt: null as number | null };
  const state = {
    books: { figures: () => ({ kind: 'unknown' }), counts: () => ({ accounts: 7 }) } as unknown as ReadModelParts['state']['books'],
    counters: () => [],
    get newestChangeAt() { return world.newestChangeAt; },
  };
  return { world, model: createReadModel({ state, control: createControl(0), clock: { now: () => world.now }, timeZone }) };
}

describe('the read model', () => {
  it('turns the day at midnight of the zone, to the millisecond', () => {
    const { world, model } = modelAt('UTC');
    expect(model.today()).toBe(parseDate('2026-12-31'));
    world.now++;
    expect(model.today()).toBe(parseDate('2027-01-01'));
  });

  it.each([['America/New_York', '2026-12-31'], ['Asia/Tokyo', '2027-01-01']])('is in %s on %s', (zone, day) => {
    expect(modelAt(zone).model.today()).toBe(parseDate(day));
  });

  it('reads the state each time', () => {
    const { world, model } = modelAt('UTC');
    expect(model.newestChangeAt()).toBeNull();
    world.newestChangeAt = 5;
    expect([model.newestChangeAt(), model.counts().accounts, model.control().phase, model.now()]).toEqual([5, 7, 'restoring', world.now]);
  });
});
