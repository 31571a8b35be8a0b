import { createHash } from 'node:crypto';
import { createBooks } from '../../../src/ledger/books.ts';
import type { Books } from '../../../src/ledger/ledger.ts';
import { createSystemClock } from '../../../src/runtime/clock.ts';
import { openSnapshots } from '../../../src/snapshot/checkpointer.ts';
import { createWriterId } from '../../../src/snapshot/names.ts';
import type { Restored } from '../../../src/snapshot/restore.ts';
import { createInlineWork } from '../../../src/snapshot/work.ts';
import { createKafkaSource } from '../../../src/source/kafka.ts';
import { DECODE_OPTIONS, LibraryRun } from '../library-run.ts';
import { SourceReader } from '../read-source.ts';
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

/** The books that a whole log gives, read by the Kafka source and folded in this thread, and the operations (`c`, `u`, `d`, `t`, …) that were in it. */
export async function pictureOfLog(brokers: readonly string[], topics: string, fiscalMonth: number): Promise<BooksPicture & { readonly operations: ReadonlySet<string> }> {
  const source = createKafkaSource({ brokers, topics: [topics], group: 'rentfold-second-reader', tls: null, sasl: null });
  const reader = new SourceReader(source);
  try {
    await reader.open();
    await reader.untilEndAtStart();
  } finally {
    await reader.close();
  }
  if (reader.stops.length > 0) throw new Error(reader.stops.map((stop) => stop.message).join('; '));
  const run = new LibraryRun({ decode: DECODE_OPTIONS, fiscalYearStartMonth: fiscalMonth });
  const records = reader.records.map((record) => ({ ...record, time: record.time ?? Number.NaN }));
  for (let at = 0; at < records.length; at += 250) run.read(records.slice(at, at + 250));
  return { ...pictureOf(run.state.books), operations: new Set(records.map(({ value }) => /"op":"(.)"/.exec(value ?? '')?.[1] ?? '')) };
}

function pictureOf(books: Books): BooksPicture {
  const rows = [...books.canonicalRows()];
  const { rememberedDeletes: _, ...totals } = books.controlTotals();
  return { rows, hash: createHash('sha256').update(rows.join('\n')).digest('hex'), totals };
}
