/**
 * Goal: a replay reads everything up to the end seen at start into a store without a history, keeps it, says what it found, and is never taken for done when
 * it is not: refused, interrupted, stopped or overtaken it ends with an error, and what can be gone on with is gone on with.
 * Method: `replay` in this process over a store, an ingest and a clock of the test's own; what it wrote is then served.
 */
import { describe, expect, it } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import { ChangeWriter, type Change } from '../support/change-writer.ts';
import { turns } from '../support/manual-clock.ts';
import { createMemoryPlace, MemoryStore, type MemoryPlace } from '../support/memory-store.ts';
import { ReplayRun } from '../support/replay-run.ts';
import { ServeRun } from '../support/serve-run.ts';

const FIGURES = '/financial-performance/p1?as_of=2024-12-31';
const rent = (n: number): Change => ({ op: 'upsert', table: 'rents', key: `r${n}`, property: 'p1', amount: 10_000, day: 19_800 });
const rents = (from: number, to: number): Change[] => Array.from({ length: to - from }, (_, i) => rent(from + i));
const letter = (n: number): Change => ({ op: 'letter', property: 'p1', key: `l${n}` });
const until = (end: number) => ({ bounds: [{ topic: 'rents', partition: 0, start: 0, end }] });

/** The place a finished replay of ten rents left, and the log to go on with. */
async function replayed(): Promise<{ place: MemoryPlace; log: ChangeWriter; summary: string }> {
  const place = createMemoryPlace();
  const run = new ReplayRun(place, until(10)).start();
  const log = new ChangeWriter('rents', 1);
  run.ingest.give(log.batch(rents(0, 10)));
  return { place, log, summary: await run.ended };
}

/** A replay that has read four of ten rents, keeps two in a generation, and is then ended in the way given. */
async function broken(end: (run: ReplayRun) => void): Promise<{ place: MemoryPlace; log: ChangeWriter; failure: unknown }> {
  const place = createMemoryPlace();
  const run = new ReplayRun(place, until(10)).start({ RENTFOLD_CHECKPOINT_CHANGES: '2' });
  const log = new ChangeWriter('rents', 1);
  run.ingest.give(log.batch(rents(0, 2)));
  await run.until('checkpointed', () => run.messages.some((message) => message.includes('Checkpoint: generation 1')));
  run.ingest.give(log.batch([rent(2)]));
  await turns();
  end(run);
  const failure: unknown = await run.ended.then(() => null, (error: unknown) => error);
  return { place, log, failure };
}

const copyOf = (place: MemoryPlace): [string, string][] => [...place.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);

async function leaseIsFree(place: MemoryPlace): Promise<boolean> {
  const lease = await new MemoryStore(place).acquireLease('somebody', () => undefined);
  if (lease.held) await lease.release();
  return lease.held;
}

