import type { MessagePort, Transferable } from 'node:worker_threads';
import { Wake } from '../runtime/wake.ts';
import { errorToWire } from '../runtime/workers.ts';
import type { Ingest } from './ingest.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { prepareTransfer } from './transfer.ts';

/**
 * The worker's side of `createWorkerIngest`: runs an ingest behind a port. An event is read only when there is a credit for it, so at most as many as
 * the other side gave credits for are ever under way. After `close` the port is closed, and with it the worker ends.
 */
export function hostIngest(port: MessagePort, ingest: Ingest): void {
  const host = new IngestHost(port, ingest);
  port.on('message', (message: ToWorker) => void host.receive(message));
}

class IngestHost {
  readonly #port: MessagePort;
  readonly #ingest: Ingest;
  readonly #abort = new AbortController();
  readonly #wake = new Wake();
  #credits = 0;
  #stream: Promise<void> | null = null;

  constructor(port: MessagePort, ingest: Ingest) {
    this.#port = port;
    this.#ingest = ingest;
  }

  async receive(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case 'credit':
        this.#credits += message.count;
        this.#wake.ring();
        this.#stream ??= this.#run();
        return;
      case 'open': return await this.#answer(message.id, async () => await this.#ingest.open(message.options));
      case 'commit': return await this.#answer(message.id, async () => await this.#ingest.commit(message.positions));
      case 'close':
        this.#abort.abort();
        this.#wake.ring();
        await this.#answer(message.id, async () => {
          await this.#stream;
          await this.#ingest.close();
        });
        this.#port.close();
    }
  }

  async #answer(id: number, act: () => Promise<Extract<FromWorker, { kind: 'reply' }>['opened'] | void>): Promise<void> {
    try {
      this.#send({ kind: 'reply', id, opened: (await act()) ?? null, error: null });
    } catch (error) {
      this.#send({ kind: 'reply', id, opened: null, error: errorToWire(error) });
    }
  }

  async #run(): Promise<void> {
    try {
      const events = this.#ingest.events(this.#abort.signal)[Symbol.asyncIterator]();
      for (;;) {
        while (this.#credits === 0 && !this.#abort.signal.aborted) await this.#wake.wait();
        if (this.#abort.signal.aborted) break;
        this.#credits--;
        const next = await events.next();
        if (next.done === true) break;
        if (next.value.kind === 'changes') {
          const { batch, buffers } = prepareTransfer(next.value.batch);
          this.#send({ kind: 'event', event: { kind: 'changes', batch } }, buffers);
        } else this.#send({ kind: 'event', event: next.value });
      }
      await events.return?.();
      this.#send({ kind: 'end', error: null });
    } catch (error) {
      this.#send({ kind: 'end', error: errorToWire(error) });
    }
  }

  #send(message: FromWorker, moved: readonly Transferable[] = []): void {
    this.#port.postMessage(message, moved);
  }
}
