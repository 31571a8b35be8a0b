import type { HubEvent } from './event-hubs-message.ts';
import type { TopicPartition } from './positions.ts';
import type { RecordBatch, RecordPartition } from './source.ts';

/** A batch ends when its bytes reach this, or holds one event that is larger. */
const POOL_BYTES = 1024 * 1024;
/** `partitionOf` and content types have 16 bits. */
const NUMBERS_MAX = 65_535;
/** Content types are kept from batch to batch up to so many: there is one for each schema. */
const TYPES_KEPT_MAX = 1_000;

/** Gathers events into a `RecordBatch`. One set of arrays serves all batches, so a batch is valid until `clear`. */
export class HubBatchBuilder {
  count = 0;
  readonly recordsMax: number;
  readonly #partitionOf: Uint16Array;
  readonly #offset: Float64Array;
  readonly #time: Float64Array;
  readonly #keyStart: Int32Array;
  readonly #keyEnd: Int32Array;
  readonly #valueStart: Int32Array;
  readonly #valueEnd: Int32Array;
  readonly #typeOf: Uint16Array;
  #bytes = new Uint8Array(POOL_BYTES);
  #used = 0;
  #partitions: RecordPartition[] = [];
  readonly #typeNames = [''];
  readonly #types = new Map([['', 0]]);
  #hasType = false;

  constructor(recordsMax: number) {
    this.recordsMax = recordsMax;
    this.#partitionOf = new Uint16Array(recordsMax);
    this.#offset = new Float64Array(recordsMax);
    this.#time = new Float64Array(recordsMax);
    this.#keyStart = new Int32Array(recordsMax);
    this.#keyEnd = new Int32Array(recordsMax);
    this.#valueStart = new Int32Array(recordsMax);
    this.#valueEnd = new Int32Array(recordsMax);
    this.#typeOf = new Uint16Array(recordsMax);
  }

  get isBegun(): boolean {
    return this.#partitions.length > 0;
  }

  /** True when an event of another partition still fits. */
  hasRoom(): boolean {
    return this.count < this.recordsMax && this.#used < POOL_BYTES && this.#partitions.length < NUMBERS_MAX;
  }

  /** True when this event fits. */
  fits({ key, value }: HubEvent): boolean {
    const length = (key?.length ?? 0) + (value?.length ?? 0);
    return this.count < this.recordsMax && (this.count === 0 || this.#used + length <= POOL_BYTES);
  }

  /** Adds events of one partition, which has not been added to this batch before: as many from the front of the queue as fit. Answers how many. */
  add(place: TopicPartition, queue: readonly HubEvent[]): number {
    const slot = this.#partitions.length;
    let taken = 0;
    let event = queue[0];
    for (; taken < queue.length && this.fits(queue[taken]); taken++) {
      event = queue[taken];
      const i = this.count++;
      this.#partitionOf[i] = slot;
      this.#offset[i] = event.sequence;
      this.#time[i] = event.time;
      this.#keyStart[i] = event.key === null ? -1 : this.#used;
      this.#keyEnd[i] = this.#copy(event.key);
      this.#valueStart[i] = event.value === null ? -1 : this.#used;
      this.#valueEnd[i] = this.#copy(event.value);
      this.#typeOf[i] = this.#typeNumber(event.contentType);
    }
    if (taken > 0) this.#partitions.push({ topic: place.topic, partition: place.partition, next: event.sequence + 1, token: event.offset });
    return taken;
  }

  /** Notes a position that moved without an event. */
  move({ topic, partition }: TopicPartition, next: number): void {
    this.#partitions.push({ topic, partition, next, token: null });
  }

  batch(): RecordBatch {
    return {
      count: this.count, partitions: this.#partitions, partitionOf: this.#partitionOf, offset: this.#offset, time: this.#time, bytes: this.#bytes,
      keyStart: this.#keyStart, keyEnd: this.#keyEnd, valueStart: this.#valueStart, valueEnd: this.#valueEnd,
      ...(this.#hasType ? { contentTypes: { names: this.#typeNames, of: this.#typeOf } } : {}),
    };
  }

  clear(): void {
    this.count = 0;
    this.#used = 0;
    this.#partitions = [];
    this.#hasType = false;
    if (this.#bytes.length > POOL_BYTES) this.#bytes = new Uint8Array(POOL_BYTES);
    if (this.#typeNames.length > TYPES_KEPT_MAX) this.#forgetTypes();
  }

  /** Where the bytes end. */
  #copy(bytes: Uint8Array | null): number {
    if (bytes === null) return this.#used;
    const end = this.#used + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(end);
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#used);
    this.#used = end;
    return end;
  }

  #typeNumber(name: string): number {
    const known = this.#types.get(name);
    if (known !== undefined) {
      if (known !== 0) this.#hasType = true;
      return known;
    }
    this.#hasType = true;
    const number = this.#typeNames.push(name) - 1;
    this.#types.set(name, number);
    return number;
  }

  #forgetTypes(): void {
    this.#typeNames.length = 1;
    this.#types.clear();
    this.#types.set('', 0);
  }
}
