/**
 * Goal: whatever record batches a broker sends, their records come out as they were put in, positions move past what is not delivered, and damaged bytes stop a partition
 * instead of being skipped, guessed or looped over.
 * Method: answers made by the encoders of kafkajs, read by the reader that the source uses; then the same bytes damaged.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CleanupPolicy } from '../../src/source/kafka-cluster.ts';
import { AnswerReader } from '../../src/source/kafka-answer.ts';
import { readFetchAnswer } from '../../src/source/kafka-fetch.ts';
import { KafkaPartition } from '../../src/source/kafka-partitions.ts';
import { hashRecord } from '../../src/source/positions.ts';
import type { SourceEvent } from '../../src/source/source.ts';
import { controlBatch, fetchAnswerBody, recordBatch, sealed, type WireRecord, type WireShare } from '../support/kafka-wire.ts';
import { propertyParameters } from '../support/property-runs.ts';

interface Read {
  readonly records: { offset: number; time: number | null; key: string | null; value: string | null }[];
  readonly sizes: number[];
  readonly next: (number | undefined)[];
  readonly others: SourceEvent[];
}

function partition(next = 0, policy: CleanupPolicy = 'delete'): KafkaPartition {
  const state = new KafkaPartition({ topic: 't', partition: 0 }, 1, { start: 0, end: 1e6 }, next, null);
  state.policy = policy;
  return state;
}

/** Reads an answer of one share, with batches copied while they are valid. */
function read(records: Buffer, state = partition(), recordsMax = 100, share: Partial<WireShare> = {}, acceptsHoles = false): Read {
  const answer = readFetchAnswer(fetchAnswerBody([{ topic: 't', partition: 0, records, ...share }]), 11);
  const found: Read = { records: [], sizes: [], next: [], others: [] };
  for (const event of new AnswerReader(recordsMax, acceptsHoles).read(answer, [{ share: answer.shares[0], state }])) {
    if (event.kind !== 'records') {
      found.others.push(event);
      continue;
    }
    const { batch } = event;
    const view = (start: number, end: number): string | null => (start < 0 ? null : Buffer.from(batch.bytes.subarray(start, end)).toString('latin1'));
    for (let i = 0; i < batch.count; i++) {
      found.records.push({ offset: batch.offset[i], time: Number.isNaN(batch.time[i]) ? null : batch.time[i], key: view(batch.keyStart[i], batch.keyEnd[i]), value: view(batch.valueStart[i], batch.valueEnd[i]) });
    }
    found.sizes.push(batch.count);
    found.next.push(batch.partitions[0]?.next);
  }
  return found;
}

function plain({ offset, time, key, value }: WireRecord): Read['records'][number] {
  return { offset, time: time < 0 ? null : time, key: key?.toString('latin1') ?? null, value: value?.toString('latin1') ?? null };
}

function record(offset: number, over: Partial<WireRecord> = {}): WireRecord {
  return { offset, time: 1_700_000_000_000 + offset, key: Buffer.from(`k${offset}`), value: Buffer.from(`v${offset}`), ...over };
}

function records(from: number, to: number): WireRecord[] {
  return Array.from({ length: to - from }, (_, i) => record(from + i));
}

const someBytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)), { nil: null });
const someRecord = fc.record({ gap: fc.integer({ min: 1, max: 40 }), time: fc.oneof(fc.integer({ min: 0, max: 2e12 }), fc.constant(0)), key: someBytes, value: someBytes, headers: fc.integer({ min: 0, max: 3 }) });
const someBatches = fc.array(fc.record({ records: fc.array(someRecord, { minLength: 1, maxLength: 12 }), codec: fc.constantFrom(0, 0, 1), tail: fc.integer({ min: 0, max: 5 }) }), { minLength: 1, maxLength: 6 });

async function encode(batches: readonly { records: readonly { gap: number; time: number; key: Buffer | null; value: Buffer | null; headers: number }[]; codec: number; tail: number }[], base: number): Promise<{ bytes: Buffer; all: WireRecord[]; end: number }> {
  const parts: Buffer[] = [];
  const all: WireRecord[] = [];
  let offset = base - 1;
  for (const { records: some, codec, tail } of batches) {
    const baseOffset = offset + 1;
    const made = some.map(({ gap, time, key, value, headers }): WireRecord => ({ offset: (offset += gap), time, key, value, headers: Object.fromEntries(Array.from({ length: headers }, (_, i) => [`h${i}`, Buffer.alloc(i * 70)])) }));
    offset += tail;
    parts.push(await recordBatch({ records: made, baseOffset, codec, lastOffset: offset }));
    all.push(...made);
  }
  return { bytes: Buffer.concat(parts), all, end: offset + 1 };
}

