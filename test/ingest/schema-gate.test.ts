/**
 * Goal: a registry that is away makes no dead letter and stops nobody who does not need it; records keep their order, none is lost or doubled, and what waits is bounded. What a registry does not know is a dead letter,
 * and is asked for again later.
 * Method: the ingest in this thread over a source whose batches a test writes, the real decoder, and the real client before a server on loopback; sleeps are shortened, the clock is moved by hand.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeBatch } from '../../src/change/change.ts';
import { createDecoder } from '../../src/change/decode.ts';
import type { IngestEvent } from '../../src/ingest/ingest.ts';
import { createInlineIngest, type DecoderFactory } from '../../src/ingest/inline.ts';
import { createConfluentRegistry } from '../../src/registry/confluent-registry.ts';
import { RegistryTrouble, type SchemaRegistry } from '../../src/registry/registry.ts';
import { createSystemClock, type Clock } from '../../src/runtime/clock.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { Source, SourceEvent } from '../../src/source/source.ts';
import { framed, writeAvro } from '../support/avro-events.ts';
import { faultFired } from '../support/faults/fired.ts';
import { batchOf, optionsOf } from '../change/records.ts';
import type { TestRecord } from '../change/records.ts';
import { ScriptedHttp, answering } from '../support/scripted-http.ts';
import { until } from '../support/until.ts';

const system = createSystemClock();
const ROW = { type: 'record', name: 'R', fields: [{ name: 'id', type: 'long' }, { name: 'property_id', type: 'string' }, { name: 'unit_id', type: ['null', 'string'] }, { name: 'payment_date', type: 'int' }, { name: 'amount', type: 'string' }, { name: 'is_non_irs_revenue', type: 'boolean' }] } as const;
const TOPIC = 'pg.public.rents';

/** A source that hands over what it is given, and waits in between; its memory is overwritten when the next is asked for. */
class GivenSource implements Source {
  asked = 0;
  readonly #events: (SourceEvent | null)[] = [];
  readonly #wake = new Wake();

  give(...events: (SourceEvent | null)[]): void {
    this.#events.push(...events);
    this.#wake.ring();
  }

  open(): Promise<{ bounds: []; gaps: []; notes: []; identity: string }> {
    return Promise.resolve({ bounds: [], gaps: [], notes: [], identity: 'given' });
  }

