import { describe, expect, it } from 'vitest';
import { clientOf, newAzurePlace, openAzure } from '../support/azure-place.ts';
import { faultFired } from '../support/faults/fired.ts';
import { azuriteService } from '../support/services/services.ts';
import { sixGenerations } from '../support/six-generations.ts';
import { pictureOf, startRun } from '../support/snapshot-run.ts';

// Goal: what a container holds of a damaged newest generation is never used, whatever happened to which of its blobs. Method: six generations put into a container as they are;
// each blob that only the sixth needs is cut, altered, emptied, exchanged, or removed as by a lifecycle rule; a restore must find the fifth.

const azurite = await azuriteService();

describe.skipIf(azurite === null)('a damaged blob of the newest generation', () => {
  it('sends the restore back to the one before, said with the blob\'s name', async () => {
    const { place, pictures, filesOfNewest, manifestOf, folder, manifestName } = await sixGenerations();
    const azure = newAzurePlace(azurite!);
    const store = await openAzure(azure);
    for (const [name, bytes] of place.files) expect(await store.create(name, bytes)).toBe('created');
    const restore = async (): ReturnType<typeof startRun> => {
      const run = await startRun(store);
      await run.snapshots.close();
      return run;
    };
    expect(pictureOf((await restore()).state)).toBe(pictures.get(6));
    const client = await clientOf(azure);
    const older = manifestOf(5).parts[0].segments.at(-1)!;
    for (const file of filesOfNewest()) {
      const bytes = place.files.get(file)!;
      const blob = client.getBlockBlobClient(file);
      const flipped = Uint8Array.from(bytes, (byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte));
      const damages: [string, Uint8Array | null][] = [
        ['cut', bytes.subarray(0, bytes.length - 7)], ['flipped', flipped], ['emptied', new Uint8Array(0)], ['longer', Buffer.concat([bytes, Buffer.from('x')])],
        ['exchanged', place.files.get(file.endsWith('.json') ? manifestName(4) : folder + older.rows.name)!], ['removed', null],
      ];
      for (const [what, content] of damages) {
        // Without its manifest a generation was never published.
        if (content === null && file === manifestName(6)) continue;
        if (content === null) await blob.delete();
        else await blob.upload(Buffer.from(content), content.length);
        const { restored, state } = await restore();
        if (what === 'removed') faultFired('D7a');
        expect(restored, `${what} ${file}`).toMatchObject({ kind: 'restored', generation: 5 });
        expect(pictureOf(state)).toBe(pictures.get(5));
        expect(restored.warnings.filter(({ code }) => code === 'GENERATION_UNUSABLE').map(({ message }) => message)).toEqual([expect.stringContaining(file)]);
      }
      await blob.upload(Buffer.from(bytes), bytes.length);
    }
    expect(pictureOf((await restore()).state)).toBe(pictures.get(6));
    await store.close();
  });
});
