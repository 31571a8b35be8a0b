import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeIdentifierText, identifierText } from '../../src/change/identifier.ts';
import { NO_DAY, NO_STRING, POSITION_WORDS } from '../../src/change/change.ts';
import { ROW_DELETED, ROW_FORGOTTEN, ROW_LIVE, type RowColumns } from '../../src/ledger/ledger.ts';
import { createColumns } from '../../src/snapshot/account-table.ts';
import { compact } from '../../src/snapshot/compaction.ts';
import { NO_ACCOUNT } from '../../src/ledger/row-layout.ts';
import { ACCOUNT_FIELDS, fieldsText, ROW_FIELDS, SEGMENT_VERSION } from '../../src/snapshot/segment-schema.ts';
import { readSegment } from '../../src/snapshot/segment-reader.ts';
import { writeSegment, type SegmentEntry } from '../../src/snapshot/segment.ts';
import { MemoryStore } from '../support/memory-store.ts';

// Goal: segments give back exactly the rows and accounts written, whatever their ids and values, and any Arrow tool can read them; merging
// keeps the newest row of each key. Method: random rows through write and read, compared as plain objects with a model that is a Map.

interface Row {
  readonly table: number;
  readonly key: string;
  readonly state: number;
  readonly property: string;
  readonly unit: string | null;
  readonly day: number | null;
  readonly amount: number | null;
  readonly type: string | null;
  readonly partition: number;
  readonly offset: number;
  readonly changedAt: number;
}

const PARTITIONS = [{ topic: 'a', partition: 0 }, { topic: 'ü/€', partition: 7 }, { topic: 'a', partition: 1 }];
const FOLDER = 'lineage/';

function blockOf(rows: readonly Row[]): RowColumns {
  const n = rows.length;
  const strings: string[] = [];
  const intern = (text: string): number => (strings.includes(text) ? strings.indexOf(text) : strings.push(text) - 1);
  const live = rows.filter((row) => row.state === ROW_LIVE);
  const names = [...new Set(live.map((row) => JSON.stringify([row.property, row.unit])))];
  const accounts = createColumns(names.length);
  names.forEach((name, i) => {
    const [property, unit] = JSON.parse(name) as [string, string | null];
    accounts.propertyKind[i] = encodeIdentifierText(property, accounts.property, i * 4, intern);
    if (unit !== null) accounts.unitKind[i] = encodeIdentifierText(unit, accounts.unit, i * 4, intern);
    accounts.lastChangedAt[i] = Math.max(...live.filter((row) => JSON.stringify([row.property, row.unit]) === name).map((row) => row.changedAt));
    accounts.propertyLastChangedAt[i] = 1;
  });
  const block: RowColumns = {
    count: n, table: new Uint8Array(n), state: new Uint8Array(n), keyKind: new Uint8Array(n), key: new Uint32Array(n * 4), account: new Uint32Array(n).fill(NO_ACCOUNT),
    day: new Int32Array(n).fill(NO_DAY), amount: new Float64Array(n).fill(NaN), amount2: new Float64Array(n).fill(NaN), expenseType: new Uint16Array(n).fill(NO_STRING),
    flags: new Uint8Array(n), partition: new Uint16Array(n), offset: new Float64Array(n), position: new Uint32Array(n * POSITION_WORDS), commitTime: new Float64Array(n).fill(NaN),
    foldedAt: new Float64Array(n).fill(NaN), accounts: { count: names.length, ...accounts }, partitions: PARTITIONS, strings,
  };
  rows.forEach((row, i) => {
    block.table[i] = row.table;
    block.state[i] = row.state;
    block.keyKind[i] = encodeIdentifierText(row.key, block.key, i * 4, intern);
    block.partition[i] = row.partition;
    block.offset[i] = row.offset;
    block.position.fill(row.offset, i * POSITION_WORDS, (i + 1) * POSITION_WORDS);
    if (row.state === ROW_DELETED) block.foldedAt[i] = row.changedAt;
    if (row.state !== ROW_LIVE) return;
    block.account[i] = names.indexOf(JSON.stringify([row.property, row.unit]));
    if (row.day !== null) block.day[i] = row.day;
    if (row.amount !== null) block.amount[i] = row.amount;
    if (row.type !== null) block.expenseType[i] = intern(row.type);
    block.commitTime[i] = row.changedAt;
    block.flags[i] = row.table * 8;
  });
  return block;
}

