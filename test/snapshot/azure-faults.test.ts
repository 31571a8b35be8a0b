import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { USUAL } from '../../src/snapshot/azure-calls.ts';
import { BLOCK_BYTES } from '../../src/snapshot/azure-upload.ts';
import { Damage } from '../../src/snapshot/damage.ts';
import type { Store } from '../../src/snapshot/store.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import { azureStore, clientOf, newAzurePlace, openAzure, OWN_FOLDER, type AzurePlace } from '../support/azure-place.ts';
import { FaultProxy, type Harm, type Seen } from '../support/fault-proxy.ts';
import { faultFired } from '../support/faults/fired.ts';
import { azuriteService } from '../support/services/services.ts';
import { until } from '../support/until.ts';
import { WaitingClock } from '../support/waiting-clock.ts';

// Goal: whatever the network and the service do to a request, a write is told rightly from another's, nothing is half there, nothing waits for ever, and an outage is said
// in words. Method: the real client on Azurite behind a proxy that loses replies, cuts connections, answers for the service or not at all; every fault must have struck.

const azurite = await azuriteService();
const bytes = (text: string): Buffer => Buffer.from(text);
const big = (seed: number, length = 2 * BLOCK_BYTES + 70_000): Buffer => Buffer.from(new Uint8Array(length).map((_, i) => (i * seed + (i >> 9)) & 255));

async function* inPieces(content: Buffer, size = 1_000_003): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const puts = (name: string) => ({ method, path }: Seen): boolean => method === 'PUT' && path.includes(name) && !path.includes('comp=');
const stages = (name: string) => ({ method, path }: Seen): boolean => method === 'PUT' && path.includes(name) && /comp=block(&|$)/.test(path);
const commits = (name: string) => ({ method, path }: Seen): boolean => method === 'PUT' && path.includes(name) && path.includes('comp=blocklist');
const gets = (name: string) => ({ method, path }: Seen): boolean => method === 'GET' && path.includes(name);

