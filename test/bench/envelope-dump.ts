import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { changeEvent, TABLES } from './change-events.ts';

const PARTITIONS = 4;

/** Dumps of Debezium envelopes with random changes of rows; each `write` goes on where the one before ended. */
export class EnvelopeDump {
  readonly #rows: number;
  readonly #offsets = new Map<string, number>();
  #next = 0;

  /** As many rows as half the events: each is changed twice on average. */
  constructor(events: number) {
    this.#rows = Math.max(1, events >> 1);
  }

  /** Appends so many events to a file of each table; answers the bytes written. */
  async write(events: number, path: (table: string) => string): Promise<number> {
    const files = new Map(TABLES.map((table) => [table, createWriteStream(path(table), { flags: 'a', highWaterMark: 1 << 22 })]));
    const end = this.#next + events;
    for (; this.#next < end; this.#next++) {
      const { table, partition, time, key, value } = changeEvent(this.#next, this.#rows, PARTITIONS);
      const name = `${table}/${partition}`;
      const offset = this.#offsets.get(name) ?? 0;
      this.#offsets.set(name, offset + 1);
      const line = JSON.stringify({ topic: `pg.public.${table}`, partition, offset, tstype: 'create', ts: time, broker: 1, key, payload: value });
      const file = files.get(table)!;
      if (!file.write(`${line}\n`)) await once(file, 'drain');
    }
    let bytes = 0;
    for (const file of files.values()) {
      file.end();
      await once(file, 'close');
      bytes += file.bytesWritten;
    }
    return bytes;
  }
}