  async *batches(signal: AbortSignal): AsyncGenerator<SourceEvent, void, void> {
    signal.addEventListener('abort', () => this.#wake.ring());
    for (;;) {
      this.asked++;
      while (this.#events.length === 0 && !signal.aborted) await this.#wake.wait();
      const event = this.#events.shift() ?? null;
      if (event === null) return;
      yield event;
      if (event.kind === 'records') event.batch.bytes.fill(0xee);
    }
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A rent in Avro of a schema, or in JSON when that is 0. */
function record(partition: number, offset: number, schema: number, note = ''): TestRecord {
  const row = { id: offset, property_id: `p${partition}${note}`, unit_id: null, payment_date: 20_484, amount: '1', is_non_irs_revenue: false };
  return { topic: TOPIC, partition, offset, key: null, value: schema === 0 ? { ...row } : framed(schema, writeAvro(ROW as never, { ...row, id: BigInt(offset) })) };
}

const records = (...list: TestRecord[]): SourceEvent => ({ kind: 'records', batch: batchOf(list) });
const decoded = (partition: number, offset: number): string => `${partition}/${offset}`;

describe('records that need a schema', () => {
  let server: ScriptedHttp;
  let source: GivenSource;
  let events: IngestEvent[];
  let stop: AbortController;
  let reading: Promise<void>;
  let movedMs: number;
  let away: Set<number>;
  /** Records looked at for the schemas that they need. */
  let looked: number;

  beforeEach(async () => {
    away = new Set();
    server = await ScriptedHttp.start((request, response) => {
      const id = Number(request.url!.split('/').at(-1));
      if (away.has(id) || away.has(0)) return void answering(503, '')(request, response);
      answering(id >= 900 ? 404 : 200, id >= 900 ? { error_code: 40403 } : { schema: JSON.stringify(ROW) })(request, response);
    });
    source = new GivenSource();
    movedMs = 0;
    looked = 0;
    const makeDecoder: DecoderFactory = (options, memory) => {
      const decoder = createDecoder(options, memory);
      const { missing } = decoder.schemas;
      decoder.schemas.missing = (batch) => {
        looked += batch.count;
        return missing.call(decoder.schemas, batch);
      };
      return decoder;
    };
    const clock: Clock = { now: () => system.now(), monotonicMs: () => system.monotonicMs() + movedMs, sleep: (ms, signal) => system.sleep(Math.min(ms, 20), signal) };
    const ingest = createInlineIngest(source, makeDecoder, [createConfluentRegistry({ url: server.url, login: null })], clock);
    events = [];
    stop = new AbortController();
    await ingest.open({ positions: [], seenTables: {}, decode: optionsOf(), acceptIncompleteHistory: false, recordsMax: 100, creditsMax: 1 });
    reading = (async () => {
      for await (const event of ingest.events(stop.signal)) events.push(event);
    })();
  });

  afterEach(async () => {
    stop.abort();
    await reading;
    await server[Symbol.asyncDispose]();
  });

  const batches = (): ChangeBatch[] => events.flatMap((event) => (event.kind === 'changes' ? [event.batch] : []));
  const entries = (): string[] => batches().flatMap((batch) => Array.from({ length: batch.count }, (_, e) => decoded(batch.partitions[batch.partitionOf[e]!]!.partition, batch.offset[e]!)));
  const letters = (): string[] => batches().flatMap((batch) => batch.letters.map(({ letter }) => letter.code));
  const warnings = (): string[] => events.flatMap((event) => (event.kind === 'warned' ? [`${event.warning.code} ${event.warning.message}`] : []));
  const askedFor = (id: number): number => server.seen.filter(({ path }) => path === `/schemas/ids/${id}`).length;

  it('are decoded when it was asked for, once for all of them', async () => {
    source.give(records(record(0, 0, 1), record(1, 0, 2), record(0, 1, 1)), records(record(0, 2, 1)));
    await until(() => entries().length === 4);
    expect(entries().toSorted()).toEqual(['0/0', '0/1', '0/2', '1/0']);
    expect([letters(), askedFor(1), askedFor(2), warnings()]).toEqual([[], 1, 1, []]);
  });

  it('wait while the registry is away, and with them all that follows in their partitions; others go on', async () => {
    away.add(1);
    source.give(records(record(0, 0, 0), record(0, 1, 1), record(1, 0, 0)), records(record(1, 1, 2), record(0, 2, 0)), records(record(0, 3, 2), record(1, 2, 0)));
    await until(() => entries().length === 3);
    expect(entries()).toEqual(['1/0', '1/1', '1/2']);
    expect(batches().flatMap(({ partitions }) => partitions.map(({ partition }) => partition))).toEqual([1, 1, 1]);
    await until(() => askedFor(1) > 3);
    expect(warnings()).toEqual([expect.stringMatching(/^REGISTRY_RETRYING Schema 1 .*RENTFOLD_SCHEMA_REGISTRY_URL.*HTTP 503/)]);
    faultFired('R1');
    away.clear();
    await until(() => entries().length === 7);
    expect(entries().slice(3)).toEqual(['0/0', '0/1', '0/2', '0/3']);
    expect(letters()).toEqual([]);
    expect(batches().at(-1)!.partitions).toMatchObject([{ partition: 0, next: 4 }]);
  });

  it('are said to wait again when the registry goes away again', async () => {
    away.add(1);
    source.give(records(record(0, 0, 1)));
    await until(() => warnings().length === 1);
    away.clear();
    await until(() => entries().length === 1);
    away.add(2);
    source.give(records(record(0, 1, 2)));
    await until(() => warnings().length === 2);
  });

  it('wait when another schema of the batch can be had', async () => {
    away.add(2);
    source.give(records(record(0, 0, 1), record(0, 1, 2)));
    await until(() => askedFor(2) > 2);
    expect(entries()).toEqual([]);
  });

  it('are dead letters when the registry does not know it, until it does', async () => {
    source.give(records(record(0, 0, 900), record(0, 1, 1)), records(record(0, 2, 900)));
    await until(() => entries().length === 3);
    expect([letters(), askedFor(900)]).toEqual([['SCHEMA_UNKNOWN', 'SCHEMA_UNKNOWN'], 1]);
    movedMs = 31_000;
    server.script = answering(200, { schema: JSON.stringify(ROW) });
    source.give(records(record(0, 3, 900)));
    await until(() => entries().length === 4);
    expect([letters().length, askedFor(900)]).toEqual([2, 2]);
  });

  it('are dead letters for good when the schema is larger than is read: nobody asks for it again', async () => {
    server.script = answering(200, { schema: JSON.stringify({ ...ROW, doc: 'x'.repeat(4_200_000) }) });
    source.give(records(record(0, 0, 1)));
    await until(() => entries().length === 1);
    movedMs = 31_000;
    source.give(records(record(0, 1, 1)));
    await until(() => entries().length === 2);
    movedMs = 62_000;
    source.give(records(record(0, 2, 1)));
    await until(() => entries().length === 3);
    expect([letters(), askedFor(1)]).toEqual([['SCHEMA_INVALID', 'SCHEMA_INVALID', 'SCHEMA_INVALID'], 1]);
    expect(batches()[0].letters[0].letter.message).toMatch(/has schema 1, and .* larger than 4194304 bytes.*register a smaller one/);
  });

  it('wait no longer than for the schema that is away, also when another one was refused meanwhile and is asked for again', async () => {
    away.add(1);
    source.give(records(record(0, 0, 900), record(0, 1, 1)));
    await until(() => askedFor(900) === 1 && askedFor(1) > 2);
    movedMs = 31_000;
    source.give(records(record(1, 0, 0)));
    await until(() => entries().length === 1);
    away.clear();
    await until(() => entries().length === 3);
    expect([entries(), letters()]).toEqual([['1/0', '0/0', '0/1'], ['SCHEMA_UNKNOWN']]);
  });

  it('hold back no more than so much, then everything waits', async () => {
    away.add(1);
    const large = 'x'.repeat(1_000_000);
    source.give(records(record(0, 0, 1)), ...Array.from({ length: 30 }, (_, i) => records(record(0, i + 1, 0, large), record(1, i, 0))));
    await until(() => entries().length > 10 && askedFor(1) > 5);
    const { asked } = source;
    await until(() => askedFor(1) > 10);
    expect(source.asked).toBe(asked);
    expect(asked).toBeLessThan(25);
    away.clear();
    await until(() => entries().length === 61);
    for (const partition of [0, 1]) expect(entries().filter((entry) => entry.startsWith(`${partition}/`)).map((entry) => Number(entry.slice(2)))).toEqual(Array.from({ length: partition === 0 ? 31 : 30 }, (_, i) => i));
  });

  it('are looked at a few times each, however much comes while they wait, and keep their order', async () => {
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    away = new Set([1, 2]);
    source.give(records(record(0, 0, 1)), ...numbers.map((i) => records(record(0, i + 1, i === 150 ? 2 : 0), record(1, i, 0))));
    await until(() => entries().length === 300 && askedFor(1) > 3);
    away = new Set([2]);
    await until(() => entries().length === 300 + 151);
    source.give(records(record(0, 301, 0)));
    away.clear();
    await until(() => entries().length === 602);
    for (const partition of [0, 1]) expect(entries().filter((entry) => entry.startsWith(`${partition}/`))).toEqual(Array.from({ length: partition === 0 ? 302 : 300 }, (_, i) => decoded(partition, i)));
    expect(looked).toBeLessThan(4 * 602);
  });

  it('let the reading end while they wait', async () => {
    away.add(1);
    source.give(records(record(0, 0, 1)));
    await until(() => warnings().length === 1);
    stop.abort();
    await reading;
    expect(entries()).toEqual([]);
  });

  it('are waited for when the source is at its end', async () => {
    away.add(1);
    source.give(records(record(0, 0, 1)), null);
    await until(() => warnings().length === 1);
    away.clear();
    await reading;
    expect(entries()).toEqual(['0/0']);
  });

  it('come out in the order of their partition, each once, whenever registries are away', async () => {
    const one = fc.record({ partition: fc.nat(3), schema: fc.nat(4) });
    const step = fc.oneof(fc.array(one, { minLength: 1, maxLength: 8 }), fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).map((ids) => new Set(ids)));
    let base = 0;
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const next = new Map<number, number>();
      const expected: string[] = [];
      const from = entries().length;
      for (const taken of steps) {
        if (taken instanceof Set) away = taken;
        else {
          const list = taken.map(({ partition, schema }) => {
            const offset = next.get(partition) ?? base;
            next.set(partition, offset + 1);
            expected.push(decoded(partition, offset));
            // Schemas of every run are new ones.
            return record(partition, offset, schema === 0 ? 0 : schema + 8 * ((base / 1_000) % 100));
          });
          source.give(records(...list));
        }
        await system.sleep(1);
      }
      away = new Set();
      await until(() => entries().length === from + expected.length);
      const inOrder = (list: readonly string[]): string[] => [...list].sort((a, b) => Number(a[0]) - Number(b[0]) || Number(a.slice(2)) - Number(b.slice(2)));
      for (const partition of [0, 1, 2, 3]) expect(entries().slice(from).filter((entry) => entry.startsWith(`${partition}/`))).toEqual(inOrder(expected.filter((entry) => entry.startsWith(`${partition}/`))));
      base += 1_000;
    }), { numRuns: 30 });
    expect(letters()).toEqual([]);
  });
});

