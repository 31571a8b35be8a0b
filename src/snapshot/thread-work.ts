import { Worker } from 'node:worker_threads';
import { RentfoldError } from '../errors.ts';
import type { RowColumns } from '../ledger/ledger.ts';
import { messageOf } from '../runtime/message-of.ts';
import { Credits, HandOver } from './hand-over.ts';
import type { LettersEntry } from './manifest.ts';
import type { ParquetWritten } from './parquet-file.ts';
import type { Prepared } from './parquet-present.ts';
import type { SegmentEntry } from './segment.ts';
import type { StoreSpec } from './store-spec.ts';
import { buffersOf, CREDITS, fromFailure, type Block, type FromWorker, type JobResult, type ToWorker } from './work-messages.ts';
import type { SnapshotWork } from './work.ts';

/** Does the work in a thread of its own, started with the first job and again after it died. It keeps the process alive only while a job runs. */
export function createThreadWork(spec: StoreSpec): SnapshotWork {
  const thread = new WorkThread(spec);
  return {
    writeSegment: async (target, blocks) => await thread.write({ kind: 'write', id: thread.nextId(), target }, blocks) as SegmentEntry,
    writeLetters: async (job) => await thread.ask({ kind: 'letters', id: thread.nextId(), job }) as LettersEntry,
    compact: async (job) => await thread.ask({ kind: 'compact', id: thread.nextId(), job }) as SegmentEntry,
    readSegment: (folder, entry) => thread.read({ kind: 'read', id: thread.nextId(), folder, entry }),
    prepareParquet: async (job) => await thread.ask({ kind: 'prepare', id: thread.nextId(), job }) as Prepared,
    writeParquet: async (job, blocks) => await thread.write({ kind: 'parquet', id: thread.nextId(), job }, blocks) as ParquetWritten,
    close: () => thread.close(),
  };
}

const CLOSED = 'the snapshot worker is closed: the process is ending';

/** A job under way. */
interface Job {
  readonly credits: Credits;
  readonly blocks: HandOver<RowColumns[]>;
  resolve(result: JobResult): void;
  reject(error: Error): void;
}

class WorkThread {
  readonly #spec: StoreSpec;
  readonly #jobs = new Map<number, Job>();
  #worker: Worker | null = null;
  #lastId = 0;
  #isClosed = false;

  constructor(spec: StoreSpec) {
    this.#spec = spec;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  ask(message: ToWorker & { readonly id: number }): Promise<JobResult> {
    return this.#begin(message).result;
  }

  async write(message: Extract<ToWorker, { kind: 'write' | 'parquet' }>, blocks: AsyncIterable<Block>): Promise<JobResult> {
    const { id } = message;
    const { job, result, hasFailed } = this.#begin(message);
    try {
      for await (const block of blocks) {
        await job.credits.take();
        if (hasFailed()) break;
        this.#post({ kind: 'block', id, block }, buffersOf([block]));
      }
      this.#post({ kind: 'end', id });
    } catch (error) {
      this.#post({ kind: 'abort', id });
      await result.catch(() => undefined);
      throw error;
    }
    return await result;
  }

  async *read(message: Extract<ToWorker, { kind: 'read' }>): AsyncGenerator<RowColumns[]> {
    const { job, result } = this.#begin(message);
    void result.then(() => job.blocks.end(), (error: Error) => job.blocks.fail(error));
    try {
      for await (const blocks of job.blocks) {
        this.#post({ kind: 'credit', id: message.id });
        yield blocks;
      }
    } finally {
      if (this.#jobs.has(message.id)) this.#post({ kind: 'abort', id: message.id });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null) return;
    await worker.terminate();
    this.#failAll(new RentfoldError('UNEXPECTED', CLOSED));
  }

  #begin(message: ToWorker & { readonly id: number }): { job: Job; result: Promise<JobResult>; hasFailed: () => boolean } {
    const { promise, resolve, reject } = Promise.withResolvers<JobResult>();
    const job: Job = { credits: new Credits(CREDITS), blocks: new HandOver(), resolve, reject };
    let failed = false;
    promise.catch(() => { failed = true; });
    if (this.#isClosed) {
      job.reject(new RentfoldError('UNEXPECTED', CLOSED));
      return { job, result: promise, hasFailed: () => failed };
    }
    this.#jobs.set(message.id, job);
    this.#post(message);
    return { job, result: promise, hasFailed: () => failed };
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    if (this.#isClosed) return;
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(message, transfer);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.#spec, name: 'snapshot' });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    const ended = (cause: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#failAll(new RentfoldError('UNEXPECTED', `the snapshot worker ended: ${cause}; it is started again with the next checkpoint`));
    };
    worker.on('error', (error: unknown) => ended(messageOf(error)));
    worker.on('exit', (code) => ended(`exit code ${code}`));
    return worker;
  }

  #receive(message: FromWorker): void {
    const job = this.#jobs.get(message.id);
    if (job === undefined) return;
    if (message.kind === 'credit') job.credits.give();
    else if (message.kind === 'blocks') job.blocks.push(message.blocks);
    else {
      this.#jobs.delete(message.id);
      if (message.kind === 'done') job.resolve(message.result);
      else job.reject(fromFailure(message.failure));
      job.credits.release();
      if (this.#jobs.size === 0) this.#worker?.unref();
    }
  }

  #failAll(error: Error): void {
    for (const job of this.#jobs.values()) {
      job.reject(error);
      job.credits.release();
    }
    this.#jobs.clear();
  }
}