describe('a finished replay', () => {
  it('says what it read, what is known now, and where it stands', async () => {
    const place = createMemoryPlace();
    const run = new ReplayRun(place, { bounds: [{ topic: 'rents', partition: 0, start: 0, end: 12 }, { topic: 'other', partition: 2, start: 0, end: 0 }], waiting: ['typo'] }).start();
    const log = new ChangeWriter('rents', 1);
    run.ingest.give(log.batch([...rents(0, 10), rent(3), letter(1)]));
    const summary = await run.ended;
    expect(summary).toMatch(/^replayed scripted into /);
    expect(summary).toMatch(/events +12 read in \d+\.\d s/);
    expect(summary).toContain('10 applied, 1 unchanged, 0 superseded');
    expect(summary).toMatch(/dead letters +1, still open: 1 AMOUNT_INVALID; rentfold dead-letters list/);
    expect(summary).toMatch(/rows +0 expenses, 10 rents, 0 properties/);
    expect(summary).toMatch(/accounts +1: 1 properties and 0 units; incomplete properties: 1, accounts out of range: 0/);
    expect(summary).toContain('total revenue 10.0000, rent 10.0000, expenses 0.0000');
    expect(summary).toMatch(/\nwarning: topic typo does not exist and is waited for; .*RENTFOLD_KAFKA_TOPICS\n$/);
    expect(run.lines.filter(({ code }) => code === 'TOPIC_MISSING')).toMatchObject([{ level: 40, msg: expect.stringContaining('topic typo does not exist') as string }]);
    expect(summary).toMatch(/parquet file +1 accounts as of \d{4}-\d\d-\d\d/);
    expect(summary).toMatch(/checkpoint +generation 1 of lineage 20\d{6}T/);
    expect(summary).toMatch(/positions +other\/2 0\n +rents\/0 12\n/);
    expect(await leaseIsFree(place)).toBe(true);
    expect(run.ingest.isClosed).toBe(true);
    expect(run.ingest.committed.map((positions) => positions.map(({ next }) => next))).toEqual([[12]]);
  });

  it('keeps a gap that it met while reading, and every answer says so', async () => {
    const place = createMemoryPlace();
    const run = new ReplayRun(place, until(10)).start();
    run.ingest.give({ kind: 'gap', gap: 'offsets 3 to 4 of rents/0 are missing' }, new ChangeWriter('rents', 1).batch(rents(0, 10)));
    expect(await run.ended).toMatch(/missing +offsets 3 to 4 of rents\/0 are missing; every answer says complete: false/);
    const serving = new ServeRun(place);
    serving.ingest.opening = () => Promise.resolve({ ...until(10), gaps: [], notes: [], identity: 'scripted' });
    serving.start();
    await serving.ready();
    expect(await serving.get(FIGURES)).toMatchObject({ status: 200, body: { complete: false } });
  });

  it('is served at once, before anything is read', async () => {
    const { place } = await replayed();
    const serving = new ServeRun(place);
    serving.ingest.opening = () => Promise.resolve({ ...until(10), gaps: [], notes: [], identity: 'scripted' });
    serving.start();
    await serving.ready();
    expect(await serving.get(FIGURES)).toMatchObject({ status: 200, body: { cumulative_rent: 10 } });
    expect(serving.ingest.openedWith[0].positions).toMatchObject([{ next: 10 }]);
  });

  it('reads no further than the batch that holds the end seen at start', async () => {
    const run = new ReplayRun(createMemoryPlace(), until(10)).start();
    const log = new ChangeWriter('rents', 1);
    run.ingest.give(log.batch(rents(0, 10)), log.batch(rents(10, 20)), { kind: 'bounds', bounds: until(30).bounds });
    expect(await run.ended).toMatch(/rents\/0 10\n/);
    expect(run.ingest.taken).toBe(1);
  });

  it('a log without a record begins no history: it says so, and the next replay is not refused', async () => {
    const place = createMemoryPlace();
    const summary = await new ReplayRun(place, until(0)).start().ended;
    expect(summary).toContain('the log holds no record, so nothing was written');
    expect([...place.files.keys()]).toEqual([]);
    const run = new ReplayRun(place, until(1)).start();
    run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 1)));
    expect(await run.ended).toContain('generation 1 of');
  });

  it('names history that is missing and was accepted', async () => {
    const run = new ReplayRun(createMemoryPlace(), { bounds: [{ topic: 'rents', partition: 0, start: 0, end: 1 }], gaps: ['rents/1 begins at offset 5'] }).start();
    run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 1)));
    expect(await run.ended).toMatch(/missing +rents\/1 begins at offset 5; every answer says complete: false/);
  });
});

