/**
 * Goal: nobody's file is lost. rentfold writes over nothing but its own, copies what stood there before once, and leaves alone what another program keeps writing,
 * until it is told otherwise.
 * Method: the decision for every kind of file that may be there, on the store in memory and the local one; ours are files that a run wrote.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FigureColumns } from '../../src/ledger/figure-columns.ts';
import { Damage } from '../../src/snapshot/damage.ts';
import { encodeParquet, noSums } from '../../src/snapshot/parquet-encode.ts';
import { prepareParquet, type PrepareJob, type Prepared } from '../../src/snapshot/parquet-present.ts';
import type { Store } from '../../src/snapshot/store.ts';
import { figureColumns } from '../support/figure-columns.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { labelsOf, queryParquet } from '../support/parquet-query.ts';
import { newFolder, openLocal, PREFIX } from '../support/snapshot-run.ts';

const NAME = `${PREFIX}financial_performance_current.parquet`;
const LEGACY = `${PREFIX}legacy/`;
const MARKER = `${LEGACY}first-written.json`;
const LINEAGE = '20261123T000000000Z-0123abcd';
const AT = Date.UTC(2026, 10, 23, 4, 5, 6, 7);
const COPY = `${LEGACY}financial_performance_current-20261123T040506007Z.parquet`;
const foreign = (content: string): Uint8Array => Buffer.from(`PAR1 what the old service wrote: ${content} PAR1`);

interface Variant {
  readonly lineage?: string;
  readonly money?: 'decimal' | 'double';
  readonly month?: number;
  readonly zone?: string;
}

async function ours(generation: number, more: Variant = {}): Promise<Uint8Array> {
  async function* blocks(): AsyncGenerator<FigureColumns> {
    yield await Promise.resolve(figureColumns([{ property: 'p', units: 1 }]));
  }
  const pieces: Uint8Array[] = [];
  const labels = {
    lineage: more.lineage ?? LINEAGE, generation, writer: 'w', positions: [], asOf: 20_000, fiscalYearStartMonth: more.month ?? 1, timeZone: more.zone ?? 'UTC', cutAt: 1, accounts: 1, properties: 1, incompleteProperties: 0,
    completeHistory: true,
    controlTotals: { rows: { expenses: 0, rents: 0, properties: 0 }, rememberedDeletes: 0, truncateMarks: 0, totalRevenue: '0', rent: '0', expenses: '0', cashInvested: '0', downPayment: '0' },
  };
  for await (const piece of encodeParquet(blocks(), labels, more.money ?? 'decimal', noSums())) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

const job = (more: Partial<PrepareJob> = {}): PrepareJob =>
  ({ name: NAME, legacy: LEGACY, marker: MARKER, lineage: LINEAGE, generation: 8, current: null, isEmpty: false, overwrite: false, now: AT, ...more });

async function contentOf(store: Store, name: string): Promise<string | null> {
  const there = await store.read(name);
  return there === null ? null : Buffer.from(there.bytes).toString('latin1');
}

const form = { asOf: 20_000, money: 'decimal', fiscalYearStartMonth: 1, timeZone: 'UTC' } as const;
const current = { generation: 7, form };
const written = { [MARKER]: Buffer.from('{}') };
const EARLIER = `${LEGACY}financial_performance_current-20251123T040506007Z.parquet`;
const cases: readonly { readonly there: string; readonly file: () => Promise<Uint8Array> | Uint8Array | null; readonly copies?: Record<string, Uint8Array>; readonly asked?: Partial<PrepareJob>; readonly decided: Partial<Prepared> }[] = [
  { there: 'nothing', file: () => null, decided: { kind: 'write', tag: null, copiedTo: null } },
  { there: 'nothing, and no account', file: () => null, asked: { isEmpty: true }, decided: { kind: 'left', why: 'empty' } },
  { there: 'ours of an earlier generation', file: () => ours(7), decided: { kind: 'write', copiedTo: null } },
  { there: 'ours, and no account any more', file: () => ours(7), asked: { isEmpty: true }, decided: { kind: 'write', copiedTo: null } },
  { there: 'ours of the same generation, another form', file: () => ours(7, { money: 'double' }), asked: { current, generation: 7 }, decided: { kind: 'write' } },
  { there: 'ours of the same generation, another day', file: () => ours(7), asked: { current: { generation: 7, form: { ...form, asOf: 20_001 } }, generation: 7 }, decided: { kind: 'write' } },
  { there: 'ours as it should be', file: () => ours(7), asked: { current, generation: 7 }, decided: { kind: 'current' } },
  { there: 'ours of a later generation', file: () => ours(9), decided: { kind: 'left', why: 'behind' } },
  { there: 'ours of another lineage', file: () => ours(99, { lineage: '20200101T000000000Z-0123abcd' }), decided: { kind: 'write', copiedTo: null } },
  { there: 'the old service\'s, for the first time', file: () => foreign('1'), decided: { kind: 'write', copiedTo: COPY } },
  { there: 'the old service\'s, and no account', file: () => foreign('1'), asked: { isEmpty: true }, decided: { kind: 'left', why: 'empty' } },
  { there: 'ours, of another fiscal year', file: () => ours(7, { month: 4 }), asked: { current, generation: 7 }, decided: { kind: 'write', copiedTo: null } },
  { there: 'ours, of another zone', file: () => ours(7, { zone: 'Asia/Tokyo' }), asked: { current, generation: 7 }, decided: { kind: 'write', copiedTo: null } },
  { there: 'the old service\'s, copied before', file: () => foreign('1'), copies: { [EARLIER]: foreign('1') }, decided: { kind: 'write', copiedTo: null } },
  { there: 'the old service\'s, copied and written again before we wrote', file: () => foreign('2'), copies: { [EARLIER]: foreign('1') }, decided: { kind: 'write', copiedTo: COPY } },
  { there: 'the old service\'s, and an operator\'s own files beside the copies', file: () => foreign('1'), copies: { [`${LEGACY}README.txt`]: foreign('1'), [`${LEGACY}financial_performance_current-old.parquet`]: foreign('1') }, decided: { kind: 'write', copiedTo: COPY } },
  { there: 'another\'s after ours', file: () => foreign('2'), copies: { ...written, [EARLIER]: foreign('1') }, decided: { kind: 'left', why: 'foreign', message: expect.stringContaining('RENTFOLD_PARQUET_OVERWRITE') as string } },
  { there: 'another\'s after ours, though nothing was there before', file: () => foreign('2'), copies: written, decided: { kind: 'left', why: 'foreign' } },
  { there: 'what was there before us, put back', file: () => foreign('1'), copies: { ...written, [EARLIER]: foreign('1') }, decided: { kind: 'left', why: 'foreign' } },
  { there: 'another\'s after ours, to be overwritten', file: () => foreign('2'), copies: { ...written, [EARLIER]: foreign('1') }, asked: { overwrite: true }, decided: { kind: 'write', copiedTo: COPY } },
  { there: 'an empty file', file: () => new Uint8Array(0), decided: { kind: 'write', copiedTo: COPY } },
];

describe.each(['memory', 'local'])('in a %s store there is', (kind) => {
  const newStore = async (): Promise<Store> => (kind === 'memory' ? new MemoryStore() : openLocal(newFolder()));

  it.each(cases)('$there', async ({ file, copies = {}, asked, decided }) => {
    const store = await newStore();
    const bytes = await file();
    if (bytes !== null) await store.create(NAME, bytes);
    for (const [name, content] of Object.entries(copies)) await store.create(name, content);
    const before = await contentOf(store, NAME);
    const prepared = await prepareParquet(store, job(asked));
    expect(prepared).toMatchObject(decided);
    expect(await contentOf(store, NAME), 'looking changes nothing').toBe(before);
    if (prepared.kind !== 'write') return;
    expect(prepared.tag).toBe((await store.read(NAME))?.tag ?? null);
    if (prepared.copiedTo !== null) expect(await contentOf(store, prepared.copiedTo)).toBe(before);
  });

  it('a file that changes while it is copied: it is looked at again, and what is overwritten is copied', async () => {
    const store = await newStore();
    await store.create(NAME, foreign('1'));
    const create = store.create.bind(store);
    Object.assign(store, {
      create: async (...given: Parameters<Store['create']>) => {
        const outcome = await create(...given);
        await store.replace(NAME, foreign('22'), (await store.read(NAME))!.tag);
        return outcome;
      },
    });
    const prepared = await prepareParquet(store, job());
    expect(prepared).toMatchObject({ kind: 'write', copiedTo: COPY.replace('007Z', '008Z') });
    expect(await contentOf(store, COPY)).toContain(': 1 ');
    expect(await contentOf(store, COPY.replace('007Z', '008Z'))).toContain(': 22 ');
  });

  it('a file that is replaced while it is read: it is looked at again, a few times', async () => {
    const store = await newStore();
    await store.create(NAME, foreign('1'));
    const readStream = store.readStream.bind(store);
    let torn = 1;
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('half'));
      throw new Damage(NAME, 'the file was replaced or removed while it was read');
    }
    Object.assign(store, { readStream: (name: string) => (torn-- > 0 ? Promise.resolve(breaking()) : readStream(name)) });
    expect(await prepareParquet(store, job())).toMatchObject({ kind: 'write', copiedTo: COPY });
    await store.remove(COPY);
    torn = 99;
    await expect(prepareParquet(store, job())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(torn).toBe(96);
  });

  it('a file that another program keeps writing: told to overwrite it, the first copy and the newest stay, whatever the clock does', async () => {
    const store = await newStore();
    for (let round = 0; round < 9; round++) {
      const there = await store.read(NAME);
      await store.replace(NAME, foreign(`${round}`), there?.tag ?? null);
      expect(await prepareParquet(store, job({ overwrite: true, now: AT - round * 1_000 }))).toMatchObject({ kind: 'write' });
    }
    const kept: string[] = [];
    for await (const { name } of store.list(LEGACY)) kept.push((await contentOf(store, name))!.replace(/.*: (\d) .*/, '$1'));
    expect(kept).toEqual(['0', '5', '6', '7', '8']);
  });
});

