/**
 * Goal: a wrong option never starts the service, and says in one line what is wrong; all wrong ones are said at once.
 * Method: every option gets a wrong value in turn, then all together; the process-level exit code is proven in test/system.
 */
import { describe, expect, it } from 'vitest';
import { loadConfig, type LoadedConfig } from '../src/config.ts';
import { OPTIONS } from '../src/config-options.ts';
import { RentfoldError } from '../src/errors.ts';
import { WRONG } from './support/wrong-options.ts';

const load = (environment: Record<string, string>, file: string | null = null): LoadedConfig =>
  loadConfig({ environment, host: 'here', file: file === null ? null : { path: 'config/rentfold.json', text: file }, resolve: (path) => `/base/${path}` });

function problems(environment: Record<string, string>, file: string | null = null): string[] {
  try {
    load(environment, file);
  } catch (error) {
    expect(error).toBeInstanceOf(RentfoldError);
    expect((error as RentfoldError).exit).toBe(2);
    return (error as RentfoldError).message.split('\n');
  }
  return [];
}

/** Paths, and what only some identity reads, may be anything until they are used. */
const FREE = ['RENTFOLD_SCHEMA_REGISTRY_USERNAME', 'RENTFOLD_SCHEMA_REGISTRY_PASSWORD', 'AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH', 'AZURE_FEDERATED_TOKEN_FILE', 'AZURE_AUTHORITY_HOST', 'RENTFOLD_FILE_DIR', 'RENTFOLD_STORE_DIR', 'RENTFOLD_CONFIG_FILE', 'RENTFOLD_KAFKA_TLS_CA', 'RENTFOLD_KAFKA_SASL_USERNAME', 'RENTFOLD_KAFKA_SASL_PASSWORD'];