describe('a store that is not free', () => {
  it('whose history has caught up is refused with code 5, named, and stays as it is', async () => {
    const { place } = await replayed();
    const before = copyOf(place);
    const run = new ReplayRun(place, until(10)).start();
    await expect(run.ended).rejects.toMatchObject({ code: 'REPLAY_STORE_NOT_EMPTY', exit: 5, message: expect.stringMatching(/generation 1 of lineage 20\d{6}T.*RENTFOLD_STORE_DIR.*rentfold serve/) as string });
    expect(copyOf(place)).toEqual(before);
    expect(run.ingest.openedWith).toEqual([]);
  });

  it('that another process publishes to is refused at once, and the holder named', async () => {
    const place = createMemoryPlace();
    const lease = await new MemoryStore(place).acquireLease('somebody', () => undefined);
    const run = new ReplayRun(place, until(10)).start();
    await expect(run.ended).rejects.toMatchObject({ code: 'STORE_IN_USE', exit: 1, message: expect.stringContaining('somebody') as string });
    expect(run.ingest.openedWith).toEqual([]);
    if (lease.held) await lease.release();
  });

  it('with a history that has caught up is refused for that, whoever publishes to it: the lease is not even asked for', async () => {
    const { place } = await replayed();
    const lease = await new MemoryStore(place).acquireLease('somebody', () => undefined);
    await expect(new ReplayRun(place, until(10)).start().ended).rejects.toMatchObject({ code: 'REPLAY_STORE_NOT_EMPTY' });
    if (lease.held) await lease.release();
  });

  it('that was taken over meanwhile: what is not durable is not called done', async () => {
    const place = createMemoryPlace();
    const run = new ReplayRun(place, until(10)).start();
    await run.until('opened', () => run.ingest.openedWith.length === 1);
    place.holder = { writer: 'somebody else', lost: () => undefined };
    run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 10)));
    await expect(run.ended).rejects.toMatchObject({ code: 'STORE_IN_USE', exit: 1 });
    expect([...place.files.keys()].filter((name) => /\d\.json$/.test(name))).toEqual([]);
  });

  it('that cannot be written at the end: the error says why', async () => {
    const run = new ReplayRun(createMemoryPlace(), until(10)).start();
    await run.until('opened', () => run.ingest.openedWith.length === 1);
    run.store.isFull = true;
    run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 10)));
    await expect(run.ended).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', exit: 1, message: expect.stringContaining('the disk is full') as string });
  });
});

describe('a replay that did not come to the end', () => {
  it('asked to end: writes a last checkpoint, ends with code 1 and says how to go on; the next one does, and only then it is done', async () => {
    const { place, log, failure } = await broken((run) => run.shutdown.abort());
    expect(failure).toMatchObject({ code: 'REPLAY_INTERRUPTED', exit: 1, message: expect.stringMatching(/goes on from generation 2 of lineage/) as string });
    expect(await leaseIsFree(place)).toBe(true);
    const next = new ReplayRun(place, until(10)).start();
    next.ingest.give(log.batch(rents(3, 10)));
    const summary = await next.ended;
    expect(next.ingest.openedWith[0].positions).toMatchObject([{ next: 3 }]);
    expect(next.messages).toContainEqual(expect.stringMatching(/going on with the unfinished replay of lineage \S+ from generation 2/));
    expect(summary).toMatch(/events +7 read in .*; 3 more before it was gone on with/);
    expect(summary).toMatch(/rows +0 expenses, 10 rents/);
    await expect(new ReplayRun(place, until(10)).start().ended).rejects.toMatchObject({ code: 'REPLAY_STORE_NOT_EMPTY' });
  });

  it('asked to end before the source was open, it ends at once and writes nothing', async () => {
    const place = createMemoryPlace();
    const run = new ReplayRun(place);
    run.ingest.opening = () => new Promise(() => undefined);
    run.start();
    await run.until('opening', () => run.ingest.openedWith.length === 1);
    run.shutdown.abort();
    await expect(run.ended).rejects.toMatchObject({ code: 'REPLAY_INTERRUPTED', exit: 1 });
    expect(place.files.size).toBe(0);
    expect(await leaseIsFree(place)).toBe(true);
  });

  it('all folded and durable but not yet said to have caught up: the next one says it', async () => {
    const { place } = await broken((run) => run.shutdown.abort());
    const summary = await new ReplayRun(place, until(3)).start().ended;
    expect(summary).toMatch(/events +0 read .*3 more before/);
    await expect(new ReplayRun(place, until(3)).start().ended).rejects.toMatchObject({ code: 'REPLAY_STORE_NOT_EMPTY' });
  });

  it('stopped by a partition that cannot be understood: code 6, and nothing of it is kept', async () => {
    const { place, failure } = await broken((run) => run.ingest.give({ ...new ChangeWriter('rents', 1).batch([]), stop: { topic: 'rents', partition: 0, offset: 3, code: 'TABLE_AMBIGUOUS', message: 'two of them' } }));
    expect(failure).toMatchObject({ code: 'TABLE_AMBIGUOUS', exit: 6, message: expect.stringMatching(/^rents\/0: two of them\. Then run replay again: it goes on from generation 1/) as string });
    const next = new ReplayRun(place, until(10)).start();
    await next.until('opened', () => next.ingest.openedWith.length === 1);
    expect(next.ingest.openedWith[0].positions).toMatchObject([{ next: 2 }]);
  });

  it('stopped by its log in one partition: code 6 at once; what was read is kept, and gone on with when the log is mended', async () => {
    const { place, failure } = await broken((run) => run.ingest.give({ kind: 'stopped', stop: { topic: 'rents', partition: 0, code: 'OFFSET_FELL', message: 'rents/0 falls', offset: 3 } }));
    expect(failure).toMatchObject({ code: 'OFFSET_FELL', exit: 6, message: expect.stringMatching(/^rents\/0 falls\. Then run replay again: it goes on from generation 2/) as string });
    const next = new ReplayRun(place, until(10)).start();
    await next.until('opened', () => next.ingest.openedWith.length === 1);
    expect(next.ingest.openedWith[0].positions).toMatchObject([{ next: 3 }]);
  });

  it.each([
    ['with its own code', new RentfoldError('POSITION_TOO_OLD', 'retention was faster'), 'POSITION_TOO_OLD', 3],
    ['of no code', new Error('the cable is cut'), 'SOURCE_FAILED', 1],
  ])('a source that fails %s ends it with that', async (_what, error, code, exit) => {
    const { failure } = await broken((run) => run.ingest.fail(error));
    expect(failure).toMatchObject({ code, exit, message: expect.stringContaining(error.message) as string });
  });

  it('options that decide what a record means are those it began with', async () => {
    const { place } = await broken((run) => run.shutdown.abort());
    await expect(new ReplayRun(place, until(10)).start({ RENTFOLD_TIME_ZONE: 'Europe/Berlin' }).ended).rejects.toMatchObject({ code: 'DECODING_CHANGED', exit: 2 });
  });

  it.each(['store', 'source'])('a %s that cannot be opened ends it with its error and the lease free', async (which) => {
    const place = createMemoryPlace();
    const run = new ReplayRun(place);
    const error = new RentfoldError(which === 'store' ? 'STORE_NOT_WRITABLE' : 'HISTORY_INCOMPLETE', 'why');
    if (which === 'store') run.store.openError = error;
    else run.ingest.opening = () => Promise.reject(error);
    await expect(run.start().ended).rejects.toBe(error);
    expect(run.ingest.isClosed).toBe(true);
    expect(await leaseIsFree(place)).toBe(true);
    expect(place.files.size).toBe(0);
  });
});

