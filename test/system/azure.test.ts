/**
 * Goal: the real program keeps its checkpoints in Azure Blob Storage: killed, it goes on from there; the commands that look into a store see it; an outage stops neither folding
 * nor reading; what is set wrongly is one clear line; the secret is never written anywhere.
 * Method: real processes on Azurite, past and through a proxy that cuts the store off.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { azureSettings, newAzurePlace } from '../support/azure-place.ts';
import { checkCase } from '../support/check-answers.ts';
import { loadCase, type ConformanceCase } from '../support/conformance.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { RentfoldProcess } from '../support/process.ts';
import { azuriteService } from '../support/services/services.ts';
import { Workplace } from '../support/workplace.ts';

const azurite = await azuriteService();
const poison = loadCase('poison');
/** Everything the programs of this file have written. */
const logs: string[] = [];

async function appendShare(one: ConformanceCase, place: Workplace, from: number, to: number): Promise<void> {
  for (const [file, lines] of one.files) await place.append(file, lines.slice(Math.floor(lines.length * from), Math.floor(lines.length * to)));
}

/** Runs a command to its end; answers its exit code and what it wrote. */
async function command(words: readonly string[], settings: Readonly<Record<string, string>>): Promise<{ code: number | null; text: string }> {
  await using program = new RentfoldProcess(settings, words);
  const code = await program.exitCode();
  logs.push(program.log);
  return { code, text: program.log };
}

describe.skipIf(azurite === null)('on Azurite', () => {
  afterAll(() => {
    expect(logs.length).toBeGreaterThan(0);
    for (const log of logs) expect(log.includes(azurite!.key)).toBe(false);
  });

  test('killed and started again, it answers right; inspect and dead-letters see what is there', async () => {
    await using place = await Workplace.create(azurite);
    const settings = { ...poison.settings, RENTFOLD_CHECKPOINT_CHANGES: '5' };
    await appendShare(poison, place, 0, 0.6);
    const first = place.start(settings);
    try {
      await first.until('published', async () => await place.newestGeneration() > 0);
    } finally {
      await first.kill('SIGKILL');
      logs.push(first.log);
    }
    const durable = await place.newestGeneration();
    await appendShare(poison, place, 0.6, 1);
    await using second = place.start(settings);
    await second.ready();
    expect(second.log).toContain(`Restored generation ${durable} `);
    await second.until('has read everything', async () => Number((await second.status()).records.read) === poison.records);
    await second.showingLog(() => checkCase(poison, second));
    expect((await second.status()).role).toBe('publisher');
    await second.kill('SIGTERM');
    expect(await second.exitCode(), second.log).toBe(0);
    logs.push(second.log);
    const newest = await place.newestGeneration();
    const inspected = await command(['inspect'], place.settings);
    expect(inspected).toMatchObject({ code: 0, text: expect.stringMatching(new RegExp(`^store ${azurite!.blobEndpoint}/test-\\w+\nlineage .* \\(served\\)\n.*/${String(newest).padStart(10, '0')}\\.json: `)) as unknown });
    const letters = await command(['dead-letters', 'list'], place.settings);
    expect(letters).toMatchObject({ code: 0, text: expect.stringContaining(`in generation ${newest} of lineage`) as unknown });
    const shown = await command(['config'], place.settings);
    expect(shown).toMatchObject({ code: 0, text: expect.stringContaining('(set, not shown)') as unknown });
  }, 240_000);

  test('while the store is cut off it folds and answers, says so, and publishes when the store is back', async () => {
    const one = loadCase('duplicates');
    await using place = await Workplace.create();
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const settings = { ...one.settings, ...azureSettings(newAzurePlace(azurite!, proxy.endpoint)), RENTFOLD_CHECKPOINT_CHANGES: '5', RENTFOLD_CHECKPOINT_SECONDS: '1' };
    await appendShare(one, place, 0, 0.3);
    await using program = place.start(settings);
    await program.ready();
    await program.until('published', async () => (await program.status()).generation !== null);
    const cut = proxy.add(() => true, { kind: 'answer', status: 503, code: 'ServerBusy' }, Infinity);
    await appendShare(one, place, 0.3, 1);
    await program.until('has read everything', async () => Number((await program.status()).records.read) === one.records);
    await program.until('says so', async () => (await program.status()).warnings.some(({ code, message }) => code === 'CHECKPOINT_FAILED' && /STORE_UNAVAILABLE: .*busy.*503/.test(message)));
    await program.showingLog(() => checkCase(one, program));
    expect((await program.get('/health/ready')).status).toBe(200);
    expect(cut.struck).toBeGreaterThan(3);
    cut.end();
    const before = Number((await program.status()).generation);
    await program.until('published again', async () => Number((await program.status()).generation) > before);
    await program.kill('SIGKILL');
    logs.push(program.log);
    await using next = place.start(settings);
    await next.ready();
    await next.until('has read everything', async () => Number((await next.status()).records.read) === one.records);
    await next.showingLog(() => checkCase(one, next));
    logs.push(next.log);
  }, 240_000);

  test('a wrong key ends the start, and a command, with exit code 2 and one line that names the option', async () => {
    const settings = { RENTFOLD_STORE: 'azure', AZURE_STORAGE_CONNECTION_STRING: azurite!.connectionString.replace(azurite!.key, Buffer.alloc(64, 3).toString('base64')) };
    for (const words of [['serve'], ['inspect'], ['dead-letters', 'list']]) {
      const { code, text } = await command(words, settings);
      expect(code, text).toBe(2);
      expect(text.split('\n').filter((line) => line.startsWith('rentfold: '))).toEqual([expect.stringMatching(/^rentfold: CONFIGURATION_INVALID: AZURE_STORAGE_CONNECTION_STRING: .*the account key was refused/)]);
    }
  });
});
