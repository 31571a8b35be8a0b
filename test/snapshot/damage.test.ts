import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/snapshot/file-entry.ts';
import { encodeCurrent } from '../../src/snapshot/current.ts';
import { encodeManifest, MANIFEST_VERSION } from '../../src/snapshot/manifest.ts';
import { createBooks } from '../../src/ledger/books.ts';
import { createSystemClock } from '../../src/runtime/clock.ts';
import { openSnapshots } from '../../src/snapshot/checkpointer.ts';
import { createLineageId, createWriterId } from '../../src/snapshot/names.ts';
import { createInlineWork } from '../../src/snapshot/work.ts';
import { seal, unseal } from '../../src/snapshot/sealed.ts';
import { ChangeWriter } from '../support/change-writer.ts';
import { MemoryStore, type MemoryPlace } from '../support/memory-store.ts';
import { DEFINITIONS, PREFIX, pictureOf, startRun } from '../support/snapshot-run.ts';
import { faultFired } from '../support/faults/fired.ts';
import { sixGenerations } from '../support/six-generations.ts';
import { NOW } from '../support/some-changes.ts';

// Goal: no altered, torn, missing, foreign or mixed-up file is ever used, and the generation before it is, said aloud. Method: a store of six
// generations with known states; every kind of file of the newest is damaged in every way; a restore must find the fifth state.

const { place, pictures, lineage, folder, manifestName, manifestOf, filesOfNewest } = await sixGenerations();

function copy(): MemoryPlace {
  return { files: new Map(place.files), holder: null };
}

async function restoredFrom(damaged: MemoryPlace) {
  const run = await startRun(new MemoryStore(damaged));
  return { restored: run.restored, picture: pictureOf(run.state), run };
}

async function expectFallBack(damaged: MemoryPlace, file: string, reason: RegExp = /./): Promise<void> {
  const { restored, picture, run } = await restoredFrom(damaged);
  expect(restored).toMatchObject({ kind: 'restored', generation: 5 });
  expect(picture).toBe(pictures.get(5));
  const said = restored.warnings.filter((warning) => warning.code === 'GENERATION_UNUSABLE');
  expect(said).toHaveLength(1);
  expect(said[0].message).toContain(file);
  expect(said[0].message).toMatch(reason);
  expect(said[0].message).toMatch(/generation 6 cannot be used.*generation 5 was restored.*number 7/);
  run.state.step(new ChangeWriter('other', 1).batch([{ op: 'upsert', table: 'rents', key: 'new' }]), NOW);
  expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 7 });
  expect((await restoredFrom(damaged)).picture).toBe(pictureOf(run.state));
}

function samples(length: number): number[] {
  const step = Math.max(1, Math.floor(length / 40));
  return [...new Set([0, 1, 7, 8, ...Array.from({ length: 40 }, (_, i) => i * step), length - 9, length - 2, length - 1])].filter((at) => at >= 0 && at < length);
}

