/**
 * Goal: the real program lives through outages of its store while changes arrive: answers have the new figures, status and metrics show what is unpublished, since when
 * and why; afterwards exactly one newer generation comes, and none ever goes back. What was taken from the store meanwhile is written whole.
 * Method: the real process on Azurite behind a proxy, beside a second one on a healthy local store that says what the answers must be; one outage after another.
 */
import { describe, expect, test } from 'vitest';
import { azureSettings, clientOf, newAzurePlace } from '../support/azure-place.ts';
import { checkCase } from '../support/check-answers.ts';
import { loadCase } from '../support/conformance.ts';
import { FaultProxy, type Fault, type Seen } from '../support/fault-proxy.ts';
import { faultFired } from '../support/faults/fired.ts';
import type { FaultId } from '../support/faults/table.ts';
import { generationsInContainer } from '../support/generations.ts';
import type { RentfoldProcess } from '../support/process.ts';
import { azuriteService } from '../support/services/services.ts';
import { Workplace } from '../support/workplace.ts';

const azurite = await azuriteService();
const one = loadCase('duplicates');
const paths = [...new Set(one.views.map(({ property_id: id }) => `/financial-performance/${encodeURIComponent(id)}`)), '/financial-performance/none'];

/** Appends the lines between two shares of every file; answers how many there are in all by then. */
async function appendShare(place: Workplace, from: number, to: number): Promise<number> {
  let lines = 0;
  for (const [file, all] of one.files) {
    const end = Math.floor(all.length * to);
    await place.append(file, all.slice(Math.floor(all.length * from), end));
    lines += end;
  }
  return lines;
}

async function hasRead(program: RentfoldProcess, records: number): Promise<void> {
  await program.until(`has read ${records} records`, async () => Number((await program.status()).records.read) === records);
}

/** Every answer without what only says when it was made. */
async function figures(program: RentfoldProcess): Promise<unknown[]> {
  return await Promise.all(paths.map(async (path) => {
    const { status, body } = await program.get(path);
    return [path, status, JSON.stringify(body, (name, value: unknown) => (['last_calculated_at', 'freshness', 'request_id', 'instance'].includes(name) ? undefined : value))];
  }));
}

async function metric(program: RentfoldProcess, name: string): Promise<number> {
  const { text } = await program.get('/metrics');
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

/** More attempts have failed since everything was read: so the next that succeeds has all of it. */
async function failsAgain(program: RentfoldProcess, times: number): Promise<void> {
  const before = Number((await program.status()).unpublished.failures);
  await program.until('failed again', async () => Number((await program.status()).unpublished.failures) >= before + times);
}

describe.skipIf(azurite === null)('outages of the store', () => {
  test('folding and reading go on, the backlog shows, and one newer generation follows each', async () => {
    await using place = await Workplace.create();
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const behind = newAzurePlace(azurite!, proxy.endpoint);
    const client = await clientOf({ ...newAzurePlace(azurite!), container: behind.container });
    const newest = async (): Promise<number> => (await generationsInContainer(client)).at(-1)?.generation ?? 0;
    const busy = (status: number, matches: (seen: Seen) => boolean): Fault => proxy.add(matches, { kind: 'answer', status, code: 'ServerBusy', headers: { 'retry-after': '1' } }, Infinity);
    const outages: readonly { readonly id: FaultId; readonly words: RegExp; readonly begin: () => readonly Fault[]; readonly away?: true }[] = [
      { id: 'O2b', words: /busy/, begin: () => [busy(429, ({ path }) => path.includes('comp=')), busy(503, () => true)] },
      { id: 'O4c', words: /connection was cut/, begin: () => [proxy.add(() => true, { kind: 'cut-upload', afterBytes: 0 }, Infinity)] },
      { id: 'O6', words: /account key was refused: it is wrong or was rotated/, begin: () => [proxy.add(() => true, { kind: 'other-key' }, Infinity)] },
      { id: 'O7', words: /container does not exist/, begin: () => [], away: true },
    ];
    const settings = { ...one.settings, RENTFOLD_CHECKPOINT_CHANGES: '5', RENTFOLD_CHECKPOINT_SECONDS: '1' };
    let records = await appendShare(place, 0, 0.3);
    await using reference = place.start(settings);
    await using program = place.start({ ...settings, ...azureSettings(behind) });
    await Promise.all([program.ready(), reference.ready()]);
    await program.until('published all', async () => (await program.status()).unpublished.since === null && (await newest()) > 0);
    for (const [i, { id, words, begin, away }] of outages.entries()) {
      const before = await newest();
      const faults = begin();
      if (away) await client.delete();
      records = await appendShare(place, 0.3 + i * 0.1, 0.4 + i * 0.1);
      await Promise.all([hasRead(program, records), hasRead(reference, records)]);
      await failsAgain(program, 2);
      const { unpublished } = await program.status();
      expect([Number(unpublished.rows) > 0, unpublished.since !== null, unpublished.last_failure], id).toEqual([true, true, expect.objectContaining({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(words) as unknown })]);
      expect([await metric(program, 'rentfold_unpublished_rows'), await metric(program, 'rentfold_publish_failures')].every((value) => value > 0)).toBe(true);
      expect(await metric(program, 'rentfold_unpublished_since_timestamp_seconds')).toBeCloseTo(Date.parse(unpublished.since!) / 1000, 2);
      expect((await program.get('/health/ready')).status).toBe(200);
      expect(await figures(program)).toEqual(await figures(reference));
      if (away) await client.create();
      else {
        expect(await newest(), id).toBe(before);
        expect(faults.some(({ struck }) => struck > 0)).toBe(true);
      }
      faultFired(id);
      for (const fault of faults) fault.end();
      await program.until('published all', async () => (await program.status()).unpublished.since === null);
      expect([await newest(), (await program.status()).generation], id).toEqual([before + 1, String(before + 1)]);
      expect((await program.status()).unpublished).toEqual({ rows: '0', since: null, failures: '0', last_failure: null });
    }
    const numbers = (await generationsInContainer(client)).map(({ generation }) => generation);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    await program.kill('SIGKILL');
    await appendShare(place, 0.7, 1);
    await using next = place.start({ ...settings, ...azureSettings(behind) });
    await next.ready();
    expect(next.log).toContain(`Restored generation ${numbers.at(-1)} `);
    await hasRead(next, one.records);
    await next.showingLog(() => checkCase(one, next));
    await client.delete();
  }, 300_000);
});
