import type { ChangeBatch } from '../../src/change/change.ts';
import type { Ingest, IngestEvent, IngestOptions } from '../../src/ingest/ingest.ts';
import type { PartitionPosition } from '../../src/source/positions.ts';
import type { OpenedLog } from '../../src/source/source.ts';

const NOTHING_THERE: OpenedLog = { bounds: [], gaps: [], notes: [], identity: 'scripted' };

/** An ingest that hands over what a test gives it, when the test gives it. After an abort it still hands over what is there, as one with a worker does. */
export class ScriptedIngest implements Ingest {
  readonly #waiting: IngestEvent[] = [];
  /** What `open` answers or throws. */
  opening: () => Promise<OpenedLog> = () => Promise.resolve(NOTHING_THERE);
  /** Thrown by `commit`. */
  commitError: Error | null = null;
  /** Every commit waits for this. */
  committing: Promise<void> = Promise.resolve();
  readonly committed: (readonly PartitionPosition[])[] = [];
  readonly openedWith: IngestOptions[] = [];
  /** Events taken by the reader. */
  taken = 0;
  isClosed = false;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  open(options: IngestOptions): Promise<OpenedLog> {
    this.openedWith.push(options);
    return this.opening();
  }

  give(...events: readonly (ChangeBatch | IngestEvent)[]): void {
    this.#waiting.push(...events.map((event) => ('kind' in event && typeof event.kind === 'string' ? event as IngestEvent : { kind: 'changes' as const, batch: event as ChangeBatch })));
    this.#wake();
  }

  /** Reading fails once what is waiting was taken. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async *events(signal: AbortSignal): AsyncGenerator<IngestEvent> {
    signal.addEventListener('abort', () => this.#wake());
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        this.taken++;
        yield event;
      } else if (signal.aborted) return;
      else if (this.#failure !== null) throw this.#failure;
      else await new Promise<void>((resolve) => { this.#wake = resolve; });
    }
  }

  commit(positions: readonly PartitionPosition[]): Promise<void> {
    if (this.commitError !== null) return Promise.reject(this.commitError);
    this.committed.push(positions);
    return this.committing;
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.#wake();
    return Promise.resolve();
  }
}
