/** Record batches for decoder tests: from plain objects, or from the dumps of a conformance case. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeBatch } from '../../src/change/change.ts';
import { createDecoder } from '../../src/change/decode.ts';
import { COLUMNS } from '../../src/change/decoder.ts';
import type { DecodeOptions } from '../../src/change/decoder.ts';
import type { RecordBatch } from '../../src/source/source.ts';

export interface TestRecord {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly time?: number;
  readonly key?: string | Uint8Array | null;
  readonly value: string | Uint8Array | null | object;
}

const encoder = new TextEncoder();

function toBytes(value: TestRecord['value'] | undefined): Uint8Array | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return value;
  return encoder.encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** One batch of all records. Topic `pg.public.rents`, partition 0 and rising offsets unless said otherwise. */
export function batchOf(records: readonly TestRecord[]): RecordBatch {
  const partitions: { topic: string; partition: number; next: number; token: null }[] = [];
  const parts = records.map((r) => ({ key: toBytes(r.key), value: toBytes(r.value) }));
  const size = parts.reduce((sum, p) => sum + (p.key?.length ?? 0) + (p.value?.length ?? 0), 0);
  const count = records.length;
  const batch = {
    count, partitions, partitionOf: new Uint16Array(count), offset: new Float64Array(count), time: new Float64Array(count), bytes: new Uint8Array(size),
    keyStart: new Int32Array(count).fill(-1), keyEnd: new Int32Array(count).fill(-1), valueStart: new Int32Array(count).fill(-1), valueEnd: new Int32Array(count).fill(-1),
  };
  let used = 0;
  const put = (bytes: Uint8Array | null, start: Int32Array, end: Int32Array, i: number): void => {
    if (bytes === null) return;
    batch.bytes.set(bytes, used);
    start[i] = used;
    used += bytes.length;
    end[i] = used;
  };
  records.forEach((r, i) => {
    const topic = r.topic ?? 'pg.public.rents';
    const partition = r.partition ?? 0;
    let slot = partitions.findIndex((p) => p.topic === topic && p.partition === partition);
    if (slot < 0) slot = partitions.push({ topic, partition, next: 0, token: null }) - 1;
    batch.partitionOf[i] = slot;
    batch.offset[i] = r.offset ?? partitions[slot].next;
    partitions[slot].next = batch.offset[i] + 1;
    batch.time[i] = r.time ?? Number.NaN;
    put(parts[i].key, batch.keyStart, batch.keyEnd, i);
    put(parts[i].value, batch.valueStart, batch.valueEnd, i);
  });
  return batch;
}

/** Default options, with changes. */
export function optionsOf(changes: Partial<DecodeOptions> = {}): DecodeOptions {
  const same = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));
  return {
    timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] },
    columns: { expenses: same(COLUMNS.expenses), rents: same(COLUMNS.rents), properties: same(COLUMNS.properties) }, epochs: [], ...changes,
  };
}

/** Decodes records with a new decoder. */
export function decodeAll(records: readonly TestRecord[], changes: Partial<DecodeOptions> = {}): ChangeBatch {
  return createDecoder(optionsOf(changes), { positions: [], seenTables: {} }).decode(batchOf(records));
}

export const CASES = join(import.meta.dirname, '../fixtures/conformance/cases');

export interface ConformanceCase {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  readonly deadLetters: number;
  readonly lines: readonly TestRecord[];
}

/** A conformance case: its records file by file, and what it expects of decoding. */
export function conformanceCase(name: string): ConformanceCase {
  const folder = join(CASES, name);
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { settings?: Record<string, string>; records: number; dead_letters?: number };
  const lines = readdirSync(folder).filter((file) => file.endsWith('.jsonl')).sort().flatMap((file) =>
    readFileSync(join(folder, file), 'utf8').split('\n').filter((line) => line !== '').map((line) => {
      const { topic, partition, offset, ts, key, payload } = JSON.parse(line) as { topic: string; partition: number; offset: number; ts: number; key: string | null; payload: string | null };
      return { topic, partition, offset, time: ts, key, value: payload };
    }));
  return { name, settings: expected.settings ?? {}, records: expected.records, deadLetters: expected.dead_letters ?? 0, lines };
}

export const CASE_NAMES = readdirSync(CASES).sort();

/** Decode options of a case's settings. */
export function caseOptions(settings: Readonly<Record<string, string>>): DecodeOptions {
  const list = (name: string): string[] => (settings[name] ?? '').split(',').filter((text) => text !== '');
  const scale = /^base64:(\d+)$/.exec(settings['RENTFOLD_DECIMALS'] ?? '');
  return optionsOf({
    timeZone: settings['RENTFOLD_TIME_ZONE'] ?? 'UTC',
    decimals: scale === null ? { kind: 'text' } : { kind: 'base64', scale: Number(scale[1]) },
    tables: { expenses: list('RENTFOLD_TABLE_EXPENSES'), rents: list('RENTFOLD_TABLE_RENTS'), properties: list('RENTFOLD_TABLE_PROPERTIES') },
    epochs: list('RENTFOLD_SOURCE_EPOCHS').map((text) => Date.parse(text)),
  });
}
