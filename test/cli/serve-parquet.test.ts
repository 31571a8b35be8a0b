/**
 * Goal: a serving process keeps the parquet file as its readers need it: there, of today, of figures that were once caught up, written by one process; and says
 * what keeps it from that.
 * Method: `serve` in this process over a store, an ingest and a clock of the test's own; the file's labels are read from its footer.
 */
import { describe, expect, it } from 'vitest';
import { RentfoldError } from '../../src/errors.ts';
import { readFooter } from '../../src/snapshot/parquet-footer.ts';
import { ChangeWriter, type Change } from '../support/change-writer.ts';
import { createMemoryPlace, type MemoryPlace } from '../support/memory-store.ts';
import { ServeRun } from '../support/serve-run.ts';
import { PREFIX } from '../support/snapshot-run.ts';

const NAME = `${PREFIX}financial_performance_current.parquet`;
/** The clock of a run starts at 2023-11-14 22:13:20 UTC unless told otherwise. */
const MINUTE_BEFORE_MIDNIGHT = Date.UTC(2023, 10, 14, 23, 59);
const rents = (from: number, to: number): Change[] => Array.from({ length: to - from }, (_, i) => ({ op: 'upsert', table: 'rents', key: `r${from + i}`, property: 'p1', amount: 10_000, day: 19_600 }));

function labelsIn(place: MemoryPlace): { generation: string; asOf: string; accounts: string } | null {
  const bytes = place.files.get(NAME);
  if (bytes === undefined) return null;
  const footer = readFooter(bytes, bytes.length);
  if (footer.kind !== 'footer') return null;
  const read = (name: string): string => footer.pairs.get(`rentfold.${name}`) ?? '';
  return { generation: read('generation'), asOf: read('as_of'), accounts: read('accounts') };
}

function newRun(place: MemoryPlace, end: number, environment: Record<string, string> = {}, startedAt?: number): ServeRun {
  const run = new ServeRun(place, startedAt);
  run.ingest.opening = () => Promise.resolve({ bounds: [{ topic: 'rents', partition: 0, start: 0, end }], gaps: [], notes: [], identity: 'scripted' });
  return run.start(environment);
}

/** A run that has folded ten rents and written a checkpoint of them. */
async function writing(place: MemoryPlace, environment: Record<string, string> = {}, startedAt?: number): Promise<{ run: ServeRun; log: ChangeWriter }> {
  const run = newRun(place, 10, environment, startedAt);
  const log = new ChangeWriter('rents', 1);
  run.ingest.give(log.batch(rents(0, 10)));
  await run.ready();
  await run.clock.pass(30);
  await run.until('checkpointed', async () => (await run.status()).generation === 1);
  return { run, log };
}

async function wrote(run: ServeRun, place: MemoryPlace, generation: number, asOf: string): Promise<void> {
  await run.until(`wrote the file of generation ${generation} as of ${asOf}`, () => labelsIn(place)?.generation === String(generation) && labelsIn(place)?.asOf === asOf);
}

