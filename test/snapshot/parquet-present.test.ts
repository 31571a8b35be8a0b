/**
 * Goal: nobody's file is lost. rentfold writes over nothing but its own, copies what stood there before once, and leaves alone what another program keeps writing,
 * until it is told otherwise.
 * Method: the decision for every kind of file that may be there, on the store in memory and the local one; ours are files that a run wrote.
 */
import { describe, expect, it } from 'vitest';
import type { FigureColumns } from '../../src/ledger/figure-columns.ts';
import { encodeParquet, noSums } from '../../src/snapshot/parquet-encode.ts';
import { prepareParquet, type PrepareJob, type Prepared } from '../../src/snapshot/parquet-present.ts';
import type { Store } from '../../src/snapshot/store.ts';
import { figureColumns } from '../support/figure-columns.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { newFolder, openLocal, PREFIX } from '../support/snapshot-run.ts';

const NAME = `${PREFIX}financial_performance_current.parquet`;
const LEGACY = `${PREFIX}legacy/`;
const LINEAGE = '20261123T000000000Z-0123abcd';
const AT = Date.UTC(2026, 10, 23, 4, 5, 6, 7);
const COPY = `${LEGACY}financial_performance_current-20261123T040506007Z.parquet`;
const foreign = (content: string): Uint8Array => Buffer.from(`PAR1 what the old service wrote: ${content} PAR1`);

async function ours(generation: number, more: { lineage?: string; money?: 'decimal' | 'double' } = {}): Promise<Uint8Array> {
  async function* blocks(): AsyncGenerator<FigureColumns> {
    yield await Promise.resolve(figureColumns([{ property: 'p', units: 1 }]));
  }
  const pieces: Uint8Array[] = [];
  const labels = {
    lineage: more.lineage ?? LINEAGE, generation, writer: 'w', positions: [], asOf: 20_000, fiscalYearStartMonth: 1, timeZone: 'UTC', cutAt: 1, accounts: 1, properties: 1, incompleteProperties: 0,
    completeHistory: true,
    controlTotals: { rows: { expenses: 0, rents: 0, properties: 0 }, rememberedDeletes: 0, truncateMarks: 0, totalRevenue: '0', rent: '0', expenses: '0', cashInvested: '0', downPayment: '0' },
  };
  for await (const piece of encodeParquet(blocks(), labels, more.money ?? 'decimal', noSums())) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

const job = (more: Partial<PrepareJob> = {}): PrepareJob =>
  ({ name: NAME, legacy: LEGACY, lineage: LINEAGE, generation: 8, current: null, isEmpty: false, overwrite: false, now: AT, ...more });

async function contentOf(store: Store, name: string): Promise<string | null> {
  const there = await store.read(name);
  return there === null ? null : Buffer.from(there.bytes).toString('latin1');
}

const current = { generation: 7, asOf: 20_000, money: 'decimal' } as const;
const cases: readonly { readonly there: string; readonly file: () => Promise<Uint8Array> | Uint8Array | null; readonly copies?: Record<string, Uint8Array>; readonly asked?: Partial<PrepareJob>; readonly decided: Partial<Prepared> }[] = [
  { there: 'nothing', file: () => null, decided: { kind: 'write', tag: null, copiedTo: null } },
  { there: 'nothing, and no account', file: () => null, asked: { isEmpty: true }, decided: { kind: 'left', why: 'empty' } },
  { there: 'ours of an earlier generation', file: () => ours(7), decided: { kind: 'write', copiedTo: null } },
  { there: 'ours, and no account any more', file: () => ours(7), asked: { isEmpty: true }, decided: { kind: 'write', copiedTo: null } },
  { there: 'ours of the same generation, another form', file: () => ours(7, { money: 'double' }), asked: { current, generation: 7 }, decided: { kind: 'write' } },
  { there: 'ours of the same generation, another day', file: () => ours(7), asked: { current: { ...current, asOf: 20_001 }, generation: 7 }, decided: { kind: 'write' } },
  { there: 'ours as it should be', file: () => ours(7), asked: { current, generation: 7 }, decided: { kind: 'current' } },
  { there: 'ours of a later generation', file: () => ours(9), decided: { kind: 'left', why: 'behind' } },
  { there: 'ours of another lineage', file: () => ours(99, { lineage: '20200101T000000000Z-0123abcd' }), decided: { kind: 'write', copiedTo: null } },
  { there: 'the old service\'s, for the first time', file: () => foreign('1'), decided: { kind: 'write', copiedTo: COPY } },
  { there: 'the old service\'s, and no account', file: () => foreign('1'), asked: { isEmpty: true }, decided: { kind: 'left', why: 'empty' } },
  { there: 'the old service\'s, copied before', file: () => foreign('1'), copies: { [`${LEGACY}a.parquet`]: foreign('1') }, decided: { kind: 'write', copiedTo: null } },
  { there: 'another\'s after ours', file: () => foreign('2'), copies: { [`${LEGACY}a.parquet`]: foreign('1') }, decided: { kind: 'left', why: 'foreign', message: expect.stringContaining('RENTFOLD_PARQUET_OVERWRITE') as string } },
  { there: 'another\'s after ours, to be overwritten', file: () => foreign('2'), copies: { [`${LEGACY}a.parquet`]: foreign('1') }, asked: { overwrite: true }, decided: { kind: 'write', copiedTo: COPY } },
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
    expect(await prepareParquet(store, job())).toMatchObject({ kind: 'left', why: 'foreign' });
    expect(await contentOf(store, COPY)).toContain(': 1 ');
  });
});
