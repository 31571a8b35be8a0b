import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LEASE_MS, RENEW_MS } from '../../src/snapshot/azure-lease.ts';
import { ownIdentity } from '../../src/snapshot/process-identity.ts';
import type { Lease, LeaseHeld } from '../../src/snapshot/store.ts';
import { clientOf, newAzurePlace, openAzure, OWN_FOLDER, type AzurePlace } from '../support/azure-place.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { faultFired } from '../support/faults/fired.ts';
import { azuriteService } from '../support/services/services.ts';
import { until } from '../support/until.ts';

// Goal: at most one process believes that it may publish; who is paused, cut off or robbed finds out before the service gives the lease away; nobody waits for a process that
// is known dead here. Method: the service's real lease on Azurite, holders on a clock moved by hand, a proxy that cuts one of them off, and real processes that are killed.

const azurite = await azuriteService();
const children: ChildProcess[] = [];
const elsewhere = { ...ownIdentity(), space: 'ffffffffffff', host: 'elsewhere', pid: 1 };
const LEASE_BLOB = `${OWN_FOLDER}.rentfold/lease.json`;

afterAll(() => { for (const child of children) child.kill('SIGKILL'); });

function held(answer: Lease | LeaseHeld): Lease {
  if (!answer.held) throw new Error(`held by ${answer.by}`);
  return answer;
}