describe('progress', () => {
  const told = (run: ReplayRun): string[] => run.messages.filter((message) => message.startsWith('replay: '));

  it('without a terminal: a line every five seconds though nothing moves, and every five percent', async () => {
    const run = new ReplayRun(createMemoryPlace(), until(100)).start();
    const log = new ChangeWriter('rents', 1);
    await run.until('opened', () => run.ingest.openedWith.length === 1);
    await run.clock.pass(4.9);
    expect(told(run)).toEqual([]);
    await run.clock.pass(0.2);
    expect(told(run)).toEqual(['replay: 0 %, 0 events, 0 a second, time left unknown']);
    run.ingest.give(log.batch(rents(0, 4)));
    await run.clock.pass(0.4);
    expect(told(run)).toHaveLength(1);
    run.ingest.give(log.batch(rents(4, 50)));
    await run.clock.pass(4.5);
    expect(told(run)).toEqual([expect.any(String), expect.stringMatching(/^replay: 50 %, 50 events, \d+ a second, \d+ s left$/)]);
    expect(run.lines.find(({ percent }) => percent === 50)).toMatchObject({ events: 50 });
    run.ingest.give(log.batch(rents(50, 100)));
    await run.ended;
  });

  it('on a terminal: one line drawn again and again, taken away at the end; nothing of it in the log', async () => {
    const run = new ReplayRun(createMemoryPlace(), until(100)).start({}, true);
    const log = new ChangeWriter('rents', 1);
    await run.until('opened', () => run.ingest.openedWith.length === 1);
    run.ingest.give(log.batch(rents(0, 50)));
    await run.clock.pass(10);
    expect(run.drawn.length).toBeGreaterThan(40);
    expect(run.drawn.at(-1)).toBe('50 %, 50 events, 5 a second, 10 s left');
    run.ingest.give(log.batch(rents(50, 100)));
    await run.ended;
    expect(run.drawn.at(-1)).toBe(null);
    expect(told(run)).toEqual([]);
  });
});
