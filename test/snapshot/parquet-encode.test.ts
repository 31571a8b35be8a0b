/**
 * Goal: other programs read from the parquet file exactly what was put into it: names, types, every digit, nulls, metadata; and rentfold reads the metadata of
 * anybody's file, and nothing from what is no file.
 * Method: files of blocks made by hand, read back by DuckDB and, where Python has it, by pandas with pyarrow; the footer's reader on files of DuckDB and
 * on bytes cut and changed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUnits } from '../../src/change/money.ts';
import type { FigureColumns } from '../../src/ledger/figure-columns.ts';
import { encodeParquet, noSums } from '../../src/snapshot/parquet-encode.ts';
import { readFooter } from '../../src/snapshot/parquet-footer.ts';
import { formText, presentLabels, type ParquetLabels } from '../../src/snapshot/parquet-labels.ts';
import { MONEY_COLUMNS, type ParquetMoney } from '../../src/snapshot/parquet-schema.ts';
import { figureColumns, type TestAccount } from '../support/figure-columns.ts';
import { labelsOf, queryParquet } from '../support/parquet-query.ts';

const LABELS: ParquetLabels = {
  lineage: '20261123T000000000Z-0123abcd', generation: 42, writer: 'abcdef012345', asOf: 20_780, fiscalYearStartMonth: 4, timeZone: 'America/New_York', cutAt: 1_795_500_000_123,
  positions: [{ topic: 'db.public.rents', partition: 3, next: 77, token: null, lastOffset: 76, lastTime: 5, lastHash: 'aa', deleteKeyHash: null }],
  accounts: 0, properties: 2, incompleteProperties: 1, completeHistory: false,
  controlTotals: { rows: { expenses: 3, rents: 2, properties: 1 }, rememberedDeletes: 0, truncateMarks: 0, totalRevenue: '12345678901234567890', rent: '-5', expenses: '0', cashInvested: '0', downPayment: '0' },
};
const UUID = '3E5F4790-2FF7-4E0D-BB91-ED4CDA705501';
const EXTREMES = [0, 1, -1, 10_000, -10_000, 12_345_678_901, 5e15, -5e15, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 999_999_999_999_999, -7];
const folder = mkdtempSync(join(tmpdir(), 'rentfold-parquet-'));
let files = 0;

async function write(blocks: readonly FigureColumns[], money: ParquetMoney = 'decimal'): Promise<string> {
  async function* given(): AsyncGenerator<FigureColumns> {
    for (const block of blocks) yield await Promise.resolve(block);
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeParquet(given(), LABELS, money, noSums())) pieces.push(piece);
  const path = join(folder, `${files++}.parquet`);
  writeFileSync(path, Buffer.concat(pieces));
  return path;
}

const some: readonly TestAccount[] = [
  { property: 'p1', units: EXTREMES, cashOnCash: 95_000 },
  { property: 'p1', unit: UUID, units: EXTREMES.map((units) => -units), cashOnCash: Number.MIN_SAFE_INTEGER },
  { property: 'a property with a long name ü', unit: 'a unit beyond fifteen bytes', units: Number.NaN },
  { property: '7', units: 5, cashOnCash: null, lastChangedAt: Number.NEGATIVE_INFINITY },
];
const textOf = (units: number): string | null => (Number.isNaN(units) ? null : formatUnits(units));

describe('the file', () => {
  it('has the columns, types and order that readers rely on', async () => {
    const path = await write([figureColumns(some)]);
    const columns = await queryParquet(path, 'describe select * from FILE');
    const names = ['total_revenue', 'rent', 'expenses', 'profit_loss', 'piti', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'other'];
    expect(columns.map(({ column_name, column_type }) => `${column_name} ${column_type}`)).toEqual([
      'property_id VARCHAR', 'unit_id VARCHAR', ...['ytd', 'cumulative'].flatMap((span) => names.map((name) => `${span}_${name} DECIMAL(18,4)`)), 'cash_on_cash DECIMAL(18,4)',
      'last_calculated_at TIMESTAMP', '_cdc_timestamp TIMESTAMP',
    ]);
  });

  it('holds every digit, to the ends of the range, and null for what is none', async () => {
    const path = await write([figureColumns(some)]);
    const rows = await queryParquet(path, `select * replace (${MONEY_COLUMNS.map((name) => `${name}::varchar as ${name}`).join()}) from FILE`);
    expect(rows.map((row) => [row.property_id, row.unit_id])).toEqual(some.map(({ property, unit }) => [property, unit ?? null]));
    rows.forEach((row, i) => {
      const units = some[i]!.units;
      const expected = (total: number): string | null => textOf(typeof units === 'number' ? units : units[total]!);
      MONEY_COLUMNS.slice(0, 24).forEach((name, column) => expect(row[name], `${i} ${name}`).toBe(expected(column % 12)));
      expect(row.cash_on_cash).toBe(textOf(some[i]!.cashOnCash ?? Number.NaN));
      expect(row._cdc_timestamp).toBe('2026-11-24 06:00:00.123');
    });
    expect(rows.map((row) => row.last_calculated_at)).toEqual(['2023-11-14 22:13:20.123', '2023-11-14 22:13:20.123', '2023-11-14 22:13:20.123', null]);
  });

  it('as doubles holds the double nearest to each decimal', async () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (units) => Number(formatUnits(units)) === units / 10_000), { numRuns: 2_000 });
    const path = await write([figureColumns(some)], 'double');
    expect((await queryParquet(path, 'describe select ytd_rent, cash_on_cash from FILE')).map((row) => row.column_type)).toEqual(['DOUBLE', 'DOUBLE']);
    const rows = await queryParquet(path, 'select ytd_other, ytd_piti, ytd_rent, cash_on_cash from FILE');
    expect(rows.map((row) => Object.values(row))).toEqual([[-0.0007, -1, 0.0001, 9.5], [0.0007, 1, -0.0001, Number(formatUnits(Number.MIN_SAFE_INTEGER))], [null, null, null, null], [0.0005, 0.0005, 0.0005, null]]);
  });

  it('is not written with an amount that is no whole number of units', async () => {
    await expect(write([figureColumns([{ property: 'p', units: EXTREMES.map((units, column) => (column === 11 ? 0.5 : units)) }])])).rejects.toThrow('0.5 is no integer of 64 bits');
  });

  it('says what it covers', async () => {
    const path = await write([{ ...figureColumns(some.slice(0, 2)), outOfRange: 1 }, { ...figureColumns(some.slice(2)), outOfRange: 2, cashOnCashOutOfRange: 3 }]);
    expect(await labelsOf(path)).toEqual({
      format: 'financial-performance/1', lineage: LABELS.lineage, generation: '42', writer: 'abcdef012345', positions: '[{"topic":"db.public.rents","partition":3,"next":77}]', as_of: '2026-11-23', rules_version: '1',
      fiscal_year_start_month: '4', time_zone: 'America/New_York', created_at: '2026-11-24T06:00:00.123Z', money: 'decimal', accounts: '4', properties: '2', incomplete_properties: '1',
      out_of_range_accounts: '3', out_of_range_cash_on_cash: '3', complete_history: 'false', rows: '{"expenses":3,"rents":2,"properties":1}',
      control_totals: '{"total_revenue":"1234567890123456.7890","rent":"-0.0005","expenses":"0.0000"}', file_totals: '{"total_revenue":"0.0005","rent":"0.0006","expenses":"0.0004"}',
    });
  });

  it('of many row groups is whole, whatever the blocks; with no account it has none', async () => {
    const many = Array.from({ length: 12_345 }, (_, i): TestAccount => ({ property: `p${i}`, unit: i % 3 === 0 ? null : `u${i}`, units: i % 7 === 0 ? Number.NaN : i - 6_000 }));
    const path = await write([figureColumns(many.slice(0, 11_000)), figureColumns(many.slice(11_000, 11_003)), figureColumns(many.slice(11_003))]);
    const [sums] = await queryParquet(path, 'select count(*)::int as rows, count(unit_id)::int as units, count(ytd_rent)::int as there, sum(cumulative_other)::varchar as total, count(distinct property_id)::int as properties from FILE');
    const there = many.filter(({ units }) => !Number.isNaN(units));
    const total = there.reduce((sum, { units }) => sum + Number(units), 0);
    expect(sums).toEqual({ rows: many.length, units: many.filter(({ unit }) => unit !== null).length, there: there.length, total: formatUnits(total), properties: many.length });
    const empty = await write([]);
    expect(await queryParquet(empty, 'select count(*)::int as rows from FILE')).toEqual([{ rows: 0 }]);
    expect((await labelsOf(empty)).accounts).toBe('0');
  });

  const pandas = spawnSync('python3', ['-c', 'import pandas, pyarrow']);
  it.skipIf(pandas.status !== 0)('is read the same by pandas with pyarrow (python3 with pandas and pyarrow: apt-get install python3-pip, then pip install pandas pyarrow)', async () => {
    const [path, doubles] = [await write([figureColumns(some)]), await write([figureColumns(some)], 'double')];
    const script = `
import pandas, pyarrow.parquet, json
def text(value): return None if pandas.isna(value) else str(value)
double = pandas.read_parquet(${JSON.stringify(doubles)})
frame = pandas.read_parquet(${JSON.stringify(path)})
print(json.dumps({"columns": len(frame.columns), "rows": [[r.property_id, r.unit_id if isinstance(r.unit_id, str) else None, None if r.ytd_capex is None else str(r.ytd_capex)] for r in frame.itertuples()],
  "type": str(pyarrow.parquet.read_schema(${JSON.stringify(path)}).field("ytd_rent").type), "generation": pyarrow.parquet.read_metadata(${JSON.stringify(path)}).metadata[b"rentfold.generation"].decode(),
  "cash": [text(value) for value in frame.cash_on_cash], "calculated": [text(value) for value in frame.last_calculated_at], "times": [str(frame.last_calculated_at.dtype), str(frame._cdc_timestamp.dtype)],
  "zones": [str(frame.last_calculated_at.dt.tz), str(frame._cdc_timestamp.dt.tz)], "written": str(frame._cdc_timestamp[0]),
  "doubleTypes": sorted({str(double[name].dtype) for name in double.columns[2:-2]}), "doubles": [[None if pandas.isna(v) else v for v in (r.ytd_capex, r.cash_on_cash)] for r in double.itertuples()]}))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      columns: 29, type: 'decimal128(18, 4)', generation: '42',
      rows: some.map(({ property, unit, units }) => [property, unit ?? null, textOf(typeof units === 'number' ? units : units[8]!)]),
      cash: some.map(({ cashOnCash }) => textOf(cashOnCash ?? Number.NaN)),
      times: ['datetime64[us, UTC]', 'datetime64[us, UTC]'], zones: ['UTC', 'UTC'], calculated: [...new Array<string>(3).fill('2023-11-14 22:13:20.123000+00:00'), null], written: '2026-11-24 06:00:00.123000+00:00',
      doubleTypes: ['float64'], doubles: some.map(({ units, cashOnCash }) => [typeof units === 'number' ? units : units[8]!, cashOnCash ?? Number.NaN].map((value) => (Number.isNaN(value) ? null : Number(formatUnits(value))))),
    });
  });
});

describe('metadata of a file that is there', () => {
  it('are read from the end alone, however long the rest is', async () => {
    const bytes = readFileSync(await write([figureColumns(some)]));
    const short = readFooter(bytes.subarray(-100), bytes.length);
    expect(short.kind).toBe('longer');
    const found = readFooter(bytes.subarray(short.kind === 'longer' ? -short.bytes : 0), bytes.length);
    expect(found.kind === 'footer' && presentLabels(found)).toEqual({
      lineage: LABELS.lineage, generation: 42, asOf: 20_780, cutAt: LABELS.cutAt, accounts: 4, form: formText({ asOf: 20_780, money: 'decimal', fiscalYearStartMonth: 4, timeZone: 'America/New_York' }),
    });
    if (found.kind !== 'footer') return;
    expect(presentLabels({ ...found, rows: 5 }), 'rows were added').toBeNull();
    expect(presentLabels({ ...found, createdBy: 'parquet-cpp-arrow version 26.0.1' })).toBeNull();
    for (const name of ['format', 'rules_version']) {
      const present = presentLabels({ ...found, pairs: new Map([...found.pairs, [`rentfold.${name}`, 'financial-performance/0']]) });
      expect(present!.form).not.toBe(presentLabels(found)!.form);
    }
  });

  it('of another program are not ours', async () => {
    const path = join(folder, 'other.parquet');
    await queryParquet(path, `copy (select 1 as a, [{'b': true}] as c from range(10)) to FILE (format parquet, kv_metadata {'who': 'somebody', 'rentfold.generation': '7'})`);
    const bytes = readFileSync(path);
    const found = readFooter(bytes, bytes.length);
    expect(found.kind === 'footer' && [found.pairs.get('who'), presentLabels(found)]).toEqual(['somebody', null]);
  });

  it('of bytes that are no file, or a torn one, are none, and reading them ends', async () => {
    const bytes = readFileSync(await write([figureColumns(some)]));
    fc.assert(fc.property(fc.nat(bytes.length), fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 4 }), (length, changes) => {
      const changed = Buffer.from(bytes.subarray(length === bytes.length ? 0 : length));
      for (const [from, value] of changes) if (from < changed.length) changed[changed.length - 1 - from] = value;
      expect(['footer', 'longer', 'unreadable']).toContain(readFooter(changed, changed.length).kind);
    }), { numRuns: 300 });
    expect(readFooter(Buffer.from('PAR1'), 4).kind).toBe('unreadable');
    expect(readFooter(bytes.subarray(0, -1), bytes.length - 1).kind).toBe('unreadable');
  });
});
