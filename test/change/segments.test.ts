// Goal: pieces of a split change event become the event, however they say which piece they are; what stays incomplete or turns out wrong keeps every
// byte, marks its property, and ends like any other dead letter. Method: one rent's event cut in pieces, through the public decoder and the state.
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/change/decode.ts';
import { SegmentMemory } from '../../src/change/segments.ts';
import type { Piece, PieceRecord } from '../../src/change/segments.ts';
import { createRandom } from '../support/history-random.ts';
import type { LogRecord } from '../support/history-log.ts';
import { DECODE_OPTIONS, LibraryRun } from '../support/library-run.ts';
import { NAMINGS, splitEvent } from '../support/split-events.ts';
import { PROPERTY_ID, RENT_ID, entriesOf, entryFrom, rent } from './entries.ts';
import { batchOf, optionsOf } from './records.ts';

const START = 1_735_689_600_000;
const MINUTE = 60_000;
const EVENT = 'G:0000002C00000300017C:00000000000000000007';

function event(changes: Record<string, unknown> = {}, sequence = 7): string {
  const row = rent({ payment_date: '2026-01-31 16:45:01.000', is_non_irs_revenue: '0', ...changes });
  return JSON.stringify({
    specversion: '1.0', type: 'com.microsoft.SQL.CES.DML.V1', source: '/', id: 'a', logicalid: EVENT.replace(/7$/, String(sequence)), time: '2025-01-01T00:00:00Z', operation: 'INS',
    data: JSON.stringify({ eventsource: { db: 'rental', schema: 'dbo', tbl: 'rents', cols: [], pkkey: [{ columnname: 'id', value: RENT_ID }] }, eventrow: { old: '{}', current: JSON.stringify(row) } }),
  });
}

const inPieces = (value: string): string[] => splitEvent(value, 3, 'segments from 0', createRandom(3));

/** A record of one partition of the topic of rents, whose message key names the row. */
const at = (offset: number, value: string, minutes = 0): LogRecord => ({ topic: 'pg.public.rents', partition: 0, offset, time: START + minutes * MINUTE, key: JSON.stringify({ id: RENT_ID }), value });

describe('pieces', () => {
  test.each(NAMINGS)('%s, the last one first', (naming) => {
    const decoder = createDecoder(optionsOf(), { positions: [], seenTables: {} });
    const pieces = splitEvent(event(), 5, naming, createRandom(5));
    expect(pieces.length).toBeGreaterThan(3);
    const entries = pieces.toReversed().map((value, offset) => entriesOf(decoder.decode(batchOf([{ value, offset }])))[0]);
    expect(entries.slice(0, -1).map(({ kind, reason }) => `${kind}: ${reason}`)).toEqual(pieces.slice(1).map(() => 'passed over: segment'));
    expect(entries.at(-1)).toEqual(entryFrom(event()));
  });

  test('are kept with their bytes, and mark the property of the row that their message key names', () => {
    const run = new LibraryRun({ decode: DECODE_OPTIONS, fiscalYearStartMonth: 1 });
    const [first] = inPieces(event({ amount: '2.00' }, 8));
    run.read([at(0, event()), at(1, first)]);
    const [{ letter, properties }] = run.state.books.openDeadLetters();
    expect(letter).toMatchObject({ code: 'SEGMENT_PENDING', offset: 1, table: 'rents', key: RENT_ID });
    expect(new TextDecoder().decode(letter.valueBytes!)).toBe(first);
    expect(properties).toEqual([PROPERTY_ID]);
    expect(run.state.counters()).toMatchObject([{ read: 2, applied: 1, passedOver: 1, deadLetters: 0 }]);
  });

  test('of an event that is broken as a whole are none', () => {
    expect(entryFrom({ ...JSON.parse(event()) as object, segmentindex: 1, finalsegment: true, data: '{"eventsource":{"tbl' })).toMatchObject({ kind: 'dead letter', code: 'JSON_INVALID' });
  });
});

