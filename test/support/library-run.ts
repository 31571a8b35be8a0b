import { createDecoder } from '../../src/change/decode.ts';
import { COLUMNS } from '../../src/change/decoder.ts';
import type { Decoder, DecodeOptions } from '../../src/change/decoder.ts';
import { createBooks } from '../../src/ledger/books.ts';
import type { OpenDeadLetter, RowColumns, TruncateMark } from '../../src/ledger/ledger.ts';
import type { RecordBatch } from '../../src/source/source.ts';
import { createState } from '../../src/state.ts';
import type { State, StateSeed, StepResult } from '../../src/state.ts';
import type { LogRecord } from './history-log.ts';
import type { Random } from './history-random.ts';

/** The library's pieces in one thread: decoder, books and state, fed with records in the order given. */

/** Column names as they are in the seed's schema, decimals as text, no epochs. */
export const DECODE_OPTIONS: DecodeOptions = {
  timeZone: 'UTC',
  decimals: { kind: 'text' },
  tables: { expenses: [], rents: [], properties: [] },
  columns: {
    expenses: Object.fromEntries(COLUMNS.expenses.map((name) => [name, name])),
    rents: Object.fromEntries(COLUMNS.rents.map((name) => [name, name])),
    properties: Object.fromEntries(COLUMNS.properties.map((name) => [name, name])),
  },
  epochs: [],
};

export interface RunOptions {
  readonly decode: DecodeOptions;
  readonly fiscalYearStartMonth: number;
  /** Gives the size of each next batch. */
  readonly batchSize: () => number;
  /** When given, checkpoints are taken on the way, and everything since the last one is lost now and then. */
  readonly crashes?: Random;
}

/** What a checkpoint keeps, in memory instead of files: blocks of the base and all deltas, and how far the log was read. */
interface Checkpoint {
  readonly blocks: readonly RowColumns[];
  readonly marks: readonly TruncateMark[];
  readonly deadLetters: readonly OpenDeadLetter[];
  readonly seed: StateSeed;
  /** Index of the next record. */
  readonly next: number;
}

const NOTHING: Checkpoint = {
  blocks: [], marks: [], deadLetters: [], seed: { positions: [], counters: [], seenTables: {}, newestChangeAt: null }, next: 0,
};

/** Decodes and folds all records. Fails on a stop. */
export function runLibrary(records: readonly LogRecord[], options: RunOptions): State {
  let checkpoint = NOTHING;
  let run = new LibraryRun(options);
  for (let at = 0; at < records.length;) {
    const size = Math.max(1, options.batchSize());
    run.read(records.slice(at, at + size));
    at = Math.min(at + size, records.length);
    if (options.crashes?.chance(0.2)) checkpoint = save(run.state, checkpoint, at);
    if (options.crashes?.chance(0.1)) {
      run = new LibraryRun(options, checkpoint);
      at = checkpoint.next;
    }
  }
  return run.state;
}

/** Books, state and decoder as a process makes them at its start. */
export class LibraryRun {
  readonly state: State;
  readonly #decoder: Decoder;

  constructor(options: Pick<RunOptions, 'decode' | 'fiscalYearStartMonth'>, checkpoint: Checkpoint = NOTHING) {
    const { blocks, marks, deadLetters, seed } = checkpoint;
    const books = createBooks({ fiscalYearStartMonth: options.fiscalYearStartMonth, deletedKeysDays: 7 });
    if (checkpoint !== NOTHING) {
      const loader = books.load();
      for (const block of blocks) loader.rows(block);
      loader.marks(marks);
      loader.deadLetters(deadLetters);
      loader.finish();
    }
    this.state = createState(books, seed);
    this.#decoder = createDecoder(options.decode, { positions: seed.positions, seenTables: seed.seenTables, pieces: this.state.pieces(), wholeEvents: this.state.wholeEvents });
  }

  /** Decodes and folds one batch. Fails on a stop. */
  read(records: readonly LogRecord[]): StepResult {
    const result = this.state.step(this.#decoder.decode(recordBatch(records)), { now: 1_800_000_000_000, mayForgetDeletes: false });
    if (result.stops.length > 0) throw new Error(`stopped: ${result.stops.map((stop) => `${stop.code} ${stop.message}`).join('; ')}`);
    return result;
  }
}

function save(state: State, before: Checkpoint, next: number): Checkpoint {
  const cut = state.books.beginCut('delta');
  const blocks = [...before.blocks];
  for (let block = cut.next(5); block !== null; block = cut.next(5)) blocks.push(block);
  const { marks, deadLetters } = cut;
  cut.commit();
  const { seenTables, newestChangeAt, wholeEvents } = state;
  return { blocks, marks, deadLetters, seed: { positions: state.positions(), counters: state.counters(), seenTables, newestChangeAt, wholeEvents }, next };
}

/** Sizes of batches as a reader meets them: mostly small, sometimes all at once. */
export function batchSizes(random: Random): () => number {
  return () => random.pick([1, 1, 2, 3, 7, 20, 1_000]);
}

/** Records as a source hands them over. */
export function recordBatch(records: readonly LogRecord[]): RecordBatch {
  const names = [...new Set(records.map(({ topic, partition }) => `${topic}\n${partition}`))];
  const chunks: Buffer[] = [];
  let length = 0;
  const put = (text: string | null): readonly [number, number] => {
    if (text === null) return [-1, -1];
    const bytes = Buffer.from(text);
    chunks.push(bytes);
    length += bytes.length;
    return [length - bytes.length, length];
  };
  const keys = records.map((record) => [put(record.key), put(record.value)] as const);
  const partitions = names.map((name) => {
    const [topic, partition] = name.split('\n');
    const last = records.findLast((record) => record.topic === topic && record.partition === Number(partition));
    return { topic, partition: Number(partition), next: (last?.offset ?? -1) + 1, token: null };
  });
  return {
    count: records.length,
    partitions,
    partitionOf: Uint16Array.from(records, ({ topic, partition }) => names.indexOf(`${topic}\n${partition}`)),
    offset: Float64Array.from(records, ({ offset }) => offset),
    time: Float64Array.from(records, ({ time }) => time),
    bytes: new Uint8Array(Buffer.concat(chunks)),
    keyStart: Int32Array.from(keys, ([[start]]) => start),
    keyEnd: Int32Array.from(keys, ([[, end]]) => end),
    valueStart: Int32Array.from(keys, ([, [start]]) => start),
    valueEnd: Int32Array.from(keys, ([, [, end]]) => end),
  };
}