it('a name in the legacy folder that the store cannot read is nothing to it', async () => {
  const directory = newFolder();
  const store = await openLocal(directory);
  const file = await ours(7);
  await store.create(NAME, foreign('1'));
  mkdirSync(join(directory, LEGACY));
  writeFileSync(join(directory, LEGACY, 'a copy (2).parquet'), foreign('1'));
  const prepared = await prepareParquet(store, job());
  expect(prepared).toMatchObject({ kind: 'write', copiedTo: COPY });
  await store.replace(NAME, file, (prepared as { tag: string }).tag);
  expect(await prepareParquet(store, job({ current, generation: 7 }))).toMatchObject({ kind: 'current' });
  await store.replace(NAME, foreign('1'), (await store.read(NAME))!.tag);
  expect(await prepareParquet(store, job()), 'ours was seen there').toMatchObject({ kind: 'left', why: 'foreign' });
});

it('ours, written anew by another program that keeps our labels, is not ours any more', async () => {
  const folder = newFolder();
  const [mine, theirs] = [join(folder, 'mine.parquet'), join(folder, 'theirs.parquet')];
  const bytes = await ours(7);
  writeFileSync(mine, bytes);
  const labels = Object.entries(await labelsOf(mine)).map(([name, value]) => `'rentfold.${name}': '${value}'`);
  await queryParquet(mine, `copy (select * from FILE) to '${theirs}' (format parquet, kv_metadata {${labels.join()}})`);
  expect((await labelsOf(theirs)).generation).toBe('7');
  const store = new MemoryStore();
  await store.create(NAME, readFileSync(theirs));
  expect(await prepareParquet(store, job({ current, generation: 7 }))).toMatchObject({ kind: 'write', copiedTo: COPY });
});