describe.skipIf(azurite === null)('Azure lease', () => {
  const renewals = (proxy: FaultProxy): number => proxy.seen.filter(({ headers }) => headers['x-ms-lease-action'] === 'renew').length;

  /** A renewal is done, however it ended, when its holder sleeps for the whole time to the next. */
  const isAsleep = (clock: ManualClock): boolean => clock.sleeping.includes(RENEW_MS);

  /** What somebody does who takes the lease away by hand. */
  async function breakByHand(place: AzurePlace): Promise<void> {
    await (await clientOf(place)).getBlobClient(LEASE_BLOB).getBlobLeaseClient().breakLease(0);
  }

  it('lasts 30 seconds and is renewed every five', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const clock = new ManualClock();
    const store = await openAzure(newAzurePlace(azurite!, proxy.endpoint), { clock });
    const lease = held(await store.acquireLease('writer', () => undefined));
    const asked = proxy.seen.find(({ headers }) => headers['x-ms-lease-action'] === 'acquire');
    expect(asked?.headers['x-ms-lease-duration']).toBe('30');
    for (let beat = 1; beat <= 10; beat++) {
      await clock.pass(RENEW_MS / 1_000);
      await until(() => isAsleep(clock));
      expect([renewals(proxy), lease.valid()]).toEqual([beat, true]);
    }
    expect(lease.valid()).toBe(true);
    await lease.release();
    await store.close();
  });

  it('of another host is not broken, whatever its holder is called', async () => {
    const place = newAzurePlace(azurite!);
    const theirs = await openAzure(place, { identity: elsewhere });
    const lease = held(await theirs.acquireLease('other1', () => undefined));
    const ours = await openAzure(place);
    expect(await ours.acquireLease('writer', () => undefined)).toEqual({ held: false, by: 'writer other1, process 1 on host elsewhere' });
    expect(lease.valid()).toBe(true);
    await lease.release();
    held(await ours.acquireLease('writer', () => undefined));
    await Promise.all([theirs.close(), ours.close()]);
  });

  it('is not valid any more a second before the service would give it away, by the time before the request', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const clock = new ManualClock();
    const store = await openAzure(newAzurePlace(azurite!, proxy.endpoint), { clock });
    // Both answers (there is no blob yet; here is the lease) take three seconds: they count.
    const slow = proxy.add(({ headers }) => headers['x-ms-lease-action'] === 'acquire', { kind: 'first', action: () => clock.pass(3) }, 2);
    const lease = held(await store.acquireLease('writer', () => undefined));
    expect(slow.struck).toBe(2);
    const reasons: string[] = [];
    const cut = proxy.add(({ headers }) => headers['x-ms-lease-action'] === 'renew', { kind: 'answer', status: 503, code: 'ServerBusy' }, 99);
    await clock.pass(LEASE_MS / 1_000 - 6 - 1 - 0.001);
    expect(lease.valid()).toBe(true);
    await clock.pass(0.001);
    expect(lease.valid()).toBe(false);
    expect(cut.struck).toBeGreaterThan(0);
    expect(reasons).toEqual([]);
    await store.close();
  });

  it('is lost, once and in words, by a holder cut off from the store', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const clock = new ManualClock();
    const store = await openAzure(newAzurePlace(azurite!, proxy.endpoint), { clock });
    const reasons: string[] = [];
    const lease = held(await store.acquireLease('writer', (reason) => reasons.push(reason)));
    const cut = proxy.add(() => true, { kind: 'lose-reply' }, 999);
    for (let second = 0; second < 40 && reasons.length === 0; second += 5) {
      await clock.pass(5);
      await until(() => isAsleep(clock) || reasons.length > 0);
    }
    expect(reasons).toEqual([expect.stringMatching(/not renewed for 29 s: the process was paused/)]);
    expect(cut.struck).toBeGreaterThan(2);
    expect(lease.valid()).toBe(false);
    await clock.pass(60);
    expect(reasons).toHaveLength(1);
    await store.close();
  });

  it('outlives an outage shorter than itself', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const clock = new ManualClock();
    const store = await openAzure(newAzurePlace(azurite!, proxy.endpoint), { clock });
    const reasons: string[] = [];
    const lease = held(await store.acquireLease('writer', (reason) => reasons.push(reason)));
    const cut = proxy.add(({ headers }) => headers['x-ms-lease-action'] === 'renew', { kind: 'answer', status: 503, code: 'ServerBusy' }, 3);
    for (let beat = 1; beat <= 8; beat++) {
      await clock.pass(5);
      await until(() => isAsleep(clock));
      expect(renewals(proxy)).toBe(beat);
    }
    expect(cut.struck).toBe(3);
    expect([lease.valid(), reasons]).toEqual([true, []]);
    await lease.release();
    await store.close();
  });

  it('broken by hand or taken by another is lost at the next renewal, with the taker named', async () => {
    const place = newAzurePlace(azurite!);
    const clock = new ManualClock();
    const store = await openAzure(place, { clock });
    const ours = await openAzure(place, { identity: elsewhere });
    for (const taker of [null, 'taker1']) {
      const reasons: string[] = [];
      const lease = held(await store.acquireLease('writer', (reason) => reasons.push(reason)));
      await breakByHand(place);
      const taken = taker === null ? null : held(await ours.acquireLease(taker, () => undefined));
      await clock.pass(RENEW_MS / 1_000);
      await until(() => reasons.length > 0);
      faultFired('O8a');
      expect(reasons).toEqual([taker === null ? 'broken by somebody' : 'taken by writer taker1, process 1 on host elsewhere']);
      expect(lease.valid()).toBe(false);
      await lease.release();
      if (taken !== null) expect(taken.valid()).toBe(true);
      await taken?.release();
    }
    await Promise.all([store.close(), ours.close()]);
  });

  it('a lost reply to taking or giving back changes nothing', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const store = await openAzure(newAzurePlace(azurite!, proxy.endpoint));
    const action = (name: string) => proxy.add(({ headers }) => headers['x-ms-lease-action'] === name, { kind: 'lose-reply' });
    for (let round = 0; round < 2; round++) {
      const faults = [action('acquire'), action('release')];
      const lease = held(await store.acquireLease('writer', () => undefined));
      expect(lease.valid()).toBe(true);
      await lease.release();
      expect(faults.map((fault) => fault.struck)).toEqual([1, 1]);
    }
    await store.close();
  });

  it('whose holder cannot be written is given back at once, and the outage is said', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const place = newAzurePlace(azurite!, proxy.endpoint);
    const store = await openAzure(place);
    const other = await openAzure({ ...newAzurePlace(azurite!), container: place.container });
    // The blob is there: only the content under the lease is refused.
    await held(await other.acquireLease('first', () => undefined)).release();
    const refused = proxy.add(({ method, headers }) => method === 'PUT' && headers['x-ms-lease-id'] !== undefined && headers['x-ms-lease-action'] === undefined, { kind: 'answer', status: 403, code: 'AuthorizationFailure' });
    await expect(store.acquireLease('writer', () => undefined)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(refused.struck).toBe(1);
    const lease = held(await other.acquireLease('second', () => undefined));
    await lease.release();
    await Promise.all([store.close(), other.close()]);
  });

  it('who breaks the lease of a dead process never breaks one that was taken since', async () => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const direct = newAzurePlace(azurite!);
    const place = { ...newAzurePlace(azurite!, proxy.endpoint), container: direct.container };
    const dead = await openAzure(direct, { identity: { ...ownIdentity(), pid: 4_194_305, started: '1' } });
    held(await dead.acquireLease('dead1', () => undefined));
    await dead.close();
    const [one, two] = [await openAzure(place), await openAzure(direct)];
    let taken: Lease | LeaseHeld | null = null;
    // Between reading who holds it and breaking it, the other does both.
    const race = proxy.add(({ headers }) => headers['x-ms-lease-action'] === 'break', { kind: 'first', action: async () => { taken = await two.acquireLease('two', () => undefined); } });
    const answer = await one.acquireLease('one', () => undefined);
    expect(race.struck).toBe(1);
    expect(answer).toMatchObject({ held: false, by: expect.stringContaining('writer two') as unknown });
    expect(held(taken!).valid()).toBe(true);
    await held(taken!).release();
    await Promise.all([one.close(), two.close()]);
  });

  describe('real processes', () => {
    async function holder(place: AzurePlace): Promise<{ child: ChildProcess; ask: () => Promise<string> }> {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../support/lease-holder.ts'), JSON.stringify({ kind: 'azure', options: { container: place.container, credential: { kind: 'connection-string', connectionString: place.connectionString }, ownFolder: OWN_FOLDER } })], { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      const line = async (): Promise<string> => String((await once(child.stdout!, 'data'))[0]).trim();
      expect(await line()).toBe('held');
      return { child, ask: () => { child.stdin!.write('?\n'); return line(); } };
    }

    it('that of a killed process on this host is taken at once', async () => {
      const place = newAzurePlace(azurite!);
      const { child } = await holder(place);
      const store = await openAzure(place);
      expect(await store.acquireLease('writer', () => undefined)).toMatchObject({ held: false, by: expect.stringContaining(`process ${child.pid}`) as unknown });
      child.kill('SIGKILL');
      await once(child, 'exit');
      faultFired('O8b');
      const lease = held(await store.acquireLease('writer', () => undefined));
      expect(lease.valid()).toBe(true);
      await lease.release();
      await store.close();
    });

    it('that of a paused process goes to another when the service lets it, and the process finds out before it could publish', async () => {
      const place = newAzurePlace(azurite!);
      const { child, ask } = await holder(place);
      expect(await ask()).toBe('valid');
      child.kill('SIGSTOP');
      const store = await openAzure(place);
      expect(await store.acquireLease('writer', () => undefined)).toMatchObject({ held: false });
      // The service's own time, cut short.
      await breakByHand(place);
      const lease = held(await store.acquireLease('writer', () => undefined));
      child.kill('SIGCONT');
      let answer = '';
      await until(async () => (answer = await ask()) !== 'valid');
      expect(answer).toMatch(/^lost taken by writer writer/);
      expect(lease.valid()).toBe(true);
      await lease.release();
      await store.close();
    });
  });
});