describe('the parquet file of a serving process', () => {
  it('comes with the first checkpoint; status and metrics show it', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place);
    await wrote(run, place, 1, '2023-11-14');
    expect(await run.status()).toMatchObject({ parquet: { succeeded: 1, failed: 0, error: null, file: { generation: 1, as_of: '2023-11-14', accounts: 1 } } });
    expect((await run.get('/metrics')).text).toMatch(/^rentfold_parquet_generation 1\n[^]*^rentfold_parquet_writes_total\{outcome="succeeded"\} 1$/m);
  });

  it('follows its interval while figures change, and has the last of them at a clean end', async () => {
    const place = createMemoryPlace();
    const { run, log } = await writing(place, { RENTFOLD_PARQUET_SECONDS: '100' });
    run.ingest.give(log.batch(rents(10, 11)));
    await run.clock.pass(40);
    await run.until('checkpointed', async () => (await run.status()).generation === 2);
    expect(labelsIn(place)?.generation).toBe('1');
    await run.clock.pass(70);
    await wrote(run, place, 2, '2023-11-14');
    run.ingest.give(log.batch(rents(11, 12)));
    await run.until('folded', async () => (await run.status()).rows !== undefined && run.ingest.taken === 3);
    await run.end();
    expect(labelsIn(place)).toMatchObject({ generation: '3' });
  });

  it('is written anew when the date turns, as the generation that stands', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place, {}, MINUTE_BEFORE_MIDNIGHT);
    await wrote(run, place, 1, '2023-11-14');
    await run.clock.pass(31);
    await wrote(run, place, 1, '2023-11-15');
    expect(await run.status()).toMatchObject({ generation: 1, checkpoints: { succeeded: 1 } });
  });

  it('turns with the date of the configured zone', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place, { RENTFOLD_TIME_ZONE: 'Asia/Tokyo' });
    await wrote(run, place, 1, '2023-11-15');
  });

  it.each(['missing', 'of an earlier generation'])('is written at start when it is %s, without another generation', async (which) => {
    const place = createMemoryPlace();
    const { run, log } = await writing(place, { RENTFOLD_PARQUET_SECONDS: '80000' });
    const old = place.files.get(NAME)!;
    run.ingest.give(log.batch(rents(10, 11)));
    await run.end();
    if (which === 'missing') place.files.delete(NAME);
    else place.files.set(NAME, old);
    const next = newRun(place, 11);
    await wrote(next, place, 2, '2023-11-14');
    expect(await next.status()).toMatchObject({ generation: 2, checkpoints: { succeeded: 0 }, parquet: { succeeded: 1, file: { generation: 2 } } });
    expect(next.ingest.committed.every(([position]) => position!.next === 11)).toBe(true);
  });

  it('is written anew when the fiscal year begins in another month than it did, without another generation', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place);
    await run.end();
    const before = place.files.get(NAME);
    const next = newRun(place, 10, { RENTFOLD_FISCAL_YEAR_START_MONTH: '4' });
    await next.until('wrote it', () => place.files.get(NAME) !== before);
    await next.until('said so', async () => (await next.status() as { parquet: { succeeded: number } }).parquet.succeeded === 1);
    expect(await next.status()).toMatchObject({ generation: 1, checkpoints: { succeeded: 0 } });
  });

  it('that is as it should be is found at start, and left', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place);
    await run.end();
    const before = place.files.get(NAME);
    const next = newRun(place, 10);
    await next.until('found it', async () => (await next.status() as { parquet: { file: unknown } }).parquet.file !== null);
    expect(await next.status()).toMatchObject({ parquet: { succeeded: 0, file: { generation: 1 } }, checkpoints: { succeeded: 0 } });
    expect(place.files.get(NAME)).toBe(before);
  });

  it('never holds partial sums: before the end seen at start was reached once, none is written', async () => {
    const place = createMemoryPlace();
    const run = newRun(place, 10);
    run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 9)));
    await run.clock.pass(30);
    await run.until('checkpointed', async () => (await run.status()).generation === 1);
    await run.clock.pass(1_000);
    await run.end();
    expect(labelsIn(place)).toBeNull();
  });

  it('is written by the publisher alone; a stand-by writes it once it has taken over', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place);
    const second = newRun(place, 10);
    await second.ready();
    place.files.delete(NAME);
    await second.clock.pass(1_000);
    expect(await second.status()).toMatchObject({ role: 'standby' });
    expect(labelsIn(place)).toBeNull();
    await run.end();
    await second.clock.pass(10);
    await wrote(second, place, 1, '2023-11-14');
  });

  it('is not written when it is switched off', async () => {
    const place = createMemoryPlace();
    const { run } = await writing(place, { RENTFOLD_PARQUET_SECONDS: '0' }, MINUTE_BEFORE_MIDNIGHT);
    await run.clock.pass(60);
    await run.end();
    expect(place.files.has(NAME)).toBe(false);
  });
});

