import fc from 'fast-check';
import type { TableName } from '../../src/change/change.ts';
import { binlog, noPosition, postgres, timePosition } from './batches.ts';
import type { TestPosition, TestRecord } from './batches.ts';

/** Records with positions, times and partitions so close together that every rule of order is met. */

const LONG = 'a property whose name is much longer than a short identifier can be';
export const PROPERTIES = ['3e5f4790-2ff7-4e0d-bb91-ed4cda705501', '7', LONG];
export const UNITS = [null, 'u1', 'C2EA0F1E-EEAE-4ECD-A46A-5117BF7D0DE9'];
const KEYS = ['1', '2', '3e5f4790-2ff7-4e0d-bb91-ed4cda705502', 'a key whose text is longer than fifteen bytes'];
export const DATES = ['2023-12-31', '2024-03-31', '2024-04-01', '2025-01-15', '2031-06-30'];
const TYPES = [null, 'pandi', 'tax', 'rehab', 'capex', 'surprise'];

const position: fc.Arbitrary<TestPosition> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ commit: fc.option(fc.nat(4)), own: fc.nat(6), snapshot: fc.boolean(), epoch: fc.constantFrom(0, 0, 0, 1) })
    .map(({ commit, own, snapshot, epoch }) => postgres(commit, own, { epoch, snapshot })) },
  { weight: 2, arbitrary: fc.record({ file: fc.nat(2), pos: fc.nat(3), row: fc.nat(1), server: fc.nat(2), snapshot: fc.boolean() })
    .map(({ file, pos, row, server, snapshot }) => binlog(file, pos, row, server, { snapshot })) },
  { weight: 1, arbitrary: fc.nat(4).map(timePosition) },
  { weight: 1, arbitrary: fc.constant(noPosition) },
);

const place = { partition: fc.nat(2), position, time: fc.option(fc.nat(6), { freq: 8, nil: undefined }) };
const table = fc.constantFrom<TableName>('expenses', 'rents', 'properties');
const columns = {
  property: fc.constantFrom(...PROPERTIES), unit: fc.constantFrom(...UNITS), date: fc.constantFrom(...DATES), amount: fc.integer({ min: -5, max: 1e15 - 1 }),
  amount2: fc.option(fc.nat(100)), type: fc.constantFrom(...TYPES), flag: fc.boolean(),
};

/** A property's row has its property's id as key, and neither unit nor day. */
function keyed<T extends { table: TableName; key: string; property?: string }>(record: T): T {
  return record.table === 'properties' ? { ...record, key: record.property ?? PROPERTIES[0] } : record;
}

const upsert = fc.record({ kind: fc.constant('upsert' as const), table, key: fc.constantFrom(...KEYS), ...place, ...columns }).map(keyed);
const partial = fc.record({ kind: fc.constant('partial' as const), table, key: fc.constantFrom(...KEYS), present: fc.nat(127), ...place, ...columns }).map(keyed);
const removal = fc.record({ kind: fc.constant('delete' as const), table, key: fc.constantFrom(...KEYS), ...place });
const tombstone = fc.record({ kind: fc.constant('tombstone' as const), table, key: fc.constantFrom(...KEYS), partition: place.partition });
const truncate = fc.record({ kind: fc.constant('truncate' as const), table, ...place });
const rest = fc.constantFrom<TestRecord>({ kind: 'passed-over' }, { kind: 'letter', table: 'rents', key: '1', property: '7' });

/** Records that stand together in a log: one, or a delete and an upsert of a changed primary key. */
export const group: fc.Arbitrary<TestRecord[]> = fc.oneof(
  { weight: 10, arbitrary: upsert.map((each) => [each]) },
  { weight: 3, arbitrary: removal.map((each) => [each]) },
  { weight: 2, arbitrary: partial.map((each) => [each]) },
  { weight: 1, arbitrary: tombstone.map((each) => [each]) },
  { weight: 1, arbitrary: truncate.map((each) => [each]) },
  { weight: 1, arbitrary: rest.map((each) => [each]) },
  { weight: 1, arbitrary: fc.tuple(removal, upsert).map(([old, next]): TestRecord[] => [
    { ...old, table: next.table, partition: next.partition, position: next.position, time: next.time, continued: true }, next]) },
) as fc.Arbitrary<TestRecord[]>;
