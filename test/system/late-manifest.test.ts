/**
 * Goal: a publisher that was paused in the middle of publishing, and whose manifest reaches the store only after another has taken over, has published nothing, and knows.
 * Method: two real processes on Azurite; a proxy holds the first one's manifest back while the process is stopped and its lease ends; then lets it through.
 */
import { expect, test } from 'vitest';
import { clientOf, OWN_FOLDER } from '../support/azure-place.ts';
import { checkCase } from '../support/check-answers.ts';
import { loadCase } from '../support/conformance.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { faultFired } from '../support/faults/fired.ts';
import { azuriteService } from '../support/services/services.ts';
import { Workplace } from '../support/workplace.ts';

const azurite = await azuriteService();
const one = loadCase('duplicates');

async function appendShare(place: Workplace, from: number, to: number): Promise<void> {
  for (const [file, lines] of one.files) await place.append(file, lines.slice(Math.floor(lines.length * from), Math.floor(lines.length * to)));
}

test.skipIf(azurite === null)('a manifest that comes late is refused, and its writer stands by', async () => {
  await using place = await Workplace.create(azurite);
  await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
  const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '5', RENTFOLD_CHECKPOINT_SECONDS: '1' };
  const throughProxy = { AZURE_STORAGE_CONNECTION_STRING: azurite!.connectionString.replace(azurite!.blobEndpoint, proxy.endpoint) };
  await appendShare(place, 0, 0.3);
  await using first = place.start({ ...settings, ...throughProxy });
  await first.ready();
  await first.until('published all', async () => (await first.status()).unpublished.since === null);
  await using second = place.start(settings);
  await second.ready();
  expect((await second.status()).role).toBe('standby');
  const before = await place.newestGeneration();
  const old = (await place.generations()).at(-1)!.writer;
  const { promise: letThrough, resolve: release } = Promise.withResolvers<void>();
  const held = proxy.add(({ method, path }) => method === 'PUT' && /\/\d{10}\.json$/.test(path.split('?')[0]!), {
    kind: 'first',
    action: async () => {
      first.signal('SIGSTOP');
      await letThrough;
    },
  });
  await appendShare(place, 0.3, 1);
  await second.until('saw the other stop in the middle', () => Promise.resolve(held.struck === 1));
  // The lease's half minute, cut short.
  await (await clientOf(place.azure!.place)).getBlobClient(`${OWN_FOLDER}.rentfold/lease.json`).getBlobLeaseClient().breakLease(0);
  await second.until('published all', async () => (await second.status()).role === 'publisher' && (await second.status()).unpublished.since === null);
  release();
  faultFired('L2d');
  first.signal('SIGCONT');
  await first.until('stands by', async () => (await first.status()).warnings.some(({ code }) => code === 'LEASE_LOST') && (await first.status()).role === 'standby');
  for (const program of [first, second]) {
    await program.until('has read everything', async () => Number((await program.status()).records.read) === one.records);
    await program.showingLog(() => checkCase(one, program));
  }
  await second.until('published all', async () => (await second.status()).unpublished.since === null);
  const later = (await place.generations()).filter(({ generation }) => generation > before);
  expect(later.length).toBeGreaterThan(0);
  expect(later.map(({ writer }) => writer === old)).toEqual(later.map(() => false));
  expect((await first.status()).generation).toBe(String(before));
  await first.kill('SIGKILL');
  await second.kill('SIGKILL');
  await using third = place.start(settings);
  await third.ready();
  expect(third.log).toContain(`Restored generation ${later.at(-1)!.generation} `);
}, 180_000);
