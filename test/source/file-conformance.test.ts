/**
 * Goal: the recorded and generated logs are read whole: every line a record, with the bytes `JSON.parse` finds in it.
 * Method: each case's folder through the source, against its lines parsed one by one; then again from a position in the middle of every partition.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileSource } from '../../src/source/file.ts';
import { partitionName } from '../../src/source/positions.ts';
import type { TestRecord } from '../support/dump.ts';
import { positionAfter, SourceReader } from '../support/read-source.ts';

const CASES = join(import.meta.dirname, '../fixtures/conformance/cases');

interface DumpedLine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  readonly key: string | null;
  readonly payload: string | null;
}

function linesOf(folder: string): TestRecord[] {
  return readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort().flatMap((name) =>
    readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1).map((text) => {
      const { topic, partition, offset, ts, key, payload } = JSON.parse(text) as DumpedLine;
      return { topic, partition, offset, time: ts, key, value: payload };
    }));
}

describe.each(readdirSync(CASES))('the log of case %s', (name) => {
  const folder = join(CASES, name);
  const lines = linesOf(folder);
  const { records } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { records: number };

  it('is read whole, and from the middle on', async () => {
    const reader = new SourceReader(createFileSource({ folder }));
    await reader.open({ recordsMax: 64 });
    await reader.untilEndAtStart();
    await reader.close();
    expect(reader.records.length).toBe(records);
    expect(reader.records).toEqual(lines);
    const byPartition = Map.groupBy(lines, partitionName);
    const middles = new Map([...byPartition].map(([partition, all]) => [partition, all[all.length >> 1]]));
    const second = new SourceReader(createFileSource({ folder }));
    await second.open({ recordsMax: 64, positions: [...middles.values()].map(positionAfter) });
    await second.untilEndAtStart();
    await second.close();
    expect(second.opened!.notes).toEqual([]);
    expect(second.records).toEqual(lines.filter((line) => line.offset > middles.get(partitionName(line))!.offset));
  });
});