describe.skipIf(azurite === null)('Azure store: faults', () => {
  let proxy: FaultProxy;
  let place: AzurePlace;
  let clock: WaitingClock;
  /** Through the proxy. */
  let store: Store;
  /** Past it: what another process sees and does. */
  let other: Store;

  beforeEach(async () => {
    proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const direct = newAzurePlace(azurite!);
    place = newAzurePlace(azurite!, proxy.endpoint);
    clock = new WaitingClock(USUAL.tryMs);
    other = await openAzure({ ...direct, container: place.container });
    store = await openAzure(place, { clock });
  });

  afterEach(async () => {
    await store.close();
    await proxy[Symbol.asyncDispose]();
  });

  describe('lost replies', () => {
    const contents: [string, Buffer, (name: string) => (seen: Seen) => boolean][] = [['in one request', bytes('ours'), puts], ['in blocks', big(31), commits]];

    it.each(contents)('a create %s that was done is known as our own', async (_, content, write) => {
      const fault = proxy.add(write('a/x'), { kind: 'lose-reply' });
      expect(await store.create('a/x', inPieces(content))).toBe('created');
      expect(fault.struck).toBe(1);
      faultFired('O1a');
      expect(Buffer.from((await other.read('a/x'))!.bytes).equals(content)).toBe(true);
      expect(await store.create('a/x', content)).toBe('exists');
    });

    it.each(contents)('a replace %s that was done answers its tag', async (_, content, write) => {
      const first = await store.replace('a/x', bytes('old'), null);
      const fault = proxy.add(write('a/x'), { kind: 'lose-reply' });
      const tag = await store.replace('a/x', inPieces(content), first);
      expect(fault.struck).toBe(1);
      expect(tag).toBe((await other.read('a/x'))?.tag);
      expect(tag).not.toBe(first);
    });

    it.each(contents)('a write %s that was done, its answer never coming, is known as our own after the deadline', async (_, content, write) => {
      const fault = proxy.add(write('a/x'), { kind: 'hold-reply' });
      const outcome = store.create('a/x', inPieces(content));
      await until(async () => fault.struck === 1 && await other.read('a/x') !== null);
      faultFired('O3');
      clock.passDeadlines();
      expect(await outcome).toBe('created');
      expect(Buffer.from((await other.read('a/x'))!.bytes).equals(content)).toBe(true);
    });

    it('a replace that was done and then overwritten by another is not ours any more', async () => {
      const first = await store.replace('a/x', bytes('old'), null);
      const overwrite = async (): Promise<void> => { await other.replace('a/x', bytes('theirs'), (await other.read('a/x'))!.tag); };
      const fault = proxy.add(puts('a/x'), { kind: 'lose-reply', then: overwrite });
      expect(await store.replace('a/x', bytes('ours'), first)).toBeNull();
      expect(fault.struck).toBe(1);
      expect(Buffer.from((await other.read('a/x'))!.bytes).toString()).toBe('theirs');
    });

    it('the same content written by another is not taken for our own write', async () => {
      const fault = proxy.add(puts('a/x'), { kind: 'first', action: () => other.create('a/x', bytes('same')) });
      expect(await store.create('a/x', bytes('same'))).toBe('exists');
      expect(fault.struck).toBe(1);
      faultFired('O1b');
    });

    it('a write of which every reply is lost is an outage, though it is there', async () => {
      const fault = proxy.add(puts('a/x'), { kind: 'lose-reply' }, 99);
      const looks = proxy.add(({ method, path }) => method === 'HEAD' && path.includes('a/x'), { kind: 'lose-reply' }, 99);
      await expect(store.create('a/x', bytes('ours'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/could not create .*\/a\/x: the connection was cut \(ECONNRESET, 4 tries\)/) as unknown });
      expect(fault.struck + looks.struck).toBeGreaterThanOrEqual(4);
      expect(Buffer.from((await other.read('a/x'))!.bytes).toString()).toBe('ours');
    });

    it('a remove that was done finds nothing left to do', async () => {
      await other.create('a/x', bytes('1'));
      const fault = proxy.add(({ method, path }) => method === 'DELETE' && path.includes('a/x'), { kind: 'lose-reply' });
      await store.remove('a/x');
      expect(fault.struck).toBe(1);
      expect(await other.read('a/x')).toBeNull();
    });
  });

  describe('uploads', () => {
    it.each([['one request', bytes('x'.repeat(200_000)), puts], ['a block', big(7), stages], ['the block list', big(7), commits]] as const)('cut in the middle of %s: sent again, whole', async (_, content, write) => {
      const fault = proxy.add(write('a/x'), { kind: 'cut-upload', afterBytes: 100 });
      expect(await store.create('a/x', inPieces(content))).toBe('created');
      expect(fault.struck).toBe(1);
      faultFired('O4a');
      expect(Buffer.from((await other.read('a/x'))!.bytes).equals(content)).toBe(true);
    });

    it('cut for good: nothing is there, the content is let go, and blocks of the failed write never get into the next one', async () => {
      let isLetGo = false;
      async function* watched(): AsyncGenerator<Uint8Array> {
        try {
          yield* inPieces(big(7, 9 * BLOCK_BYTES));
        } finally {
          isLetGo = true;
        }
      }
      const third = (seen: Seen): boolean => stages('a/x')(seen) && Buffer.from(new URL(seen.path, 'http://x').searchParams.get('blockid') ?? '', 'base64').toString().endsWith('-00002');
      const fault = proxy.add(third, { kind: 'cut-upload', afterBytes: 100 }, 99);
      await expect(store.create('a/x', watched())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(fault.struck).toBe(USUAL.triesMax);
      expect(isLetGo).toBe(true);
      faultFired('O4b');
      fault.end();
      expect(await other.read('a/x')).toBeNull();
      const second = big(11);
      expect(await store.create('a/x', inPieces(second))).toBe('created');
      expect(Buffer.from((await other.read('a/x'))!.bytes).equals(second)).toBe(true);
    });

    it.each([['one request', bytes('x'.repeat(5_000)), puts], ['a block', big(7), stages]] as const)('altered on the way in %s: the service notices, and it is sent again', async (_, content, write) => {
      const fault = proxy.add(write('a/x'), { kind: 'flip-upload' });
      expect(await store.create('a/x', content)).toBe('created');
      expect(fault.struck).toBe(1);
      expect(Buffer.from((await other.read('a/x'))!.bytes).equals(content)).toBe(true);
    });

    it('of another that came first or swept our blocks away are a conflict, not an outage', async () => {
      const faults = [proxy.add(commits('a/x'), { kind: 'first', action: () => other.create('a/x', big(5)) }), proxy.add(commits('a/x'), { kind: 'answer', status: 400, code: 'InvalidBlockList' })];
      expect(await store.create('a/x', big(7))).toBe('exists');
      expect(await store.create('a/x', big(9))).toBe('exists');
      expect(faults.map((fault) => fault.struck)).toEqual([1, 1]);
      expect(Buffer.from((await other.read('a/x'))!.bytes).equals(big(5))).toBe(true);
    });

    it('hold a bounded part of the content, whatever its size', async () => {
      let drawn = 0;
      let staged = 0;
      let most = 0;
      proxy.add((seen) => { if (stages('a/x')(seen)) staged++; return false; }, { kind: 'hang' });
      async function* counted(): AsyncGenerator<Uint8Array> {
        const piece = Buffer.alloc(1 << 20, 1);
        for (; drawn < 60; drawn++) {
          most = Math.max(most, drawn * piece.length - staged * BLOCK_BYTES);
          yield piece;
        }
      }
      expect(await store.create('a/x', counted())).toBe('created');
      expect(staged).toBe(15);
      expect(most).toBeLessThanOrEqual(24 << 20);
    });
  });

  describe('downloads', () => {
    it('cut in the middle are taken up again, without a gap', async () => {
      const content = big(13);
      await other.create('a/x', content);
      const faults = [proxy.add(gets('a/x'), { kind: 'cut-download', afterBytes: 1_000_000 }), proxy.add(gets('a/x'), { kind: 'cut-download', afterBytes: 0 })];
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await store.readStream('a/x'))!) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(content)).toBe(true);
      expect(faults.map((fault) => fault.struck)).toEqual([1, 1]);
      const again = proxy.add(gets('a/x'), { kind: 'cut-download', afterBytes: 5 }, 2);
      expect(Buffer.from((await store.readEnd('a/x', 5_000_000))!.bytes).equals(content.subarray(content.length - 5_000_000))).toBe(true);
      expect(again.struck).toBe(2);
    });

    it('that come slowly are waited for, and those that are too slow for the deadline end there', async () => {
      const content = big(17);
      await other.create('a/x', content);
      const slow = proxy.add(gets('a/x'), { kind: 'drip-download', pieceBytes: 100_000 }, 99);
      expect(Buffer.from((await store.read('a/x'))!.bytes).equals(content)).toBe(true);
      expect(slow.struck).toBeGreaterThan(1);
      faultFired('O5', slow.struck);
      slow.end();
      const tooSlow = proxy.add(gets('a/x'), { kind: 'drip-download', pieceBytes: 10 });
      const again = store.read('a/x');
      await until(() => tooSlow.struck === 1);
      clock.passDeadlines();
      expect(Buffer.from((await again)!.bytes).equals(content)).toBe(true);
    });

    it('that come to a stop end at the deadline, in words', async () => {
      await other.create('a/x', bytes('hello'));
      const fault = proxy.add(gets('a/x'), { kind: 'stall-download' }, 99);
      let ended = false;
      const outcome = store.read('a/x').catch((error: unknown) => error).finally(() => { ended = true; });
      for (let before = 0; !ended; before = fault.struck) {
        const now = before;
        await until(() => ended || fault.struck > now);
        // The byte that comes makes no difference.
        await new Promise((resolve) => { setTimeout(resolve, 20); });
        clock.passDeadlines();
      }
      expect(await outcome).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/could not read .*no complete answer within 30 s \(TIMEOUT, 4 tries\)/) as unknown });
      expect(fault.struck).toBe(USUAL.triesMax);
    });

    it('of a file that is replaced or removed meanwhile are damage, never a mixture; a whole read begins anew', async () => {
      for (const change of [() => other.remove('a/x'), async () => other.replace('a/x', big(5), (await other.readEnd('a/x', 0))!.tag)]) {
        await other.remove('a/x');
        await other.create('a/x', big(3));
        const stream = (await store.readStream('a/x'))!;
        const fault = proxy.add((seen) => gets('a/x')(seen) && seen.headers['if-match'] !== undefined, { kind: 'first', action: change });
        const read = (async () => { for await (const chunk of stream) void chunk; })();
        await expect(read).rejects.toThrow(Damage);
        await expect(read).rejects.toThrow(/replaced or removed while it was read/);
        expect(fault.struck).toBe(1);
      }
      const fault = proxy.add((seen) => gets('a/x')(seen) && seen.headers['if-match'] !== undefined, { kind: 'first', action: async () => other.replace('a/x', big(9), (await other.readEnd('a/x', 0))!.tag) });
      expect(Buffer.from((await store.read('a/x'))!.bytes).equals(big(9))).toBe(true);
      expect(fault.struck).toBe(1);
    });
  });

  describe('a service that refuses', () => {
    it.each([503, 429, 500, 408])('with %i for a while is asked again, not sooner than it says', async (status) => {
      const fault = proxy.add(puts('a/x'), { kind: 'answer', status, code: 'ServerBusy', headers: { 'retry-after': '7' } }, 3);
      expect(await store.create('a/x', bytes('1'))).toBe('created');
      expect(fault.struck).toBe(3);
      faultFired('O2a', fault.struck);
      expect(clock.waits).toEqual([7_000, 7_000, 7_000]);
    });

    it('without a time to wait is asked again after rising ones', async () => {
      const fault = proxy.add(gets('a/x'), { kind: 'answer', status: 503, code: 'ServerBusy' }, 3);
      expect(await store.read('a/x')).toBeNull();
      expect(fault.struck).toBe(3);
      expect(clock.waits).toEqual([500, 1_000, 2_000]);
    });

    it('for good, or for longer than we wait, is an outage that says so; afterwards all is well', async () => {
      const busy: Harm = { kind: 'answer', status: 503, code: 'ServerBusy' };
      const fault = proxy.add(() => true, busy, 4);
      await expect(store.create('a/x', bytes('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/busy.*\(503 ServerBusy, 4 tries\)/) as unknown });
      const long = proxy.add(() => true, { ...busy, headers: { 'retry-after': '600' } });
      await expect(store.create('a/x', bytes('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/busy.*503 ServerBusy\)$/) as unknown });
      expect([fault.struck, long.struck]).toEqual([4, 1]);
      expect(await store.create('a/x', bytes('1'))).toBe('created');
    });

    it('the key after it was rotated is an outage while running, in words, once', async () => {
      const fault = proxy.add(() => true, { kind: 'answer', status: 403, code: 'AuthenticationFailed', detail: 'The MAC signature found in the HTTP request is not the same as any computed signature.' });
      await expect(store.create('a/x', bytes('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/account key was refused: it is wrong or was rotated \(403 AuthenticationFailed\)/) as unknown });
      expect(fault.struck).toBe(1);
    });

    it('what the snapshot worker meets first is an outage, too: the store was opened before it began', async () => {
      const work = createThreadWork({ kind: 'azure', options: { container: place.container, credential: place.credential, ownFolder: OWN_FOLDER } });
      const fault = proxy.add(puts('a/x'), { kind: 'answer', status: 403, code: 'AuthorizationFailure' });
      await expect(work.writeLetters({ folder: 'a/', name: 'x', letters: [], previous: null })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(fault.struck).toBe(1);
      await work.close();
    });

    it.each([
      ['another\'s lease', 412, 'LeaseIdMissing', /holds a lease on this blob/], ['an immutability policy', 409, 'BlobImmutableDueToPolicy', /immutability policy/],
      ['a container on its way out', 409, 'ContainerBeingDeleted', /being deleted/], ['a container that is gone', 404, 'ContainerNotFound', /container does not exist/],
    ] as const)('because of %s is not taken for a name that exists', async (_, status, code, words) => {
      const fault = proxy.add(puts('a/x'), { kind: 'answer', status, code });
      await expect(store.create('a/x', bytes('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(words) as unknown });
      expect(fault.struck).toBe(1);
    });
  });

  it('what hangs ends when the store is closed', async () => {
    const fault = proxy.add(puts('a/x'), { kind: 'hang' });
    const outcome = store.create('a/x', bytes('1'));
    await until(() => fault.struck === 1);
    await store.close();
    await expect(outcome).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('was closed') as unknown });
    await expect(store.read('a/x')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('lists page after page in name order, and hides folders and what begins with a dot', async () => {
    const small = azureStore(place, { clock, pageNames: 3 });
    const names = Array.from({ length: 10 }, (_, i) => `p/${(i * 7) % 10}`);
    for (const name of names) await other.create(name, bytes('1'));
    const client = await clientOf(place);
    // As a hierarchical namespace shows a folder.
    await client.getBlockBlobClient('p/0sub').upload('', 0, { metadata: { hdi_isfolder: 'true' } });
    await client.getBlockBlobClient('p/.hidden/x').upload('1', 1);
    const fault = proxy.add(({ path }) => path.includes('comp=list') && path.includes('marker='), { kind: 'cut-download', afterBytes: 10 });
    const listed: string[] = [];
    for await (const { name } of small.list('p/')) listed.push(name);
    expect(listed).toEqual([...names].sort());
    expect(fault.struck).toBe(1);
    faultFired('O9');
    await small.close();
  });
});
