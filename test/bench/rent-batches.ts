import {
  ENTRY_UPSERT, HAS_ALL, NO_STRING, POSITION_WORDS, TABLE_RENTS, type ChangeBatch,
} from '../../src/change/change.ts';
import { ID_NONE, ID_UUID } from '../../src/change/identifier.ts';
import { POSITION_POSTGRES } from '../../src/change/position.ts';

const FIRST_DAY = 20_089;
const DAYS = 500;

/** Text of the property with a number, as the batches' words mean it. */
export function propertyText(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** Makes batches of changed rents: random ones of `rows` rents over `properties`, each with a new amount and a later position. */
export class RentBatches {
  readonly #rows: number;
  readonly #properties: number;
  readonly #records: number;
  readonly #batches: ChangeBatch[];
  #made = 0;
  #offset = 0;

  constructor(options: { readonly rows: number; readonly properties: number; readonly records: number; readonly batches: number }) {
    this.#rows = options.rows;
    this.#properties = options.properties;
    this.#records = options.records;
    this.#batches = Array.from({ length: options.batches }, () => emptyBatch(options.records));
  }

  /** The batch that holds rows `first`, `first + 1`, …: to fill the books. */
  fill(first: number): ChangeBatch {
    return this.#next((index) => (first + index) % this.#rows);
  }

  /** A batch of random rows. */
  random(): ChangeBatch {
    return this.#next(() => Math.floor(Math.random() * this.#rows));
  }

  #next(rowOf: (index: number) => number): ChangeBatch {
    const batch = this.#batches[this.#made++ % this.#batches.length];
    for (let i = 0; i < this.#records; i++) {
      const row = rowOf(i);
      const offset = this.#offset++;
      batch.offset[i] = offset;
      batch.key[i * 4 + 3] = row;
      batch.property[i * 4 + 3] = row % this.#properties;
      batch.day[i] = FIRST_DAY + (row % DAYS);
      batch.amount[i] = 10_000_000 + (offset % 9_999_999);
      batch.position[i * POSITION_WORDS + 2] = offset;
      batch.position[i * POSITION_WORDS + 4] = offset;
      batch.commitTime[i] = 1_780_000_000_000 + offset;
    }
    const partition = { ...batch.partitions[0], next: this.#offset, lastOffset: this.#offset - 1 };
    return { ...batch, partitions: [partition] };
  }
}

function emptyBatch(records: number): ChangeBatch {
  const key = new Uint32Array(records * 4);
  const property = new Uint32Array(records * 4);
  const position = new Uint32Array(records * POSITION_WORDS);
  for (let i = 0; i < records; i++) {
    key.set([1, 0x4000, 0x80000000, 0], i * 4);
    property.set([0, 0x4000, 0x80000000, 0], i * 4);
    position[i * POSITION_WORDS] = POSITION_POSTGRES;
  }
  return {
    records, count: records,
    partitions: [{ topic: 'rents', partition: 0, next: 0, token: null, lastOffset: null, lastTime: null, lastHash: null, deleteKeyHash: null }],
    partitionOf: new Uint16Array(records),
    offset: new Float64Array(records),
    kind: new Uint8Array(records).fill(ENTRY_UPSERT),
    detail: new Uint8Array(records),
    table: new Uint8Array(records).fill(TABLE_RENTS),
    flags: new Uint8Array(records),
    present: new Uint8Array(records).fill(HAS_ALL),
    keyKind: new Uint8Array(records).fill(ID_UUID),
    key,
    propertyKind: new Uint8Array(records).fill(ID_UUID),
    property,
    unitKind: new Uint8Array(records).fill(ID_NONE),
    unit: new Uint32Array(records * 4),
    day: new Int32Array(records),
    amount: new Float64Array(records),
    amount2: new Float64Array(records),
    expenseType: new Uint16Array(records).fill(NO_STRING),
    position,
    commitTime: new Float64Array(records),
    strings: [], letters: [], seenTables: null, stop: null,
  };
}
