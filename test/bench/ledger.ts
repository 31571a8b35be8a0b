/**
 * Bench of the ledger: bytes a row, upserts a second of rows and chains alone and with accounts, restore through the loader.
 * Run: node test/bench/ledger.ts [rows, default 1000000]. Prints one JSON line. UUID keys, Postgres positions, random keys.
 */
import { ENTRY_UPSERT, HAS_ALL, NO_STRING, POSITION_WORDS, TABLE_EXPENSES } from '../../src/change/change.ts';
import type { ChangeBatch } from '../../src/change/change.ts';
import { ID_NONE, ID_UUID } from '../../src/change/identifier.ts';
import { POSITION_POSTGRES } from '../../src/change/position.ts';
import { Accounts } from '../../src/ledger/accounts.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { FiscalCalendar } from '../../src/ledger/fiscal-calendar.ts';
import type { RowColumns } from '../../src/ledger/ledger.ts';
import { linkRow, unlinkRow } from '../../src/ledger/row-chain.ts';
import { RowIndex, hashRow } from '../../src/ledger/row-index.ts';
import { RowStore, keyBits } from '../../src/ledger/row-store.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const UPDATES = 1_000_000;
const BATCH_ENTRIES = 1_000;
const ROWS_PER_UNIT = 150;
const UNITS_PER_PROPERTY = 4;
const TYPES = ['pandi', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'something'];
const FIRST_DAY = 18_628;
const DAYS = 1_500;

let seed = 12345;
function random(below: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % below;
}

/** Word `word` of the UUID with number `n`: a mixing function, so keys need not be held. */
function uuidWord(n: number, word: number): number {
  let h = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(word + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Rows, index and chains alone: no accounts, no change set. */
function benchRowStore(rows: number): Record<string, unknown> {
  const store = new RowStore();
  const index = new RowIndex(store, 0);
  const properties = Math.max(1, Math.floor(rows / ROWS_PER_UNIT / UNITS_PER_PROPERTY));
  const accounts = new Accounts(new FiscalCalendar(1));
  for (let property = 0; property < properties; property++) accounts.property(ID_UUID, 0, 0, 0, property);
  const position = new Uint32Array(POSITION_WORDS);
  position[0] = POSITION_POSTGRES;
  const upsert = (n: number, step: number): void => {
    const a = uuidWord(n, 0);
    const b = uuidWord(n, 1);
    const c = uuidWord(n, 2);
    const d = uuidWord(n, 3);
    const hash = hashRow(TABLE_EXPENSES, ID_UUID, a, b, c, d);
    const property = random(properties);
    let row = index.find(TABLE_EXPENSES, ID_UUID, a, b, c, d, hash);
    if (row < 0) {
      row = store.allocate();
      store.setKey(row, keyBits(TABLE_EXPENSES, ID_UUID), a, b, c, d, 0);
      index.insert(row, hash);
    } else unlinkRow(store, accounts, store.account(row), row);
    position[4] = step;
    store.setImage(row, property, FIRST_DAY + random(DAYS), random(1_000_000), 3, false);
    store.storePosition(row, position, 0);
    store.setCommitTime(row, step);
    store.setPlace(row, 0, step);
    linkRow(store, accounts, property, row);
  };
  const inserts = rate(rows, measure(() => { for (let n = 0; n < rows; n++) upsert(n, n); }));
  const upserts = rate(UPDATES, measure(() => { for (let n = 0; n < UPDATES; n++) upsert(random(rows), rows + n); }));
  return { inserts, upserts, bytesPerRow: round((store.bytes + index.bytes) / rows) };
}

function createBatch(): ChangeBatch {
  const count = BATCH_ENTRIES;
  return {
    records: count, count,
    partitions: [{ topic: 'expenses', partition: 0, next: 0, token: null, lastOffset: 0, lastTime: 0, lastHash: null, deleteKeyHash: null }],
    partitionOf: new Uint16Array(count), offset: new Float64Array(count), kind: new Uint8Array(count).fill(ENTRY_UPSERT),
    detail: new Uint8Array(count), table: new Uint8Array(count).fill(TABLE_EXPENSES), flags: new Uint8Array(count),
    present: new Uint8Array(count).fill(HAS_ALL), keyKind: new Uint8Array(count).fill(ID_UUID), key: new Uint32Array(count * 4),
    propertyKind: new Uint8Array(count).fill(ID_UUID), property: new Uint32Array(count * 4), unitKind: new Uint8Array(count).fill(ID_UUID),
    unit: new Uint32Array(count * 4), day: new Int32Array(count), amount: new Float64Array(count), amount2: new Float64Array(count).fill(Number.NaN),
    expenseType: new Uint16Array(count).fill(NO_STRING), position: new Uint32Array(count * POSITION_WORDS), commitTime: new Float64Array(count),
    strings: TYPES, letters: [], seenTables: null, stop: null,
  };
}

/** Fills a batch with entries of rows `rowAt(i)`; property and unit follow from the row, now and then from another one (a move). */
function fill(batch: ChangeBatch, rows: number, step: number, rowAt: (i: number) => number): void {
  const units = Math.max(1, Math.floor(rows / ROWS_PER_UNIT));
  for (let i = 0; i < batch.count; i++) {
    const n = rowAt(i);
    const unit = (random(100) === 0 ? random(units) : n % units);
    const property = Math.floor(unit / UNITS_PER_PROPERTY);
    for (let word = 0; word < 4; word++) {
      batch.key[i * 4 + word] = uuidWord(n, word);
      batch.unit[i * 4 + word] = uuidWord(unit, word + 4);
      batch.property[i * 4 + word] = uuidWord(property, word + 8);
    }
    batch.unitKind[i] = unit % UNITS_PER_PROPERTY === 0 ? ID_NONE : ID_UUID;
    batch.offset[i] = step + i;
    batch.day[i] = FIRST_DAY + random(DAYS);
    batch.amount[i] = random(10_000_000);
    batch.expenseType[i] = random(TYPES.length);
    batch.position[i * POSITION_WORDS] = POSITION_POSTGRES;
    batch.position[i * POSITION_WORDS + 2] = step + i;
    batch.position[i * POSITION_WORDS + 4] = step + i;
    batch.commitTime[i] = 1_700_000_000_000 + step + i;
  }
}

function benchBooks(rows: number): Record<string, unknown> {
  const books = createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 });
  const batch = createBatch();
  let longest = 0;
  let spent: Cost = { seconds: 0, cpuSeconds: 0 };
  const fold = (): void => {
    const cpu = process.threadCpuUsage();
    const start = performance.now();
    books.fold(batch, { now: 1_700_000_000_000, mayForgetDeletes: true });
    const took = performance.now() - start;
    const { user, system } = process.threadCpuUsage(cpu);
    spent = { seconds: spent.seconds + took / 1000, cpuSeconds: spent.cpuSeconds + (user + system) / 1e6 };
    longest = Math.max(longest, took);
  };
  for (let n = 0; n < rows; n += BATCH_ENTRIES) {
    fill(batch, rows, n, (i) => n + i);
    fold();
  }
  const foldInserts = { ...rate(rows, spent), longestBatchMs: round(longest) };
  longest = 0;
  spent = { seconds: 0, cpuSeconds: 0 };
  for (let n = 0; n < UPDATES; n += BATCH_ENTRIES) {
    fill(batch, rows, rows + n, () => random(rows));
    fold();
  }
  const counts = books.counts();
  const memory = process.memoryUsage();
  return {
    foldInserts, foldUpserts: { ...rate(UPDATES, spent), longestBatchMs: round(longest) },
    ledgerBytesPerRow: round(counts.ledgerBytes / rows), accounts: counts.accounts, accountBytesPerRow: round(counts.accountBytes / rows),
    processBytes: memory.rss, ...benchRestore(books, rows),
  };
}