describe('record batches', () => {
  it('come out as they were put in, whatever sizes, gaps, times and codecs, from any offset on', async () => {
    await fc.assert(fc.asyncProperty(someBatches, fc.integer({ min: 1, max: 30 }), fc.nat({ max: 60 }), fc.constantFrom(0, 7, 2 ** 32 - 20, 2 ** 52), async (batches, recordsMax, skip, base) => {
      const { bytes, all, end } = await encode(batches, base);
      const from = Math.min(base + skip, end);
      const state = partition(from, 'compact');
      const found = read(bytes, state, recordsMax);
      expect(found.others.every((event) => event.kind === 'warned' && event.warning.code === 'OFFSETS_SKIPPED')).toBe(true);
      expect(found.others.length).toBeLessThanOrEqual(1);
      expect(found.records).toEqual(all.filter((r) => r.offset >= from).map(plain));
      expect(Math.max(0, ...found.sizes)).toBeLessThanOrEqual(recordsMax);
      expect(state.next).toBe(end);
      expect(found.next.at(-1) ?? end).toBe(end);
    }), propertyParameters(150));
  });

  it('that are damaged anywhere stop the partition or are the same records, and end', async () => {
    const { bytes, all } = await encode([{ codec: 0, tail: 0, records: [1, 2, 3].map((i) => ({ gap: 1, time: i, key: Buffer.from(`k${i}`), value: Buffer.alloc(40, i), headers: 1 })) }, { codec: 1, tail: 1, records: [{ gap: 1, time: 9, key: null, value: Buffer.alloc(200, 7), headers: 0 }] }], 0);
    const whole = all.map(plain);
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.boolean(), async (hits, isSealed) => {
      const damaged = Buffer.from(bytes);
      for (const [at, byte] of hits) damaged[at] = byte;
      // With the checksum mended, what lies behind it has to hold by itself.
      if (isSealed) sealFirst(damaged);
      const state = partition();
      const found = read(damaged, state);
      const stops = found.others.filter((event) => event.kind === 'stopped');
      if (stops.length > 0) expect(['RECORDS_CORRUPT', 'RECORDS_TOO_LARGE', 'RECORDS_UNSUPPORTED', 'OFFSET_FELL', 'OFFSETS_MISSING']).toContain(stops[0].stop.code);
      else if (!isSealed) for (const r of found.records) expect(whole.map(({ key, value }) => ({ key, value }))).toContainEqual({ key: r.key, value: r.value });
      for (let i = 1; i < found.records.length; i++) expect(found.records[i].offset).toBeGreaterThan(found.records[i - 1].offset);
    }), propertyParameters(600));
  });

  it('that are cut off at the end of an answer are left for the next one', async () => {
    const first = await recordBatch({ records: records(0, 3) });
    const second = await recordBatch({ records: records(3, 6) });
    for (const cut of [0, 1, 11, 12, 30, 61, second.length - 1]) {
      const state = partition();
      const found = read(Buffer.concat([first, second.subarray(0, cut)]), state);
      expect(found.records.map((r) => r.offset)).toEqual([0, 1, 2]);
      expect(found.others).toEqual([]);
      expect(state.next).toBe(3);
    }
  });

  it('move the position when nothing is left in them', async () => {
    const state = partition(0, 'compact');
    const found = read(await recordBatch({ records: [], baseOffset: 0, lastOffset: 9 }), state);
    expect(found).toMatchObject({ records: [], sizes: [0], next: [10], others: [{ kind: 'warned' }] });
    expect(state.next).toBe(10);
  });

  it('take the time of the log when that is what counts, and none for -1', async () => {
    const appended = read(await recordBatch({ records: records(0, 2), isLogAppendTime: true, maxTime: 99 }));
    expect(appended.records.map((r) => r.time)).toEqual([99, 99]);
    expect(read(await recordBatch({ records: [record(0, { time: -1 })] })).records[0].time).toBeNull();
  });

  it('with ten thousand headers, or one of a megabyte, come out whole', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`header-${i}`, Buffer.from('x')]));
    const found = read(await recordBatch({ records: [record(0, { headers: many }), record(1, { headers: { large: Buffer.alloc(1_000_000) } }), record(2)] }));
    expect(found.records).toEqual([record(0), record(1), record(2)].map(plain));
  });

  it('end in a stop that names offset and cause, after the records before them', async () => {
    const good = await recordBatch({ records: records(0, 3) });
    const bad = await recordBatch({ records: records(3, 6) });
    bad[70] ^= 1;
    const found = read(Buffer.concat([good, bad]));
    expect(found.records.map((r) => r.offset)).toEqual([0, 1, 2]);
    expect(found.others).toEqual([{ kind: 'stopped', stop: expect.objectContaining({ code: 'RECORDS_CORRUPT', offset: 3, message: expect.stringMatching(/t\/0.*offset 3.*checksum/) as string }) as never }]);
  });

  it('of the formats before 2, of unknown codecs and with falling offsets are refused', async () => {
    const old = await recordBatch({ records: records(0, 1) });
    old[16] = 1;
    expect(read(old).others).toMatchObject([{ stop: { code: 'RECORDS_UNSUPPORTED', message: expect.stringContaining('format 1') as string } }]);
    const codec = await recordBatch({ records: records(0, 1) });
    codec.writeInt16BE(6, 21);
    expect(read(sealed(codec)).others).toMatchObject([{ stop: { code: 'RECORDS_UNSUPPORTED' } }]);
    const fallen = Buffer.concat([await recordBatch({ records: records(0, 6) }), await recordBatch({ records: records(4, 8) })]);
    expect(read(fallen)).toMatchObject({ records: { length: 6 }, others: [{ stop: { code: 'OFFSET_FELL', offset: 4 } }] });
  });
});

