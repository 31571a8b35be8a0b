/**
 * Goal: what only files can do is dealt with: half-written lines, files that shrink, are replaced or appear, offsets that fall, lines that are no records. Whatever
 * cannot be read is named with file and line, and everything else goes on.
 * Method: folders made for each case, read through the source's public door. Waiting is for events, never for time.
 */
import { mkdir, rename, rm, symlink, truncate } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSource } from '../../src/source/file.ts';
import type { OpenOptions } from '../../src/source/source.ts';
import { DumpFolder, dumpLine, dumpText, recordAt, recordsOf } from '../support/dump.ts';
import { ofPartition, positionAfter, SourceReader } from '../support/read-source.ts';

let folder: DumpFolder;
let readers: SourceReader[];
beforeEach(async () => {
  folder = await DumpFolder.create();
  readers = [];
});
afterEach(async () => {
  for (const reader of readers) await reader.close();
  await folder.dispose();
});

async function openReader(options: Partial<OpenOptions> = {}): Promise<SourceReader> {
  const reader = new SourceReader(createFileSource({ folder: folder.path, pollMs: 30 }));
  readers.push(reader);
  await reader.open(options);
  return reader;
}

describe('which files are the log', () => {
  it('reads `*.jsonl` directly in the folder, in name order, each to its end, and nothing else', async () => {
    await folder.write('b.jsonl', dumpText(recordsOf('first', 0, 0, 3)));
    await folder.write('a.jsonl', dumpText([...recordsOf('second', 0, 0, 2), ...recordsOf('third', 5, 0, 2)]));
    for (const name of ['notes.txt', 'expected.json', 'x.jsonl.gz', 'x.JSONL', '.hidden.jsonl']) await folder.write(name, 'not a record\n');
    await mkdir(folder.file('folder.jsonl'));
    await mkdir(folder.file('below'));
    await folder.write('below/c.jsonl', dumpText(recordsOf('below', 0, 0, 1)));
    await folder.write('empty.jsonl', '');
    const reader = await openReader();
    await reader.untilEndAtStart();
    expect(reader.records).toEqual([...recordsOf('second', 0, 0, 2), ...recordsOf('third', 5, 0, 2), ...recordsOf('first', 0, 0, 3)]);
    expect(reader.stops).toEqual([]);
    expect(reader.opened!.identity).toBe(`file:${folder.path}`);
  });

  it('follows links, and tells the folder that cannot be read', async () => {
    const elsewhere = await DumpFolder.create();
    await elsewhere.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 2)));
    await symlink(elsewhere.file('t.jsonl'), folder.file('t.jsonl'));
    const reader = await openReader();
    await reader.untilEndAtStart();
    expect(reader.records.length).toBe(2);
    await elsewhere.dispose();
    const source = createFileSource({ folder: folder.file('no-such-folder') });
    await expect(source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 1 })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(/RENTFOLD_FILE_DIR: .*no-such-folder/s) as string });
  });
});

describe('a file that is being written', () => {
  it('counts a line when its line feed arrives, wherever the writes were cut', async () => {
    const [first, second] = recordsOf('t', 0, 0, 2).map((r) => Buffer.from(dumpLine(r)));
    await folder.write('t.jsonl', Buffer.concat([first, second.subarray(0, second.indexOf('ü') + 1)]));
    const reader = await openReader();
    expect(reader.bounds.get('t/0')?.end).toBe(1);
    await reader.until(() => reader.records.length === 1);
    await folder.append('t.jsonl', second.subarray(second.indexOf('ü') + 1, -1));
    await folder.write('u.jsonl', dumpText(recordsOf('u', 0, 0, 1)));
    await reader.until(() => reader.records.length === 2);
    expect(reader.records[1]).toEqual(recordAt('u', 0, 0));
    await folder.append('t.jsonl', '\n');
    await reader.until(() => reader.records.length === 3);
    expect(ofPartition(reader.records, 't', 0)).toEqual(recordsOf('t', 0, 0, 2));
  });

  it('may leave a very long line unfinished for a while', async () => {
    const long = { ...recordAt('t', 0, 1), value: 'ü'.repeat(2_000_000) };
    const bytes = Buffer.from(dumpLine(long));
    await folder.write('t.jsonl', Buffer.concat([Buffer.from(dumpLine(recordAt('t', 0, 0))), bytes.subarray(0, 3_500_000)]));
    await folder.write('u.jsonl', dumpText(recordsOf('u', 0, 0, 1)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 2);
    await folder.append('t.jsonl', Buffer.concat([bytes.subarray(3_500_000), Buffer.from(dumpLine(recordAt('t', 0, 2)))]));
    await reader.until(() => reader.records.length === 4 || reader.stops.length > 0);
    expect(reader.stops).toEqual([]);
    expect(ofPartition(reader.records, 't', 0).map(({ offset, value }) => [offset, value!.length])).toEqual([[0, recordAt('t', 0, 0).value!.length], [1, 2_000_000], [2, recordAt('t', 0, 2).value!.length]]);
  });

  it('tells the lag of a large append before it is read', async () => {
    await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 1)));
    const reader = await openReader({ recordsMax: 1000 });
    await reader.until(() => reader.records.length === 1);
    const filler = 'x'.repeat(4000);
    await folder.append('t.jsonl', dumpText(recordsOf('t', 0, 1, 3001).map((r) => ({ ...r, value: filler }))));
    await reader.until(() => (reader.bounds.get('t/0')?.end ?? 0) > 1);
    expect(reader.bounds.get('t/0')!.end).toBe(3001);
    expect(reader.records.length).toBeLessThan(3001);
    await reader.until(() => reader.records.length === 3001);
    expect(reader.records.map((r) => r.offset)).toEqual(Array.from({ length: 3001 }, (_, i) => i));
  });

  it('takes a file moved into the folder while running', async () => {
    await mkdir(folder.file('staging'));
    const reader = await openReader();
    await folder.write('staging/t.jsonl', dumpText(recordsOf('t', 0, 0, 4)));
    await rename(folder.file('staging/t.jsonl'), folder.file('t.jsonl'));
    await reader.until(() => reader.records.length === 4);
  });
});

