import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as files from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/runtime/clock.ts';
import { EXPIRY_MS, HEARTBEAT_MS } from '../../src/snapshot/local-lease.ts';
import { createLocalStore, type LocalStoreParts } from '../../src/snapshot/local-store.ts';
import { ownIdentity } from '../../src/snapshot/process-identity.ts';
import type { Store } from '../../src/snapshot/store.ts';
import { describeStore } from './store-suite.ts';

// Goal: the local store keeps the store contract, and its own promises: durable or nothing, outages in words, a lease that outlives no
// process. Method: the contract suite; then failing file systems, a clock moved by hand, and real processes that are killed and paused.

const folders: string[] = [];
const children: ChildProcess[] = [];
const OWN = 'cdc/financial_performance/';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rentfold-store-'));
  folders.push(folder);
  return folder;
}

async function openStore(directory: string, parts: LocalStoreParts = {}): Promise<Store> {
  const store = createLocalStore({ directory, ownFolder: OWN }, parts);
  await store.open();
  return store;
}

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describeStore('local', async () => {
  const directory = await newFolder();
  return { open: () => openStore(directory) };
});

/** A clock moved by hand; everybody asleep wakes when its time has come. */
class HandClock implements Clock {
  #ms = 0;
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();
  now(): number { return 1_700_000_000_000 + this.#ms; }
  monotonicMs(): number { return this.#ms; }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { until: this.#ms + ms, wake: (): void => { this.#sleepers.delete(sleeper); resolve(); } };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
      if (signal?.aborted === true) sleeper.wake();
    });
  }
  pass(ms: number): void {
    this.#ms += ms;
    for (const sleeper of [...this.#sleepers]) if (sleeper.until <= this.#ms) sleeper.wake();
  }
  get asleep(): number { return this.#sleepers.size; }
  /** Waits until somebody sleeps again, that is, has done what it woke for. */
  async settled(): Promise<void> {
    while (this.#sleepers.size === 0) await new Promise<void>((resolve) => { setImmediate(resolve); });
  }
}

describe('local store: outages', () => {
  const failing = (operation: 'open' | 'link' | 'rename' | 'readFile', code: string, from: { on: boolean }): typeof files => ({
    ...files,
    [operation]: (...args: unknown[]) => (from.on
      ? Promise.reject(Object.assign(new Error(`${code}: made up`), { code }))
      : (files[operation] as (...all: unknown[]) => Promise<unknown>)(...args)),
  });

  for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EMFILE']) {
    it(`says ${code} as STORE_UNAVAILABLE with the place, and works again afterwards`, async () => {
      const directory = await newFolder();
      const from = { on: false };
      const store = await openStore(directory, { files: failing('open', code, from) });
      from.on = true;
      await expect(store.create('a/x', Buffer.from('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(new RegExp(`${directory}.*${code}`)) as unknown });
      await expect(store.readStream('a/x')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      from.on = false;
      expect(await store.read('a/x')).toBeNull();
      expect(await store.create('a/x', Buffer.from('1'))).toBe('created');
    });
  }

  it('keeps the old content when a replacement cannot be renamed into place', async () => {
    const directory = await newFolder();
    const from = { on: false };
    const store = await openStore(directory, { files: failing('rename', 'EIO', from) });
    const tag = await store.replace('c.json', Buffer.from('old'), null);
    from.on = true;
    await expect(store.replace('c.json', Buffer.from('new'), tag)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    from.on = false;
    expect(await store.replace('c.json', Buffer.from('newer'), tag)).not.toBeNull();
    expect((await readdir(join(directory, OWN, '.rentfold'))).sort()).toEqual([]);
  });

  it('says STORE_NOT_WRITABLE when the place cannot be made', async () => {
    const directory = await newFolder();
    await writeFile(join(directory, 'file'), '');
    await expect(openStore(join(directory, 'file', 'store'))).rejects.toMatchObject({ code: 'STORE_NOT_WRITABLE', exit: 2 });
  });

  it('ignores unfinished writes, removes those of dead processes, and leaves those of living ones', async () => {
    const directory = await newFolder();
    await openStore(directory);
    const work = join(directory, OWN, '.rentfold');
    const { space, pid, started } = ownIdentity();
    const dead = `tmp-${space}-4194305-12345-0123456789abcdef`;
    const living = `tmp-${space}-${pid}-${started ?? 'x'}-0123456789abcdef`;
    const foreign = 'tmp-aaaaaaaaaaaa-1-1-0123456789abcdef';
    for (const name of [dead, living, foreign]) await writeFile(join(work, name), 'half');
    const store = await openStore(directory);
    expect((await readdir(work)).sort()).toEqual([foreign, living].sort());
    for await (const { name } of store.list('')) expect(name).toBe('nothing is listed');
  });
});

describe('local lease: time', () => {
  const otherHost = { ...ownIdentity(), space: 'ffffffffffff', host: 'elsewhere', pid: 1 };

  it('is renewed every two seconds and runs out after ten', () => {
    expect([HEARTBEAT_MS, EXPIRY_MS]).toEqual([2_000, 10_000]);
  });

  it('of another host is taken once it has shown the same heartbeat for the whole expiry, and not before', async () => {
    const directory = await newFolder();
    const [clock, theirClock] = [new HandClock(), new HandClock()];
    const theirs = await openStore(directory, { clock: theirClock, identity: otherHost });
    const lease = await theirs.acquireLease('other1', () => undefined);
    const ours = await openStore(directory, { clock });
    expect((await ours.acquireLease('writer', () => undefined)).held).toBe(false);
    clock.pass(EXPIRY_MS - 1);
    expect((await ours.acquireLease('writer', () => undefined)).held).toBe(false);
    theirClock.pass(HEARTBEAT_MS);
    await theirClock.settled();
    clock.pass(1);
    expect((await ours.acquireLease('writer', () => undefined)).held).toBe(false);
    clock.pass(EXPIRY_MS);
    const taken = await ours.acquireLease('writer', () => undefined);
    expect(taken.held).toBe(true);
    if (taken.held) await taken.release();
    if (lease.held) await lease.release();
  });

  it('is lost by a holder that finds another in its place, once, with the taker named', async () => {
    const directory = await newFolder();
    const [clock, theirClock] = [new HandClock(), new HandClock()];
    const reasons: string[] = [];
    const theirs = await openStore(directory, { clock: theirClock, identity: otherHost });
    const lease = await theirs.acquireLease('other1', (reason) => reasons.push(reason));
    const ours = await openStore(directory, { clock });
    await ours.acquireLease('writer', () => undefined);
    clock.pass(EXPIRY_MS);
    const taken = await ours.acquireLease('writer', () => undefined);
    theirClock.pass(HEARTBEAT_MS);
    while (reasons.length === 0) await new Promise<void>((resolve) => { setImmediate(resolve); });
    expect(reasons).toEqual([expect.stringContaining('writer writer')]);
    expect(lease.held && lease.valid()).toBe(false);
    expect(taken.held && taken.valid()).toBe(true);
    if (lease.held) await lease.release();
    expect(await readFile(join(directory, OWN, '.rentfold', 'lease.json'), 'utf8')).toContain('"writer":"writer"');
    if (taken.held) await taken.release();
  });

  it('is not valid any more when its holder was paused longer than the expiry, even before it could look', async () => {
    const clock = new HandClock();
    const store = await openStore(await newFolder(), { clock });
    const reasons: string[] = [];
    const lease = await store.acquireLease('writer', (reason) => reasons.push(reason));
    clock.pass(HEARTBEAT_MS);
    await clock.settled();
    expect(lease.held && lease.valid()).toBe(true);
    clock.pass(EXPIRY_MS);
    expect(lease.held && lease.valid()).toBe(false);
    while (reasons.length === 0) await new Promise<void>((resolve) => { setImmediate(resolve); });
    expect(reasons).toEqual([expect.stringContaining('paused')]);
  });
});

describe('local lease: real processes', () => {
  /** A process that takes the lease and says so; then prints what `valid` says at every line it gets. */
  async function holder(directory: string): Promise<{ child: ChildProcess; ask: () => Promise<string> }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/lease-holder.ts'), JSON.stringify({ kind: 'local', options: { directory, ownFolder: 'cdc/financial_performance/' } })], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const lines: string[] = [];
    const waiting: ((line: string) => void)[] = [];
    let rest = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        const next = waiting.shift();
        if (next === undefined) lines.push(line);
        else next(line);
      }
    });
    const line = (): Promise<string> => {
      const there = lines.shift();
      return there === undefined ? new Promise((resolve) => { waiting.push(resolve); }) : Promise.resolve(there);
    };
    expect(await line()).toBe('held');
    return { child, ask: () => { child.stdin!.write('?\n'); return line(); } };
  }

  it('of a killed process is taken at once', async () => {
    const directory = await newFolder();
    const { child } = await holder(directory);
    const clock = new HandClock();
    const store = await openStore(directory, { clock });
    const refused = await store.acquireLease('writer', () => undefined);
    expect(refused).toMatchObject({ held: false, by: expect.stringContaining(`process ${child.pid}`) as unknown });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const taken = await store.acquireLease('writer', () => undefined);
    expect(taken.held).toBe(true);
    if (taken.held) await taken.release();
  });

  it('of a paused process is taken after the expiry, and the process finds out when it goes on, before it could publish', async () => {
    const directory = await newFolder();
    const { child, ask } = await holder(directory);
    expect(await ask()).toBe('valid');
    child.kill('SIGSTOP');
    const clock = new HandClock();
    const store = await openStore(directory, { clock });
    expect((await store.acquireLease('writer', () => undefined)).held).toBe(false);
    clock.pass(EXPIRY_MS);
    const taken = await store.acquireLease('writer', () => undefined);
    expect(taken.held).toBe(true);
    child.kill('SIGCONT');
    let answer = await ask();
    while (answer === 'valid') answer = await ask();
    expect(answer).toMatch(/^lost taken by writer writer/);
    expect(taken.held && taken.valid()).toBe(true);
    if (taken.held) await taken.release();
  });

  it('the guard of a killed process does not block anybody', async () => {
    const directory = await newFolder();
    const store = await openStore(directory);
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', 'console.log(process.pid)']);
    const dead = { ...ownIdentity(), pid: Number(stdout), started: '1', token: 'x' };
    await writeFile(join(directory, OWN, '.rentfold', 'guard'), JSON.stringify(dead));
    expect(await store.replace('c.json', Buffer.from('1'), null)).not.toBeNull();
  });
});
