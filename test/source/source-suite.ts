/**
 * Goal: every source keeps the contract in `src/source/source.ts`: nothing lost, nothing doubled, order kept in each partition, positions checked before the first
 * record, never a place to start of its own choosing.
 * Method: one suite against a small harness that can change a real log; each adapter brings its own harness.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RentfoldError, type Code } from '../../src/errors.ts';
import { partitionName } from '../../src/source/positions.ts';
import type { OpenOptions, Source } from '../../src/source/source.ts';
import { recordAt, recordsOf, type TestRecord } from '../support/dump.ts';
import { ofPartition, positionAfter, SourceReader } from '../support/read-source.ts';

/** A log that a suite can change. Offsets are those of the records given. */
export interface TestLog {
  createSource(): Source;
  /** Adds records to the ends of their partitions, which come into being with their first record. */
  append(records: readonly TestRecord[]): Promise<void>;
  /** Retention: removes the records of a partition below this offset. */
  truncateHead(topic: string, partition: number, before: number): Promise<void>;
  /** Deletes the topic and makes it again with these records. */
  recreate(topic: string, records: readonly TestRecord[]): Promise<void>;
  /** True: a partition without a record left is not there at all, as in files. */
  readonly forgetsEmptied?: boolean;
  /** True: an empty value is no value, as in hubs. */
  readonly emptyIsNull?: boolean;
  dispose(): Promise<void>;
}