function benchRestore(books: ReturnType<typeof createBooks>, rows: number): Record<string, unknown> {
  const cut = books.beginCut('full');
  const blocks: RowColumns[] = [];
  const exported = measure(() => { for (let block = cut.next(50_000); block !== null; block = cut.next(50_000)) blocks.push(block); });
  const totals = cut.controlTotals;
  cut.abort();
  const copy = createBooks({ fiscalYearStartMonth: 1, deletedKeysDays: 7 });
  const restored = measure(() => {
    const loader = copy.load();
    loader.reserve(rows);
    for (const block of blocks) loader.rows(block);
    loader.finish();
  });
  if (JSON.stringify(copy.controlTotals()) !== JSON.stringify(totals)) throw new Error('restored books differ');
  return { export: exported, restore: restored };
}

/** Wall seconds and CPU seconds of this thread: on a machine shared with others the second says what the code costs. */
interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function measure(work: () => void): Cost {
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  work();
  const wall = performance.now() - start;
  const { user, system } = process.threadCpuUsage(cpu);
  return { seconds: round(wall / 1000), cpuSeconds: round((user + system) / 1e6) };
}

function rate(count: number, { seconds, cpuSeconds }: Cost): { perSecond: number; perCpuSecond: number } {
  return { perSecond: Math.round(count / seconds), perCpuSecond: Math.round(count / cpuSeconds) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const rowStore = benchRowStore(ROWS);
console.log(JSON.stringify({ bench: 'ledger', rows: ROWS, rowsAndChains: rowStore, books: benchBooks(ROWS) }));
