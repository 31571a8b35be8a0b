/**
 * Goal: the connector templates can be used as they are: every setting is explained, the settings rentfold relies on are there, nothing is set that would lose or
 * mix changes, and the script hands to Kafka Connect what the template says.
 * Method: the shipped files are read; the script runs as a process against a server that stands in for Connect's REST API. (The live tests run connectors from the same files.)
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fillTemplate, parseTemplate } from '../../config/connectors/register.ts';

const FOLDER = join(import.meta.dirname, '../../config/connectors');
const templates = readdirSync(FOLDER).filter((name) => name.endsWith('.properties')).sort();
const textOf = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

/** What the figures depend on, whatever the database. */
const RELIED_ON = {
  'decimal.handling.mode': 'string', 'skipped.operations': 'none', 'errors.tolerance': 'none', 'event.processing.failure.handling.mode': 'fail', 'snapshot.mode': 'initial', 'tasks.max': '1',
  'tombstones.on.delete': 'true', 'key.converter.schemas.enable': 'false', 'value.converter.schemas.enable': 'false', 'topic.creation.default.cleanup.policy': 'delete', 'topic.creation.default.retention.ms': '-1',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter', 'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
};
const PLACES = /^(CONNECTOR_NAME|TOPIC_PREFIX|KAFKA_BROKERS|SLOT_NAME|PUBLICATION_NAME|DATABASE_(HOST|PORT|USER|PASSWORD|NAME|SCHEMA|SSL_MODE|SERVER_ID|TRUST_CERTIFICATE))$/;

describe.each(templates)('%s', (name) => {
  const text = textOf(name);
  const settings = parseTemplate(text);

  it('says of every setting what it is for', () => {
    const lines = text.split('\n');
    const bare = lines.filter((line, i) => /^[^#\s]/.test(line) && !/^# \S/.test(lines[i - 1] ?? ''));
    expect(bare).toEqual([]);
    expect(lines.every((line) => line === line.trimEnd())).toBe(true);
  });

  it('has what the figures depend on, and heartbeats', () => {
    expect(Object.fromEntries(settings)).toMatchObject(RELIED_ON);
    expect(Number(settings.get('heartbeat.interval.ms'))).toBeGreaterThan(0);
  });

  it('follows the three tables, keyed by row, unchanged on their way', () => {
    const tables = settings.get('table.include.list')!.split(',').map((table) => table.split('.').at(-1));
    expect(tables).toEqual(['expenses', 'rents', 'properties']);
    const changing = [...settings.keys()].filter((key) => /^(transforms|message\.key\.columns|column\.|predicates|post\.processors)/.test(key));
    expect(changing).toEqual([]);
  });

  it('leaves open only hosts, names and secrets', () => {
    const places = [...text.split('\n').filter((line) => !line.startsWith('#')).join('\n').matchAll(/\$\{([^}]+)\}/g)].map((match) => match[1]!);
    expect(places.filter((place) => !PLACES.test(place))).toEqual([]);
    expect(new Set(places)).toContain('DATABASE_PASSWORD');
    expect(() => fillTemplate(text, {})).toThrow(/DATABASE_PASSWORD/);
    const filled = fillTemplate(text, Object.fromEntries(places.map((place) => [place, `x-${place}`])));
    expect(Object.values(filled).filter((value) => value.includes('$'))).toEqual([]);
    expect(filled['topic.prefix']).toBe('x-TOPIC_PREFIX');
  });
});

it('Postgres keeps its slot, sends only the three tables, and keeps the placeholder that rentfold knows', () => {
  expect(Object.fromEntries(parseTemplate(textOf('postgres.properties')))).toMatchObject({
    'plugin.name': 'pgoutput', 'publication.autocreate.mode': 'filtered', 'slot.drop.on.stop': 'false', 'unavailable.value.placeholder': '__debezium_unavailable_value',
    'heartbeat.action.query': expect.stringContaining('pg_logical_emit_message') as string,
  });
});

it('MySQL and MariaDB differ only in what has another name there', () => {
  const [maria, mysql] = ['mariadb.properties', 'mysql.properties'].map((name) => parseTemplate(textOf(name)));
  expect([...maria!].filter(([key, value]) => mysql!.get(key) !== value).map(([key]) => key)).toEqual(['connector.class']);
  expect([...mysql!.keys()]).toEqual([...maria!.keys()]);
});

describe('reading a template', () => {
  it('names a line that is no setting, and a setting that stands twice', () => {
    expect(() => parseTemplate('# x\na=1\nnonsense')).toThrow('line 3 is no setting: nonsense');
    expect(() => parseTemplate('a=1\na=2')).toThrow('line 2: a stands twice');
    expect(() => parseTemplate('a=1\\')).toThrow('line 1');
  });

  it('keeps `=` in values, and places of Kafka Connect\'s own', () => {
    expect(fillTemplate('a=b=c ${X}\np=${file:/run/secrets/db:password}', { X: 'y' })).toEqual({ a: 'b=c y', p: '${file:/run/secrets/db:password}' });
  });
});

describe('the script', () => {
  const environment = {
    PATH: process.env.PATH, CONNECTOR_NAME: 'rental connector', TOPIC_PREFIX: 'rental', DATABASE_HOST: 'db', DATABASE_PORT: '5432', DATABASE_USER: 'u', DATABASE_PASSWORD: 'secret', DATABASE_NAME: 'rental',
    DATABASE_SCHEMA: 'public', SLOT_NAME: 's', PUBLICATION_NAME: 'p',
  };
  const script = (more: Record<string, string> = {}, flags: string[] = []): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [join(FOLDER, 'register.ts'), join(FOLDER, 'postgres.properties'), ...flags], { env: { ...environment, ...more } });

  /** Stands in for Connect: keeps what it was asked and answers as told. */
  async function connect(status: number, body: string): Promise<{ url: string; asked: { method: string | undefined; url: string | undefined; body: string }[] }> {
    const asked: { method: string | undefined; url: string | undefined; body: string }[] = [];
    const server = createServer((request: IncomingMessage, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => {
        asked.push({ method: request.method, url: request.url, body: text });
        response.writeHead(status).end(body);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  it('puts the filled template to the REST API', async () => {
    const { url, asked } = await connect(201, '{}');
    expect((await script({ CONNECT_URL: url })).stdout).toBe('connector rental connector is made\n');
    expect(asked).toMatchObject([{ method: 'PUT', url: '/connectors/rental%20connector/config' }]);
    expect(JSON.parse(asked[0]!.body)).toEqual(fillTemplate(textOf('postgres.properties'), environment));
  });

  it('ends with 1 and the reason when Connect refuses, or a place has no value', async () => {
    const { url } = await connect(400, '{"message":"bad"}');
    await expect(script({ CONNECT_URL: url })).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('400: {"message":"bad"}') as string });
    await expect(script({ DATABASE_HOST: '' })).rejects.toMatchObject({ code: 1, stderr: 'register: these places have no value; set them in the environment: DATABASE_HOST\n' });
  });

  it('prints the configuration on request', async () => {
    expect(JSON.parse((await script({}, ['--print'])).stdout)).toMatchObject({ 'topic.prefix': 'rental' });
  });
});
