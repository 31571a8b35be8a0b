import { RentfoldError } from '../errors.ts';
import type { AccountsCut, FigureColumns } from '../ledger/figure-columns.ts';
import type { Books } from '../ledger/ledger.ts';
import { messageOf } from '../runtime/message-of.ts';
import type { CheckpointRequest, ParquetOutcome, ParquetRequest, SnapshotOptions, Step } from './checkpointer.ts';
import type { Manifest } from './manifest.ts';
import type { Names } from './names.ts';
import type { ParquetLabels } from './parquet-labels.ts';
import type { Prepared } from './parquet-present.ts';

/** What writing the parquet file needs to know besides what is asked for. */
export interface PublishParts {
  readonly options: SnapshotOptions;
  readonly names: Names;
  /** True while the lease is ours. */
  readonly mayPublish: () => boolean;
  readonly step: (step: Step) => Promise<void>;
}

/** Where the figures to be written stand, as far as known before they are cut. */
export interface PublishPlace {
  readonly lineage: string | null;
  /** The generation they will belong to. */
  readonly generation: number;
  /** Generation of a file that need not be written again; null: every file has to. */
  readonly current: number | null;
}

type Failed = Extract<ParquetOutcome, { kind: 'failed' }>;

/**
 * One writing of the parquet file, in three stages: `prepare` looks at what is there, `take` cuts the accounts at the moment a generation is cut (or,
 * when nothing has changed since the newest, at any), `publish` writes them once that generation is durable. What fails is an outcome, never an error:
 * a checkpoint does not depend on it.
 *
 * The file is written before the next checkpoint may begin. Beside it, two jobs would share the snapshot worker and its memory, and a file could land
 * after a later generation; in order, a checkpoint comes at most the few seconds later that a million accounts take. Folding and reading never wait:
 * what is about to change is drawn ahead.
 */
export class ParquetPublication {
  readonly #parts: PublishParts;
  readonly #request: CheckpointRequest;
  readonly #wanted: ParquetRequest;
  readonly #prepared: Prepared | Failed;
  #cut: AccountsCut | null = null;
  /** Why there is no cut. */
  #notCut: Failed | null = null;
  #cutAt = 0;

  private constructor(parts: PublishParts, request: CheckpointRequest, wanted: ParquetRequest, prepared: Prepared | Failed) {
    this.#parts = parts;
    this.#request = request;
    this.#wanted = wanted;
    this.#prepared = prepared;
  }

  static async prepare(parts: PublishParts, request: CheckpointRequest, wanted: ParquetRequest, place: PublishPlace): Promise<ParquetPublication> {
    const { options: { work, clock }, names } = parts;
    const form = { asOf: wanted.asOf, money: wanted.money, fiscalYearStartMonth: request.definitions.fiscalYearStartMonth, timeZone: request.decoding.timeZone };
    const prepared = await unlessGivenUp(() => work.prepareParquet({
      name: names.parquet, legacy: names.legacy, marker: names.parquetWritten, lineage: place.lineage, generation: place.generation, now: clock.now(), overwrite: wanted.overwrite,
      current: place.current === null ? null : { generation: place.current, form }, isEmpty: request.state.books.counts().accounts === 0,
    }), wanted.giveUp).catch((error: unknown) => failed(error));
    await parts.step('parquet-prepared');
    return new ParquetPublication(parts, request, wanted, prepared);
  }