/** Rows of a block as plain text, one each. */
function linesOf(block: RowColumns): string[] {
  const text = (kinds: Uint8Array, words: Uint32Array, i: number): string | null => identifierText(kinds[i], words, i * 4, (index) => block.strings[index]);
  return Array.from({ length: block.count }, (_, i) => {
    const account = block.account[i];
    const at = block.partitions[block.partition[i]];
    return JSON.stringify([
      block.table[i], block.state[i], text(block.keyKind, block.key, i), account === NO_ACCOUNT ? null : text(block.accounts.propertyKind, block.accounts.property, account),
      account === NO_ACCOUNT ? null : text(block.accounts.unitKind, block.accounts.unit, account), block.day[i], block.amount[i], block.amount2[i],
      block.expenseType[i] === NO_STRING ? null : block.strings[block.expenseType[i]], block.flags[i], at.topic, at.partition, block.offset[i],
      [...block.position.subarray(i * POSITION_WORDS, (i + 1) * POSITION_WORDS)], block.commitTime[i], block.foldedAt[i],
    ]);
  });
}

function accountsOf(block: RowColumns): [string, number][] {
  return Array.from({ length: block.accounts.count }, (_, i) => [
    JSON.stringify([identifierText(block.accounts.propertyKind[i], block.accounts.property, i * 4, (k) => block.strings[k]), identifierText(block.accounts.unitKind[i], block.accounts.unit, i * 4, (k) => block.strings[k])]),
    block.accounts.lastChangedAt[i],
  ]);
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

let files = 0;
function write(store: MemoryStore, kind: SegmentEntry['kind'], blocks: readonly RowColumns[]): Promise<SegmentEntry> {
  const name = (): string => `0000000001-abcd-${++files}.arrow`;
  return writeSegment(store, { kind, folder: FOLDER, rowsName: name(), accountsName: name(), partitions: PARTITIONS }, each(blocks));
}

async function read(store: MemoryStore, entry: SegmentEntry): Promise<RowColumns[]> {
  const blocks: RowColumns[] = [];
  for await (const some of readSegment(store, FOLDER, entry)) blocks.push(...some);
  return blocks;
}

const id = fc.oneof(
  fc.uuid(), fc.uuid().map((text) => text.toUpperCase()), fc.nat(30).map(String), fc.constantFrom('a', 'exactly fifteen', 'sixteen letters!', 'ünïcödé and long enough', '\u0000', '1234567890123456'),
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
);
const row: fc.Arbitrary<Row> = fc.record({
  table: fc.nat(2), key: fc.oneof(fc.nat(15).map(String), id), state: fc.constantFrom(ROW_LIVE, ROW_LIVE, ROW_LIVE, ROW_DELETED, ROW_FORGOTTEN), property: id, unit: fc.option(id),
  day: fc.option(fc.integer({ min: -800_000, max: 3_000_000 })), amount: fc.option(fc.maxSafeInteger()), type: fc.option(fc.oneof(fc.constantFrom('tax', 'pandi', ''), fc.string())),
  partition: fc.nat(2), offset: fc.nat(2 ** 32 - 1), changedAt: fc.nat(2 ** 40),
});

describe('segments', () => {
  it('give back what was written, in order, and every account once', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 5 }), async (parts) => {
      const store = new MemoryStore();
      const blocks = parts.map(blockOf);
      const expected = blocks.flatMap(linesOf);
      const expectedAccounts = new Map<string, number>();
      for (const [name, time] of blocks.flatMap(accountsOf)) expectedAccounts.set(name, Math.max(time, expectedAccounts.get(name) ?? 0));
      const entry = await write(store, 'base', blocks);
      const found = await read(store, entry);
      expect(found.flatMap(linesOf)).toEqual(expected);
      expect(new Map(found.flatMap(accountsOf))).toEqual(expectedAccounts);
      expect([entry.rows.rows, entry.accounts.rows]).toEqual([expected.length, expectedAccounts.size]);
    }), { numRuns: 150 });
  });

  it('merge to the newest row of each key; a base has no forgotten keys, a delta keeps them', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(row, { maxLength: 30 }), { minLength: 1, maxLength: 5 }), fc.constantFrom('base' as const, 'delta' as const), async (rounds, kind) => {
      const store = new MemoryStore();
      const keyOf = (one: Row): string => `${one.table} ${one.key}`;
      const model = new Map<string, Row>();
      const inputs: SegmentEntry[] = [];
      for (const round of rounds) {
        const unique = [...new Map(round.map((one) => [keyOf(one), one])).values()];
        for (const one of unique) model.set(keyOf(one), one);
        inputs.push(await write(store, inputs.length === 0 ? 'base' : 'delta', [blockOf(unique)]));
      }
      const name = (): string => `0000000009-abcd-${++files}.arrow`;
      const merged = await compact(store, { inputs, target: { kind, folder: FOLDER, rowsName: name(), accountsName: name(), partitions: PARTITIONS } });
      const kept = [...model.values()].filter((one) => kind === 'delta' || one.state !== ROW_FORGOTTEN);
      const expected = kept.flatMap((one) => linesOf(blockOf([one])));
      expect((await read(store, merged)).flatMap(linesOf).sort()).toEqual(expected.sort());
    }), { numRuns: 100 });
  });

  it('span several pieces when they are large, each verified on its own', async () => {
    const store = new MemoryStore();
    const blocks = Array.from({ length: 40 }, (_, b) => blockOf(Array.from({ length: 4_000 }, (_unused, i) => ({
      table: 1, key: `key number ${b * 4_000 + i}`, state: ROW_LIVE, property: `p${i % 10}`, unit: null, day: i, amount: i, type: 'tax', partition: 0, offset: i, changedAt: i,
    }))));
    const entry = await write(store, 'base', blocks);
    expect(entry.rows.pieces.length).toBeGreaterThan(3);
    expect((await read(store, entry)).reduce((sum, block) => sum + block.count, 0)).toBe(160_000);
  });

  it('end a piece early when its texts are long', async () => {
    const store = new MemoryStore();
    const type = 'x'.repeat(16_384);
    const block = blockOf(Array.from({ length: 2_000 }, (_, i) => ({
      table: 1, key: String(i), state: ROW_LIVE, property: 'p', unit: null, day: i, amount: i, type, partition: 0, offset: i, changedAt: i,
    })));
    const entry = await write(store, 'base', [block]);
    expect(entry.rows.pieces.length).toBeGreaterThan(7);
    expect(Math.max(...entry.rows.pieces.map(({ bytes }) => bytes))).toBeLessThan(5_000_000);
    expect((await read(store, entry)).flatMap(linesOf)).toEqual(linesOf(block));
  });

  it('are Arrow files that any tool reads as a table of sensible columns', async () => {
    const store = new MemoryStore();
    const base = { table: 0, state: ROW_LIVE, partition: 1, offset: 12, changedAt: 99 };
    const entry = await write(store, 'base', [blockOf([
      { ...base, key: '3f2504e0-4f89-11d3-9a0c-0305e82c3301', property: 'prop', unit: 'unit', day: 19_000, amount: 12_345, type: 'tax' },
      { ...base, key: 'k2', state: ROW_DELETED, property: 'x', unit: null, day: null, amount: null, type: null },
    ])]);
    const table = tableFromIPC((await store.read(FOLDER + entry.rows.name))!.bytes);
    const [first, second] = table.toArray().map((one) => (one as { toJSON(): Record<string, unknown> }).toJSON());
    expect(first).toMatchObject({ table: 0, key: '3f2504e0-4f89-11d3-9a0c-0305e82c3301', account: 0, day: new Date('2022-01-08').getTime(), amount: 12_345, expense_type: 'tax', partition: 1 });
    expect(second).toMatchObject({ key: 'k2', state: 1, account: null, day: null, amount: null, expense_type: null, commit_time: null, folded_at: 99 });
    expect(JSON.parse(table.schema.metadata.get('rentfold.partitions')!)).toEqual(PARTITIONS);
    const accounts = tableFromIPC((await store.read(FOLDER + entry.accounts.name))!.bytes);
    expect(accounts.toArray().map((one) => (one as { toJSON(): unknown }).toJSON())).toEqual([{ property_id: 'prop', unit_id: 'unit', last_changed_at: 99, property_last_changed_at: 1 }]);
  });

  // When this fails, the format has changed: files written by released versions must stay readable. Raise SEGMENT_VERSION, keep reading the old
  // version in segment-reader.ts (choose by `rentfold.version`), add a test that reads a file of the old version, then change the texts here.
  it('have the format version and columns that are pinned here', () => {
    expect(SEGMENT_VERSION).toBe(1);
    expect(fieldsText(ROW_FIELDS)).toBe('table:Uint8 state:Uint8 key:Utf8 account:Uint32? day:Date32<DAY>? amount:Float64? amount2:Float64? expense_type:Utf8? flags:Uint8 partition:Uint16'
      + ' offset:Float64 position:FixedSizeList[7]<Uint32> commit_time:Float64? folded_at:Float64?');
    expect(fieldsText(ACCOUNT_FIELDS)).toBe('property_id:Utf8? unit_id:Utf8? last_changed_at:Float64 property_last_changed_at:Float64');
  });
});
