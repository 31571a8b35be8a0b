/**
 * Goal: cutting a file into lines does not depend on where chunks end, and writing it does not depend on where writes end.
 * Method: random contents, chunk sizes down to one byte and stretches, against `split`; random cuts of real dumps written piece by piece to a source that follows.
 */
import { open, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSource } from '../../src/source/file.ts';
import { LineReader } from '../../src/source/file-reader.ts';
import { DumpFolder, dumpText, recordsOf, type TestRecord } from '../support/dump.ts';
import { ofPartition, SourceReader } from '../support/read-source.ts';

let folder: DumpFolder;
beforeEach(async () => {
  folder = await DumpFolder.create();
});
afterEach(async () => await folder.dispose());

async function readLines(reader: LineReader, path: string, from: number, to: number): Promise<{ text: string; at: number }[]> {
  const handle = await open(path);
  const read: { text: string; at: number }[] = [];
  reader.begin(handle, from, to);
  do {
    while (reader.next()) {
      read.push({ text: reader.bytes.subarray(reader.start, reader.end).toString('latin1'), at: reader.lineStart });
      expect(reader.bytes[reader.end]).toBe(10);
      expect(reader.nextStart).toBe(reader.lineStart + reader.end - reader.start + 1);
    }
  } while (await reader.fill());
  await reader.release();
  await handle.close();
  return read;
}

describe('lines of a file', () => {
  it('are the same whatever the chunks, and stop at the end of the stretch', async () => {
    const contents = fc.array(fc.oneof(fc.constant('\n'), fc.string({ maxLength: 40 }), fc.constant('x'.repeat(300))), { maxLength: 30 }).map((parts) => Buffer.from(parts.join('')));
    await fc.assert(fc.asyncProperty(contents, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }), fc.nat(), async (content, chunkBytes, carryBytes, cut) => {
      await writeFile(folder.file('lines'), content);
      const to = content.length === 0 ? 0 : cut % (content.length + 1);
      const reader = new LineReader(chunkBytes, carryBytes);
      for (const end of [to, content.length]) {
        let at = 0;
        const expected = content.subarray(0, end).toString('latin1').split('\n').slice(0, -1).map((text) => {
          const place = { text, at };
          at += text.length + 1;
          return place;
        });
        expect(await readLines(reader, folder.file('lines'), 0, end)).toEqual(expected);
        const second = expected[1];
        if (second !== undefined) expect(await readLines(reader, folder.file('lines'), second.at, end)).toEqual(expected.slice(1));
      }
    }), { numRuns: 150 });
  });

  it('end where the file ends, when it is shorter than the stretch', async () => {
    await writeFile(folder.file('lines'), 'a\nb\nc');
    expect((await readLines(new LineReader(2, 1), folder.file('lines'), 0, 100)).map(({ text }) => text)).toEqual(['a', 'b']);
  });
});

describe('files written piece by piece', () => {
  it('give the same records whatever the pieces', async () => {
    const plan = fc.record({
      counts: fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 4 })),
      cuts: fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 700 })), { minLength: 1, maxLength: 25 }),
      recordsMax: fc.integer({ min: 1, max: 5 }),
      readBetween: fc.boolean(),
    });
    let run = 0;
    await fc.assert(fc.asyncProperty(plan, async ({ counts, cuts, recordsMax, readBetween }) => {
      const log = await DumpFolder.create();
      run++;
      const records: Record<string, TestRecord[]> = { a: [...recordsOf('a', 0, 0, counts[0]), ...recordsOf('a', 1, 0, counts[1])], b: recordsOf(`b${run}`, 0, 0, counts[2]) };
      const rest: Record<string, Buffer> = { a: Buffer.from(dumpText(records.a)), b: Buffer.from(dumpText(records.b)) };
      const reader = new SourceReader(createFileSource({ folder: log.path, pollMs: 5 }));
      await reader.open({ recordsMax });
      for (const [second, bytes] of [...cuts, [false, Infinity] as const, [true, Infinity] as const]) {
        const name = second ? 'b' : 'a';
        await log.append(`${name}.jsonl`, rest[name].subarray(0, bytes));
        rest[name] = rest[name].subarray(bytes);
        const complete = records.a.length - linesIn(rest.a);
        if (readBetween) await reader.until(() => reader.records.filter((r) => r.topic === 'a').length >= complete);
      }
      await reader.until(() => reader.records.length >= records.a.length + records.b.length);
      await reader.close();
      await log.dispose();
      expect(reader.stops).toEqual([]);
      for (const [topic, partition] of [['a', 0], ['a', 1], [`b${run}`, 0]] as const) {
        expect(ofPartition(reader.records, topic, partition)).toEqual(ofPartition([...records.a, ...records.b], topic, partition));
      }
      expect(reader.records.length).toBe(records.a.length + records.b.length);
    }), { numRuns: 25 });
  });
});

/** Line feeds still to come, which is lines still to come. */
function linesIn(bytes: Buffer): number {
  return bytes.toString('latin1').split('\n').length - 1;
}