  /** Cuts the accounts, if they are to be written. Synchronous: called in the stretch in which positions are taken. Never throws. */
  take(books: Books): void {
    if (this.#prepared.kind !== 'write' || this.#cut !== null) return;
    this.#cutAt = this.#parts.options.clock.now();
    try {
      this.#cut = books.beginAccountsCut(this.#wanted.asOf);
    } catch (error) {
      this.#notCut = failed(error);
    }
  }

  /** What became of the file, when that is certain before anything is written; null: it is to be written. */
  get settled(): ParquetOutcome | null {
    const prepared = this.#prepared;
    if (prepared.kind === 'write') return null;
    if (prepared.kind !== 'current') return prepared;
    const { generation, asOf, cutAt, accounts } = prepared.present;
    return { kind: 'current', generation, asOf, at: cutAt, accounts };
  }

  /** Writes what was taken as the figures of a durable generation. */
  async publish(manifest: Manifest): Promise<ParquetOutcome> {
    const prepared = this.#prepared;
    if (prepared.kind !== 'write') return this.settled!;
    const cut = this.#cut;
    if (cut === null) return this.#notCut ?? failed(new RentfoldError('UNEXPECTED', 'no figures were cut for the parquet file'));
    const outcome = await unlessGivenUp(() => this.#write(manifest, cut, prepared), this.#wanted.giveUp).catch((error: unknown) => failed(error));
    if (outcome.kind === 'written') await this.#parts.step('parquet-written');
    return outcome;
  }

  /** Ends the cut, whatever became of it. */
  end(): void {
    this.#cut?.end();
    this.#cut = null;
  }

  async #write(manifest: Manifest, cut: AccountsCut, { tag, copiedTo }: Extract<Prepared, { kind: 'write' }>): Promise<ParquetOutcome> {
    const { options: { work, clock }, names } = this.#parts;
    const begunMs = clock.monotonicMs();
    const written = await work.writeParquet({ name: names.parquet, marker: names.parquetWritten, tag, money: this.#wanted.money, labels: this.#labels(manifest, cut) }, this.#blocks(cut));
    if (written.kind === 'raced') return failed(new RentfoldError('STORE_UNAVAILABLE', `${names.parquet} was written by somebody else since it was looked at`));
    return {
      kind: 'written', generation: manifest.generation, asOf: cut.asOf, at: this.#cutAt, accounts: cut.accounts, bytes: written.bytes, outOfRange: written.outOfRange, copiedTo,
      ms: clock.monotonicMs() - begunMs,
    };
  }

  /** All blocks, with a turn of the event loop after each slice; when the lease is gone at their end, an error instead of it, so that nothing is put in place. */
  async *#blocks(cut: AccountsCut): AsyncGenerator<FigureColumns> {
    for (let isMore = true; isMore;) {
      isMore = cut.draw();
      for (let block = cut.take(); block !== null; block = cut.take()) yield block;
      await new Promise<void>((resolve) => { setImmediate(resolve); });
    }
    await this.#parts.step('parquet-drawn');
    if (!this.#parts.mayPublish()) throw new RentfoldError('STORE_UNAVAILABLE', 'the lease has run out while the parquet file was written');
  }

  #labels(manifest: Manifest, cut: AccountsCut): ParquetLabels {
    const { decoding, definitions, incompleteHistory } = this.#request;
    return {
      lineage: manifest.lineage, generation: manifest.generation, writer: this.#parts.options.writer, positions: manifest.positions, asOf: cut.asOf,
      fiscalYearStartMonth: definitions.fiscalYearStartMonth, timeZone: decoding.timeZone, cutAt: this.#cutAt, accounts: cut.accounts, properties: cut.properties,
      incompleteProperties: cut.incompleteProperties, controlTotals: cut.controlTotals, completeHistory: incompleteHistory.length === 0,
    };
  }
}

/** What the work answers; throws once the signal aborts. What is under way then is not waited for: it ends with the worker, before the lease is given back. */
async function unlessGivenUp<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work();
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new RentfoldError('STORE_UNAVAILABLE', 'the process is ending and the file takes too long (RENTFOLD_SHUTDOWN_SECONDS); the next start writes it'));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race(signal.aborted ? [promise] : [promise, work()]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function failed(error: unknown): Failed {
  const known = error instanceof RentfoldError ? error : new RentfoldError('UNEXPECTED', messageOf(error), { cause: error });
  return { kind: 'failed', error: known };
}
