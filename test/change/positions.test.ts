// Goal: positions, epochs and commit times are read from where each source tells them. Method: a table of sources and the words they pack to
// (layout in position.ts), through the public decoder.
import { describe, expect, test } from 'vitest';
import { POSITION_BINLOG, POSITION_CES, POSITION_COMMIT_MISSING, POSITION_NONE, POSITION_POSTGRES, POSITION_SNAPSHOT, POSITION_SQLSERVER, POSITION_TIME } from '../../src/change/position.ts';
import { debezium, entryFrom, rent } from './entries.ts';

const TIME = 1_735_689_600_000;
const HIGH = Math.floor(TIME / 2 ** 32);
const LOW = TIME % 2 ** 32;
const pack = (head: number, ...words: number[]): number[] => [head, ...words, ...new Array<number>(6 - words.length).fill(0)];
const from = (source: object, op = 'c'): readonly number[] => entryFrom({ ...debezium(op, rent()), source: { table: 'rents', ts_ms: TIME, ...source } }).position;
const flat = (fields: object): readonly number[] => entryFrom({ ...rent(), __op: 'c', ...fields }).position;
const ces = (fields: object, transaction?: object): readonly number[] => entryFrom({
  specversion: '1.0', type: 'com.microsoft.SQL.CES.DML.V1', operation: 'INS', ...fields,
  data: JSON.stringify({ eventsource: { tbl: 'rents', transaction }, eventrow: { current: JSON.stringify(rent()) } }),
}).position;
const maxwell = (fields: object): readonly number[] => entryFrom({ database: 'r', table: 'rents', type: 'insert', ts: TIME / 1000, data: rent(), ...fields }).position;

describe('Postgres', () => {
  test.each<[string, object, number[]]>([
    ['both', { sequence: '["100","108"]', lsn: 7 }, pack(POSITION_POSTGRES, 0, 100, 0, 108)], ['spaces', { sequence: '[ "100" , "108" ]' }, pack(POSITION_POSTGRES, 0, 100, 0, 108)],
    ['64 bits', { sequence: '["4294967296","18446744073709551615"]' }, pack(POSITION_POSTGRES, 1, 0, 0xffffffff, 0xffffffff)], ['15 and 16 digits', { sequence: '["999999999999999","1000000000000000"]' }, pack(POSITION_POSTGRES, 232_830, 2_764_472_319, 232_830, 2_764_472_320)],
    ['no last commit', { sequence: '[null,"108"]' }, pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING, 0, 108, 0, 108)], ['own from lsn', { sequence: '["100",null]', lsn: 108 }, pack(POSITION_POSTGRES, 0, 100, 0, 108)],
    ['own from lsn as text', { sequence: '[null,null]', lsn: '108' }, pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING, 0, 108, 0, 108)], ['no sequence', { sequence: null, lsn: 108 }, pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING, 0, 108, 0, 108)],
    ['nothing in it', { sequence: '[null,null]' }, pack(POSITION_TIME, HIGH, LOW)],
  ])('%s', (_, source, words) => expect(from(source)).toEqual(words));

  test('snapshot rows; those of an incremental snapshot have no LSN', () => {
    expect(from({ sequence: '[null,"108"]', lsn: 108 }, 'r')).toEqual(pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING | POSITION_SNAPSHOT, 0, 108, 0, 108));
    expect(from({ sequence: '[null,"108"]' }, 'r')).toEqual(pack(POSITION_POSTGRES | POSITION_SNAPSHOT, 0, 108, 0, 108));
    expect(from({ sequence: '["100","108"]' }, 'r')).toEqual(pack(POSITION_POSTGRES | POSITION_SNAPSHOT, 0, 100, 0, 108));
    expect(flat({ __op: 'r', __source_sequence: '[null,"108"]' })).toEqual(pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING | POSITION_SNAPSHOT, 0, 108, 0, 108));
  });

  test.each(['', '[]', '["1"]', '["1","2","3"]', '["1","x"]', '["1","2"]x', '["18446744073709551616","1"]', '["","1"]', '[1,2]', 'null'])('%j is no sequence', (sequence) => {
    expect(entryFrom({ ...debezium('c', rent()), source: { table: 'rents', sequence } }).code).toBe('POSITION_INVALID');
  });
});