describe('offsets', () => {
  it('may have gaps: the position after a record is the next number', async () => {
    const kept = recordsOf('t', 0, 0, 30).filter(({ offset }) => offset % 7 === 0 || offset > 25);
    await folder.write('t.jsonl', dumpText(kept));
    const reader = await openReader();
    await reader.untilEndAtStart();
    expect(reader.records).toEqual(kept);
    for (const [next, notes] of [[1, 0], [6, 1], [8, 0], [25, 1], [27, 0]]) {
      const again = await openReader({ positions: [positionAfter(recordAt('t', 0, next - 1))] });
      expect(again.opened!.notes.length).toBe(notes);
      await again.untilEndAtStart();
      expect(again.records).toEqual(kept.filter(({ offset }) => offset >= next));
    }
  });

  it.each([['falls', 2], ['stands twice', 4]])('that %s stop their partition, named with file and line, and no other', async (_how, offset) => {
    await folder.write('t.jsonl', dumpText([...recordsOf('t', 0, 0, 5), recordAt('t', 1, 0), recordAt('t', 0, offset), recordAt('t', 0, 5), recordAt('t', 1, 1)]));
    await folder.write('u.jsonl', dumpText(recordsOf('u', 0, 0, 2)));
    const reader = await openReader();
    await reader.untilEndAtStart();
    expect(reader.records).toEqual([...recordsOf('t', 0, 0, 5), ...recordsOf('t', 1, 0, 2), ...recordsOf('u', 0, 0, 2)]);
    expect(reader.stops).toEqual([{ topic: 't', partition: 0, code: 'OFFSET_FELL', offset, message: expect.stringMatching(new RegExp(`t/0.*line 7 of ${folder.file('t.jsonl')}`)) as string }]);
  });

  it('that fell before the position stop their partition too, though those lines are not read again', async () => {
    await folder.write('t.jsonl', dumpText([...recordsOf('t', 0, 0, 9), ...recordsOf('t', 0, 3, 6), ...recordsOf('t', 1, 0, 2)]));
    const reader = await openReader({ positions: [positionAfter(recordAt('t', 0, 8))] });
    await reader.until(() => reader.records.length === 2);
    expect(reader.records).toEqual(recordsOf('t', 1, 0, 2));
    expect(reader.stops).toMatchObject([{ partition: 0, code: 'OFFSET_FELL', offset: 3, message: expect.stringContaining('line 10') as string }]);
  });

  it.each([
    ['among them', [recordAt('t', 1, 0), ...recordsOf('t', 0, 0, 6), recordAt('t', 0, 3), ...recordsOf('t', 0, 6, 9)], 8],
    ['right after them', [...recordsOf('t', 0, 0, 9), recordAt('t', 1, 0), recordAt('t', 0, 3)], 11],
  ])('that fell while lines applied before are passed over on the way to others stop their partition: %s', async (_where, lines, lineNumber) => {
    await folder.write('t.jsonl', dumpText([...lines, recordAt('t', 0, 9), recordAt('t', 1, 1)]));
    const reader = await openReader({ positions: [positionAfter(recordAt('t', 0, 8))] });
    await reader.untilEndAtStart();
    expect(reader.records).toEqual(recordsOf('t', 1, 0, 2));
    expect(reader.stops).toMatchObject([{ partition: 0, code: 'OFFSET_FELL', offset: 3, message: expect.stringContaining(`line ${lineNumber} `) as string }]);
  });

  it('of a partition that appears later and does not begin at 0 stop it', async () => {
    await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 1)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 1);
    await folder.append('t.jsonl', dumpText([...recordsOf('t', 1, 4, 6), recordAt('t', 0, 1)]));
    await reader.until(() => reader.records.length === 2);
    expect(reader.stops).toMatchObject([{ partition: 1, code: 'HISTORY_INCOMPLETE', offset: 4, message: expect.stringContaining('0 to 3') as string }]);
  });

  it('of a partition that appears later and does not begin at 0 are read where that is accepted, and the gap is told before them', async () => {
    await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 1)));
    const reader = await openReader({ acceptIncompleteHistory: true });
    await reader.until(() => reader.records.length === 1);
    await folder.append('t.jsonl', dumpText(recordsOf('t', 1, 4, 6)));
    await reader.until(() => reader.gaps.length > 0);
    expect(reader.records.length).toBe(1);
    await folder.append('t.jsonl', dumpText(recordsOf('t', 1, 6, 8)));
    await reader.until(() => reader.records.length === 5);
    expect(ofPartition(reader.records, 't', 1)).toEqual(recordsOf('t', 1, 4, 8));
    expect([reader.gaps, reader.stops]).toEqual([[expect.stringMatching(/t\/1.*offsets 0 to 3 are missing/)], []]);
  });
});

