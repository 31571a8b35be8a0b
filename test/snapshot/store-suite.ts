import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/snapshot/store.ts';

/**
 * Goal: what every checkpoint store must do, whatever it is made of. Method: the store is used through its contract only, by two objects
 * over one place, as two processes would. Run it from each store's own test with a factory.
 */
export interface StorePlace {
  /** A new, open store object over this place. */
  open(): Promise<Store>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (content: { bytes: Uint8Array } | null): string | null => (content === null ? null : Buffer.from(content.bytes).toString());

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytes(text);
}

async function* tornAfter(text: string): AsyncGenerator<Uint8Array> {
  yield bytes(text);
  throw new Error('the writer died');
}

async function listed(store: Store, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, size } of store.list(prefix)) names.push(`${name} ${size}`);
  return names;
}

async function streamed(store: Store, name: string): Promise<Buffer | null> {
  const stream = await store.readStream(name);
  if (stream === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Registers the suite. `place` makes a new empty place. */
export function describeStore(kind: string, place: () => Promise<StorePlace>): void {
  describe(`${kind} store: files`, () => {
    it('answers null for what is not there, and lists nothing', async () => {
      const store = await (await place()).open();
      expect(await store.read('a/b/none.json')).toBeNull();
      expect(await store.readStream('a/none.arrow')).toBeNull();
      expect(await listed(store, 'a/')).toEqual([]);
      await store.remove('a/none.json');
      await store.close();
    });

    it('creates once: the second create of a name changes nothing and says so', async () => {
      const where = await place();
      const [one, two] = [await where.open(), await where.open()];
      expect(await one.create('a/x.json', bytes('first'))).toBe('created');
      expect(await two.create('a/x.json', bytes('second'))).toBe('exists');
      expect(textOf(await two.read('a/x.json'))).toBe('first');
    });

    it('lets exactly one of many creates of one name win', async () => {
      const where = await place();
      const stores = await Promise.all(Array.from({ length: 6 }, () => where.open()));
      const outcomes = await Promise.all(stores.map((store, i) => store.create('race/x.json', bytes(`writer ${i}`))));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(textOf(await stores[0].read('race/x.json'))).toBe(`writer ${outcomes.indexOf('created')}`);
    });

    it('creates from pieces, and shows nothing of a write that failed', async () => {
      const store = await (await place()).open();
      expect(await store.create('a/big.arrow', pieces('one ', 'two ', 'three'))).toBe('created');
      expect((await streamed(store, 'a/big.arrow'))?.toString()).toBe('one two three');
      await expect(store.create('a/torn.arrow', tornAfter('half'))).rejects.toThrow('the writer died');
      expect(await store.read('a/torn.arrow')).toBeNull();
      expect(await listed(store, 'a/')).toEqual(['a/big.arrow 13']);
      expect(await store.create('a/torn.arrow', bytes('whole'))).toBe('created');
    });

    it('reads content in pieces to its end also when the name exists', async () => {
      const store = await (await place()).open();
      await store.create('a/there', bytes('x'));
      let ended = false;
      async function* watched(): AsyncGenerator<Uint8Array> {
        yield* pieces('one', 'two');
        ended = true;
      }
      expect(await store.create('a/there', watched())).toBe('exists');
      expect(ended).toBe(true);
      expect(textOf(await store.read('a/there'))).toBe('x');
    });

    it('keeps content byte for byte, also empty and large', async () => {
      const store = await (await place()).open();
      const large = new Uint8Array(5_000_000).map((_, i) => (i * 31 + (i >> 8)) & 255);
      await store.create('b/empty', new Uint8Array(0));
      await store.create('b/large', large);
      expect((await store.read('b/empty'))?.bytes).toHaveLength(0);
      expect(await streamed(store, 'b/empty')).toHaveLength(0);
      expect((await streamed(store, 'b/large'))?.equals(large)).toBe(true);
      expect(Buffer.from((await store.read('b/large'))!.bytes).equals(large)).toBe(true);
    });

    it('replaces only what still has the tag read', async () => {
      const where = await place();
      const [one, two] = [await where.open(), await where.open()];
      const first = await one.replace('c.json', bytes('1'), null);
      expect(first).not.toBeNull();
      expect(await two.replace('c.json', bytes('other'), null)).toBeNull();
      expect((await two.read('c.json'))?.tag).toBe(first);
      const second = await two.replace('c.json', bytes('2'), first);
      expect(second).not.toBeNull();
      expect(await one.replace('c.json', bytes('3'), first)).toBeNull();
      expect(textOf(await one.read('c.json'))).toBe('2');
      expect(await one.replace('none.json', bytes('x'), 'no-such-tag')).toBeNull();
      expect(await one.read('none.json')).toBeNull();
    });

    it('replaces with pieces, and changes nothing when they break off or the tag is old', async () => {
      const store = await (await place()).open();
      const first = await store.replace('c.parquet', pieces('one ', 'two'), null);
      expect((await store.read('c.parquet'))).toMatchObject({ tag: first });
      await expect(store.replace('c.parquet', tornAfter('half'), first)).rejects.toThrow('the writer died');
      expect(textOf(await store.read('c.parquet'))).toBe('one two');
      let ended = false;
      async function* watched(): AsyncGenerator<Uint8Array> {
        yield* pieces('x', 'y');
        ended = true;
      }
      expect(await store.replace('c.parquet', watched(), 'another-tag')).toBeNull();
      expect(ended).toBe(true);
      const large = new Uint8Array(5_000_000).map((_, i) => (i * 31 + (i >> 8)) & 255);
      expect(await store.replace('c.parquet', (async function* () { yield large.subarray(0, 3_000_000); yield large.subarray(3_000_000); })(), first)).not.toBeNull();
      expect((await streamed(store, 'c.parquet'))?.equals(large)).toBe(true);
      expect(await listed(store, '')).toEqual(['c.parquet 5000000']);
    });

    it('reads the end of a file, with its size and tag', async () => {
      const store = await (await place()).open();
      const large = new Uint8Array(3_000_000).map((_, i) => (i * 7 + (i >> 8)) & 255);
      const tag = await store.replace('d.parquet', large, null);
      for (const bytesMax of [0, 1, 1_000, 2_500_000, 3_000_000, 9_000_000]) {
        const end = await store.readEnd('d.parquet', bytesMax);
        expect([end?.size, end?.tag]).toEqual([3_000_000, tag]);
        expect(Buffer.from(end!.bytes).equals(large.subarray(Math.max(0, large.length - bytesMax)))).toBe(true);
      }
      expect(await store.readEnd('none', 8)).toBeNull();
    });

    it('lets exactly one of many replaces of one tag win', async () => {
      const where = await place();
      const stores = await Promise.all(Array.from({ length: 5 }, () => where.open()));
      const tag = await stores[0].replace('c.json', bytes('start'), null);
      const outcomes = await Promise.all(stores.map((store, i) => store.replace('c.json', bytes(`writer ${i}`), tag)));
      expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
      expect(textOf(await stores[0].read('c.json'))).toBe(`writer ${outcomes.findIndex((outcome) => outcome !== null)}`);
    });

    it('lists all names below a folder in name order with sizes, and removes', async () => {
      const store = await (await place()).open();
      for (const name of ['d/z', 'd/sub/b', 'd/sub/a', 'd/0000000010.json', 'd/0000000009.json', 'dd/other']) await store.create(name, bytes('12'));
      expect(await listed(store, 'd/')).toEqual(['d/0000000009.json 2', 'd/0000000010.json 2', 'd/sub/a 2', 'd/sub/b 2', 'd/z 2']);
      await store.remove('d/sub/a');
      expect(await store.read('d/sub/a')).toBeNull();
      expect(await listed(store, 'd/sub/')).toEqual(['d/sub/b 2']);
    });

    it('refuses names that could leave the place', async () => {
      const store = await (await place()).open();
      for (const name of ['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/./b', '', 'a/.hidden', 'a\\b', 'a\0b', `${'x'.repeat(300)}`]) {
        await expect(store.read(name), name).rejects.toThrow(/no name for the store/);
        await expect(store.create(name, bytes('x')), name).rejects.toThrow(/no name for the store/);
      }
    });
  });

  describe(`${kind} store: lease`, () => {
    it('is held by one at a time, names its holder, and is free again after release', async () => {
      const where = await place();
      const [one, two] = [await where.open(), await where.open()];
      const lease = await one.acquireLease('writer1', () => undefined);
      expect(lease.held && lease.valid()).toBe(true);
      const refused = await two.acquireLease('writer2', () => undefined);
      expect(refused.held).toBe(false);
      if (!refused.held) expect(refused.by).toContain('writer1');
      if (lease.held) await lease.release();
      expect(lease.held && lease.valid()).toBe(false);
      const next = await two.acquireLease('writer2', () => undefined);
      expect(next.held && next.valid()).toBe(true);
      if (next.held) await next.release();
    });

    it('goes to exactly one of many', async () => {
      const where = await place();
      const stores = await Promise.all(Array.from({ length: 5 }, () => where.open()));
      const answers = await Promise.all(stores.map((store, i) => store.acquireLease(`writer${i}`, () => undefined)));
      expect(answers.filter((answer) => answer.held)).toHaveLength(1);
      for (const answer of answers) if (answer.held) await answer.release();
    });
  });
}
