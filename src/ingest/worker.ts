import { Worker } from 'node:worker_threads';
import { RentfoldError } from '../errors.ts';
import type { RegistriesConfig } from '../registry/registry-options.ts';
import { messageOf } from '../runtime/message-of.ts';
import { Wake } from '../runtime/wake.ts';
import { endWorker, errorFromWire } from '../runtime/workers.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { OpenedLog } from '../source/source.ts';
import type { Ingest, IngestEvent, IngestOptions } from './ingest.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import type { SourceSetup } from './setup.ts';

/** What the worker builds its source from: plain data. */
export interface IngestSetup {
  readonly source: SourceSetup;
  /** Not given: none is configured. */
  readonly registries?: RegistriesConfig;
}

const ENTRY = new URL('./worker-entry.ts', import.meta.url);
/** A worker that has not ended by itself so long after `close` is ended by force; nothing it holds is needed. */
const CLOSE_MS = 5_000;

/**
 * Source and decoder in a worker thread. At most `creditsMax` events are under way: handed over or on their way here. Errors keep their code;
 * a worker that dies is SOURCE_FAILED. `entry` is for tests that want another worker.
 */
export function createWorkerIngest(setup: IngestSetup, entry: URL = ENTRY): Ingest {
  return new WorkerIngest(setup, entry);
}

type Request = Extract<ToWorker, { id: number }>;
type WithoutId<R> = R extends Request ? Omit<R, 'id'> : never;

interface Waiting {
  readonly resolve: (opened: OpenedLog | null) => void;
  readonly reject: (error: RentfoldError) => void;
}

class WorkerIngest implements Ingest {
  readonly #setup: IngestSetup;
  readonly #entry: URL;
  #worker: Worker | null = null;
  #exited: Promise<void> = Promise.resolve();
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;
  readonly #arrived: IngestEvent[] = [];
  readonly #wake = new Wake();
  #creditsMax = 0;
  #isRead = false;
  /** True once nothing more arrives; `#failure` says why when it was not asked for. */
  #isEnded = false;
  #failure: RentfoldError | null = null;

  constructor(setup: IngestSetup, entry: URL) {
    this.#setup = setup;
    this.#entry = entry;
  }

  async open(options: IngestOptions): Promise<OpenedLog> {
    this.#creditsMax = options.creditsMax;
    this.#start();
    const opened = await this.#ask({ kind: 'open', options });
    return opened!;
  }

  async *events(signal: AbortSignal): AsyncGenerator<IngestEvent, void, void> {
    if (this.#isRead) throw new Error('The events of an ingest are read once.');
    this.#isRead = true;
    const wake = (): void => this.#wake.ring();
    signal.addEventListener('abort', wake);
    this.#post({ kind: 'credit', count: this.#creditsMax });
    try {
      for (;;) {
        const event = this.#arrived.shift();
        if (event !== undefined) {
          yield event;
          // Asked to end, what has arrived is still handed over, and nothing more is asked for.
          if (!signal.aborted) this.#post({ kind: 'credit', count: 1 });
        } else if (signal.aborted) return;
        else if (this.#failure !== null) throw this.#failure;
        else if (this.#isEnded) return;
        else await this.#wake.wait();
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    await this.#ask({ kind: 'commit', positions });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#end(null);
    this.#arrived.length = 0;
    const answered = this.#ask({ kind: 'close' }).catch(() => undefined);
    await endWorker(worker, this.#exited, CLOSE_MS);
    await answered;
  }

  #start(): void {
    if (this.#worker !== null) throw new Error('An ingest is opened once.');
    const worker = new Worker(this.#entry, { workerData: this.#setup, name: 'ingest' });
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#end(new RentfoldError('SOURCE_FAILED', `The ingest worker failed: ${messageOf(error)}. Restart when the cause is gone.`, { cause: error })));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.#end(new RentfoldError('SOURCE_FAILED', `The ingest worker ended by itself with exit code ${code}. Restart; if it happens again, look at the memory and the log before it.`));
        this.#worker = null;
        this.#rejectWaiting();
        resolve();
      });
    });
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'event':
        if (!this.#isEnded) this.#arrived.push(message.event);
        break;
      case 'end':
        this.#end(message.error === null ? null : errorFromWire(message.error, 'SOURCE_FAILED'));
        break;
      case 'reply': {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.error === null) waiting?.resolve(message.opened);
        else waiting?.reject(errorFromWire(message.error, 'UNEXPECTED'));
      }
    }
    this.#wake.ring();
  }

  /** The first end counts: a worker that fails also exits, and one that was closed exits too. */
  #end(failure: RentfoldError | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake.ring();
  }

  async #ask(request: WithoutId<Request>): Promise<OpenedLog | null> {
    const id = this.#requests++;
    return await new Promise<OpenedLog | null>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#worker === null) this.#rejectWaiting();
      else this.#post({ ...request, id });
    });
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #rejectWaiting(): void {
    const error = this.#failure ?? new RentfoldError('SOURCE_FAILED', 'The ingest worker has ended. Restart to read on.');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
