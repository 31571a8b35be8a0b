/**
 * Goal: whatever the history of restarts, every record is delivered exactly once, in its partition's order.
 * Method: random logs (several files, partitions mixed, gaps in offsets) that grow while a reader is stopped and started at the positions it had saved, which may lag behind what
 * it had read, as a checkpoint does; what was read after the saved positions is forgotten with them.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFileSource } from '../../src/source/file.ts';
import { partitionName, type PartitionPosition } from '../../src/source/positions.ts';
import { DumpFolder, dumpText, recordAt, type TestRecord } from '../support/dump.ts';
import { SourceReader } from '../support/read-source.ts';

/** The partitions of each file. */
const FILES: Readonly<Record<string, readonly (readonly [string, number])[]>> = { 'a.jsonl': [['a', 0], ['a', 1], ['b', 7]], 'c.jsonl': [['c', 0]] };

const appended = fc.array(fc.tuple(fc.constantFrom(...Object.keys(FILES)), fc.nat(), fc.integer({ min: 1, max: 3 })), { maxLength: 25 });
const lives = fc.array(fc.record({ appended, recordsMax: fc.integer({ min: 1, max: 7 }), batches: fc.nat({ max: 12 }), saveAfter: fc.nat({ max: 12 }) }), { minLength: 1, maxLength: 6 });

it('every record is delivered exactly once across restarts', async () => {
  await fc.assert(fc.asyncProperty(lives, async (plan) => {
    const folder = await DumpFolder.create();
    const log = new Map<string, TestRecord[]>();
    const next = new Map<string, number>();
    let positions: PartitionPosition[] = [];
    /** What the saved positions stand for. */
    let delivered: TestRecord[] = [];
    try {
      for (const life of [...plan, { appended: [], recordsMax: 5, batches: Infinity, saveAfter: Infinity }]) {
        for (const [file, pick, step] of life.appended) {
          const [topic, partition] = FILES[file][pick % FILES[file].length];
          const name = partitionName({ topic, partition });
          const offset = next.get(name) ?? 0;
          next.set(name, offset + step);
          log.set(name, [...(log.get(name) ?? []), recordAt(topic, partition, offset)]);
          await folder.append(file, dumpText([recordAt(topic, partition, offset)]));
        }
        const reader = new SourceReader(createFileSource({ folder: folder.path, pollMs: 5 }));
        await reader.open({ positions, recordsMax: life.recordsMax });
        const total = [...log.values()].flat().length;
        let saved = { positions, count: 0 };
        for (let batch = 0; batch < life.batches && delivered.length + reader.records.length < total; batch++) {
          await reader.step();
          if (batch < life.saveAfter) saved = { positions: reader.savedPositions(), count: reader.records.length };
        }
        await reader.close();
        expect(reader.opened!.notes).toEqual([]);
        expect(reader.stops).toEqual([]);
        positions = saved.positions;
        delivered = [...delivered, ...reader.records.slice(0, saved.count)];
      }
    } finally {
      await folder.dispose();
    }
    for (const [name, records] of log) expect(delivered.filter((r) => partitionName(r) === name)).toEqual(records);
    expect(delivered.length).toBe([...log.values()].flat().length);
  }), { numRuns: 60 });
});