it('a batch that names more schemas than are kept is decoded, and the next one', async () => {
  const source = new GivenSource();
  const registry: SchemaRegistry = { name: 'the registry', covers: () => true, ask: () => Promise.resolve({ kind: 'refused', code: 'SCHEMA_UNKNOWN', reason: 'it is not known', mayChange: true }) };
  const ingest = createInlineIngest(source, createDecoder, [registry], { ...system, sleep: (_, signal) => system.sleep(0, signal) });
  await ingest.open({ positions: [], seenTables: {}, decode: optionsOf(), acceptIncompleteHistory: false, recordsMax: 2_000, creditsMax: 1 });
  source.give(records(...Array.from({ length: 1_500 }, (_, i) => record(0, i, 1 + i))), records(record(0, 1_500, 1)), null);
  let letters = 0;
  for await (const event of ingest.events(new AbortController().signal)) if (event.kind === 'changes') letters += event.batch.letters.length;
  expect(letters).toBe(1_501);
});

it('records that wait keep their content types, although the source begins its list of them anew', async () => {
  const source = new GivenSource();
  let isAway = true;
  const registry: SchemaRegistry = { name: 'the registry', covers: () => true, ask: () => (isAway ? Promise.reject(new RegistryTrouble('it is away')) : Promise.resolve({ kind: 'avro', texts: [JSON.stringify(ROW)] })) };
  const ingest = createInlineIngest(source, createDecoder, [registry], { ...system, sleep: (ms, signal) => system.sleep(Math.min(ms, 20), signal) });
  await ingest.open({ positions: [], seenTables: {}, decode: optionsOf(), acceptIncompleteHistory: false, recordsMax: 100, creditsMax: 1 });
  const row = { id: 7n, property_id: 'p', unit_id: null, payment_date: 20_484, amount: '1', is_non_irs_revenue: false };
  const names = ['', 'application/json', 'avro/binary+0123456789abcdef0123456789abcdef'];
  source.give({ kind: 'records', batch: { ...batchOf([{ topic: TOPIC, partition: 0, offset: 0, value: writeAvro(ROW as never, row) }]), contentTypes: { names, of: Uint16Array.of(2) } } }, { kind: 'bounds', bounds: [] }, null);
  const seen: string[] = [];
  for await (const event of ingest.events(new AbortController().signal)) {
    seen.push(event.kind === 'changes' ? `${event.batch.count} entry, ${event.batch.letters.length} letters` : event.kind);
    if (event.kind !== 'bounds') continue;
    names.length = 0;
    isAway = false;
  }
  expect(seen).toEqual(['warned', 'bounds', '1 entry, 0 letters']);
});