describe('a partition in two files', () => {
  it('is not read at all when that is seen at start', async () => {
    await folder.write('a.jsonl', dumpText([...recordsOf('t', 0, 0, 5), recordAt('t', 1, 0)]));
    await folder.write('b.jsonl', dumpText([...recordsOf('t', 0, 5, 9), recordAt('t', 2, 0)]));
    const reader = await openReader();
    await reader.untilEndAtStart();
    expect(reader.records).toEqual([recordAt('t', 1, 0), recordAt('t', 2, 0)]);
    expect(reader.stops).toMatchObject([{ partition: 0, code: 'PARTITION_IN_TWO_FILES', message: expect.stringMatching(/a\.jsonl.*b\.jsonl/) as string }]);
  });

  it('stops when the second file appears later', async () => {
    await folder.write('b.jsonl', dumpText(recordsOf('t', 0, 0, 5)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 5);
    await folder.write('a.jsonl', dumpText([recordAt('t', 0, 5), recordAt('t', 1, 0)]));
    await reader.until(() => reader.records.length === 6);
    expect(reader.records[5]).toEqual(recordAt('t', 1, 0));
    expect(reader.stops).toMatchObject([{ partition: 0, code: 'PARTITION_IN_TWO_FILES' }]);
  });
});

describe('a line that is no record', () => {
  it.each([
    ['empty', '', /line ends/],
    ['not JSON', '{"topic":"t"', /line ends/],
    ['an array', '[]', /'{' was expected/],
    ['two objects', `${dumpLine(recordAt('t', 0, 2)).trim()}{}`, /something follows/],
    ['without an offset', '{"topic":"t","partition":0,"key":null,"payload":null}', /`offset`/],
    ['without a payload', '{"topic":"t","partition":0,"offset":2,"key":null}', /`payload`/],
    ['with a fraction for an offset', '{"topic":"t","partition":0,"offset":2.5,"key":null,"payload":null}', /`offset` is not a whole number/],
    ['with an object as payload', '{"topic":"t","partition":0,"offset":2,"key":null,"payload":{}}', /`payload` is neither text nor null/],
    ['with a name twice', '{"topic":"t","partition":0,"offset":2,"offset":3,"key":null,"payload":null}', /`offset` stands twice/],
    ['with a topic longer than any broker allows', `{"topic":"${'t'.repeat(1001)}","partition":0,"offset":2,"key":null,"payload":null}`, /`topic` is longer than 1000 bytes/],
    ['with a bare control character', '{"topic":"t","partition":0,"offset":2,"key":null,"payload":"\u0001"}', /control character/],
  ])('stops the partitions of its file and names the line: %s', async (_what, line, reason) => {
    await folder.write('t.jsonl', `${dumpText([...recordsOf('t', 0, 0, 2), recordAt('t', 1, 0)])}${line}\n${dumpText([recordAt('t', 0, 3)])}`);
    await folder.write('u.jsonl', dumpText(recordsOf('u', 0, 0, 2)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 5);
    await folder.append('u.jsonl', dumpText(recordsOf('u', 0, 2, 3)));
    await reader.until(() => reader.records.length === 6);
    expect(reader.records).toEqual([...recordsOf('t', 0, 0, 2), recordAt('t', 1, 0), ...recordsOf('u', 0, 0, 3)]);
    expect(reader.stops.map(({ topic, partition, code }) => [topic, partition, code])).toEqual([['t', 0, 'FILE_LINE_INVALID'], ['t', 1, 'FILE_LINE_INVALID']]);
    for (const { message } of reader.stops) {
      expect(message).toMatch(reason);
      expect(message).toContain(`Line 4, byte`);
      expect(message).toContain(folder.file('t.jsonl'));
    }
  });

  it('is refused when it is longer than any record, with what came before it delivered', async () => {
    await folder.write('t.jsonl', Buffer.concat([Buffer.from(dumpText(recordsOf('t', 0, 0, 2))), Buffer.alloc(40 * 1024 * 1024, 'x')]));
    const reader = await openReader();
    await reader.until(() => reader.stops.length === 1);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 2));
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code: 'FILE_LINE_INVALID', offset: 2, message: expect.stringMatching(/Line 3 of .*longer than/) as string }]);
  });

  it('stops the topic its name says when it is the first of a file', async () => {
    await folder.write('t.jsonl', '\ufeff{}\n');
    const reader = await openReader();
    await reader.until(() => reader.stops.length === 1);
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code: 'FILE_LINE_INVALID', message: expect.stringMatching(/Line 1, byte 1 .*byte order mark/) as string }]);
  });

  it('stops nothing that lives in another file, whatever the names', async () => {
    await folder.write('t.jsonl', 'no record\n');
    await folder.write('u.jsonl', dumpText(recordsOf('t', 0, 0, 2)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 2);
    expect(reader.stops.length).toBe(1);
  });

  it('carries bytes that are not UTF-8 through, for the decoder to refuse', async () => {
    const line = Buffer.from('{"topic":"t","partition":0,"offset":0,"ts":1,"key":null,"payload":"a?b"}\n');
    line[line.indexOf('?')] = 0xff;
    await folder.write('t.jsonl', line);
    const source = createFileSource({ folder: folder.path });
    await source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 1 });
    for await (const event of source.batches(new AbortController().signal)) {
      if (event.kind !== 'records') continue;
      expect([...event.batch.bytes.subarray(event.batch.valueStart[0], event.batch.valueEnd[0])]).toEqual([0x61, 0xff, 0x62]);
      break;
    }
    await source.close();
  });
});