describe('configuration', () => {
  it('has a wrong value for every option that can be wrong', () => {
    expect(Object.keys(WRONG).concat(FREE).sort()).toEqual(OPTIONS.map((o) => o.name as string).sort());
  });

  it.each(Object.entries(WRONG))('says what is wrong with %s=%s in one line', (name, value) => {
    const lines = problems({ [name]: value });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^${name}: `));
    if (OPTIONS.some((o) => o.name === name && 'secret' in o)) expect(lines[0]).not.toContain(value);
  });

  it('names all wrong options at once', () => {
    const { RENTFOLD_HOST: _, ...others } = WRONG;
    expect(problems(others).map((line) => line.split(':')[0]).sort()).toEqual(Object.keys(others).sort());
  });

  it('names both options where one has no effect without the other, and never a secret', () => {
    const kafka = { RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: 'a:9092', RENTFOLD_KAFKA_TOPICS: 't' };
    expect(problems({ ...kafka, RENTFOLD_KAFKA_TLS_CA: 'ca.pem' })).toEqual([expect.stringMatching(/^RENTFOLD_KAFKA_TLS_CA: .*RENTFOLD_KAFKA_TLS=true/)]);
    const lines = problems({ ...kafka, RENTFOLD_KAFKA_SASL_USERNAME: 'somebody', RENTFOLD_KAFKA_SASL_PASSWORD: 'a-secret' });
    expect(lines).toEqual(['USERNAME', 'PASSWORD'].map((name) => expect.stringMatching(new RegExp(`^RENTFOLD_KAFKA_SASL_${name}: .*RENTFOLD_KAFKA_SASL_MECHANISM`)) as string));
    expect(lines.join()).not.toContain('a-secret');
    expect(problems({ ...kafka, RENTFOLD_KAFKA_TLS: 'true', RENTFOLD_KAFKA_TLS_CA: 'ca.pem' })).toEqual([]);
  });

  it('takes brokers with ports from 1 to 65535, by name or address', () => {
    for (const wrong of ['a:0', 'a:65536', 'a:99999', 'a:', 'a', ':9092', 'b:1,a:0', 'http://a:1']) expect(problems({ RENTFOLD_KAFKA_BROKERS: wrong })).toEqual([expect.stringMatching(/^RENTFOLD_KAFKA_BROKERS: .*1 to 65535/)]);
    expect(problems({ RENTFOLD_KAFKA_BROKERS: 'a.b:1,127.0.0.1:65535,[::1]:9092' })).toEqual([]);
  });

  it('takes an address and a login of a schema registry, and names what is missing of them', () => {
    const url = { RENTFOLD_SCHEMA_REGISTRY_URL: 'https://registry.example/apis/ccompat/v7/' };
    expect(load({ ...url, RENTFOLD_SCHEMA_REGISTRY_USERNAME: 'me', RENTFOLD_SCHEMA_REGISTRY_PASSWORD: 'a-secret' }).config.registries)
      .toEqual({ confluent: { url: 'https://registry.example/apis/ccompat/v7', login: { username: 'me', password: 'a-secret' } }, azure: null });
    expect(problems({ ...url, RENTFOLD_SCHEMA_REGISTRY_USERNAME: 'me' })).toEqual([expect.stringMatching(/^RENTFOLD_SCHEMA_REGISTRY_PASSWORD: is needed/)]);
    expect(problems({ ...url, RENTFOLD_SCHEMA_REGISTRY_PASSWORD: 'a-secret' })).toEqual([expect.stringMatching(/^RENTFOLD_SCHEMA_REGISTRY_USERNAME: is needed/)]);
    expect(problems({ RENTFOLD_SCHEMA_REGISTRY_PASSWORD: 'a-secret' })).toEqual([expect.stringMatching(/^RENTFOLD_SCHEMA_REGISTRY_PASSWORD: has no effect without RENTFOLD_SCHEMA_REGISTRY_URL/)]);
    const [line, ...more] = problems({ RENTFOLD_SCHEMA_REGISTRY_URL: 'https://me:a-secret@registry.example' });
    expect(line).toMatch(/^RENTFOLD_SCHEMA_REGISTRY_URL: .*RENTFOLD_SCHEMA_REGISTRY_PASSWORD/);
    expect([line, ...more].join()).not.toContain('a-secret');
    for (const wrong of ['ftp://a', 'https://a?b', 'a']) expect(problems({ RENTFOLD_SCHEMA_REGISTRY_URL: wrong })).toEqual([expect.stringMatching(/^RENTFOLD_SCHEMA_REGISTRY_URL: /)]);
  });

  it('takes a namespace with a schema registry, by an identity', () => {
    const namespace = { RENTFOLD_SCHEMA_REGISTRY_NAMESPACE: 'rental.servicebus.windows.net' };
    expect(load({ ...namespace, RENTFOLD_AZURE_IDENTITY: 'managed' }).config.registries.azure).toEqual({ url: 'https://rental.servicebus.windows.net', identity: { kind: 'managed', clientId: null } });
    expect(problems(namespace)).toEqual([expect.stringMatching(/^RENTFOLD_SCHEMA_REGISTRY_NAMESPACE: needs RENTFOLD_AZURE_IDENTITY/)]);
    expect(problems({ RENTFOLD_SCHEMA_REGISTRY_NAMESPACE: 'http://rental.example', RENTFOLD_AZURE_IDENTITY: 'managed' })).toHaveLength(1);
  });

  it('starts with nothing set, on the embedded default', () => {
    const { config, unknown } = load({});
    expect(unknown).toEqual([]);
    expect(config).toMatchObject({ source: { kind: 'file', folder: '/base/config/demo' }, store: { kind: 'local' }, host: '127.0.0.1', readToken: null });
    expect(config.decode).toMatchObject({ timeZone: 'UTC', decimals: { kind: 'text' }, tables: { expenses: [] }, epochs: [] });
  });

  it('takes the file first and lets the environment win', () => {
    const { config, inForce } = load({ RENTFOLD_PORT: '9000' }, '{"RENTFOLD_PORT": 8000, "RENTFOLD_HOST": "::1", "RENTFOLD_READ_TOKEN": "0123456789abcdef"}');
    expect([config.port, config.host]).toEqual([9000, '::1']);
    expect(inForce.find((o) => o.name === 'RENTFOLD_HOST')).toEqual({ name: 'RENTFOLD_HOST', value: '::1', from: 'file' });
    expect(JSON.stringify(inForce)).not.toContain('0123456789abcdef');
  });

  it('says so when the file is not usable', () => {
    expect(problems({}, '{')[0]).toMatch(/config\/rentfold\.json is not JSON/);
    expect(problems({}, '[]')[0]).toMatch(/one JSON object/);
    expect(problems({}, '{"RENTFOLD_PORT": null}')[0]).toMatch(/RENTFOLD_PORT in config\/rentfold\.json/);
  });

  it('says where the file breaks off, and never what stands there: it may be a secret', () => {
    expect(problems({}, '{"RENTFOLD_PORT": "1" x}')[0]).toMatch(/it breaks off at position 22 \(line 1 column 23\)$/);
    for (const text of ['{"RENTFOLD_READ_TOKEN": 0123456789abcdef}', '{"RENTFOLD_READ_TOKEN": abcdefghijklmnop}', '{"RENTFOLD_READ_TOKEN": "abcdefghijklmnop', '"abcdefghijklmnop']) {
      const [line] = problems({}, text);
      expect(line).toMatch(/config\/rentfold\.json is not JSON: ./);
      expect(line).not.toMatch(/abc|456/);
    }
  });

  it('takes an empty text for not set, in the file as in the environment', () => {
    const { config, inForce } = load({ RENTFOLD_PORT: ' ' }, '{"RENTFOLD_STORE_DIR": "", "RENTFOLD_HOST": " ", "RENTFOLD_READ_TOKEN": ""}');
    expect(config).toMatchObject({ store: { folder: '/base/data' }, host: '127.0.0.1', port: 8080, readToken: null });
    expect(inForce.every(({ from }) => from === 'default')).toBe(true);
  });

  it('warns of unknown names instead of failing', () => {
    expect(load({ RENTFOLD_PROT: '1', OTHER: 'x' }, '{"RENTFOLD_COLOUR": "red"}').unknown).toEqual(['RENTFOLD_COLOUR', 'RENTFOLD_PROT']);
  });

  it('reads columns, tables, decimals and epochs', () => {
    const { config } = load({
      RENTFOLD_COLUMNS_EXPENSES: 'amount=cost, unit_id=none', RENTFOLD_TABLE_RENTS: 'public.rents, archive.rents_*',
      RENTFOLD_DECIMALS: 'base64:4', RENTFOLD_SOURCE_EPOCHS: '2026-02-01T00:00:00Z,2026-01-01T00:00:00.5+01:00',
    });
    expect(config.decode.columns.expenses).toEqual({ id: 'id', property_id: 'property_id', unit_id: null, date: 'date', amount: 'cost', expense_type: 'expense_type', is_planned: 'is_planned' });
    expect(config.decode.tables.rents).toEqual(['public.rents', 'archive.rents_*']);
    expect(config.decode.decimals).toEqual({ kind: 'base64', scale: 4 });
    expect(config.decode.epochs).toEqual([Date.parse('2025-12-31T23:00:00.500Z'), Date.parse('2026-02-01T00:00:00Z')]);
  });
});
