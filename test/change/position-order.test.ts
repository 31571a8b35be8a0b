/**
 * Goal: two source positions compare as the source meant them.
 * Method: pairs for every sentence of the rule, each asked both ways round; fast-check for antisymmetry.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ORDER_EQUAL, ORDER_HIGHER, ORDER_INCOMPARABLE, ORDER_LOWER, comparePositions } from '../../src/change/position-order.ts';
import { binlog, noPosition, pack, postgres, timePosition } from '../support/batches.ts';
import type { TestPosition } from '../support/batches.ts';

function compare(a: TestPosition, b: TestPosition, aTime = Number.NaN, bTime = Number.NaN): number {
  return comparePositions(pack(a), 0, aTime, pack(b), 0, bTime);
}

const HIGH = 0xfffffffff;
const sqlserver = (commit: number, change: number, serial: number): TestPosition => ({ family: 'sqlserver', numbers: [commit, change, serial] });
const ces = (lsn: number, sequence: number): TestPosition => ({ family: 'ces', numbers: [lsn, sequence] });

describe('positions', () => {
  const lower: [string, TestPosition, TestPosition][] = [
    ['the epoch decides first', postgres(9, 9), postgres(1, 1, { epoch: 1 })],
    ['the epoch decides across families', postgres(9, 9), binlog(1, 1, 1, 1, { epoch: 1 })],
    ['the last commit decides before the own LSN', postgres(5, 90), postgres(6, 10)],
    ['the own LSN decides inside one last commit', postgres(5, 6), postgres(5, 7)],
    ['LSNs are compared as numbers of 64 bits', postgres(5, 0xffffffff), postgres(5, HIGH)],
    ['a missing commit is replaced by the own LSN', postgres(7, 9), postgres(null, 8)],
    ['a snapshot row stands before a change at its own position', postgres(null, 5, { snapshot: true }), postgres(null, 5)],
    ['a snapshot row stands before every change of its first element', postgres(5, 9, { snapshot: true }), postgres(5, 6)],
    ['snapshot rows of one first element go by their own LSN', postgres(5, 6, { snapshot: true }), postgres(5, 7, { snapshot: true })],
    ['binlog: file before pos', binlog(1, 900, 0, 3), binlog(2, 4, 0, 3)],
    ['binlog: pos before row', binlog(1, 4, 7, 3), binlog(1, 5, 0, 3)],
    ['binlog: rows of one event', binlog(1, 4, 0, 3), binlog(1, 4, 1, 3)],
    ['binlog: a snapshot row stands before changes of its place, whatever their row', binlog(1, 4, 1, 0, { snapshot: true }), binlog(1, 4, 0, 3)],
    ['binlog: a snapshot row stands after changes before its place', binlog(1, 3, 0, 3), binlog(1, 4, 0, 0, { snapshot: true })],
    ['SQL Server: commit, then change, then serial', sqlserver(1, 9, 9), sqlserver(2, 0, 0)],
    ['SQL Server: a null change_lsn is lowest', sqlserver(2, 0, 0), sqlserver(2, 1, 0)],
    ['SQL Server: serials of one change', sqlserver(2, 1, 1), sqlserver(2, 1, 2)],
    ['change event streaming: LSN, then sequence number', ces(3, 8), ces(3, 9)],
    ['times', timePosition(1), timePosition(2 ** 33)],
  ];
  it.each(lower)('%s', (_, a, b) => {
    expect(compare(a, b)).toBe(ORDER_LOWER);
    expect(compare(b, a)).toBe(ORDER_HIGHER);
    expect(compare(a, a)).toBe(ORDER_EQUAL);
  });

  it.each<[string, TestPosition, TestPosition]>([
    ['binlogs of two servers', binlog(1, 1, 0, 3), binlog(1, 2, 0, 4)],
    ['two families', postgres(1, 1), timePosition(2)],
    ['no positions', noPosition, noPosition],
  ])('%s cannot be compared', (_, a, b) => {
    expect(compare(a, b)).toBe(ORDER_INCOMPARABLE);
    expect(compare(b, a)).toBe(ORDER_INCOMPARABLE);
  });

  it('server 0 matches any server', () => {
    expect(compare(binlog(1, 4, 0, 0), binlog(1, 4, 0, 3))).toBe(ORDER_EQUAL);
  });

  describe('a snapshot row and a change without commit whose LSN is lower', () => {
    const snapshot = postgres(null, 50, { snapshot: true });
    const change = postgres(null, 40);
    it.each<[string, number, number, number]>([
      ['the change committed later: it was in flight', 200, 100, ORDER_HIGHER],
      ['equal times: the change is later', 100, 100, ORDER_HIGHER],
      ['the change committed earlier', 99, 100, ORDER_LOWER],
      ['an unknown time: the numbers decide', Number.NaN, 100, ORDER_LOWER],
    ])('%s', (_, changeTime, snapshotTime, order) => {
      expect(compare(change, snapshot, changeTime, snapshotTime)).toBe(order);
      expect(compare(snapshot, change, snapshotTime, changeTime)).toBe(-order);
    });

    it('does not hold for a change that names its commit', () => {
      expect(compare(postgres(39, 40), snapshot, 200, 100)).toBe(ORDER_LOWER);
    });
  });

  it('turn round when asked the other way', () => {
    const position = fc.oneof(
      fc.record({ commit: fc.option(fc.nat(3)), own: fc.nat(3), snapshot: fc.boolean(), epoch: fc.nat(1) }).map(({ commit, own, snapshot, epoch }) => postgres(commit, own, { snapshot, epoch })),
      fc.record({ file: fc.nat(1), pos: fc.nat(2), row: fc.nat(1), server: fc.nat(2), snapshot: fc.boolean() }).map(({ file, pos, row, server, snapshot }) => binlog(file, pos, row, server, { snapshot })),
    );
    fc.assert(fc.property(position, position, fc.nat(3), fc.nat(3), (a, b, aTime, bTime) => {
      const order = compare(a, b, aTime, bTime);
      expect(compare(b, a, bTime, aTime)).toBe(order === ORDER_INCOMPARABLE ? order : 0 - order);
    }));
  });
});
