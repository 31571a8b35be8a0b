/**
 * Goal: the demo data is what its script makes, small, and shows what the README says it shows.
 * Method: the script runs again and every committed file is compared; the logs are read back line by line with nothing of the product.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { committedDemoLogs, demoFiles, PROJECT_ROOT } from './support/make-demo.ts';

interface Line { readonly topic: string; readonly partition: number; readonly offset: number; readonly key: string; readonly payload: string | null }
interface Envelope { readonly op?: string; readonly after?: Readonly<Record<string, unknown>> | null; readonly source?: { readonly ts_ms: number } }

const files = demoFiles();
const read = (path: string): string => readFileSync(join(PROJECT_ROOT, path), 'utf8');
const lines = committedDemoLogs().flatMap((path) => read(path).trimEnd().split('\n')).map((text) => JSON.parse(text) as Line);
const envelopes = lines.filter((line) => line.payload !== null).map((line) => JSON.parse(line.payload!) as Envelope);

describe('demo data', () => {
  it('is what its script makes (node test/support/make-demo.ts)', () => {
    const different = [...files].filter(([path, text]) => !existsSync(join(PROJECT_ROOT, path)) || read(path) !== text).map(([path]) => path);
    expect(different).toEqual([]);
    expect(committedDemoLogs().filter((path) => !files.has(path))).toEqual([]);
  });

  it('stays below 2.5 MB', () => {
    expect([...files.values()].reduce((bytes, text) => bytes + Buffer.byteLength(text), 0)).toBeLessThan(2_500_000);
  });

  it('has offsets that rise by one in each partition, from 0', () => {
    const next = new Map<string, number>();
    const wrong = lines.filter((line) => {
      const name = `${line.topic}/${line.partition}`;
      const expected = next.get(name) ?? 0;
      next.set(name, expected + 1);
      return line.offset !== expected;
    });
    expect(wrong).toEqual([]);
    expect([...next.keys()].sort()).toEqual([
      '__debezium-heartbeat.rental/0', 'rental.public.expenses/0', 'rental.public.expenses/1', 'rental.public.properties/0', 'rental.public.rents/0', 'rental.public.rents/1',
    ]);
  });

  it('keeps all events of a row in one partition', () => {
    const partitions = new Map<string, number>();
    const wrong = lines.filter((line) => {
      const name = `${line.topic} ${line.key}`;
      const known = partitions.get(name);
      partitions.set(name, line.partition);
      return known !== undefined && known !== line.partition;
    });
    expect(wrong).toEqual([]);
  });

  it('has all that a newcomer should see', () => {
    const rows = envelopes.flatMap((envelope) => (envelope.after === null || envelope.after === undefined ? [] : [envelope.after]));
    const types = new Set(rows.filter((row) => 'expense_type' in row).map((row) => row.expense_type));
    expect(types).toEqual(new Set(['pandi', 'tax', 'utilities', 'maintenance', 'capex', 'insurance', 'property_management', 'hoa', 'legal', 'locksmith', 'rehab', '', null]));
    expect(new Set(envelopes.map((envelope) => envelope.op))).toEqual(new Set(['r', 'c', 'u', 'd', undefined]));
    expect(rows.filter((row) => row.amount === 'NaN')).toHaveLength(1);
    expect(rows.some((row) => row.is_planned === true)).toBe(true);
    expect(rows.some((row) => row.is_non_irs_revenue === true)).toBe(true);
    expect(lines.filter((line) => line.payload === null)).toHaveLength(envelopes.filter((envelope) => envelope.op === 'd').length);
    expect(new Set(rows.filter((row) => 'display_name' in row).map((row) => row.id)).size).toBe(13);
  });
});