test('an event that is joined and cannot be understood is a dead letter for each of its records, and all end together', () => {
  const run = new LibraryRun({ decode: DECODE_OPTIONS, fiscalYearStartMonth: 1 });
  const pieces = inPieces(event({ amount: 'many' }));
  run.read(pieces.map((value, offset) => at(offset, value)));
  const open = run.state.books.openDeadLetters();
  expect(open.map(({ letter }) => letter.code)).toEqual(['AMOUNT_INVALID', 'AMOUNT_INVALID', 'AMOUNT_INVALID']);
  expect(open.map(({ letter }) => new TextDecoder().decode(letter.valueBytes!)).sort()).toEqual([...pieces].sort());
  expect(open.map(({ properties }) => properties)).toEqual(pieces.map(() => [PROPERTY_ID]));
  expect(run.state.counters()).toMatchObject([{ read: 3, passedOver: 2, deadLetters: 1 }]);
  run.read([at(3, event({}, 8))]);
  expect(run.state.books.openDeadLetters()).toEqual([]);
});

test('an event that is late is told, once, and still becomes whole when its last piece comes', () => {
  const run = new LibraryRun({ decode: DECODE_OPTIONS, fiscalYearStartMonth: 1 });
  const [first, second, third] = inPieces(event({ amount: '3.00' }));
  run.read([at(0, first), at(1, third)]);
  const told = [run.read([at(2, '{"ts_ms":1}', 9)]), run.read([at(3, '{"ts_ms":1}', 11)]), run.read([at(4, '{"ts_ms":1}', 30)])].map(({ opened }) => opened.length);
  expect(told).toEqual([0, 2, 0]);
  const open = run.state.books.openDeadLetters().map(({ letter }) => letter);
  expect(open.map(({ code, offset }) => [code, offset])).toEqual([['SEGMENTS_INCOMPLETE', 0], ['SEGMENTS_INCOMPLETE', 1]]);
  expect(open[0].message).toContain(EVENT);
  expect(open[0].message).toContain('pieces 0, 2 (piece 2 is the last)');
  expect(open).toMatchObject([{ table: 'rents', key: RENT_ID }, { table: 'rents', key: RENT_ID }]);
  run.read([at(5, second, 31)]);
  expect(run.state.books.openDeadLetters()).toEqual([]);
  expect(run.state.counters()).toMatchObject([{ read: 6, applied: 1, passedOver: 5, deadLetters: 0 }]);
});

test('an event that stays incomplete marks its property until a later record of the row is folded', () => {
  const run = new LibraryRun({ decode: DECODE_OPTIONS, fiscalYearStartMonth: 1 });
  const [first] = inPieces(event({ amount: '3.00' }, 8));
  run.read([at(0, event()), at(1, first)]);
  run.read([at(2, '{"ts_ms":1}', 11)]);
  expect(run.state.books.openDeadLetters().map(({ letter, properties }) => [letter.code, properties])).toEqual([['SEGMENTS_INCOMPLETE', [PROPERTY_ID]]]);
  run.read([at(3, event({ amount: '4.00' }, 9), 12)]);
  expect(run.state.books.openDeadLetters()).toEqual([]);
});

describe('bounds', () => {
  const bytes = new TextEncoder().encode('{"data":"0123456789"}');
  const piece = (id: string, index: number): Piece => ({ event: id, index, isFinal: false, total: 0, dataStart: 9, dataEnd: 19 });
  const record = (offset: number): PieceRecord => ({ topic: 'cdc', partition: 0, offset, time: START, bytes, start: 0, end: bytes.length });

  test.each([['pieces', { piecesMax: 3, bytesMax: 1_000, lateMs: MINUTE }], ['bytes', { piecesMax: 100, bytesMax: 35, lateMs: MINUTE }]])('of %s: the event begun first is let go, and named', (_, limits) => {
    const memory = new SegmentMemory([], limits);
    for (const [offset, [id, index]] of ([['A', 1], ['B', 0], ['A', 2], ['B', 1]] as const).entries()) memory.add(piece(id, index), record(offset));
    const [told, ...others] = memory.takeIncomplete();
    expect(others).toEqual([]);
    expect(told).toMatchObject({ code: 'SEGMENTS_INCOMPLETE', isLetGo: true, pieces: [{ offset: 0 }, { offset: 2 }], message: expect.stringContaining('change event A there are the pieces 1, 2') as string });
    expect(memory.takeIncomplete()).toEqual([]);
    expect(memory.isEmpty).toBe(false);
  });
});
