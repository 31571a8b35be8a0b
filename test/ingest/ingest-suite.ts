/**
 * Goal: it makes no difference to the pipeline in which thread source and decoder run: the same batches, the same errors with their codes, never more batches
 * under way than there are credits, an end whenever it is asked for.
 * Method: one suite for every way to run an ingest, against sources that follow a script, and against a folder of dumps.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangeBatch } from '../../src/change/change.ts';
import { COLUMNS } from '../../src/change/decoder.ts';
import { RentfoldError } from '../../src/errors.ts';
import type { Ingest, IngestEvent, IngestOptions } from '../../src/ingest/ingest.ts';
import type { SourceSetup } from '../../src/ingest/setup.ts';
import { DumpFolder, dumpText, recordAt, recordsOf } from '../support/dump.ts';
import { positionAfter } from '../support/read-source.ts';
import { GIVEN_BACK, OUTSTANDING_MAX, PULLED, type Script } from '../support/scripted-source.ts';

const identity = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));

const OPTIONS: IngestOptions = {
  positions: [], seenTables: {}, acceptIncompleteHistory: false, recordsMax: 50, creditsMax: 4,
  decode: {
    timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [], rents: [], properties: [] }, epochs: [],
    columns: { expenses: identity(COLUMNS.expenses), rents: identity(COLUMNS.rents), properties: identity(COLUMNS.properties) },
  },
};

/** Registers the suite for one way to run an ingest. `outstandingMax` is how many batches are under way with four credits. */
export function describeIngest(name: string, outstandingMax: number, createIngest: (setup: SourceSetup | Script) => Ingest): void {
  describe(`${name} ingest`, () => {
    let ingests: Ingest[];
    let folder: DumpFolder;
    beforeEach(async () => {
      ingests = [];
      folder = await DumpFolder.create();
    });
    afterEach(async () => {
      for (const ingest of ingests) await ingest.close();
      await folder.dispose();
    });

    function create(setup: SourceSetup | Script): Ingest {
      const ingest = createIngest(setup);
      ingests.push(ingest);
      return ingest;
    }

    function script(changes: Partial<Script>): Script {
      return { kind: 'scripted', batches: 0, recordsPerBatch: 5, then: 'wait', shared: new Int32Array(new SharedArrayBuffer(12)), ...changes };
    }

    async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
      const error: unknown = await promise.then(() => null, (e: unknown) => e);
      expect(error).toBeInstanceOf(RentfoldError);
      return error as RentfoldError;
    }

    it('opens the source with the options given and answers what the source says', async () => {
      const opened = await create(script({ batches: 3 })).open({ ...OPTIONS, positions: [positionAfter(recordAt('t', 0, 2))], acceptIncompleteHistory: true });
      expect(opened).toEqual({ bounds: [{ topic: 't', partition: 0, start: 0, end: 15 }], gaps: ['accept true'], notes: ['max 50'], identity: 'scripted:1' });
    });

    it('throws what the source throws when it is opened, with its code and message', async () => {
      expect(await failure(create(script({ openError: 'POSITION_TOO_OLD' })).open(OPTIONS))).toMatchObject({ code: 'POSITION_TOO_OLD', message: 'the message of open' });
    });

    it('hands over every record once, in order, with positions, and dead letters with exactly their bytes', async () => {
      const ingest = create(script({ batches: 20 }));
      await ingest.open(OPTIONS);
      const batches = await takeChanges(ingest, 20);
      expect(batches.flatMap((b) => [...b.offset])).toEqual(Array.from({ length: 100 }, (_, i) => i));
      expect(batches.map((b) => b.partitions[0].next)).toEqual(batches.map((_, i) => 5 * (i + 1)));
      const letters = batches.flatMap((b) => b.letters.map(({ letter }) => letter));
      expect(letters.map(({ offset }) => offset)).toEqual([6, 13, 20, 27, 34, 41, 48, 55, 62, 69, 76, 83, 90, 97]);
      for (const { valueBytes, keyBytes } of letters) {
        expect(Buffer.from(valueBytes!).toString()).toBe('dead');
        expect(keyBytes).toBeNull();
      }
    });

    it('reads ahead as far as there are credits and no further, and goes on as they are given back', async () => {
      const plan = script({ batches: 40 });
      const ingest = create(plan);
      await ingest.open(OPTIONS);
      const outstanding = (): number => Atomics.load(plan.shared, PULLED) - Atomics.load(plan.shared, GIVEN_BACK);
      const events = ingest.events(new AbortController().signal)[Symbol.asyncIterator]();
      for (let taken = 0; taken < 40; taken++) {
        if (taken > 0) Atomics.add(plan.shared, GIVEN_BACK, 1);
        await events.next();
        if (taken < 30) await vi.waitUntil(() => outstanding() === outstandingMax, { timeout: 30_000, interval: 1 });
      }
      expect(Atomics.load(plan.shared, OUTSTANDING_MAX)).toBe(outstandingMax);
    });

    it('passes bounds, stops and warnings on', async () => {
      const bounds = create(script({ batches: 1, then: 'bounds-and-wait' }));
      await bounds.open(OPTIONS);
      expect((await takeEvents(bounds, 2))[1]).toEqual({ kind: 'bounds', bounds: [{ topic: 't', partition: 0, start: 0, end: 99 }], waiting: ['later'] });
      const stops = create(script({ batches: 1, then: 'stop-and-wait' }));
      await stops.open(OPTIONS);
      expect((await takeEvents(stops, 2))[1]).toEqual({ kind: 'stopped', stop: { topic: 't', partition: 0, code: 'OFFSET_FELL', message: 'where and what', offset: 7 } });
      const warnings = create(script({ batches: 1, then: 'warn-and-wait' }));
      await warnings.open(OPTIONS);
      expect((await takeEvents(warnings, 2))[1]).toEqual({ kind: 'warned', warning: { code: 'SOURCE_RETRYING', message: 'who and why' } });
    });

    it('ends after a batch at which decoding had to stop', async () => {
      const ingest = create(script({ batches: 9, haltAtBatch: 2 }));
      await ingest.open(OPTIONS);
      const events: IngestEvent[] = [];
      for await (const event of ingest.events(new AbortController().signal)) events.push(event);
      expect(events.map((event) => event.kind === 'changes' && event.batch.stop?.code)).toEqual([undefined, undefined, 'TABLE_AMBIGUOUS']);
    });

    it('throws what the source throws while reading, after what was read before; an error without a code is SOURCE_FAILED', async () => {
      for (const [then, expected] of [['throw-coded', { code: 'SOURCE_UNAVAILABLE', message: 'the message of reading' }], ['throw-plain', { code: 'SOURCE_FAILED', message: expect.stringContaining('a plain error') as string }]] as const) {
        const ingest = create(script({ batches: 2, then }));
        await ingest.open(OPTIONS);
        const seen: IngestEvent[] = [];
        const error = await failure((async () => {
          for await (const event of ingest.events(new AbortController().signal)) seen.push(event);
        })());
        expect(error).toMatchObject(expected);
        expect(seen.length).toBe(2);
      }
    });

    it('takes positions for lag tools, and says when they were refused', async () => {
      const good = create(script({}));
      await good.open(OPTIONS);
      await good.commit([positionAfter(recordAt('t', 0, 1))]);
      const bad = create(script({ commitError: 'SOURCE_FAILED' }));
      await bad.open(OPTIONS);
      expect(await failure(bad.commit([]))).toMatchObject({ code: 'SOURCE_FAILED', message: 'the message of commit' });
    });

    it('ends when the signal aborts, and when it is closed while it waits', async () => {
      for (const end of ['abort', 'close']) {
        const ingest = create(script({ batches: 1 }));
        await ingest.open(OPTIONS);
        const abort = new AbortController();
        const events = ingest.events(abort.signal)[Symbol.asyncIterator]();
        await events.next();
        const next = events.next();
        if (end === 'abort') abort.abort();
        else await ingest.close();
        expect(await next).toMatchObject({ done: true });
      }
    });

    it('closes with batches under way, before anything was read, before it was opened, and twice', async () => {
      const full = create(script({ batches: 100 }));
      await full.open(OPTIONS);
      await full.events(new AbortController().signal)[Symbol.asyncIterator]().next();
      await full.close();
      await full.close();
      const opened = create(script({ batches: 100 }));
      await opened.open(OPTIONS);
      await opened.close();
      await create(script({})).close();
    });

    it('closes while it is being opened', async () => {
      await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 5)));
      const ingest = create({ kind: 'file', folder: folder.path });
      const opened = failure(ingest.open(OPTIONS));
      await ingest.close();
      expect(await opened).toMatchObject({ code: 'SOURCE_FAILED' });
    });

    it('reads a folder of dumps, and resumes where a batch ended', async () => {
      await folder.write('t.jsonl', dumpText(recordsOf('t', 0, 0, 120)));
      const setup: SourceSetup = { kind: 'file', folder: folder.path };
      const first = create(setup);
      await first.open(OPTIONS);
      const [batch] = await takeChanges(first, 1);
      expect(batch.count).toBe(50);
      const second = create(setup);
      await second.open({ ...OPTIONS, positions: batch.partitions });
      const rest = await takeChanges(second, 2);
      expect(rest.flatMap((b) => [...b.offset])).toEqual(Array.from({ length: 70 }, (_, i) => 50 + i));
    });
  });
}

async function takeEvents(ingest: Ingest, count: number): Promise<IngestEvent[]> {
  const taken: IngestEvent[] = [];
  for await (const event of ingest.events(new AbortController().signal)) if (taken.push(event) === count) break;
  return taken;
}

async function takeChanges(ingest: Ingest, count: number): Promise<ChangeBatch[]> {
  const events = await takeEvents(ingest, count);
  return events.map((event) => {
    expect(event.kind).toBe('changes');
    return (event as Extract<IngestEvent, { kind: 'changes' }>).batch;
  });
}

export { OPTIONS as INGEST_OPTIONS };
