/**
 * Goal: the index finds every row that is in it and none that is not, through growth, removal and slots used again.
 * Method: fast-check draws insertions and removals in runs long enough to make it grow; a Map says what must be found. Chains likewise.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ID_SHORT, ID_UUID } from '../../src/change/identifier.ts';
import { Accounts } from '../../src/ledger/accounts.ts';
import { FiscalCalendar } from '../../src/ledger/fiscal-calendar.ts';
import { BitSet, IndexQueue } from '../../src/ledger/index-list.ts';
import { ROW_LIVE } from '../../src/ledger/ledger.ts';
import { linkAll, linkRow, nextInChain, unlinkRow } from '../../src/ledger/row-chain.ts';
import { RowIndex, hashRow } from '../../src/ledger/row-index.ts';
import { RowStore, keyBits } from '../../src/ledger/row-store.ts';

it('finds exactly what is in it', () => {
  const run = fc.record({ first: fc.nat(3000), count: fc.integer({ min: 1, max: 1500 }), inserts: fc.boolean() });
  fc.assert(fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), (runs) => {
    const rows = new RowStore();
    const index = new RowIndex(rows, 0);
    const known = new Map<number, number>();
    const find = (key: number): number => index.find(0, ID_SHORT, key, 0, 0, 4, hashRow(0, ID_SHORT, key, 0, 0, 4));
    for (const { first, count, inserts } of runs) {
      for (let key = first; key < first + count; key++) {
        const hash = hashRow(0, ID_SHORT, key, 0, 0, 4);
        const row = known.get(key);
        if (inserts && row === undefined) {
          const added = rows.allocate();
          rows.setKey(added, keyBits(0, ID_SHORT), key, 0, 0, 4, ROW_LIVE);
          index.insert(added, hash);
          known.set(key, added);
        } else if (!inserts && row !== undefined) {
          index.remove(row, hash);
          rows.release(row);
          known.delete(key);
        }
      }
      for (let key = 0; key < 4500; key += 7) expect(find(key)).toBe(known.get(key) ?? -1);
    }
    expect(rows.size - rows.freeCount).toBe(known.size);
  }), { numRuns: 60 });
});

it('chains hold the rows of their property, linked one by one or all at once', () => {
  fc.assert(fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }), fc.array(fc.nat(39), { maxLength: 20 }), (properties, removed) => {
    const rows = new RowStore();
    const accounts = new Accounts(new FiscalCalendar(1));
    for (let property = 0; property < 4; property++) accounts.property(ID_UUID, 0, 0, 0, property);
    properties.forEach((property) => linkRow(rows, accounts, property, rows.allocate()));
    const gone = new Set(removed.filter((row) => row < properties.length));
    for (const row of gone) unlinkRow(rows, accounts, properties[row], row);
    const walk = (property: number): number[] => {
      const chain: number[] = [];
      for (let link = accounts.chainHead(property); link !== 0; link = nextInChain(rows, link - 1)) chain.push(link - 1);
      return chain;
    };
    const expected = (property: number): number[] => properties.flatMap((each, row) => (each === property && !gone.has(row) ? [row] : []));
    for (let property = 0; property < 4; property++) expect(walk(property).toSorted((a, b) => a - b)).toEqual(expected(property));
    for (let property = 0; property < 4; property++) accounts.setChainHead(property, 0);
    linkAll(rows, accounts, (row) => (gone.has(row) ? -1 : properties[row]));
    for (let property = 0; property < 4; property++) expect(walk(property)).toEqual(expected(property));
    for (let property = 0; property < 4; property++) for (const row of expected(property)) unlinkRow(rows, accounts, property, row);
    for (let property = 0; property < 4; property++) expect(accounts.chainHead(property)).toBe(0);
  }));
});

it('a queue gives back what was put in, a set what was added', () => {
  fc.assert(fc.property(fc.array(fc.option(fc.nat(9999), { freq: 3 }), { maxLength: 400 }), (steps) => {
    const queue = new IndexQueue();
    const set = new BitSet();
    const waiting: number[] = [];
    const members = new Set<number>();
    for (const step of steps) {
      if (step !== null) {
        queue.push(step);
        waiting.push(step);
        expect(set.add(step)).toBe(!members.has(step));
        members.add(step);
      } else if (waiting.length > 0) {
        expect(queue.at(0)).toBe(waiting[0]);
        expect(set.remove(waiting[0])).toBe(members.delete(waiting[0]));
        queue.shift();
        waiting.shift();
      }
      expect(queue.length).toBe(waiting.length);
      waiting.forEach((value, position) => expect(queue.at(position)).toBe(value));
    }
    for (const step of steps) if (step !== null) expect(set.has(step)).toBe(members.has(step));
  }));
});