describe('a file that is not what it was', () => {
  it.each([
    ['is cut', 'FILE_SHRANK', async (path: string): Promise<void> => await truncate(path, 10)],
    ['is removed', 'FILE_SHRANK', async (path: string): Promise<void> => await rm(path)],
    ['is replaced by a longer one', 'FILE_REPLACED', async (): Promise<void> => await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 9).map((r) => ({ ...r, key: 'other' }))))],
  ])('stops its partitions when it %s while running, and no other', async (_how, code, change) => {
    await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 3)));
    await folder.write('u.jsonl', dumpText(recordsOf('u', 0, 0, 3)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 6);
    await change(folder.file('t.jsonl'));
    await reader.until(() => reader.stops.length > 0);
    await folder.append('u.jsonl', dumpText(recordsOf('u', 0, 3, 4)));
    await reader.until(() => reader.records.length === 7);
    expect(reader.stops).toMatchObject([{ topic: 't', partition: 0, code, offset: 3, message: expect.stringContaining(folder.file('t.jsonl')) as string }]);
    expect(reader.records[6]).toEqual(recordAt('u', 0, 3));
  });

  it('may be copied over with itself and more', async () => {
    await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 3)));
    const reader = await openReader();
    await reader.until(() => reader.records.length === 3);
    await mkdir(folder.file('staging'));
    await folder.write('staging/t.jsonl', dumpText(recordsOf('t', 0, 0, 7)));
    await rename(folder.file('staging/t.jsonl'), folder.file('t.jsonl'));
    await reader.until(() => reader.records.length === 7);
    expect(reader.records).toEqual(recordsOf('t', 0, 0, 7));
    expect(reader.stops).toEqual([]);
  });

  it('is not opened to the end when it is closed meanwhile', async () => {
    await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 3)));
    const source = createFileSource({ folder: folder.path });
    const opened = source.open({ positions: [], acceptIncompleteHistory: false, recordsMax: 1 });
    await source.close();
    await expect(opened).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
  });

  it('names every partition whose file is missing at start', async () => {
    const positions = [positionAfter(recordAt('t', 0, 4)), positionAfter(recordAt('u', 2, 1))];
    await expect(openReader({ positions })).rejects.toMatchObject({ code: 'POSITION_BEYOND_END', message: expect.stringMatching(/t\/0.*u\/2/s) as string });
  });
});