describe('transactions', () => {
  it('that were aborted are left out by producer and marker, others stay, positions move past all', async () => {
    const of = async (producerId: number, from: number, to: number): Promise<Buffer> => await recordBatch({ records: records(from, to), producerId, isTransactional: true });
    const bytes = Buffer.concat([
      await of(1, 0, 2), await of(2, 2, 4), await recordBatch({ records: records(4, 5) }), await controlBatch(5, 1, 'abort'), await of(1, 6, 8), await of(2, 8, 9),
      await controlBatch(9, 2, 'commit'), await controlBatch(10, 1, 'commit'), await of(1, 11, 12), await controlBatch(12, 1, 'abort'),
    ]);
    const state = partition();
    const found = read(bytes, state, 100, { aborted: [{ producerId: 1, firstOffset: 11 }, { producerId: 1, firstOffset: 0 }] });
    expect(found.records.map((r) => r.offset)).toEqual([2, 3, 4, 6, 7, 8]);
    expect(state.next).toBe(13);
    expect(found.next.at(-1)).toBe(13);
  });

  it('of two producers that both abort end each by its own marker, and commits end nothing', async () => {
    const of = async (producerId: number, from: number, to: number): Promise<Buffer> => await recordBatch({ records: records(from, to), producerId, isTransactional: true });
    const bytes = Buffer.concat([await of(1, 0, 2), await of(2, 2, 4), await controlBatch(4, 1, 'abort'), await of(2, 5, 6), await controlBatch(6, 3, 'commit'), await of(2, 7, 8), await controlBatch(8, 2, 'abort'), await of(2, 9, 10), await controlBatch(10, 2, 'commit')]);
    expect(read(bytes, partition(), 100, { aborted: [{ producerId: 1, firstOffset: 0 }, { producerId: 2, firstOffset: 2 }] }).records.map((r) => r.offset)).toEqual([9]);
  });

  it('a record with a key of four zero bytes is no abort marker', async () => {
    const bytes = Buffer.concat([
      await recordBatch({ records: [record(0), record(1, { key: Buffer.alloc(4) }), record(2)], producerId: 1, isTransactional: true }), await controlBatch(3, 1, 'abort'), await recordBatch({ records: records(4, 5) }),
    ]);
    expect(read(bytes, partition(), 100, { aborted: [{ producerId: 1, firstOffset: 0 }] }).records.map((r) => r.offset)).toEqual([4]);
  });
});

