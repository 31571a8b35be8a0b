/**
 * Goal: the program as an operator meets it: commands, help, exit codes, one clear line for what is wrong, and a clean end.
 * Method: the real process on temporary folders; what it prints and the code it exits with are compared.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RentfoldProcess } from '../support/process.ts';
import { WRONG } from '../support/wrong-options.ts';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rentfold-commands-'));
  folders.push(folder);
  return folder;
}

const FIXTURES = join(import.meta.dirname, '../fixtures/conformance/cases');
const copyOfCase = (name: string): string => {
  const folder = temporaryFolder();
  cpSync(join(FIXTURES, name), folder, { recursive: true });
  return folder;
};

async function run(environment: Record<string, string>, command: string[] = ['serve']): Promise<{ code: number | null; text: string; errors: string[] }> {
  await using rentfold = new RentfoldProcess({ RENTFOLD_STORE_DIR: join(temporaryFolder(), 'store'), ...environment }, command);
  const code = await rentfold.exitCode();
  const text = rentfold.log;
  return { code, text, errors: text.split('\n').filter((line) => line.startsWith('rentfold: ')) };
}

/** A store that holds a checkpoint of the case, and the log it was made from. */
async function checkpointed(name: string, settings: Record<string, string> = {}): Promise<Record<string, string>> {
  const environment = { RENTFOLD_FILE_DIR: copyOfCase(name), RENTFOLD_STORE_DIR: join(temporaryFolder(), 'store'), RENTFOLD_DELETED_KEYS_DAYS: '30', ...settings };
  await using rentfold = new RentfoldProcess(environment);
  await rentfold.ready();
  await rentfold.kill('SIGTERM');
  expect(await rentfold.exitCode()).toBe(0);
  return environment;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
}

describe('configuration', () => {
  it('every wrong option ends the start with one clear line and exit code 2', async () => {
    const left = Object.entries(WRONG);
    const worker = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [name, value] = next;
        const { code, errors } = await run({ [name]: value });
        expect([name, code, errors.length]).toEqual([name, 2, 1]);
        expect(errors[0]).toContain(`CONFIGURATION_INVALID: ${name}: `);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
  });

  it('all wrong options are named at once', async () => {
    const { code, errors } = await run({ RENTFOLD_PORT: 'x', RENTFOLD_TIME_ZONE: 'Nowhere', LOG_LEVEL: 'loud' });
    expect(code).toBe(2);
    expect(errors.map((line) => line.split(': ')[2])).toEqual(['RENTFOLD_PORT', 'RENTFOLD_TIME_ZONE', 'LOG_LEVEL']);
  });

  it('a missing log folder, a missing configuration file and a port in use are configuration errors too', async () => {
    expect(await run({ RENTFOLD_FILE_DIR: '/nowhere/at/all' })).toMatchObject({ code: 2, errors: [expect.stringContaining('/nowhere/at/all')] });
    expect(await run({ RENTFOLD_CONFIG_FILE: '/nowhere.json' })).toMatchObject({ code: 2, errors: [expect.stringContaining('/nowhere.json')] });
    expect(await run({ RENTFOLD_CONFIG_FILE: tmpdir() })).toMatchObject({ code: 2, errors: [expect.stringContaining(`${tmpdir()} cannot be read`)] });
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    expect(await run({ RENTFOLD_PORT: String(port) })).toMatchObject({ code: 2, errors: [expect.stringContaining(`port ${port} is in use`)] });
    server.close();
  });

  it('a store that cannot be made is a configuration error', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await run({ RENTFOLD_STORE_DIR: join(file, 'store') })).toMatchObject({ code: 2, errors: [expect.stringContaining('STORE_NOT_WRITABLE')] });
  });

  it('an address beyond this machine needs a token only where a port is opened', async () => {
    const environment = { ...await checkpointed('first-rent'), RENTFOLD_HOST: '0.0.0.0' };
    const replayed = { ...environment, RENTFOLD_STORE_DIR: join(temporaryFolder(), 'store') };
    const [served, inspected, replay] = await Promise.all([run(environment), run(environment, ['inspect']), run(replayed, ['replay'])]);
    expect(served).toMatchObject({ code: 2, errors: [expect.stringContaining('CONFIGURATION_INVALID: RENTFOLD_HOST: ')] });
    expect([inspected, replay]).toMatchObject([{ code: 0, errors: [] }, { code: 0, errors: [] }]);
  });

  it('config prints what is in force, and no secret', async () => {
    const { code, text } = await run({ RENTFOLD_READ_TOKEN: 'a-secret-of-some-length', RENTFOLD_PROT: '1' }, ['config']);
    expect(code).toBe(0);
    expect(text).toContain('RENTFOLD_READ_TOKEN=(set, not shown)  (environment)');
    expect(text).toContain('RENTFOLD_TIME_ZONE=UTC  (default)');
    expect(text).toContain('OPTION_UNKNOWN: RENTFOLD_PROT');
    expect(text).not.toContain('a-secret-of-some-length');
  });

  it('a lineage read with other options is refused and the option named', async () => {
    const environment = await checkpointed('first-rent');
    const { code, errors } = await run({ ...environment, RENTFOLD_TIME_ZONE: 'Europe/Berlin' });
    expect(code).toBe(2);
    expect(errors).toEqual([expect.stringMatching(/DECODING_CHANGED: RENTFOLD_TIME_ZONE: /)]);
  });
});

