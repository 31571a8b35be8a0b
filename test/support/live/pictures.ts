import { createHash } from 'node:crypto';
import { createBooks } from '../../../src/ledger/books.ts';
import type { Books } from '../../../src/ledger/ledger.ts';
import { createSystemClock } from '../../../src/runtime/clock.ts';
import { openSnapshots } from '../../../src/snapshot/checkpointer.ts';
import { createWriterId } from '../../../src/snapshot/names.ts';
import type { Restored } from '../../../src/snapshot/restore.ts';
import { createInlineWork } from '../../../src/snapshot/work.ts';
import { createDecoder } from '../../../src/change/decode.ts';
import { createInlineIngest } from '../../../src/ingest/inline.ts';
import type { SchemaRegistry } from '../../../src/registry/registry.ts';
import { createKafkaSource } from '../../../src/source/kafka.ts';
import type { PartitionBounds } from '../../../src/source/positions.ts';
import type { RecordBatch, Source } from '../../../src/source/source.ts';
import { createState } from '../../../src/state.ts';
import { DECODE_OPTIONS } from '../library-run.ts';
import { openLocal, PREFIX } from '../snapshot-run.ts';

/** What must be the same whichever way books came about: their rows, a hash of them, and the totals over all accounts. How many deletes are remembered depends on the order in which partitions were read. */
export interface BooksPicture {
  readonly rows: readonly string[];
  readonly hash: string;
  readonly totals: unknown;
}

/** The newest generation in a store's folder, loaded. */
export async function restoredFrom(folder: string, fiscalMonth = 1): Promise<Restored> {
  const store = await openLocal(folder);
  const snapshots = openSnapshots({ store, prefix: PREFIX, clock: createSystemClock(), writer: createWriterId(), work: createInlineWork(store), notify: () => undefined });
  const restored = await snapshots.restore(() => createBooks({ fiscalYearStartMonth: fiscalMonth, deletedKeysDays: 7 }));
  if (restored.kind !== 'restored') throw new Error(`${folder} holds no checkpoint`);
  return restored;
}

/** The books of the newest generation in a store's folder. */
export async function pictureOfStore(folder: string, fiscalMonth: number): Promise<BooksPicture> {
  return pictureOf((await restoredFrom(folder, fiscalMonth)).books);
}

/** Operations (`c`, `u`, `d`, `t`, …) of a log in JSON, and `avro` when something in it was framed for a schema registry. */
type Operations = ReadonlySet<string>;

/** The books that a whole log gives, read by the Kafka source and folded in this thread, and the operations that were in it. `registries`: where its schemas are. */
export async function pictureOfLog(brokers: readonly string[], topics: string, fiscalMonth: number, registries: readonly SchemaRegistry[] = []): Promise<BooksPicture & { readonly operations: Operations }> {
  const operations = new Set<string>();
  const source = watched(createKafkaSource({ brokers, topics: [topics], group: 'rentfold-second-reader', tls: null, sasl: null }), operations);
  const ingest = createInlineIngest(source, createDecoder, registries);
  const state = createState(createBooks({ fiscalYearStartMonth: fiscalMonth, deletedKeysDays: 7 }), { positions: [], counters: [], seenTables: {}, newestChangeAt: null });
  const read = new AbortController();
  try {
    const opened = await ingest.open({ positions: [], seenTables: {}, decode: DECODE_OPTIONS, acceptIncompleteHistory: false, recordsMax: 250, creditsMax: 1 });
    const isRead = ({ topic, partition, end }: PartitionBounds): boolean => end <= (state.positions().find((one) => one.topic === topic && one.partition === partition)?.next ?? 0);
    for await (const event of ingest.events(read.signal)) {
      if (event.kind === 'stopped') throw new Error(event.stop.message);
      const stops = event.kind === 'changes' ? state.step(event.batch, { now: 1_800_000_000_000, mayForgetDeletes: false }).stops : [];
      if (stops.length > 0) throw new Error(stops.map((stop) => `${stop.code} ${stop.message}`).join('; '));
      if (opened.bounds.every(isRead)) break;
    }
  } finally {
    read.abort();
    await ingest.close();
  }
  return { ...pictureOf(state.books), operations };
}

/** The same source; operations that pass are noted. */
function watched(source: Source, operations: Set<string>): Source {
  const decoder = new TextDecoder();
  const note = ({ count, bytes, valueStart, valueEnd }: RecordBatch): void => {
    for (let i = 0; i < count; i++) {
      if (valueStart[i] >= 0) operations.add(bytes[valueStart[i]] === 0 ? 'avro' : /"op":"(.)"/.exec(decoder.decode(bytes.subarray(valueStart[i], valueEnd[i])))?.[1] ?? '');
    }
  };
  return {
    open: (options) => source.open(options),
    batches: async function* (signal) {
      for await (const event of source.batches(signal)) {
        if (event.kind === 'records') note(event.batch);
        yield event;
      }
    },
    commit: (positions) => source.commit(positions),
    close: () => source.close(),
  };
}

function pictureOf(books: Books): BooksPicture {
  const rows = [...books.canonicalRows()];
  const { rememberedDeletes: _, ...totals } = books.controlTotals();
  return { rows, hash: createHash('sha256').update(rows.join('\n')).digest('hex'), totals };
}
