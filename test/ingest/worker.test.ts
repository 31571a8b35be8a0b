/**
 * Goal: the ingest in a worker thread is an ingest like any other; besides, a worker that dies is reported as SOURCE_FAILED instead of a stream that silently stays
 * silent, and no memory of a batch is shared or copied as a whole.
 * Method: the suite of all ingests, on a worker with a scripted source; then workers that exit and crash.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ENTRY_UPSERT, type ChangeBatch } from '../../src/change/change.ts';
import { createDecoder } from '../../src/change/decode.ts';
import { RentfoldError } from '../../src/errors.ts';
import { createInlineIngest } from '../../src/ingest/inline.ts';
import { createSource } from '../../src/ingest/setup.ts';
import { prepareTransfer } from '../../src/ingest/transfer.ts';
import { createWorkerIngest, type IngestSetup } from '../../src/ingest/worker.ts';
import { createPassingDecoder, PULLED, type Script } from '../support/scripted-source.ts';
import { describeIngest, INGEST_OPTIONS } from './ingest-suite.ts';

const ENTRY = new URL('../support/ingest-worker-entry.ts', import.meta.url);

describeIngest('worker', 4, (source) => createWorkerIngest({ source } as IngestSetup, ENTRY));

function script(changes: Partial<Script>): IngestSetup {
  const source: Script = { kind: 'scripted', batches: 2, recordsPerBatch: 5, then: 'wait', shared: new Int32Array(new SharedArrayBuffer(12)), ...changes };
  return { source } as unknown as IngestSetup;
}

describe('a worker that dies', () => {
  for (const [then, words] of [['exit', /exit code 3/], ['crash', /nobody catches this/]] as const) {
    it(`is SOURCE_FAILED for the reader and for later commits: ${then}`, async () => {
      const ingest = createWorkerIngest(script({ then }), ENTRY);
      await ingest.open(INGEST_OPTIONS);
      const read = (async (): Promise<void> => {
        for await (const event of ingest.events(new AbortController().signal)) expect(event.kind).toBe('changes');
      })();
      const error: unknown = await read.then(() => null, (e: unknown) => e);
      expect(error).toBeInstanceOf(RentfoldError);
      expect(error).toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringMatching(words) as string });
      await expect(ingest.commit([])).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
      await ingest.close();
    });
  }

  it('is SOURCE_FAILED when it cannot even be started', async () => {
    const ingest = createWorkerIngest(script({}), new URL('./no-such-entry.ts', import.meta.url));
    await expect(ingest.open(INGEST_OPTIONS)).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    await ingest.close();
  });

  it('takes an error without a code, from opening, as UNEXPECTED', async () => {
    const ingest = createWorkerIngest(script({ openError: null }), ENTRY);
    await expect(ingest.open(INGEST_OPTIONS)).rejects.toMatchObject({ code: 'UNEXPECTED', message: expect.stringContaining('a plain error') as string });
    await ingest.close();
  });
});

describe('asked to end', () => {
  it('hands over what has arrived, and nothing more', async () => {
    const plan = script({ batches: 40 });
    const ingest = createWorkerIngest(plan, ENTRY);
    await ingest.open(INGEST_OPTIONS);
    const abort = new AbortController();
    const events = ingest.events(abort.signal)[Symbol.asyncIterator]();
    await events.next();
    const { shared } = (plan as unknown as { source: Script }).source;
    await vi.waitUntil(() => Atomics.load(shared, PULLED) === INGEST_OPTIONS.creditsMax, { timeout: 30_000, interval: 1 });
    // Its reply comes after everything sent before it.
    await ingest.commit([]);
    abort.abort();
    let left = 0;
    while ((await events.next()).done !== true) left++;
    expect([left, Atomics.load(shared, PULLED)]).toEqual([INGEST_OPTIONS.creditsMax - 1, INGEST_OPTIONS.creditsMax]);
    await ingest.close();
  });
});

describe('the worker with the real decoder', () => {
  it('gives the same batches as an ingest in this thread', async () => {
    const folder = join(import.meta.dirname, '../fixtures/conformance/cases/moves');
    const { records } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { records: number };
    const [here, there] = await Promise.all([createInlineIngest(createSource({ kind: 'file', folder }), createDecoder), createWorkerIngest({ source: { kind: 'file', folder } })].map(async (ingest) => {
      const opened = await ingest.open({ ...INGEST_OPTIONS, recordsMax: 200 });
      const batches: ChangeBatch[] = [];
      for await (const event of ingest.events(new AbortController().signal)) {
        if (event.kind === 'changes') batches.push(event.batch);
        if (batches.reduce((sum, batch) => sum + batch.records, 0) === records) break;
      }
      await ingest.close();
      return { opened, batches };
    }));
    expect(there).toEqual(here);
    expect(here.batches.some(({ kind }) => kind.includes(ENTRY_UPSERT))).toBe(true);
  });
});

describe('a batch on its way to another thread', () => {
  const bytes = Buffer.alloc(100_000);
  const batch: ChangeBatch = createPassingDecoder().decode({
    count: 2, partitions: [{ topic: 't', partition: 0, next: 2, token: null }], partitionOf: new Uint16Array(2), offset: Float64Array.of(0, 1), time: new Float64Array(2), bytes: Uint8Array.of(...Buffer.from('deaddead'), ...bytes.subarray(0, 1000)),
    keyStart: Int32Array.of(-1, 0), keyEnd: Int32Array.of(-1, 4), valueStart: Int32Array.of(0, 4), valueEnd: Int32Array.of(4, 8),
  });

  it('names every typed array for moving, and copies of the dead letters\' bytes', () => {
    const prepared = prepareTransfer(batch);
    const arrays = Object.values(batch).filter((value) => ArrayBuffer.isView(value));
    expect(arrays.length).toBe(19);
    for (const array of arrays) if (array.byteLength > 0) expect(prepared.buffers).toContain(array.buffer);
    expect(prepared.buffers.length).toBe(19 + 3);
    expect(new Set(prepared.buffers).size).toBe(prepared.buffers.length);
    expect(prepared.buffers.every((buffer) => buffer.byteLength < 1000)).toBe(true);
    const moved = structuredClone(prepared.batch, { transfer: [...prepared.buffers] });
    expect(moved.letters.map(({ letter }) => Buffer.from(letter.valueBytes!).toString())).toEqual(['dead', 'dead']);
    expect(moved.offset).toEqual(Float64Array.of(0, 1));
    expect(batch.offset.length).toBe(0);
  });
});