describe('commands', () => {
  it('say what they do', async () => {
    expect(await run({}, ['--help'])).toMatchObject({ code: 0, text: expect.stringContaining('usage: rentfold [COMMAND]') });
    for (const command of ['serve', 'replay', 'inspect', 'dead-letters', 'config']) {
      expect(await run({}, [command, '--help'])).toMatchObject({ code: 0, text: expect.stringContaining(`usage: rentfold ${command}`) });
    }
  });

  it('refuse what they do not know', async () => {
    expect(await run({}, ['fly'])).toMatchObject({ code: 2, errors: [expect.stringContaining('`fly` is no command')] });
    expect(await run({}, ['config', '--json'])).toMatchObject({ code: 2, errors: [expect.stringContaining('`--json` is no flag')] });
    expect(await run({}, ['serve', 'now'])).toMatchObject({ code: 2, errors: [expect.stringContaining('usage: rentfold serve')] });
    expect(await run({}, ['dead-letters', 'eat'])).toMatchObject({ code: 2, errors: [expect.stringContaining('`eat` is neither list nor show')] });
    expect(await run({}, ['dead-letters', 'show'])).toMatchObject({ code: 2 });
  });

  it('dead-letters lists what could not be understood and shows one with its bytes', async () => {
    const environment = await checkpointed('poison');
    const list = await run(environment, ['dead-letters']);
    expect(list).toMatchObject({ code: 0, text: expect.stringMatching(/^8 open dead letters in generation \d+ of lineage /) });
    const line = list.text.split('\n').find((l) => l.includes('KEY_MISSING'))!;
    const shown = await run(environment, ['dead-letters', 'show', line.split('  ')[0]!]);
    expect(shown).toMatchObject({ code: 0, text: expect.stringContaining('code        KEY_MISSING') });
    expect(shown.text).toContain('00000000  7b');
    expect(await run(environment, ['dead-letters', 'show', 'nowhere/0/1'])).toMatchObject({ code: 2, errors: [expect.stringContaining('there is no open dead letter nowhere/0/1')] });
    expect(await run({}, ['dead-letters'])).toMatchObject({ code: 0, text: expect.stringContaining('no checkpoint yet') });
  });

  it('inspect tells of lineages, manifests and segments in words', async () => {
    const environment = await checkpointed('deposits');
    const all = await run(environment, ['inspect']);
    expect(all).toMatchObject({ code: 0, text: expect.stringMatching(/served/) });
    const names = filesBelow(environment.RENTFOLD_STORE_DIR!);
    const manifest = names.find((name) => /\d{10}\.json$/.test(name))!;
    const segment = names.find((name) => name.endsWith('.arrow'))!;
    expect(await run(environment, ['inspect', manifest])).toMatchObject({ code: 0, text: expect.stringMatching(/generation 1\b/) });
    expect(await run(environment, ['inspect', segment])).toMatchObject({ code: 0, text: expect.stringMatching(/rows/) });
    expect(await run(environment, ['inspect', '/nowhere.json'])).toMatchObject({ code: 2 });
  });
});

describe('start over a log or store that does not fit', () => {
  it('a log whose head is gone is refused with exit code 3, and accepted on request with complete: false', async () => {
    const folder = copyOfCase('first-rent');
    const file = join(folder, 'pg.public.rents.jsonl');
    const [line] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `${line!.replace('"offset":0', '"offset":5')}\n`);
    const refused = await run({ RENTFOLD_FILE_DIR: folder });
    expect(refused).toMatchObject({ code: 3, errors: [expect.stringMatching(/HISTORY_INCOMPLETE.*pg\.public\.rents.*RENTFOLD_ACCEPT_INCOMPLETE_HISTORY/)] });
    await using accepted = new RentfoldProcess({ RENTFOLD_FILE_DIR: folder, RENTFOLD_STORE_DIR: join(temporaryFolder(), 'store'), RENTFOLD_ACCEPT_INCOMPLETE_HISTORY: 'true' });
    await accepted.ready();
    const property = JSON.parse((JSON.parse(line!) as { payload: string }).payload) as { after: { property_id: string } };
    expect((await accepted.get(`/financial-performance/${property.after.property_id}`)).body).toMatchObject({ complete: false });
  });

  it('positions beyond the end, or over a log made anew, are refused with exit code 3 and leave the store as it was', async () => {
    const environment = await checkpointed('bulk');
    const before = filesBelow(environment.RENTFOLD_STORE_DIR!).sort();
    const file = join(environment.RENTFOLD_FILE_DIR!, 'pg.public.expenses.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    writeFileSync(file, `${lines.slice(0, 10).join('\n')}\n`);
    expect(await run(environment)).toMatchObject({ code: 3, errors: [expect.stringMatching(/POSITION_BEYOND_END/)] });
    writeFileSync(file, `${lines.map((text, i) => (i === lines.length - 1 ? text.replace(/\d(\d{6})-/, '0$1-').replace('"ts":', '"ts":1') : text)).join('\n')}\n`);
    expect(await run(environment)).toMatchObject({ code: 3, errors: [expect.stringMatching(/POSITION_RECORD_CHANGED/)] });
    expect(filesBelow(environment.RENTFOLD_STORE_DIR!).sort()).toEqual(before);
  });

  it('a store with no usable generation is refused with exit code 4', async () => {
    const environment = await checkpointed('deposits');
    for (const name of filesBelow(environment.RENTFOLD_STORE_DIR!).filter((n) => n.endsWith('.arrow'))) truncateSync(name, 20);
    expect(await run(environment)).toMatchObject({ code: 4, errors: [expect.stringMatching(/STORE_DAMAGED/)] });
  });
});

describe('a clean end', () => {
  it('SIGTERM closes the port, writes a last checkpoint and exits with 0; the next start goes on from there', async () => {
    const environment = await checkpointed('moves');
    await using rentfold = new RentfoldProcess(environment);
    await rentfold.ready();
    expect(rentfold.log).toContain('[FP-CACHE] Restored generation 1');
    const { records } = await rentfold.status();
    expect(records.read).toBe('184');
  });
});
