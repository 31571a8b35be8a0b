import { POSITION_WORDS, TABLE_NAMES } from '../change/change.ts';
import type { DecodeOptions } from '../change/decoder.ts';
import { SHARDS } from '../change/identifier.ts';
import type { ControlTotals, TruncateMark } from '../ledger/ledger.ts';
import type { PartitionPosition } from '../source/positions.ts';
import type { PartitionCounters } from '../state.ts';
import type { FileEntry } from './file-entry.ts';
import type { LettersEntry, Manifest, ManifestPart, RecordedDefinitions } from './manifest.ts';
import { GENERATION_MAX, isLineageId, isWriterId, parseFileName } from './names.ts';
import type { SegmentEntry } from './segment.ts';
import { bool, either, fields, finite, list, nullable, oneOf, record, ShapeError, text, whole, type Shape } from './shape.ts';

/** What a manifest must look like, field by field. */

const sha256 = text(/^[0-9a-f]{64}$/);
const hash16 = text(/^[0-9a-f]{16}$/);
const sum = text(/^-?\d{1,40}$/);
const topic = text(/^.{1,1000}$/s);
const partition = whole(0, 0xffff_ffff);

/** A shape with one more condition. */
function where<T>(shape: Shape<T>, holds: (value: T) => boolean, otherwise: string): Shape<T> {
  return (value, path) => {
    const shaped = shape(value, path);
    if (!holds(shaped)) throw new ShapeError(`${path === '' ? 'the content' : path} ${otherwise}`);
    return shaped;
  };
}

const byTable = <T>(shape: Shape<T>): Shape<Record<(typeof TABLE_NAMES)[number], T>> => fields({ expenses: shape, rents: shape, properties: shape });

const position = fields<PartitionPosition>({
  topic, partition, next: whole(0), token: nullable(text()), lastOffset: nullable(whole(0)), lastTime: nullable(finite()), lastHash: nullable(hash16), deleteKeyHash: nullable(hash16),
});

const count = whole(0);
const counters = fields<PartitionCounters>({
  topic, partition, read: count, applied: count, unchanged: count, superseded: count, passedOver: count, deadLetters: count, unattributed: count, orderAmbiguous: count,
  passedOverReasons: record(count),
});

const fileName = (kind: 'data' | 'dead-letters'): Shape<string> => where(text(), (name) => parseFileName(name)?.kind === kind, `is no name of a ${kind} file`);

const fileEntry: Shape<FileEntry> = where(
  fields<FileEntry>({ name: fileName('data'), rows: count, bytes: whole(1), sha256, pieces: list(fields({ bytes: whole(1, 0x7fff_ffff), sha256 }), 2) }),
  (file) => file.pieces.reduce((bytes, piece) => bytes + piece.bytes, 0) === file.bytes,
  'has pieces that are not the whole file',
);

const segment = fields<SegmentEntry>({ kind: oneOf('base', 'delta'), rows: fileEntry, accounts: fileEntry });

const mark = fields<TruncateMark>({
  table: oneOf(...TABLE_NAMES), topic, partition, offset: whole(0), position: list(whole(0, 0xffff_ffff), POSITION_WORDS, POSITION_WORDS), commitTime: nullable(finite()),
});

const controlTotals = fields<ControlTotals>({
  rows: byTable(count), rememberedDeletes: count, truncateMarks: count, totalRevenue: sum, rent: sum, expenses: sum, cashInvested: sum, downPayment: sum,
});

const part = fields<ManifestPart>({
  firstShard: whole(0, 0),
  lastShard: whole(SHARDS - 1, SHARDS - 1),
  segments: where(list(segment), (all) => all.every((s, i) => s.kind === 'delta' || i === 0), 'has a base that is not the first segment'),
  deadLetters: nullable(fields<LettersEntry>({ name: fileName('dead-letters'), bytes: whole(1), sha256, count: whole(1) })),
  marks: list(mark),
  controlTotals,
});

const decoding = fields<DecodeOptions>({
  timeZone: text(/^.{1,100}$/),
  decimals: either(fields({ kind: oneOf('text') }), fields({ kind: oneOf('base64'), scale: whole(0, 1000) })),
  tables: byTable(list(text())),
  columns: byTable(record(nullable(text()))),
  epochs: list(finite()),
});

const definitions = fields<RecordedDefinitions>({ rulesVersion: whole(1), fiscalYearStartMonth: whole(1, 12), deletedKeysDays: finite() });

const onePart: Shape<readonly [ManifestPart]> = (value, path) => {
  const parts = list(part, 1, 1)(value, path);
  return [parts[0]];
};

const unique = <T extends { topic: string; partition: number }>(shape: Shape<T>): Shape<readonly T[]> =>
  where(list(shape), (all) => new Set(all.map((p) => `${p.partition} ${p.topic}`)).size === all.length, 'names a partition twice');

/** Checks and types the content of a manifest. */
export const manifestShape: Shape<Manifest> = where(
  fields<Manifest>({
    lineage: where(text(), isLineageId, 'is no lineage id'),
    generation: whole(1, GENERATION_MAX),
    parent: nullable(whole(1, GENERATION_MAX)),
    writer: where(text(), isWriterId, 'is no writer id'),
    createdAt: finite(),
    source: fields({ identity: text(), topics: list(fields({ topic, partitions: whole(1) })) }),
    positions: unique(position),
    counters: unique(counters),
    seenTables: fields({ expenses: text(), rents: text(), properties: text() }, [...TABLE_NAMES]),
    newestChangeAt: nullable(finite()),
    wholeEvents: list(text()),
    caughtUpOnce: bool(),
    incompleteHistory: list(text()),
    decoding,
    definitions,
    parts: onePart,
  }, ['wholeEvents']),
  (manifest) => manifest.parent === null || manifest.parent < manifest.generation,
  'names a parent that is not older',
);