describe('a file of another program', () => {
  it('is copied before it is first overwritten; when it comes again, that is said once, and it stays until the option is set', async () => {
    const place = createMemoryPlace();
    place.files.set(NAME, Buffer.from('what the old service wrote'));
    const { run, log } = await writing(place);
    await wrote(run, place, 1, '2023-11-14');
    const legacy = [...place.files].filter(([name]) => /\/legacy\/.*\.parquet$/.test(name)).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]);
    expect(legacy).toEqual([[`${PREFIX}legacy/financial_performance_current-20231114T221350000Z.parquet`, 'what the old service wrote']]);
    place.files.set(NAME, Buffer.from('what it wrote again'));
    run.ingest.give(log.batch(rents(10, 11)));
    await run.clock.pass(310);
    await run.until('said', () => run.said('PARQUET_FOREIGN') === 1);
    await run.clock.pass(600);
    expect(run.said('PARQUET_FOREIGN')).toBe(1);
    expect(await run.status()).toMatchObject({ generation: 2, parquet: { failed: 0, error: expect.stringContaining('RENTFOLD_PARQUET_OVERWRITE') as string } });
    await run.end();
    expect(Buffer.from(place.files.get(NAME)!).toString()).toBe('what it wrote again');
    const next = newRun(place, 11, { RENTFOLD_PARQUET_OVERWRITE: 'true' });
    await wrote(next, place, 2, '2023-11-14');
    expect([...place.files.keys()].filter((name) => /\/legacy\/.*\.parquet$/.test(name)).length).toBe(2);
  });
});

it('a file that cannot be written is said, counted, tried again and keeps no checkpoint', async () => {
  const place = createMemoryPlace();
  const run = new ServeRun(place);
  const { writeParquet } = run.work;
  Object.assign(run.work, { writeParquet: () => Promise.reject(new RentfoldError('STORE_UNAVAILABLE', 'no room')) });
  run.ingest.opening = () => Promise.resolve({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 10 }], gaps: [], notes: [], identity: 'scripted' });
  run.start();
  run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 10)));
  await run.ready();
  await run.clock.pass(33);
  await run.until('failed twice', () => run.said('PARQUET_FAILED') >= 2);
  expect(await run.status()).toMatchObject({ generation: 1, parquet: { succeeded: 0, file: null, error: expect.stringContaining('no room') as string } });
  expect(run.ingest.committed.length).toBeGreaterThan(0);
  Object.assign(run.work, { writeParquet });
  await run.clock.pass(60);
  await wrote(run, place, 1, '2023-11-14');
  expect(await run.status()).toMatchObject({ generation: 1, checkpoints: { succeeded: 1 }, parquet: { succeeded: 1, error: null } });
});

describe('a file that takes long', () => {
  /** A run whose work hangs there for good; `hangs` resolves once it does. */
  function hanging(place: MemoryPlace, which: 'prepareParquet' | 'writeParquet'): { run: ServeRun; hangs: Promise<void> } {
    const run = new ServeRun(place);
    const { promise, resolve } = Promise.withResolvers<void>();
    Object.assign(run.work, { [which]: () => { resolve(); return new Promise(() => undefined); } });
    run.ingest.opening = () => Promise.resolve({ bounds: [{ topic: 'rents', partition: 0, start: 0, end: 10 }], gaps: [], notes: [], identity: 'scripted' });
    run.start({ RENTFOLD_SHUTDOWN_SECONDS: '20' });
    run.ingest.give(new ChangeWriter('rents', 1).batch(rents(0, 10)));
    return { run, hangs: promise };
  }

  it('does not keep anybody from knowing that its generation is durable; only the source is told later', async () => {
    const place = createMemoryPlace();
    const { run } = hanging(place, 'writeParquet');
    await run.ready();
    await run.clock.pass(30);
    await run.until('told', async () => (await run.status()).generation === 1);
    expect(await run.status()).toMatchObject({ checkpoints: { succeeded: 1 } });
    expect(run.lines.some(({ msg }) => String(msg).includes('Checkpoint: generation 1'))).toBe(true);
    expect(run.ingest.committed).toEqual([]);
    run.shutdown.abort();
    await run.clock.pass(10);
    await run.ended;
  });

  it.each(['prepareParquet', 'writeParquet'] as const)('is given up when half the time to end is over (%s): the generation is durable, the lease is given back, and the next start writes it', async (which) => {
    const place = createMemoryPlace();
    const { run, hangs } = hanging(place, which);
    await run.ready();
    run.shutdown.abort();
    await hangs;
    await run.clock.pass(9.9);
    expect(place.holder).not.toBeNull();
    await run.clock.pass(0.1);
    await run.ended;
    expect(place.holder).toBeNull();
    expect(run.said('PARQUET_FAILED')).toBe(1);
    expect(labelsIn(place)).toBeNull();
    const next = newRun(place, 10);
    await wrote(next, place, 1, '2023-11-14');
    expect(await next.status()).toMatchObject({ generation: 1 });
  });
});
