import { beforeAll, describe, expect, it } from 'vitest';
import { describeFile } from '../../src/snapshot/describe.ts';
import { decodingChanges } from '../../src/snapshot/decoding-changes.ts';
import { encodeManifest, MANIFEST_VERSION, readManifest } from '../../src/snapshot/manifest.ts';
import { createLineageId, createNames, createWriterId, dataFileName, generationText, isLineageId, isWriterId, lettersFileName, parseFileName } from '../../src/snapshot/names.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { createMemoryPlace, MemoryStore } from '../support/memory-store.ts';
import { DECODING, startRun } from '../support/snapshot-run.ts';
import { NOW, someChanges } from '../support/some-changes.ts';

// Goal: what a person sees of a checkpoint: names, files in words, and which option differs. Method: one real generation, and examples.

const place = createMemoryPlace();

beforeAll(async () => {
  const run = await startRun(new MemoryStore(place));
  run.state.step(new ChangeWriter().batch(someChanges(1)), NOW);
  await run.checkpoint();
  await run.snapshots.close();
});

function find(pattern: RegExp): [string, Uint8Array] {
  return [...place.files].find(([name]) => pattern.test(name))!;
}

describe('files in words', () => {
  it('a manifest says what it holds, how far it read, and its files with their hashes', () => {
    const text = describeFile(...find(/\d{10}\.json$/)).join('\n');
    expect(text).toMatch(/generation 1 of lineage .*, the first/);
    expect(text).toMatch(/records: 8 read = 6 applied \+ 1 unchanged \+ 0 superseded \+ 0 passed over \+ 1 dead letters|records: 8 read = /);
    expect(text).toMatch(/sums: total revenue 1234\.5600, rent 1234\.5601,/);
    expect(text).toMatch(/base 0000000001-[0-9a-f]+-1\.arrow: \d+ rows, \d+ bytes, sha256 [0-9a-f]{64}/);
    expect(text).toContain('position db.public.rows/1: next offset 4, last record 3');
  });

  it('segments, dead letters and current.json too; anything else is damage', () => {
    expect(describeFile(...find(/-1\.arrow$/)).join('\n')).toMatch(/rentfold-rows, format version 1\n\d+ rows in 1 batches\ncolumns table:Uint8.*\npartitions \[/);
    expect(describeFile(...find(/-2\.arrow$/)).join('\n')).toContain('"property_id":"p1","unit_id":"u1"');
    expect(describeFile(...find(/jsonl$/))).toEqual(['1 dead letters', expect.stringContaining('AMOUNT_INVALID, the amount is "x"')]);
    expect(describeFile(...find(/current\.json$/))[0]).toMatch(/lineage .* is served, since 2/);
    expect(() => describeFile('x.json', Buffer.from('{}'))).toThrow('x.json: the content does not have the SHA-256 it names');
    expect(() => describeFile('x.arrow', Buffer.from('ARROW1 and then nothing'))).toThrow('not readable as an Arrow file');
  });

  // When this fails, the manifest's format has changed. Raise MANIFEST_VERSION, keep reading version 1 (add what is missing when it is read), add a test
  // with a manifest of version 1, then change the list here.
  it('a manifest has the version and fields that are pinned here', () => {
    const manifest = readManifest(...find(/\d{10}\.json$/));
    const paths = (value: unknown, at: string): string[] => (typeof value !== 'object' || value === null ? [at]
      : Array.isArray(value) ? paths(value[0] ?? null, `${at}[]`) : Object.entries(value).flatMap(([name, item]) => paths(item, `${at}.${name}`)));
    expect(MANIFEST_VERSION).toBe(2);
    expect([...new Set(paths({ ...manifest, decoding: null }, ''))].join(' ')).toBe('.lineage .generation .parent .writer .createdAt .source.identity .source.topics[].topic .source.topics[].partitions .positions[].topic '
      + '.positions[].partition .positions[].next .positions[].token .positions[].lastOffset .positions[].lastTime .positions[].lastHash .positions[].deleteKeyHash .counters[].topic .counters[].partition '
      + '.counters[].read .counters[].applied .counters[].unchanged .counters[].superseded .counters[].passedOver .counters[].deadLetters .counters[].unattributed .counters[].orderAmbiguous '
      + '.newestChangeAt .caughtUpOnce .incompleteHistory[] .decoding .definitions.rulesVersion .definitions.fiscalYearStartMonth .definitions.deletedKeysDays '
      + '.parts[].firstShard .parts[].lastShard .parts[].segments[].kind .parts[].segments[].rows.name .parts[].segments[].rows.rows .parts[].segments[].rows.bytes .parts[].segments[].rows.sha256 '
      + '.parts[].segments[].rows.pieces[].bytes .parts[].segments[].rows.pieces[].sha256 .parts[].segments[].accounts.name .parts[].segments[].accounts.rows .parts[].segments[].accounts.bytes '
      + '.parts[].segments[].accounts.sha256 .parts[].segments[].accounts.pieces[].bytes .parts[].segments[].accounts.pieces[].sha256 .parts[].deadLetters.name .parts[].deadLetters.bytes '
      + '.parts[].deadLetters.sha256 .parts[].deadLetters.count .parts[].marks[] .parts[].controlTotals.rows.expenses .parts[].controlTotals.rows.rents .parts[].controlTotals.rows.properties '
      + '.parts[].controlTotals.rememberedDeletes .parts[].controlTotals.truncateMarks .parts[].controlTotals.totalRevenue .parts[].controlTotals.rent .parts[].controlTotals.expenses '
      + '.parts[].controlTotals.cashInvested .parts[].controlTotals.downPayment');
  });

  it('a manifest is of the oldest version that has what it holds', () => {
    const manifest = readManifest(...find(/\d{10}\.json$/));
    const versionOf = (bytes: Uint8Array): unknown => (JSON.parse(Buffer.from(bytes).toString()) as { version: unknown }).version;
    const pieced = encodeManifest({ ...manifest, wholeEvents: ['topic\nevent'] });
    expect([versionOf(encodeManifest(manifest)), versionOf(pieced)]).toEqual([1, 2]);
    expect(readManifest('pieced', pieced)).toEqual({ ...manifest, wholeEvents: ['topic\nevent'] });
  });

  it('a manifest that could not be read again is not written', () => {
    const manifest = readManifest(...find(/\d{10}\.json$/));
    expect(() => encodeManifest({ ...manifest, newestChangeAt: NaN, generation: 0 })).toThrow('could not be read again');
  });
});

describe('names', () => {
  it('are made and recognised, in number order, and nothing else passes', () => {
    const writer = createWriterId();
    expect(isWriterId(writer)).toBe(true);
    expect(parseFileName(`${generationText(12)}.json`)).toEqual({ kind: 'manifest', generation: 12, writer: null });
    expect(parseFileName(dataFileName(7, writer, 3))).toEqual({ kind: 'data', generation: 7, writer });
    expect(parseFileName(lettersFileName(7, writer, 0))).toEqual({ kind: 'dead-letters', generation: 7, writer });
    expect([9, 10, 100].map(generationText).toSorted()).toEqual([9, 10, 100].map(generationText));
    for (const name of ['0000000000.json', '1.json', '0000000001-../x-1.arrow', '0000000001-ab-1.arrow', '00000000010.json', 'x']) expect(parseFileName(name), name).toBeNull();
    expect(() => generationText(1e10)).toThrow();
    expect(() => createNames('p/').file('20240101T000000000Z-00000000', '../../x')).toThrow();
    expect(() => createNames('p/').manifest('../x', 1)).toThrow('no lineage id');
    const ids = [1, 2, 1e12].map(createLineageId);
    expect(ids.every(isLineageId)).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe('decoding changes', () => {
  const newest = 1_000_000;
  it('names every option that would give other rows', () => {
    const now = {
      ...DECODING, timeZone: 'Europe/Berlin', decimals: { kind: 'base64' as const, scale: 2 }, tables: { ...DECODING.tables, rents: ['a.rents'] },
      columns: { ...DECODING.columns, properties: { down_payment: null } }, epochs: [5],
    };
    expect(decodingChanges(DECODING, now, newest).map((change) => change.option)).toEqual(['RENTFOLD_TIME_ZONE', 'RENTFOLD_DECIMALS', 'RENTFOLD_TABLE_RENTS', 'RENTFOLD_COLUMNS_PROPERTIES', 'RENTFOLD_SOURCE_EPOCHS']);
  });

  it('lets an epoch be added after the newest change folded, and none before or at it', () => {
    expect(decodingChanges(DECODING, { ...DECODING, epochs: [newest + 1] }, newest)).toEqual([]);
    expect(decodingChanges(DECODING, { ...DECODING, epochs: [newest] }, newest)).toHaveLength(1);
    expect(decodingChanges({ ...DECODING, epochs: [5] }, DECODING, newest)).toHaveLength(1);
    expect(decodingChanges(DECODING, { ...DECODING, epochs: [5] }, null)).toEqual([]);
  });

  it('does not mind the order of names', () => {
    expect(decodingChanges({ ...DECODING, columns: { ...DECODING.columns, rents: { a: 'x', b: null } } }, { ...DECODING, columns: { ...DECODING.columns, rents: { b: null, a: 'x' } } }, newest)).toEqual([]);
  });
});
