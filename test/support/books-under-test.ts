import type { TableName } from '../../src/change/change.ts';
import { parseDate } from '../../src/change/dates.ts';
import { createBooks } from '../../src/ledger/books.ts';
import type { Figures } from '../../src/ledger/figure.ts';
import type { Books, Definitions, FoldResult, PartitionOutcome, RowColumns } from '../../src/ledger/ledger.ts';
import { TestLog } from './batches.ts';
import type { TestPosition, TestRecord } from './batches.ts';

/** Books with a log, a clock set by hand, and short questions. */
export class BooksUnderTest {
  books: Books;
  now = 1_700_000_000_000;
  mayForgetDeletes = true;
  readonly definitions: Definitions;
  readonly #log = new TestLog();

  constructor(definitions: Partial<Definitions> = {}) {
    this.definitions = { fiscalYearStartMonth: 1, deletedKeysDays: 7, ...definitions };
    this.books = createBooks(this.definitions, { traceUpdates: true });
  }

  fold(...records: readonly TestRecord[]): FoldResult {
    return this.books.fold(this.#log.batch(...records), { now: this.now, mayForgetDeletes: this.mayForgetDeletes });
  }

  /** Folds records one batch each; answers what became of each. */
  outcomes(...records: readonly TestRecord[]): string[] {
    return records.map((record) => outcomeOf(this.fold(record).partitions[0]));
  }

  figures(propertyId: string, asOf: string, unitId: string | null = null): Figures {
    const answer = this.books.figures({ propertyId, unitId, asOf: parseDate(asOf)! });
    if (answer.kind !== 'figures') throw new Error(`${propertyId} is ${answer.kind}`);
    return answer.figures;
  }

  kind(propertyId: string, asOf = '2025-12-31', unitId: string | null = null): string {
    return this.books.figures({ propertyId, unitId, asOf: parseDate(asOf)! }).kind;
  }

  /** Total revenue of all rents of property `p`; 'unknown' when there is no row. */
  revenue(propertyId = 'p'): number | string {
    const kind = this.kind(propertyId, '2099-12-31');
    return kind === 'figures' ? this.figures(propertyId, '2099-12-31').cumulative.totalRevenue : kind;
  }

  /** Blocks of a cut, drawn and committed. */
  export(kind: 'delta' | 'full'): readonly RowColumns[] {
    const cut = this.books.beginCut(kind);
    const blocks: RowColumns[] = [];
    for (let block = cut.next(100); block !== null; block = cut.next(100)) blocks.push(block);
    cut.commit();
    return blocks;
  }

  /** Goes on with books loaded from blocks, marks and letters as they stand. */
  restart(blocks: readonly RowColumns[], definitions: Definitions = this.definitions): void {
    const cut = this.books.beginCut('delta');
    const loaded = createBooks(definitions, { traceUpdates: true });
    const loader = loaded.load();
    for (const block of blocks) loader.rows(block);
    loader.marks(cut.marks);
    loader.deadLetters(cut.deadLetters);
    loader.finish();
    cut.abort();
    this.books = loaded;
  }
}

function outcomeOf(counts: PartitionOutcome): string {
  const names = ['applied', 'unchanged', 'superseded', 'passedOver', 'deadLetters'] as const;
  return names.filter((name) => counts[name] > 0).join();
}

/** Rows of states in exported blocks: key texts are not needed, counts are. */
export function countStates(blocks: readonly RowColumns[], state: number): number {
  return blocks.reduce((sum, block) => sum + block.state.subarray(0, block.count).filter((each) => each === state).length, 0);
}

export interface Where {
  readonly partition?: number;
  readonly position?: TestPosition;
  readonly time?: number | undefined;
}

/** A rent of property `p` dated 2025-01-15 unless told otherwise. */
export function rent(key: string, amount: number, more: Where & Partial<Extract<TestRecord, { kind: 'upsert' }>> = {}): TestRecord {
  return { kind: 'upsert', table: 'rents', key, property: 'p', unit: null, date: '2025-01-15', amount, ...more };
}

/** An expense of property `p`, type tax, dated 2025-01-15 unless told otherwise. */
export function expense(key: string, amount: number, more: Where & Partial<Extract<TestRecord, { kind: 'upsert' }>> = {}): TestRecord {
  return { kind: 'upsert', table: 'expenses', key, property: 'p', unit: null, date: '2025-01-15', amount, type: 'tax', ...more };
}

export function property(key: string, cashInvested: number | null, downPayment: number | null = null, more: Where = {}): TestRecord {
  return { kind: 'upsert', table: 'properties', key, amount: cashInvested, amount2: downPayment, ...more };
}

export function remove(key: string, more: Where = {}, table: TableName = 'rents'): TestRecord {
  return { kind: 'delete', table, key, ...more };
}
