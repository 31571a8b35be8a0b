// Goal: what was read before an event, in whatever format, changes nothing about how it is read. Method: fast-check, differential: events in JSON (bare, with a schema), in Avro (also rows that only their routed key
// gives a table), in pieces, and broken ones, with keys in JSON and Avro, mixed and cut into batches, are decoded by one decoder; each must come out as from a decoder that read nothing else.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decoder, DecoderMemory } from '../../src/change/decoder.ts';
import { createDecoder } from '../../src/change/decode.ts';
import { AvroEvents } from '../support/avro-events.ts';
import { createRandom } from '../support/history-random.ts';
import { splitEvent } from '../support/split-events.ts';
import { debezium, entriesOf, rent } from './entries.ts';
import type { PlainEntry } from './entries.ts';
import { batchOf, optionsOf } from './records.ts';
import type { TestRecord } from './records.ts';

const KINDS = ['bare', 'bare', 'schema', 'avro', 'avro', 'avro delete', 'avro key', 'avro tombstone', 'routed avro', 'routed', 'split', 'whole', 'damaged', 'damaged avro'] as const;
type Kind = (typeof KINDS)[number];
/** The records of one event, which stand in this order among others. */
type Records = readonly Omit<TestRecord, 'offset'>[];

const EMPTY: DecoderMemory = { positions: [], seenTables: {} };
const avro = new AvroEvents();
const frame = (json: unknown): Uint8Array => avro.frame(JSON.stringify(json)) as Uint8Array;

function changeEvent(row: object, number: number): string {
  return JSON.stringify({
    specversion: '1.0', type: 'com.microsoft.SQL.CES.DML.V1', source: '/', id: 'a', logicalid: `G:0000002C00000300017C:${String(number).padStart(20, '0')}`, time: '2025-01-01T00:00:00Z', operation: 'INS',
    data: JSON.stringify({ eventsource: { db: 'rental', schema: 'public', tbl: 'rents', cols: [], pkkey: [] }, eventrow: { old: '{}', current: JSON.stringify(row) } }),
  });
}

function eventOf(kind: Kind, number: number, note: string): Records {
  const id = `id ${number}${note}`;
  const row = rent({ id, property_id: `property ${number % 3}${note}`, amount: `${number}.50`, memo: note.repeat(number % 40) });
  const event = debezium(number % 2 === 0 ? 'c' : 'u', row, null);
  const schema = { type: 'struct', fields: [{ type: 'struct', field: 'after', fields: [{ field: 'amount', type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } }] }] };
  const key = { id, __dbz__physicalTableIdentifier: 'pg.public.rents' };
  switch (kind) {
    case 'bare': return [{ key: JSON.stringify({ id }), value: event }];
    case 'schema': return [{ key: JSON.stringify({ id }), value: { schema, payload: debezium('c', { ...row, amount: 'MDk=' }) } }];
    case 'avro': return [{ key: frame({ id }), value: frame(event) }];
    case 'avro delete': return [{ key: frame({ id }), value: frame(debezium('d', null, { id: null, note })) }];
    case 'avro key': return [{ key: frame({ id }), value: debezium('d', null, null) }];
    case 'avro tombstone': return [{ key: frame({ id }), value: null }];
    case 'routed avro': return [{ topic: 'cdc', key: frame(key), value: frame({ ...row, __op: 'c' }) }];
    case 'routed': return [{ topic: 'cdc', key: JSON.stringify(key), value: { ...row, __op: 'c' } }];
    case 'split': return splitEvent(changeEvent({ ...row, payment_date: '2026-01-31' }, number), 4, 'segments from 0', createRandom(number)).map((value) => ({ key: frame({ id }), value }));
    case 'whole': return [{ value: changeEvent({ ...row, payment_date: '2026-01-31' }, number) }];
    case 'damaged': return [{ key: JSON.stringify({ id }), value: JSON.stringify(event).slice(0, -3) }];
    case 'damaged avro': return [{ key: frame({ id }), value: frame(event).slice(0, 60) }];
  }
}

function newDecoder(): Decoder {
  const decoder = createDecoder(optionsOf(), EMPTY);
  for (const [schema, answer] of avro.answers) decoder.schemas.learn(schema, answer);
  return decoder;
}

/** Entries by the offset of their record; batches have no more than so many records. */
function decoded(records: readonly TestRecord[], recordsMax: number): Map<number, PlainEntry[]> {
  const decoder = newDecoder();
  const byOffset = new Map<number, PlainEntry[]>();
  for (let from = 0; from < records.length; from += recordsMax) {
    const batch = decoder.decode(batchOf(records.slice(from, from + recordsMax)));
    entriesOf(batch).forEach((entry, i) => byOffset.set(batch.offset[i], [...byOffset.get(batch.offset[i]) ?? [], entry]));
  }
  return byOffset;
}

/** The events' records, each event's in their order, otherwise in the order of `turns`. */
function mixed(events: readonly Records[], turns: readonly number[]): { readonly record: TestRecord; readonly event: number }[] {
  const left = events.map((records, event) => ({ event, records: [...records] }));
  const order: { record: TestRecord; event: number }[] = [];
  for (let turn = 0; left.length > 0; turn++) {
    const place = turns[turn % turns.length] % Math.min(3, left.length);
    const { event, records } = left[place];
    order.push({ event, record: { ...records.shift()!, offset: order.length } });
    if (records.length === 0) left.splice(place, 1);
  }
  return order;
}

test('events of all formats, in any order', () => {
  const event = fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom('', 'é', '"\\', 'a longer note '));
  fc.assert(fc.property(fc.array(event, { minLength: 2, maxLength: 24 }), fc.array(fc.nat(5), { minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 9 }), (kinds, turns, recordsMax) => {
    const events = kinds.map(([kind, note], number) => eventOf(kind, number + 1, note));
    const order = mixed(events, turns);
    const together = decoded(order.map(({ record }) => record), recordsMax);
    events.forEach((_, number) => {
      const own = order.filter(({ event: of }) => of === number).map(({ record }) => record);
      const alone = decoded(own, 1);
      for (const { offset } of own) expect(together.get(offset!)).toEqual(alone.get(offset!));
    });
  }), { numRuns: 40 });
});

test('every kind is read as it is meant to be', () => {
  const kindsOf = (kind: Kind): string[] => [...decoded(eventOf(kind, 7, 'é').map((record, offset) => ({ ...record, offset })), 9).values()].flat().map(({ kind: read, reason, code, property }) => `${read} ${reason ?? code ?? property ?? ''}`.trim());
  const upsert = ['upsert property 1é'];
  for (const kind of ['bare', 'schema', 'avro', 'routed avro', 'routed', 'whole'] as const) expect([kind, kindsOf(kind)]).toEqual([kind, upsert]);
  for (const kind of ['avro delete', 'avro key'] as const) expect([kind, kindsOf(kind)]).toEqual([kind, ['delete']]);
  expect(kindsOf('avro tombstone')).toEqual(['tombstone']);
  expect(kindsOf('split').toReversed().slice(0, 2)).toEqual([...upsert, 'passed over segment']);
  expect(kindsOf('damaged')).toEqual(['dead letter JSON_INVALID']);
  expect(kindsOf('damaged avro')).toEqual(['dead letter AVRO_INVALID']);
});
