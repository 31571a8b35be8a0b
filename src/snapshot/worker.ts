import { parentPort, workerData } from 'node:worker_threads';
import type { FigureColumns } from '../ledger/figure-columns.ts';
import type { RowColumns } from '../ledger/ledger.ts';
import { giveWayToMainThread } from '../runtime/workers.ts';
import { Credits, HandOver } from './hand-over.ts';
import { createStore, type StoreSpec } from './store-spec.ts';
import { buffersOf, CREDITS, toFailure, type Block, type FromWorker, type ToWorker } from './work-messages.ts';
import { createInlineWork, type SnapshotWork } from './work.ts';

/** Entry of the snapshot worker thread: does the jobs that come as messages, with its own store object. */

/** A write job's blocks on their way in, a read job's credits on their way in. */
const incoming = new Map<number, HandOver<Block>>();
const credits = new Map<number, Credits>();

function main(): void {
  if (parentPort === null) return;
  giveWayToMainThread();
  const port = parentPort;
  const work = createInlineWork(createStore(workerData as StoreSpec, { isOpen: true }));
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'block') incoming.get(message.id)?.push(message.block);
    else if (message.kind === 'end') incoming.get(message.id)?.end();
    else if (message.kind === 'abort') abort(message.id);
    else if (message.kind === 'credit') credits.get(message.id)?.give();
    else void run(work, message, (reply, transfer = []) => port.postMessage(reply, transfer));
  });
}

/** The main thread gave the job up: a write fails, a read stops. */
function abort(id: number): void {
  incoming.get(id)?.fail(new Error('given up by the main thread'));
  const window = credits.get(id);
  credits.delete(id);
  window?.release();
}

type Job = Extract<ToWorker, { kind: 'write' | 'parquet' | 'letters' | 'compact' | 'prepare' | 'read' }>;

async function run(work: SnapshotWork, job: Job, reply: (message: FromWorker, transfer?: ArrayBuffer[]) => void): Promise<void> {
  const { id } = job;
  const taken = (): void => reply({ kind: 'credit', id });
  try {
    if (job.kind === 'write') reply({ kind: 'done', id, result: await work.writeSegment(job.target, received<RowColumns>(id, taken)) });
    else if (job.kind === 'parquet') reply({ kind: 'done', id, result: await work.writeParquet(job.job, received<FigureColumns>(id, taken)) });
    else if (job.kind === 'prepare') reply({ kind: 'done', id, result: await work.prepareParquet(job.job) });
    else if (job.kind === 'letters') reply({ kind: 'done', id, result: await work.writeLetters(job.job) });
    else if (job.kind === 'compact') reply({ kind: 'done', id, result: await work.compact(job.job) });
    else {
      const window = new Credits(CREDITS);
      credits.set(id, window);
      for await (const blocks of work.readSegment(job.folder, job.entry)) {
        await window.take();
        if (credits.get(id) !== window) break;
        reply({ kind: 'blocks', id, blocks }, buffersOf(blocks));
      }
      reply({ kind: 'done', id, result: null });
    }
  } catch (error) {
    reply({ kind: 'failed', id, failure: toFailure(error) });
  } finally {
    incoming.delete(id);
    credits.delete(id);
  }
}

/** The blocks of a write job; its kind says which they are. */
function received<B extends Block>(id: number, taken: () => void): AsyncIterable<B> {
  const blocks = new HandOver<Block>();
  incoming.set(id, blocks);
  return taking(blocks as HandOver<B>, taken);
}

async function* taking<B extends Block>(blocks: AsyncIterable<B>, taken: () => void): AsyncGenerator<B> {
  for await (const block of blocks) {
    taken();
    yield block;
  }
}

main();