test.each<[string, object, number[]]>([
  ['binlog', { file: 'binlog.000023', pos: 4_294_967_300, row: 2, server_id: 9 }, pack(POSITION_BINLOG, 23, 1, 4, 2, 9)], ['binlog of a snapshot', { file: 'mysql-bin.1', pos: 4, server_id: 0, row: 0, sequence: null }, pack(POSITION_BINLOG, 1, 0, 4, 0, 0)],
  ['SQL Server', { commit_lsn: '00000027:000000b8:0003', change_lsn: '00000027:000000B8:0002', event_serial_no: 2 }, pack(POSITION_SQLSERVER, 0x27, 0xb8, 0x00030000, 0x00270000, 0x00b80002, 2)],
  ['SQL Server, no change LSN', { commit_lsn: 'ffffffff:ffffffff:ffff', change_lsn: null, event_serial_no: null }, pack(POSITION_SQLSERVER, 0xffffffff, 0xffffffff, 0xffff0000)],
  ['a source we know nothing of', { scn: 5 }, pack(POSITION_TIME, HIGH, LOW)], ['nothing', { ts_ms: null }, pack(POSITION_NONE)],
])('%s', (_, source, words) => expect(from(source)).toEqual(words));

test.each<[string, object, number[]]>([
  ['sequence', { __source_sequence: '["100","108"]', __lsn: 5 }, pack(POSITION_POSTGRES, 0, 100, 0, 108)], ['sequence, short name', { __sequence: '["100","108"]' }, pack(POSITION_POSTGRES, 0, 100, 0, 108)],
  ['lsn', { __lsn: 108 }, pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING, 0, 108, 0, 108)], ['source lsn', { __source_lsn: 108, __lsn: 3 }, pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING, 0, 108, 0, 108)],
  ['null source lsn', { __source_lsn: null, __lsn: 108 }, pack(POSITION_POSTGRES | POSITION_COMMIT_MISSING, 0, 108, 0, 108)],
  ['time', { __source_ts_ms: TIME }, pack(POSITION_TIME, HIGH, LOW)], ['the envelope\'s own time is none', { __ts_ms: TIME }, pack(POSITION_NONE)],
  ['binlog', { __source_file: 'binlog.000002', __source_pos: 7, __source_row: 1, __source_server_id: 3 }, pack(POSITION_BINLOG, 2, 0, 7, 1, 3)],
])('flattened: %s', (_, fields, words) => expect(flat(fields)).toEqual(words));

test.each<[string, object, number[]]>([
  ['text', { position: 'binlog.000023:1810' }, pack(POSITION_BINLOG, 23, 0, 1810)], ['text with more', { position: 'binlog.000023:1810:gtid', xoffset: 3, server_id: 8 }, pack(POSITION_BINLOG, 23, 0, 1810, 3, 8)],
  ['object', { position: { file: 'binlog.000023', pos: 1810 } }, pack(POSITION_BINLOG, 23, 0, 1810)], ['none', {}, pack(POSITION_TIME, HIGH, LOW)], ['bootstrap', { type: 'bootstrap-insert' }, pack(POSITION_TIME | POSITION_SNAPSHOT, HIGH, LOW)],
])('maxwell: %s', (_, fields, words) => expect(maxwell(fields)).toEqual(words));

test.each<[string, object, object | undefined, number[]]>([
  ['transaction', { logicalid: 'x' }, { commitlsn: '00000027:015F0576:0005', sequencenumber: 3 }, pack(POSITION_CES, 0x27, 0x015f0576, 0x00050000, 0, 3)],
  ['transaction, LSN with its prefix', { logicalid: 'x' }, { commitlsn: '0x00000027015F05760005', sequencenumber: 3 }, pack(POSITION_CES, 0x27, 0x015f0576, 0x00050000, 0, 3)],
  ['logical id', { logicalid: 'G-1:0000002C00000300017C:00000000004294967299' }, undefined, pack(POSITION_CES, 0x2c, 0x300, 0x017c0000, 1, 3)],
  ['time', { time: '2025-01-01T00:00:00Z' }, undefined, pack(POSITION_TIME, HIGH, LOW)],
])('change events: %s', (_, fields, transaction, words) => expect(ces(fields, transaction)).toEqual(words));

test('commit times', () => {
  expect(entryFrom(debezium('c', rent(), null, { ts_ms: String(TIME) })).commitTime).toBe(TIME);
  expect(entryFrom(debezium('c', rent(), null, { ts_ms: undefined })).commitTime).toBeNull();
  expect(entryFrom({ database: 'r', table: 'rents', type: 'insert', ts: TIME / 1000, data: rent() }).commitTime).toBe(TIME);
  expect(entryFrom({ ...rent(), __op: 'c', __source_ts_ms: TIME, __ts_ms: 1 }).commitTime).toBe(TIME);
});

test('an epoch is how many of the instants lie at or before the commit', () => {
  const epochs = [TIME - 1, TIME, TIME + 1];
  const head = (ts_ms: number | undefined): number => entryFrom(debezium('c', rent(), null, { ts_ms }), {}, { epochs }).position[0] >>> 16;
  expect([TIME - 2, TIME - 1, TIME, TIME + 9, undefined].map(head)).toEqual([0, 1, 2, 3, 0]);
});
