/**
 * Goal: of two processes on one store and one log, one publishes and the other follows, answers everything, and takes over when the first is gone: at once
 * when it is dead, after its lease has run out when it hangs or has lost the store. One that comes back never publishes into what the other began.
 * Method: real processes, SIGKILL, SIGSTOP and SIGCONT, a way to the store of each process's own that can be cut; who wrote what is read from the manifests.
 */
import { describe, expect, test } from 'vitest';
import { checkCase } from '../support/check-answers.ts';
import { loadCase } from '../support/conformance.ts';
import type { RentfoldProcess } from '../support/process.ts';
import { faultFired } from '../support/faults/fired.ts';
import { azuriteService } from '../support/services/services.ts';
import { WayToStore } from '../support/way-to-store.ts';
import { Workplace } from '../support/workplace.ts';

const one = loadCase('duplicates');

/** Appends the lines between two shares of every file. */
async function appendShare(place: Workplace, from: number, to: number): Promise<void> {
  for (const [file, lines] of one.files) await place.append(file, lines.slice(Math.floor(lines.length * from), Math.floor(lines.length * to)));
}

async function hasRole(program: RentfoldProcess, role: 'publisher' | 'standby'): Promise<void> {
  await program.until(`is ${role}`, async () => (await program.status()).role === role);
}

async function hasReadAll(program: RentfoldProcess): Promise<void> {
  await program.until('has read everything', async () => Number((await program.status()).records.read) === one.records);
  await program.showingLog(() => checkCase(one, program));
}

/** Writers of the generations from a number on, in order, each once. */
async function writersFrom(place: Workplace, generation: number): Promise<readonly string[]> {
  return [...new Set((await place.generations()).filter((manifest) => manifest.generation >= generation).map(({ writer }) => writer))];
}

const azurite = await azuriteService();

describe.each(azurite === null ? [['local', null]] as const : [['local', null], ['azure', azurite]] as const)('two processes on one store, %s', (_, service) => {
  test('the second stands by with full figures, and publishes at once what nobody has published when the first is killed', async () => {
    await using place = await Workplace.create(service);
    // Only the take-over makes a checkpoint due.
    const settings = { ...one.settings, RENTFOLD_CHECKPOINT_SECONDS: '1' };
    await appendShare(place, 0, 0.5);
    await using first = place.start({ ...settings, RENTFOLD_CHECKPOINT_SECONDS: '86400' });
    await first.ready();
    await hasRole(first, 'publisher');
    await using second = place.start(settings);
    await second.ready();
    expect((await second.status()).role).toBe('standby');
    await appendShare(place, 0.5, 1);
    await Promise.all([hasReadAll(first), hasReadAll(second)]);
    expect([await place.newestGeneration(), (await second.status()).role]).toEqual([0, 'standby']);
    await first.kill('SIGKILL');
    await hasRole(second, 'publisher');
    faultFired('L2a');
    await second.until('published', async () => await place.newestGeneration() === 1);
    await second.kill('SIGKILL');
    await using third = place.start(settings);
    await third.ready();
    expect(third.log).toContain('Restored generation 1 ');
    await hasReadAll(third);
  }, 120_000);

  test('a publisher that hangs loses its lease; resumed, it says so and publishes nothing until it is its turn again', async () => {
    await using place = await Workplace.create(service);
    const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '5', RENTFOLD_CHECKPOINT_SECONDS: '1' };
    await appendShare(place, 0, 0.3);
    await using first = place.start(settings);
    await first.ready();
    await first.until('published', async () => await place.newestGeneration() > 0);
    await using second = place.start(settings);
    await second.ready();
    await hasRole(second, 'standby');
    first.signal('SIGSTOP');
    const [old] = await writersFrom(place, await place.newestGeneration());
    const before = await place.newestGeneration();
    await appendShare(place, 0.3, 0.6);
    await hasRole(second, 'publisher');
    await second.until('published', async () => await place.newestGeneration() > before);
    faultFired('L2b');
    first.signal('SIGCONT');
    await hasRole(first, 'standby');
    await first.until('says so', async () => (await first.status()).warnings.some(({ code }) => code === 'LEASE_LOST'));
    await appendShare(place, 0.6, 1);
    await Promise.all([hasReadAll(first), hasReadAll(second)]);
    const taken = await place.newestGeneration();
    await second.until('published all', async () => Number((await second.status()).generation) >= taken && (await second.status()).role === 'publisher');
    const [writer, ...others] = await writersFrom(place, before + 1);
    expect([writer === old, others]).toEqual([false, []]);
    await second.until('has nothing left to publish', async () => Number((await second.status()).unpublished.rows) === 0);
    const last = await place.newestGeneration();
    await second.kill('SIGKILL');
    await hasRole(first, 'publisher');
    await first.until('published', async () => await place.newestGeneration() > last);
    expect(await writersFrom(place, last + 1)).toEqual([old]);
    const numbers = (await place.generations()).map(({ generation }) => generation);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    await first.kill('SIGTERM');
    expect(await first.exitCode(), first.log).toBe(0);
    await using third = place.start(settings);
    await third.ready();
    await hasReadAll(third);
  }, 180_000);

  test('a publisher that is cut off from the store folds and answers on, and another takes over; back again, it stands by', async () => {
    await using place = await Workplace.create(service);
    await using way = await WayToStore.to(place);
    await using otherWay = await WayToStore.to(place);
    const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '5', RENTFOLD_CHECKPOINT_SECONDS: '1' };
    await appendShare(place, 0, 0.3);
    await using first = place.start({ ...settings, ...way.settings });
    await first.ready();
    await first.until('published all', async () => (await first.status()).unpublished.since === null);
    await using second = place.start({ ...settings, ...otherWay.settings });
    await second.ready();
    await hasRole(second, 'standby');
    const before = await place.newestGeneration();
    const [old] = await writersFrom(place, before);
    await way.cut();
    await appendShare(place, 0.3, 1);
    await Promise.all([hasReadAll(first), hasReadAll(second)]);
    await hasRole(second, 'publisher');
    await hasRole(first, 'standby');
    faultFired('L2c');
    await second.until('published all', async () => (await second.status()).unpublished.since === null);
    expect((await first.get('/health/ready')).status).toBe(200);
    expect(Number((await first.status()).unpublished.rows)).toBeGreaterThan(0);
    expect((await first.get('/metrics')).text).toMatch(/^rentfold_publisher 0$/m);
    expect((await second.get('/metrics')).text).toMatch(/^rentfold_publisher 1$/m);
    const [writer, ...others] = await writersFrom(place, before + 1);
    expect([writer === old, others]).toEqual([false, []]);
    await way.restore();
    await first.until('sees who publishes', async () => (await first.status()).role_reason?.startsWith(`writer ${writer}`) === true);
    const last = await place.newestGeneration();
    await second.kill('SIGKILL');
    await hasRole(first, 'publisher');
    await first.until('published all', async () => (await first.status()).unpublished.since === null);
    expect(await writersFrom(place, last + 1)).toEqual([old]);
    const numbers = (await place.generations()).map(({ generation }) => generation);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  }, 180_000);
});