describe('a damaged file of the newest generation', () => {
  it('is found at every truncation length sampled', async () => {
    for (const file of filesOfNewest()) {
      const bytes = place.files.get(file)!;
      for (const length of samples(bytes.length)) {
        const damaged = copy();
        damaged.files.set(file, bytes.slice(0, length));
        const { restored, picture } = await restoredFrom(damaged);
        faultFired('D1');
        expect(restored, `${file} cut to ${length}`).toMatchObject({ generation: 5 });
        expect(picture).toBe(pictures.get(5));
      }
    }
  });

  it('is found at every bit flip sampled', async () => {
    for (const file of filesOfNewest()) {
      const bytes = place.files.get(file)!;
      for (const at of samples(bytes.length)) {
        const damaged = copy();
        const flipped = bytes.slice();
        flipped[at] ^= 1 << (at % 8);
        damaged.files.set(file, flipped);
        const { restored, picture } = await restoredFrom(damaged);
        faultFired('D2');
        expect(restored, `${file} bit ${at % 8} of byte ${at}`).toMatchObject({ generation: 5 });
        expect(picture).toBe(pictures.get(5));
      }
    }
  });

  it('missing, empty, longer or another file in its place: falls back, says file and reason, numbers go on above', async () => {
    const [manifest, rows, accounts, letters] = filesOfNewest();
    const older = manifestOf(5).parts[0].segments.at(-1)!;
    for (const file of [rows, accounts, letters]) {
      const missing = copy();
      missing.files.delete(file);
      await expectFallBack(missing, file, /missing/);
    }
    for (const file of [manifest, rows, accounts, letters]) {
      const empty = copy();
      empty.files.set(file, new Uint8Array(0));
      faultFired('D6');
      await expectFallBack(empty, file);
      const longer = copy();
      longer.files.set(file, new Uint8Array(Buffer.concat([place.files.get(file)!, Buffer.from('x')])));
      await expectFallBack(longer, file);
    }
    const mixedRows = copy();
    mixedRows.files.set(rows, place.files.get(folder + older.rows.name)!);
    await expectFallBack(mixedRows, rows);
    const mixedManifest = copy();
    mixedManifest.files.set(manifest, place.files.get(manifestName(4))!);
    faultFired('D3', 2);
    await expectFallBack(mixedManifest, manifest, /generation 4 under another/);
  });

  it('a manifest that is sealed but wrong is refused: other lineage, rows that do not add up, unknown or missing fields', async () => {
    const manifest = manifestOf(6);
    const sealed = (body: object): Uint8Array => seal('rentfold-manifest', 1, body);
    const [part] = manifest.parts;
    const otherLineage = encodeManifest({ ...manifest, lineage: createLineageId(0) });
    const wrong: [Uint8Array, RegExp][] = [
      [otherLineage, /lineage/],
      ...(['totalRevenue', 'rent', 'expenses', 'cashInvested', 'downPayment'] as const).map((name): [Uint8Array, RegExp] =>
        [encodeManifest({ ...manifest, parts: [{ ...part, controlTotals: { ...part.controlTotals, [name]: '1' } }] }), new RegExp(`control totals: ${name.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`)} 1 recorded`)]),
      ...(['rememberedDeletes', 'truncateMarks'] as const).map((name): [Uint8Array, RegExp] =>
        [encodeManifest({ ...manifest, parts: [{ ...part, controlTotals: { ...part.controlTotals, [name]: 999 } }] }), / 999 recorded/]),
      ...(['expenses', 'rents', 'properties'] as const).map((table): [Uint8Array, RegExp] =>
        [encodeManifest({ ...manifest, parts: [{ ...part, controlTotals: { ...part.controlTotals, rows: { ...part.controlTotals.rows, [table]: 999 } } }] }), new RegExp(`${table} rows 999 recorded`)]),
      [encodeManifest({ ...manifest, parts: [{ ...part, segments: part.segments.slice(1) }] }), /control totals/],
      [sealed({ ...manifest, extra: 1 }), /extra/],
      [sealed({ ...manifest, positions: undefined }), /positions/],
      [sealed({ ...manifest, generation: '6' }), /generation/],
      [sealed({ ...manifest, parts: [{ ...part, segments: [{ ...part.segments[0], rows: { ...part.segments[0].rows, name: '../../../etc/passwd' } }] }] }), /no name of a data file/],
    ];
    for (const [bytes, reason] of wrong) {
      const damaged = copy();
      damaged.files.set(manifestName(6), bytes);
      faultFired(bytes === otherLineage ? 'D9' : 'D4b');
      await expectFallBack(damaged, manifestName(6), reason);
    }
  });
});

describe('the whole store', () => {
  it('falls back over several generations, and stops with STORE_DAMAGED when none is left, naming every reason', async () => {
    const damaged = copy();
    for (const generation of [6, 5, 4]) damaged.files.set(manifestName(generation), Buffer.from('{}'));
    expect((await restoredFrom(damaged)).restored).toMatchObject({ generation: 3 });
    for (const generation of [3, 2, 1]) damaged.files.set(manifestName(generation), Buffer.from(''));
    faultFired('D8');
    await expect(restoredFrom(damaged)).rejects.toMatchObject({ code: 'STORE_DAMAGED', exit: 4, message: expect.stringMatching(/generation 6:.*generation 1:.*use an empty one/) as unknown });
  });

  it('current.json missing, torn or flipped: the only lineage is used, said, and the file is written anew', async () => {
    const name = `${PREFIX}checkpoints/current.json`;
    const bytes = place.files.get(name)!;
    const variants: (Uint8Array | null)[] = [null, new Uint8Array(0), ...samples(bytes.length).map((at) => bytes.slice(0, at)), ...samples(bytes.length).map((at) => bytes.map((byte, i) => (i === at ? byte ^ 4 : byte)))];
    for (const variant of variants) {
      const damaged = copy();
      if (variant === null) damaged.files.delete(name);
      else damaged.files.set(name, variant);
      const { restored, picture } = await restoredFrom(damaged);
      expect(restored).toMatchObject({ kind: 'restored', generation: 6 });
      expect(restored.warnings).toEqual([{ code: 'GENERATION_UNUSABLE', message: expect.stringContaining(name) as unknown }]);
      expect(picture).toBe(pictures.get(6));
    }
    const damaged = copy();
    damaged.files.set(name, Buffer.from('torn'));
    const { run } = await restoredFrom(damaged);
    await run.checkpoint();
    expect((await restoredFrom(damaged)).restored.warnings).toEqual([]);
  });

  it('with two lineages and no current.json nobody can tell: STORE_DAMAGED; with it, the one named is served', async () => {
    const two = copy();
    const other = createLineageId(5);
    two.files.set(`${PREFIX}checkpoints/${other}/0000000001.json`, encodeManifest({ ...manifestOf(1), lineage: other, generation: 1 }));
    for (const name of [manifestOf(1).parts[0].segments[0].rows.name, manifestOf(1).parts[0].segments[0].accounts.name, manifestOf(1).parts[0].deadLetters!.name]) {
      two.files.set(`${PREFIX}checkpoints/${other}/${name}`, place.files.get(folder + name)!);
    }
    expect((await restoredFrom(two)).restored).toMatchObject({ lineage, generation: 6 });
    two.files.set(`${PREFIX}checkpoints/current.json`, encodeCurrent({ lineage: other, changedAt: 1 }));
    expect((await restoredFrom(two)).restored).toMatchObject({ lineage: other, generation: 1 });
    two.files.delete(`${PREFIX}checkpoints/current.json`);
    await expect(restoredFrom(two)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('rows that the books cannot load are a failure like any other: the generation before is used', async () => {
    const base = manifestOf(6);
    let loads = 0;
    const store = new MemoryStore(copy());
    const snapshots = openSnapshots({ store, prefix: PREFIX, clock: createSystemClock(), writer: createWriterId(), work: createInlineWork(store), notify: () => undefined });
    const result = await snapshots.restore(() => {
      const books = createBooks(DEFINITIONS);
      const load = books.load.bind(books);
      return ++loads > 1 ? books : Object.assign(books, { load: () => Object.assign(load(), { rows: () => { throw new RangeError('no such account'); } }) });
    });
    expect(result).toMatchObject({ kind: 'restored', generation: base.generation - 1, warnings: [{ code: 'GENERATION_UNUSABLE', message: expect.stringContaining('no such account') as unknown }] });
  });

  it('all manifests gone though later data is there: STORE_DAMAGED, not an empty start', async () => {
    const damaged = copy();
    for (const name of [...damaged.files.keys()]) if (/\d{10}\.json$/.test(name)) damaged.files.delete(name);
    await expect(restoredFrom(damaged)).rejects.toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringContaining('manifests are gone') as unknown });
    damaged.files.delete(`${PREFIX}checkpoints/current.json`);
    await expect(restoredFrom(damaged)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it.each(['one file of the base', 'the newest manifest', 'everything', 'a part of a file'])('with %s gone while a process publishes: its next generation is whole, and restores', async (what) => {
    const damaged = copy();
    const run = await startRun(new MemoryStore(damaged));
    const base = folder + manifestOf(6).parts[0].segments[0].rows.name;
    if (what === 'one file of the base') damaged.files.delete(base);
    else if (what === 'the newest manifest') damaged.files.delete(manifestName(6));
    else if (what === 'everything') damaged.files.clear();
    else damaged.files.set(base, damaged.files.get(base)!.slice(1));
    run.state.step(new ChangeWriter('other', 1).batch([{ op: 'upsert', table: 'rents', key: 'new' }]), NOW);
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 7 });
    expect(run.warnings).toEqual([{ code: 'GENERATION_UNUSABLE', message: expect.stringMatching(/^generation 6 cannot be restored any more: .*; the next checkpoint writes every row anew$/) as unknown }]);
    faultFired('D7b');
    const { restored, picture } = await restoredFrom(damaged);
    expect(restored).toMatchObject({ kind: 'restored', generation: 7 });
    expect(picture).toBe(pictureOf(run.state));
    run.state.step(new ChangeWriter('other', 2).batch([{ op: 'upsert', table: 'rents', key: 'newer' }]), NOW);
    expect(await run.checkpoint()).toMatchObject({ kind: 'published', generation: 8, rows: 1 });
    expect(run.warnings).toHaveLength(1);
  });

  it('a newer format is refused, not fallen back from; a flipped version number is damage', async () => {
    const newer = copy();
    const unsealed = unseal('rentfold-manifest', place.files.get(manifestName(6))!);
    if (unsealed.kind !== 'sound') throw new Error('the manifest must be sound');
    newer.files.set(manifestName(6), seal('rentfold-manifest', MANIFEST_VERSION + 1, unsealed.body));
    faultFired('D4a');
    await expect(restoredFrom(newer)).rejects.toMatchObject({ code: 'STORE_FOREIGN', exit: 4 });
    const flipped = copy();
    const text = Buffer.from(place.files.get(manifestName(6))!).toString();
    flipped.files.set(manifestName(6), Buffer.from(text.replace('"version": 1', '"version": 3')));
    await expectFallBack(flipped, manifestName(6));
  });

  it('files that no manifest explains are named and left alone; what is not under our names is ignored', async () => {
    const strange = copy();
    const ours = [`${folder}0000000006-abcdef123456-9.arrow`, `${PREFIX}checkpoints/notes.txt`, `${PREFIX}other.bin`, `${folder}x.json`];
    for (const name of [...ours, 'documents/letter.pdf', 'cdc/other/financial.json', `${PREFIX}financial_performance_current.parquet`, `${PREFIX}legacy/2024.parquet`]) strange.files.set(name, Buffer.from('?'));
    const { restored, picture } = await restoredFrom(strange);
    expect(picture).toBe(pictures.get(6));
    expect(restored.warnings.map((warning) => warning.code)).toEqual(ours.map(() => 'FILE_UNEXPLAINED'));
    for (const name of ours) {
      expect(restored.warnings.some((warning) => warning.message.includes(name)), name).toBe(true);
      expect(strange.files.has(name)).toBe(true);
    }
  });

  it('numbers go on above the highest in any name, also of a left-over', async () => {
    const left = copy();
    left.files.set(`${folder}0000000009-abcdef123456-1.arrow`, Buffer.from('?'));
    const { run } = await restoredFrom(left);
    expect(await run.checkpoint()).toMatchObject({ generation: 10 });
  });

  it('while a kept manifest cannot be read, pruning removes no data: nobody knows what it names', async () => {
    const damaged = copy();
    const run = await startRun(new MemoryStore(damaged));
    const writer = new ChangeWriter('other', 1);
    const publish = async (): Promise<void> => {
      run.state.step(writer.batch([{ op: 'upsert', table: 'rents', key: `x${damaged.files.size}` }]), NOW);
      await run.checkpoint();
    };
    await publish();
    const torn = manifestName(7);
    damaged.files.set(torn, Buffer.from('torn'));
    const older = (): string[] => [...damaged.files.keys()].filter((name) => /0000000006-\w+-\d+\.(arrow|dead-letters\.jsonl)$/.test(name) || name.endsWith('.dead-letters.jsonl'));
    const before = older();
    for (let i = 0; i < 4; i++) await publish();
    await run.snapshots.maintain();
    await run.snapshots.settled();
    expect(older()).toEqual(before);
    for (let i = 0; i < 6; i++) await publish();
    await run.snapshots.maintain();
    await run.snapshots.settled();
    expect(damaged.files.has(torn)).toBe(false);
    expect(older().length).toBeLessThan(before.length);
    expect((await restoredFrom(damaged)).picture).toBe(pictureOf(run.state));
  });

  it('a segment found damaged while merging makes the next checkpoint write everything anew', async () => {
    const damaged = copy();
    const run = await startRun(new MemoryStore(damaged));
    await run.checkpoint();
    const base = folder + manifestOf(6).parts[0].segments[0].rows.name;
    damaged.files.set(base, damaged.files.get(base)!.map((byte, i) => (i === 900 ? byte ^ 1 : byte)));
    await run.snapshots.maintain();
    await run.snapshots.settled();
    expect(run.warnings).toEqual([{ code: 'GENERATION_UNUSABLE', message: expect.stringContaining(base) as unknown }]);
    expect(await run.checkpoint()).toMatchObject({ generation: 8 });
    expect(run.snapshots.status().segments).toBe(1);
    expect((await restoredFrom(damaged)).picture).toBe(pictures.get(6));
  });
});

it('every file is named with the hash any tool computes', () => {
  const [part] = manifestOf(6).parts;
  for (const file of [...part.segments.flatMap((segment) => [segment.rows, segment.accounts]), part.deadLetters!]) {
    const bytes = place.files.get(folder + file.name)!;
    expect({ bytes: bytes.length, sha256: sha256Of(bytes) }).toEqual({ bytes: file.bytes, sha256: file.sha256 });
  }
});
