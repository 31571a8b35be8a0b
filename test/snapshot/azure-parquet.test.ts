import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../src/snapshot/azure-upload.ts';
import { createThreadWork } from '../../src/snapshot/thread-work.ts';
import { clientOf, newAzurePlace, openAzure, OWN_FOLDER } from '../support/azure-place.ts';
import { ChangeWriter, type Change } from '../support/change-writer.ts';
import { labelsOf, queryParquet } from '../support/parquet-query.ts';
import { newFolder, PREFIX, startRun } from '../support/snapshot-run.ts';
import { azuriteService } from '../support/services/services.ts';
import { NOW } from '../support/some-changes.ts';

// Goal: a parquet file that goes to the blob service in blocks is, downloaded, what was written. Method: a checkpoint by the worker thread on Azurite, read back by DuckDB.

const azurite = await azuriteService();
const PROPERTIES = 40_000;

/** Ids that do not compress, so that the file is larger than a block. */
const id = (i: number, seed: number): string => {
  const word = (n: number): string => (Math.imul(i * 4 + n + 1, seed) >>> 0).toString(16).padStart(8, '0');
  return `${word(0)}-${word(1).slice(0, 4)}-4${word(1).slice(5)}-8${word(2).slice(0, 3)}-${word(2).slice(4)}${word(3)}`;
};
const rents = (round: number): Change[] =>
  Array.from({ length: PROPERTIES }, (_, i) => ({ op: 'upsert', table: 'rents', key: `r${i}`, property: id(i, 0x9e3779b1), unit: id(i, 0x85ebca6b), day: 20_000, amount: i * 7_919 * round }));

describe.skipIf(azurite === null)('the parquet file on Azurite', () => {
  it('of more than a block is whole, and is replaced by the next', async () => {
    const place = newAzurePlace(azurite!);
    const store = await openAzure(place);
    const run = await startRun(store, { work: createThreadWork({ kind: 'azure', options: { container: place.container, credential: place.credential, ownFolder: OWN_FOLDER } }) });
    const log = new ChangeWriter();
    const blob = (await clientOf(place)).getBlobClient(`${PREFIX}financial_performance_current.parquet`);
    for (const generation of [1, 2]) {
      run.state.step(log.batch(rents(generation)), NOW);
      expect(await run.checkpoint({})).toMatchObject({ kind: 'published', generation, parquet: { kind: 'written', accounts: 2 * PROPERTIES } });
      const path = join(newFolder(), 'downloaded.parquet');
      await blob.downloadToFile(path);
      expect((await stat(path)).size).toBeGreaterThan(BLOCK_BYTES);
      const labels = await labelsOf(path);
      expect(labels).toMatchObject({ generation: String(generation), file_totals: labels.control_totals });
      const [sums] = await queryParquet(path, `select sum(cumulative_total_revenue)::varchar as total_revenue, sum(cumulative_rent)::varchar as rent, sum(cumulative_expenses)::varchar as expenses
        from FILE where unit_id is null`);
      expect(sums).toEqual(JSON.parse(labels.control_totals!));
      expect(await queryParquet(path, 'select count(*)::int as rows, count(distinct property_id)::int as properties, count(distinct unit_id)::int as units from FILE'))
        .toEqual([{ rows: 2 * PROPERTIES, properties: PROPERTIES, units: PROPERTIES }]);
    }
    await run.snapshots.close();
    await store.close();
  }, 60_000);
});
