// Goal: the decoder is total: whatever bytes come, it does not throw, loses no record and invents none. Method: random bytes as keys and values, and
// recorded events of every format with bytes changed, cut, doubled or swapped with another's; the same batch decoded again gives the same entries.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENTRY_DEAD_LETTER, ENTRY_PASSED_OVER, FLAG_CONTINUED, FLAG_PARTIAL, PASSED_OVER } from '../../src/change/change.ts';
import type { ChangeBatch } from '../../src/change/change.ts';
import { createDecoder } from '../../src/change/decode.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { entriesOf } from './entries.ts';
import { batchOf, caseOptions, conformanceCase } from './records.ts';
import type { TestRecord } from './records.ts';

const encoder = new TextEncoder();
const toBytes = (value: TestRecord['value'] | undefined): Uint8Array | null => (typeof value === 'string' ? encoder.encode(value) : null);
const SAMPLES = ['recorded-full-identity', 'recorded-flattened', 'recorded-cloudevents', 'recorded-mariadb', 'maxwell', 'sqlserver-change-events', 'variable-scale-decimals', 'primary-key-updates', 'poison', 'one-topic']
  .flatMap((name) => conformanceCase(name).lines.filter((_, i) => i % 5 === 0).map((line) => ({ topic: line.topic!, key: toBytes(line.key), value: toBytes(line.value) })));

/** Nothing lost, nothing made up, and every dead letter has a reason from the table and the record's own bytes. */
function holds(batch: ChangeBatch, records: readonly TestRecord[]): void {
  let counted = 0;
  for (let entry = 0; entry < batch.count; entry++) if ((batch.flags[entry] & FLAG_CONTINUED) === 0) counted++;
  expect(counted).toBe(batch.records);
  if (batch.stop === null) expect(batch.records).toBe(records.length);
  const lettered = new Set(batch.letters.map(({ entry }) => entry));
  for (let entry = 0; entry < batch.count; entry++) {
    if (!isPiece(batch, entry)) expect(lettered.has(entry)).toBe(batch.kind[entry] === ENTRY_DEAD_LETTER || (batch.flags[entry] & FLAG_PARTIAL) !== 0);
  }
  for (const { letter } of batch.letters) {
    expect(ERROR_CODES[letter.code as keyof typeof ERROR_CODES].kind).toBe('letter');
    expect(letter.valueBytes ?? null).toEqual(records[letter.offset].value ?? null);
  }
  entriesOf(batch);
}

/** A piece of an event is passed over, and kept unless it is there already. */
function isPiece(batch: ChangeBatch, entry: number): boolean {
  return batch.kind[entry] === ENTRY_PASSED_OVER && PASSED_OVER[batch.detail[entry]] === 'segment';
}

function decodeTwice(records: readonly TestRecord[]): void {
  const numbered = records.map((record, offset) => ({ ...record, offset, partition: 0 }));
  const batch = batchOf(numbered);
  const before = batch.bytes.slice();
  const make = (): ChangeBatch => createDecoder(caseOptions({}), { positions: [], seenTables: {} }).decode(batch);
  const first = make();
  holds(first, numbered);
  expect(entriesOf(make())).toEqual(entriesOf(first));
  expect(batch.bytes).toEqual(before);
}

const randomBytes = fc.option(fc.uint8Array({ maxLength: 60 }), { freq: 8 });
const sample = fc.constantFrom(...SAMPLES);
const mutated = fc.tuple(sample, sample, fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(...encoder.encode('"\\{}[]:,-0912nulltrue ')), fc.integer({ min: 0, max: 255 })), fc.constantFrom('change', 'cut', 'insert', 'truncate', 'splice', 'digit')), { maxLength: 4 }))
  .map(([base, donor, changes]) => {
    if (base.value === null) return base;
    let bytes = [...base.value];
    for (const [place, byte, how] of changes) {
      const at = bytes.length === 0 ? 0 : place % bytes.length;
      if (how === 'change') bytes[at] = byte;
      else if (how === 'cut') bytes.splice(at, 1 + (byte % 40));
      else if (how === 'insert') bytes.splice(at, 0, byte);
      else if (how === 'truncate') bytes = bytes.slice(0, at);
      else if (how === 'splice' && donor.value !== null) bytes = [...bytes.slice(0, at), ...donor.value.slice(place % donor.value.length)];
      else if (how === 'digit' && bytes[at] >= 48 && bytes[at] <= 57) bytes[at] = 48 + (byte % 10);
    }
    return { ...base, value: Uint8Array.from(bytes) };
  });

test('random bytes', () => {
  const record = fc.record({ topic: fc.constantFrom('pg.public.rents', 'pg.public.expenses', 'cdc', ''), key: randomBytes, value: randomBytes });
  fc.assert(fc.property(fc.array(record, { maxLength: 8 }), decodeTwice), { numRuns: 300 });
});

test('events with bytes changed', () => {
  fc.assert(fc.property(fc.array(mutated, { minLength: 1, maxLength: 12 }), decodeTwice), { numRuns: 400 });
});

test('events whose values were exchanged', () => {
  const values: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom(null, true, '', 'None', 'x'.repeat(600), -1, 1e400, 2 ** 60, [], {}, '__debezium_unavailable_value', 'NaN', '2026-02-30', { scale: 2, value: 'MDk=' }), fc.jsonValue({ maxDepth: 2 }));
  const record = fc.tuple(sample, fc.nat(), values).map(([base, place, value]) => {
    let nodes = 0;
    const change = (node: unknown, target: number): unknown => {
      if (nodes++ === target) return value;
      if (Array.isArray(node)) return node.map((item) => change(item, target));
      if (node === null || typeof node !== 'object') return node;
      return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, change(item, target)]));
    };
    try {
      const parsed: unknown = JSON.parse(new TextDecoder().decode(base.value ?? undefined));
      return { ...base, value: encoder.encode(JSON.stringify(change(parsed, place % 60))) };
    } catch {
      return base;
    }
  });
  fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), decodeTwice), { numRuns: 400 });
});
