/**
 * Goal: what is shipped to run rentfold elsewhere fits the code: the image holds what a start needs and nothing needs more, the compose file and the example
 * configurations name options that exist, nothing listens beyond this machine by default.
 * Method: the shipped files are read and compared with the code; `docker compose config` checks the compose file where the client has it. Images are not built and
 * containers not run here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { OPTIONS } from '../../src/config-options.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const optionNames = new Set<string>(OPTIONS.map(({ name }) => name));
const compose = text('docker-compose.yml');

describe('the image', () => {
  const dockerfile = text('config/Dockerfile');

  it('has every package that src uses: src imports no development dependency', () => {
    const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> };
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const wrong = files.flatMap((file) => ts.preProcessFile(text(join('src', file)), true, true).importedFiles
      .map(({ fileName }) => fileName)
      .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
      .filter((name) => !Object.hasOwn(dependencies, name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')))
      .map((name) => `src/${file} imports ${name}`));
    expect(files.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  it('copies what is there and what .dockerignore lets through, runs Node itself, and not as root', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]!.split(' '));
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const allowed = [...text('.dockerignore').matchAll(/^!(.+)$/gm)].map((match) => match[1]!);
    expect(copied.filter((path) => !allowed.includes(path))).toEqual([]);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "--v8-pool-size=1", "src\/main\.ts"\]\nCMD \["serve"\]$/m);
    expect((JSON.parse(text('package.json')) as { scripts: { start: string } }).scripts.start, 'what the image runs').toBe('node --v8-pool-size=1 src/main.ts serve');
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toContain('/health/live');
  });

  it('sets only options that exist', () => {
    expect([...new Set(dockerfile.match(/\bRENTFOLD_[A-Z_]*[A-Z]\b/g))].filter((name) => !optionNames.has(name))).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  it('opens ports on this machine only, and names every image with its version', () => {
    const ports = [...compose.matchAll(/ports: \[(.+)\]/g)].flatMap((match) => match[1]!.split(', '));
    expect(ports.length).toBeGreaterThanOrEqual(5);
    expect(ports.filter((port) => !/^'127\.0\.0\.1:\d+:\d+'$/.test(port))).toEqual([]);
    const images = [...compose.matchAll(/image: (\S+)/g)].map((match) => match[1]!);
    expect(images.filter((image) => !/:[\w.]+$/.test(image) || image.endsWith(':latest'))).toEqual([]);
  });

  it('sets only options that exist, and fills every place of the connector template', () => {
    const names = [...compose.matchAll(/^ {6}((?:RENTFOLD|AZURE|CDC)_[A-Z_]+):/gm)].map((match) => match[1]!);
    expect(names).toContain('RENTFOLD_KAFKA_TOPICS');
    expect(names.filter((name) => !optionNames.has(name))).toEqual([]);
    const places = [...text('config/connectors/postgres.properties').matchAll(/^[^#].*?\$\{([A-Z_]+)\}/gm)].map((match) => match[1]!);
    expect(places.filter((place) => !new RegExp(`^ {6}${place}: \\S`, 'm').test(compose))).toEqual([]);
  });

  it('mounts and runs files that are there', () => {
    const files = [...compose.matchAll(/(?:^|[\s[])(?:\.\/)?(config\/[\w./-]+)/gm)].map((match) => match[1]!);
    expect(files.length).toBeGreaterThanOrEqual(4);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it('is one that `docker compose config` takes, where there is one', () => {
    if (spawnSync('docker', ['compose', 'version']).status !== 0) {
      process.stderr.write('docker-compose.yml was not checked by `docker compose config`: the docker client has no compose here\n');
      return;
    }
    expect(() => execFileSync('docker', ['compose', '--file', join(ROOT, 'docker-compose.yml'), 'config', '--quiet'], { stdio: 'pipe' })).not.toThrow();
  });
});

describe('example configurations', () => {
  const examples = readdirSync(join(ROOT, 'config/examples'));
  /** What an example leaves to the environment. */
  const secretsOf = (example: string): Record<string, string> => ({ ...(example.includes('SASL_MECHANISM') ? { RENTFOLD_KAFKA_SASL_PASSWORD: 'x' } : {}), ...(example.includes('EVENT_HUBS_NAMES') ? { RENTFOLD_EVENT_HUBS_CONNECTION_STRING: 'Endpoint=sb://rental.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=eA==' } : {}), AZURE_STORAGE_ACCOUNT_KEY: 'RWJ5OHZkTTAyeE5PY3FGbHFVd0pQTGxtRQ==' });

  it.each(examples)('%s is taken as it is, with its secrets in the environment', (name) => {
    const path = join('config/examples', name);
    const { config, unknown } = loadConfig({ environment: secretsOf(text(path)), file: { path, text: text(path) }, host: 'here', resolve: (given) => given });
    expect(unknown).toEqual([]);
    expect(config.source.kind).toBe(name === 'event-hubs-amqp.json' ? 'event-hubs' : 'kafka');
  });

  it.each(examples)('%s holds no secret, and is refused without them when it needs some', (name) => {
    const path = join('config/examples', name);
    const secretNames = OPTIONS.filter((option) => 'secret' in option && option.secret).map((option) => option.name as string);
    expect(Object.keys(JSON.parse(text(path)) as object).filter((option) => secretNames.includes(option))).toEqual([]);
    const load = (): unknown => loadConfig({ environment: {}, file: { path, text: text(path) }, host: 'here', resolve: (given) => given });
    expect(load).toThrow(/(RENTFOLD_KAFKA_SASL_PASSWORD|RENTFOLD_EVENT_HUBS_CONNECTION_STRING|AZURE_STORAGE_ACCOUNT_KEY): /);
  });
});
