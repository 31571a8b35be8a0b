import {
  ENTRY_DEAD_LETTER, ENTRY_DELETE, ENTRY_TRUNCATE, ENTRY_UPSERT, FLAG_ROW, HAS_ALL, NO_DAY, NO_STRING, POSITION_WORDS, TABLE_NAMES, TABLE_NONE, TABLE_PROPERTIES,
  type BatchLetter, type BatchPartition, type ChangeBatch, type TableName,
} from '../../src/change/change.ts';
import { encodeIdentifierText, ID_NONE } from '../../src/change/identifier.ts';
import { POSITION_POSTGRES } from '../../src/change/position.ts';

/** One change of a made-up log, in words. */
export type Change =
  | { readonly op: 'upsert'; readonly table: TableName; readonly key: string; readonly property?: string; readonly unit?: string | null; readonly day?: number; readonly amount?: number;
    readonly amount2?: number; readonly type?: string | null; readonly flag?: boolean }
  | { readonly op: 'delete'; readonly table: TableName; readonly key: string }
  | { readonly op: 'truncate'; readonly table: TableName }
  | { readonly op: 'letter'; readonly property: string; readonly key?: string };

/** Makes change batches as a decoder would, with positions that rise over all partitions, as one database's log does. */
export class ChangeWriter {
  readonly #topic: string;
  readonly #next: number[];
  #lsn: number;

  constructor(topic = 'db.public.rows', partitions = 2, from: { readonly next: readonly number[]; readonly lsn: number } | null = null) {
    this.#topic = topic;
    this.#next = from === null ? Array.from({ length: partitions }, () => 0) : [...from.next];
    this.#lsn = from?.lsn ?? 1000;
  }

  /** One batch; change `i` goes to the partition `partitionOf` says. */
  batch(changes: readonly Change[], partitionOf: (change: Change, i: number) => number = (_change, i) => i % this.#next.length): ChangeBatch {
    const n = changes.length;
    const strings: string[] = [];
    const intern = (text: string): number => (strings.includes(text) ? strings.indexOf(text) : strings.push(text) - 1);
    const batch = {
      partitionOf: new Uint16Array(n), offset: new Float64Array(n), kind: new Uint8Array(n), detail: new Uint8Array(n), table: new Uint8Array(n), flags: new Uint8Array(n),
      present: new Uint8Array(n).fill(HAS_ALL), keyKind: new Uint8Array(n), key: new Uint32Array(n * 4), propertyKind: new Uint8Array(n), property: new Uint32Array(n * 4),
      unitKind: new Uint8Array(n), unit: new Uint32Array(n * 4), day: new Int32Array(n).fill(NO_DAY), amount: new Float64Array(n).fill(NaN), amount2: new Float64Array(n).fill(NaN),
      expenseType: new Uint16Array(n).fill(NO_STRING), position: new Uint32Array(n * POSITION_WORDS), commitTime: new Float64Array(n),
    };
    const letters: BatchLetter[] = [];
    const last = new Map<number, number>();
    const id = (text: string | null | undefined, kinds: Uint8Array, words: Uint32Array, i: number): void => {
      kinds[i] = text === null || text === undefined ? ID_NONE : encodeIdentifierText(text, words, i * 4, intern);
    };
    changes.forEach((change, i) => {
      const partition = partitionOf(change, i);
      const offset = this.#next[partition]++;
      const lsn = (this.#lsn += 8);
      last.set(partition, offset);
      batch.partitionOf[i] = partition;
      batch.offset[i] = offset;
      batch.position.set([POSITION_POSTGRES, 0, lsn, 0, lsn], i * POSITION_WORDS);
      batch.commitTime[i] = 1_700_000_000_000 + lsn;
      batch.table[i] = change.op === 'letter' ? TABLE_NONE : TABLE_NAMES.indexOf(change.table);
      if (change.op === 'letter') {
        batch.kind[i] = ENTRY_DEAD_LETTER;
        letters.push({ entry: i, letter: {
          topic: this.#topic, partition, offset, time: 5, code: 'AMOUNT_INVALID', message: 'the amount is "x"', table: 'rents', key: change.key ?? null, property: change.property,
          keyBytes: null, valueBytes: Uint8Array.of(0, 255, 10, 34),
        } });
        return;
      }
      if (change.op === 'truncate') {
        batch.kind[i] = ENTRY_TRUNCATE;
        return;
      }
      batch.kind[i] = change.op === 'delete' ? ENTRY_DELETE : ENTRY_UPSERT;
      id(change.key, batch.keyKind, batch.key, i);
      if (change.op === 'delete') return;
      id(batch.table[i] === TABLE_PROPERTIES ? change.key : change.property ?? 'p1', batch.propertyKind, batch.property, i);
      id(change.unit, batch.unitKind, batch.unit, i);
      batch.day[i] = batch.table[i] === TABLE_PROPERTIES ? NO_DAY : change.day ?? 20_000;
      batch.amount[i] = change.amount ?? 10_000;
      if (change.amount2 !== undefined) batch.amount2[i] = change.amount2;
      if (change.type !== undefined && change.type !== null) batch.expenseType[i] = intern(change.type);
      if (change.flag === true) batch.flags[i] |= FLAG_ROW;
    });
    const partitions: BatchPartition[] = this.#next.map((next, partition) => ({
      topic: this.#topic, partition, next, token: null, lastOffset: last.get(partition) ?? null, lastTime: last.has(partition) ? 7 : null,
      lastHash: last.has(partition) ? '0123456789abcdef' : null, deleteKeyHash: null,
    }));
    return { records: n, count: n, partitions, ...batch, strings, letters, seenTables: null, stop: null };
  }
}