describe('the record before a position', () => {
  const expecting = (offset: number, value = `v${offset}`): KafkaPartition => {
    const state = partition(offset + 1, 'compact');
    state.last = { offset, time: 1_700_000_000_000 + offset, hash: hashRecord(Buffer.from(`k${offset}`), Buffer.from(value)) };
    state.expected = state.last;
    return state;
  };

  it('is met, and reading goes on behind it', async () => {
    const state = expecting(4);
    expect(read(await recordBatch({ records: records(0, 8) }), state).records.map((r) => r.offset)).toEqual([5, 6, 7]);
    expect(state.expected).toBeNull();
  });

  it('stops the partition when it is another one, or an aborted one; nothing behind it is delivered', async () => {
    const changed = read(await recordBatch({ records: records(0, 8) }), expecting(4, 'other'));
    expect(changed).toMatchObject({ records: [], others: [{ stop: { code: 'POSITION_RECORD_CHANGED', offset: 4 } }] });
    const aborted = await recordBatch({ records: records(0, 8), producerId: 1, isTransactional: true });
    expect(read(aborted, expecting(4), 100, { aborted: [{ producerId: 1, firstOffset: 0 }] })).toMatchObject({ records: [], others: [{ stop: { code: 'POSITION_RECORD_CHANGED' } }] });
  });

  it('that compaction took is said, and reading goes on', async () => {
    const inside = read(await recordBatch({ records: [record(0), record(6)], baseOffset: 0 }), expecting(4));
    expect(inside).toMatchObject({ records: [{ offset: 6 }], others: [{ kind: 'warned', warning: { code: 'RECORD_UNVERIFIED', message: expect.stringMatching(/t\/0.*offset 4/) as string } }] });
    const behind = read(await recordBatch({ records: records(9, 11) }), expecting(4));
    expect(behind).toMatchObject({ records: [{ offset: 9 }, { offset: 10 }], others: [{ kind: 'warned' }, { kind: 'warned', warning: { code: 'OFFSETS_SKIPPED' } }] });
  });

  it('that compaction took from the end of its batch is said, and not looked for again', async () => {
    const state = expecting(4);
    const found = read(await recordBatch({ records: records(0, 3), lastOffset: 4 }), state);
    expect(found.others).toMatchObject([{ kind: 'warned', warning: { code: 'RECORD_UNVERIFIED' } }]);
    expect([state.expected, state.next]).toEqual([null, 5]);
  });
});

describe('offsets that are missing', () => {
  const gapped = async (): Promise<Buffer> => Buffer.concat([await recordBatch({ records: records(0, 5) }), await recordBatch({ records: records(1000, 1005) })]);
  const inside = async (): Promise<Buffer> => await recordBatch({ records: [...records(0, 2), ...records(4, 6)] });
  const later = async (): Promise<Buffer> => Buffer.concat([await gapped(), await recordBatch({ records: records(2000, 2001) })]);

  it('stop a partition that is not compacted, before anything behind them; the gap is named', async () => {
    const state = partition();
    const found = read(await gapped(), state);
    expect(found.records.map((r) => r.offset)).toEqual([0, 1, 2, 3, 4]);
    expect(found.others).toEqual([{ kind: 'stopped', stop: expect.objectContaining({ code: 'OFFSETS_MISSING', offset: 5, message: expect.stringMatching(/offsets 5 to 999 of t\/0 are missing.*RENTFOLD_ACCEPT_INCOMPLETE_HISTORY/) as string }) as never }]);
    expect(state.next).toBe(5);
    expect(read(await inside())).toMatchObject({ records: [], others: [{ kind: 'stopped', stop: { code: 'OFFSETS_MISSING', message: expect.stringContaining('some of the offsets 0 to 5') as string } }] });
  });

  it('are a gap that is told once where gaps are accepted', async () => {
    const found = read(await later(), partition(), 100, {}, true);
    expect(found.records.map((r) => r.offset)).toEqual([0, 1, 2, 3, 4, 1000, 1001, 1002, 1003, 1004, 2000]);
    expect(found.others).toEqual([{ kind: 'gap', gap: expect.stringMatching(/offsets 5 to 999 of t\/0/) as string }]);
  });

  it('are said once where compaction may have taken them', async () => {
    for (const policy of ['compact', 'unknown'] as const) {
      const found = read(await later(), partition(0, policy));
      expect(found.records.length).toBe(11);
      expect(found.others).toEqual([{ kind: 'warned', warning: { code: 'OFFSETS_SKIPPED', message: expect.stringMatching(policy === 'compact' ? /5 to 999.*is compacted/ : /5 to 999.*not known/) as string } }]);
    }
  });

  it('are none where transactions were aborted, where a batch was read in part, and where the log begins later', async () => {
    const aborted = Buffer.concat([await recordBatch({ records: records(0, 3), producerId: 1, isTransactional: true }), await controlBatch(3, 1, 'abort'), await recordBatch({ records: records(4, 6) })]);
    expect(read(aborted, partition(), 100, { aborted: [{ producerId: 1, firstOffset: 0 }] })).toMatchObject({ records: [{ offset: 4 }, { offset: 5 }], others: [] });
    expect(read(await recordBatch({ records: records(0, 6) }), partition(3))).toMatchObject({ records: { length: 3 }, others: [] });
    expect(read(await recordBatch({ records: records(8, 9) }), partition(3), 100, { logStart: 8 }).others).toMatchObject([{ stop: { code: 'POSITION_TOO_OLD' } }]);
  });
});

/** Mends the checksum of every whole batch, as long as lengths make sense. */
function sealFirst(bytes: Buffer): void {
  for (let at = 0; at + 61 <= bytes.length;) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end <= at + 61 || end > bytes.length) return;
    sealed(bytes.subarray(at, end));
    at = end;
  }
}