/** Registers the suite for one kind of source. */
export function describeSource(name: string, createLog: () => Promise<TestLog>): void {
  describe(`${name} keeps the source contract`, () => {
    let log: TestLog;
    const readers: SourceReader[] = [];

    beforeEach(async () => {
      log = await createLog();
    });
    afterEach(async () => {
      for (const reader of readers.splice(0)) await reader.close();
      await log.dispose();
    });

    async function openReader(options: Partial<OpenOptions> = {}): Promise<SourceReader> {
      const reader = new SourceReader(log.createSource());
      readers.push(reader);
      await reader.open(options);
      return reader;
    }

    async function refusal(options: Partial<OpenOptions>): Promise<{ code: Code; message: string }> {
      const error: unknown = await openReader(options).then(() => null, (e: unknown) => e);
      expect(error).toBeInstanceOf(RentfoldError);
      return error as RentfoldError;
    }

    it('delivers every record of every partition in order, with its bytes, time, offset and the position after it', async () => {
      const a = recordsOf('expenses', 0, 0, 250);
      const b = recordsOf('expenses', 3, 0, 40);
      const c = recordsOf('rents', 0, 0, 7);
      await log.append([...a, ...b, ...c]);
      const reader = await openReader();
      await reader.untilEndAtStart();
      expect(ofPartition(reader.records, 'expenses', 0)).toEqual(a);
      expect(ofPartition(reader.records, 'expenses', 3)).toEqual(b);
      expect(ofPartition(reader.records, 'rents', 0)).toEqual(c);
      expect(reader.records.length).toBe(297);
      expect(reader.positions.get('expenses/3')?.next).toBe(40);
      expect(Math.max(...reader.batchSizes)).toBeLessThanOrEqual(100);
    });

    it('tells null from empty, in keys and values, and leaves any text as it was', async () => {
      const texts: (string | null)[] = [null, '', 'null', '\\"', '\n\r\t\b\f\u0000\u001f', 'ü€😀', '\ufeffbom', '{"a":"\\u00fc"}', 'x'.repeat(3_000)];
      const records = texts.flatMap((key) => texts.map((value) => ({ key, value }))).map((r, offset): TestRecord => ({ topic: 't', partition: 0, offset, time: 1, ...r }));
      await log.append(records);
      const reader = await openReader();
      await reader.untilEndAtStart();
      expect(reader.records).toEqual(records.map((r) => (log.emptyIsNull === true && r.value === '' ? { ...r, value: null } : r)));
    });

    it('resumes after any record, and delivers none twice', async () => {
      const records = [...recordsOf('t', 0, 0, 12), ...recordsOf('t', 1, 0, 12)];
      await log.append(records);
      for (const [first, second] of [[0, 0], [1, 12], [5, 0], [11, 3], [12, 12]]) {
        const positions = [[0, first], [1, second]].filter(([, next]) => next > 0).map(([partition, next]) => positionAfter(recordAt('t', partition, next - 1)));
        const reader = await openReader({ positions });
        await reader.untilEndAtStart();
        expect(reader.opened!.notes).toEqual([]);
        expect(ofPartition(reader.records, 't', 0)).toEqual(recordsOf('t', 0, first, 12));
        expect(ofPartition(reader.records, 't', 1)).toEqual(recordsOf('t', 1, second, 12));
      }
    });

    it('reports the bounds it found, and later ones', async () => {
      await log.append([...recordsOf('t', 0, 0, 5), ...recordsOf('t', 1, 0, 2)]);
      const reader = await openReader();
      expect([...reader.bounds.values()].sort((x, y) => x.partition - y.partition)).toEqual([{ topic: 't', partition: 0, start: 0, end: 5 }, { topic: 't', partition: 1, start: 0, end: 2 }]);
      await log.append(recordsOf('t', 1, 2, 6));
      await reader.until(() => reader.bounds.get('t/1')?.end === 6);
      expect(reader.opened!.identity).not.toBe('');
    });

    it('follows: appended records, new partitions and new topics arrive', async () => {
      await log.append(recordsOf('t', 0, 0, 3));
      const reader = await openReader();
      await reader.until(() => reader.records.length === 3);
      await log.append(recordsOf('t', 0, 3, 5));
      await reader.until(() => reader.records.length === 5);
      await log.append(recordsOf('t', 1, 0, 2));
      await reader.until(() => reader.records.length === 7);
      await log.append(recordsOf('u', 0, 0, 2));
      await reader.until(() => reader.records.length === 9);
      expect(reader.records).toEqual([...recordsOf('t', 0, 0, 5), ...recordsOf('t', 1, 0, 2), ...recordsOf('u', 0, 0, 2)]);
      await reader.until(() => reader.bounds.has('u/0'));
    });

    it('opens an empty log and waits for it', async () => {
      const reader = await openReader({ positions: [{ topic: 't', partition: 0, next: 0, token: null, lastOffset: null, lastTime: null, lastHash: null, deleteKeyHash: null }] });
      expect(reader.opened).toMatchObject({ gaps: [], notes: [] });
      await log.append(recordsOf('t', 0, 0, 1));
      await reader.until(() => reader.records.length === 1);
    });

    it('refuses a position the log has left behind, unless the gap is accepted', async () => {
      await log.append(recordsOf('t', 0, 0, 20));
      await log.truncateHead('t', 0, 10);
      const positions = [positionAfter(recordAt('t', 0, 4))];
      expect(await refusal({ positions: [positionAfter(recordAt('t', 0, 8))] })).toMatchObject({ code: 'POSITION_TOO_OLD' });
      const error = await refusal({ positions });
      expect(error.code).toBe('POSITION_TOO_OLD');
      expect(error.message).toMatch(/t\/0.*offsets? 5 to 9.*RENTFOLD_ACCEPT_INCOMPLETE_HISTORY/s);
      const reader = await openReader({ positions, acceptIncompleteHistory: true });
      expect(reader.opened!.gaps).toEqual([expect.stringMatching(/t\/0.*5 to 9/)]);
      await reader.untilEndAtStart();
      expect(reader.records).toEqual(recordsOf('t', 0, 10, 20));
    });

    it('moves the position over an accepted gap before any record comes, also into a partition that is empty now', async () => {
      await log.append([...recordsOf('t', 0, 0, 5), ...recordsOf('t', 1, 0, 2)]);
      await log.truncateHead('t', 0, 5);
      const options = { positions: [positionAfter(recordAt('t', 0, 2))], acceptIncompleteHistory: true };
      if (log.forgetsEmptied === true) {
        expect(await refusal(options)).toMatchObject({ code: 'POSITION_BEYOND_END' });
        return;
      }
      const reader = await openReader(options);
      await reader.untilEndAtStart();
      expect(reader.positions.get('t/0')).toMatchObject({ next: 5, lastOffset: 2 });
      expect(reader.records).toEqual(recordsOf('t', 1, 0, 2));
      const unread = await openReader({ acceptIncompleteHistory: true });
      await unread.untilEndAtStart();
      expect(unread.positions.get('t/0')?.next).toBe(5);
    });

    it('refuses a log whose beginning is gone when there is no position, unless that is accepted', async () => {
      await log.append(recordsOf('t', 0, 0, 20));
      await log.truncateHead('t', 0, 3);
      const error = await refusal({});
      expect(error.code).toBe('HISTORY_INCOMPLETE');
      expect(error.message).toMatch(/t\/0.*0 to 2.*RENTFOLD_ACCEPT_INCOMPLETE_HISTORY/s);
      const reader = await openReader({ acceptIncompleteHistory: true });
      expect(reader.opened!.gaps).toEqual([expect.stringMatching(/t\/0.*0 to 2/)]);
      await reader.untilEndAtStart();
      expect(reader.records).toEqual(recordsOf('t', 0, 3, 20));
    });

    it('goes on, and says what it could not check, when just the record before the position is gone', async () => {
      await log.append(recordsOf('t', 0, 0, 20));
      await log.truncateHead('t', 0, 10);
      const reader = await openReader({ positions: [positionAfter(recordAt('t', 0, 9))] });
      expect(reader.opened!.notes).toEqual([expect.stringMatching(/t\/0.*offset 9/)]);
      await reader.untilEndAtStart();
      expect(reader.records).toEqual(recordsOf('t', 0, 10, 20));
    });

    it('refuses a position after the end of the log, accepted or not', async () => {
      await log.append(recordsOf('t', 0, 0, 20));
      await log.recreate('t', recordsOf('t', 0, 0, 5));
      for (const [next, acceptIncompleteHistory] of [[20, false], [20, true], [6, false]] as const) {
        const error = await refusal({ positions: [positionAfter(recordAt('t', 0, next - 1))], acceptIncompleteHistory });
        expect(error.code).toBe('POSITION_BEYOND_END');
        expect(error.message).toMatch(new RegExp(`t/0.*${next}`));
      }
    });

    it('refuses a log that holds another record, or the same at another time, where the last one applied was', async () => {
      const other = (record: TestRecord): TestRecord => (record.offset === 4 ? { ...record, value: 'other' } : record);
      const later = (record: TestRecord): TestRecord => (record.offset === 4 ? { ...record, time: 5 } : record);
      for (const change of [other, later]) {
        await log.recreate('t', recordsOf('t', 0, 0, 9).map(change));
        const error = await refusal({ positions: [positionAfter(recordAt('t', 0, 4))] });
        expect(error.code).toBe('POSITION_RECORD_CHANGED');
        expect(error.message).toMatch(/t\/0.*offset 4/);
      }
    });

    it('ends when the signal aborts and when it is closed, also while it waits', async () => {
      await log.append(recordsOf('t', 0, 0, 1));
      for (const how of ['abort', 'close']) {
        const reader = await openReader();
        await reader.until(() => reader.records.length === 1);
        const ended = reader.until(() => false);
        if (how === 'abort') reader.abort.abort();
        else await reader.close();
        expect(await ended).toBe(false);
      }
    });

    it('closes while a batch is in the hands of its reader, and twice', async () => {
      await log.append(recordsOf('t', 0, 0, 500));
      const reader = await openReader({ recordsMax: 10 });
      await reader.until(() => reader.records.length >= 10);
      await reader.close();
      await reader.close();
      expect(await reader.step()).toBeNull();
    });

    it('takes positions for lag tools at any time', async () => {
      await log.append(recordsOf('t', 0, 0, 2));
      const reader = await openReader();
      await reader.untilEndAtStart();
      await expect(reader.source.commit(reader.savedPositions())).resolves.toBeUndefined();
      expect(reader.savedPositions().map(partitionName)).toEqual(['t/0']);
    });
  });
}
