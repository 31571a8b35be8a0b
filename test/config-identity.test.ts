/**
 * Goal: an identity, keys and connection strings exclude each other, and each way to give none, both, or a malformed one has one clear line that names the option and shows no secret.
 * Method: the configuration as operators set it, each form right and then broken in one way.
 */
import { describe, expect, it } from 'vitest';
import { loadConfig, type Config } from '../src/config.ts';
import type { RentfoldError } from '../src/errors.ts';

const CLIENT = '5e4b2c70-0000-4000-8000-00000000bbbb';
const KEY = Buffer.alloc(64, 7).toString('base64');
const SECRET = 'a-client-secret-Q8~x';
const ACCOUNT = { RENTFOLD_STORE: 'azure', AZURE_STORAGE_ACCOUNT_NAME: 'acct' };
const PRINCIPAL = { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'environment', AZURE_TENANT_ID: 'contoso.onmicrosoft.com', AZURE_CLIENT_ID: CLIENT };
const WORKLOAD = { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'workload', AZURE_TENANT_ID: CLIENT, AZURE_CLIENT_ID: CLIENT, AZURE_FEDERATED_TOKEN_FILE: 'token' };

const KAFKA = { RENTFOLD_SOURCE: 'kafka', RENTFOLD_KAFKA_BROKERS: 'rental-ns.servicebus.windows.net:9093', RENTFOLD_KAFKA_TOPICS: 't', RENTFOLD_KAFKA_TLS: 'true', RENTFOLD_KAFKA_SASL_MECHANISM: 'oauthbearer' };

const load = (environment: Record<string, string>): Config => loadConfig({ environment, file: null, host: 'here', resolve: (path) => `/base/${path}` }).config;
const credential = (environment: Record<string, string>): unknown => (load(environment).store as { azure: { credential: unknown } }).azure.credential;

function lines(environment: Record<string, string>): string[] {
  try {
    load(environment);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' });
    for (const secret of [KEY, SECRET]) expect((error as RentfoldError).message).not.toContain(secret);
    return (error as RentfoldError).message.split('\n');
  }
  return [];
}

describe('an identity in the configuration', () => {
  it('is each kind, as plain data', () => {
    expect(credential({ ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed' })).toEqual({ kind: 'identity', account: 'acct', identity: { kind: 'managed', clientId: null } });
    expect(credential({ ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_CLIENT_ID: CLIENT })).toMatchObject({ identity: { kind: 'managed', clientId: CLIENT } });
    expect(credential({ ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'cli' })).toMatchObject({ identity: { kind: 'cli', tenantId: null } });
    expect(credential({ ...WORKLOAD, AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us/' })).toMatchObject({ identity: { kind: 'workload', clientId: CLIENT, tenantId: CLIENT, tokenFile: '/base/token', authorityHost: 'https://login.microsoftonline.us' } });
    expect(credential({ ...PRINCIPAL, AZURE_CLIENT_SECRET: SECRET })).toMatchObject({ identity: { kind: 'environment', proof: { kind: 'secret', secret: SECRET }, authorityHost: null } });
    expect(credential({ ...PRINCIPAL, AZURE_CLIENT_CERTIFICATE_PATH: 'app.pem' })).toMatchObject({ identity: { proof: { kind: 'certificate', file: '/base/app.pem' } } });
  });

  it('names the account by its name or its address', () => {
    const AZURE_STORAGE_BLOB_ENDPOINT = 'https://acct.blob.core.usgovcloudapi.net/';
    expect(credential({ RENTFOLD_STORE: 'azure', RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_STORAGE_BLOB_ENDPOINT })).toMatchObject({ kind: 'identity', endpoint: AZURE_STORAGE_BLOB_ENDPOINT });
    expect(credential({ ...ACCOUNT, AZURE_STORAGE_ACCOUNT_KEY: KEY, AZURE_STORAGE_BLOB_ENDPOINT })).toMatchObject({ kind: 'account-key', endpoint: AZURE_STORAGE_BLOB_ENDPOINT });
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['nothing', { RENTFOLD_STORE: 'azure' }, /^AZURE_STORAGE_CONNECTION_STRING: is needed .*AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_ACCOUNT_NAME with RENTFOLD_AZURE_IDENTITY$/],
    ['a name alone', ACCOUNT, /^AZURE_STORAGE_ACCOUNT_KEY: is needed for AZURE_STORAGE_ACCOUNT_NAME, or RENTFOLD_AZURE_IDENTITY/],
    ['an identity without an account', { RENTFOLD_STORE: 'azure', RENTFOLD_AZURE_IDENTITY: 'managed' }, /^AZURE_STORAGE_ACCOUNT_NAME: is needed .*RENTFOLD_AZURE_IDENTITY=managed/],
    ['key and identity', { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_STORAGE_ACCOUNT_KEY: KEY }, /^AZURE_STORAGE_ACCOUNT_KEY: and RENTFOLD_AZURE_IDENTITY=managed are both given/],
    ['connection string and identity', { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_STORAGE_CONNECTION_STRING: `AccountName=acct;AccountKey=${KEY}` }, /^AZURE_STORAGE_CONNECTION_STRING: and RENTFOLD_AZURE_IDENTITY=managed are both given/],
    ['an address beside a connection string', { RENTFOLD_STORE: 'azure', AZURE_STORAGE_CONNECTION_STRING: `AccountName=acct;AccountKey=${KEY}`, AZURE_STORAGE_BLOB_ENDPOINT: 'https://a.example' }, /^AZURE_STORAGE_BLOB_ENDPOINT: has no effect/],
    ['an address without TLS', { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_STORAGE_BLOB_ENDPOINT: 'http://a.example' }, /^AZURE_STORAGE_BLOB_ENDPOINT: .*https/],
    ['an address with more in it', { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_STORAGE_BLOB_ENDPOINT: 'https://a.example/?sig=1' }, /^AZURE_STORAGE_BLOB_ENDPOINT: /],
    ['a chain, which there is not', { RENTFOLD_AZURE_IDENTITY: 'default' }, /^RENTFOLD_AZURE_IDENTITY: `default` is not one of none, managed, workload, environment, cli/],
    ['an object instead of a client', { ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_CLIENT_ID: 'rentfold-identity' }, /^AZURE_CLIENT_ID: `rentfold-identity` is not a client id/],
    ['no tenant', { ...WORKLOAD, AZURE_TENANT_ID: '' }, /^AZURE_TENANT_ID: is needed for RENTFOLD_AZURE_IDENTITY=workload/],
    ['a malformed tenant', { ...WORKLOAD, AZURE_TENANT_ID: 'a b' }, /^AZURE_TENANT_ID: `a b` is not/],
    ['no client', { ...PRINCIPAL, AZURE_CLIENT_SECRET: SECRET, AZURE_CLIENT_ID: '' }, /^AZURE_CLIENT_ID: is needed for RENTFOLD_AZURE_IDENTITY=environment/],
    ['no token file', { ...WORKLOAD, AZURE_FEDERATED_TOKEN_FILE: '' }, /^AZURE_FEDERATED_TOKEN_FILE: is needed .*Kubernetes/],
    ['no proof', PRINCIPAL, /^AZURE_CLIENT_SECRET: is needed .*or AZURE_CLIENT_CERTIFICATE_PATH/],
    ['two proofs', { ...PRINCIPAL, AZURE_CLIENT_SECRET: SECRET, AZURE_CLIENT_CERTIFICATE_PATH: 'app.pem' }, /^AZURE_CLIENT_CERTIFICATE_PATH: and AZURE_CLIENT_SECRET are both given/],
    ['a login host without TLS', { ...WORKLOAD, AZURE_AUTHORITY_HOST: 'http://login.example' }, /^AZURE_AUTHORITY_HOST: .*https/],
    ['a login host with a path', { ...WORKLOAD, AZURE_AUTHORITY_HOST: 'https://login.example/tenant' }, /^AZURE_AUTHORITY_HOST: .*without a path/],
  ])('%s: one line', (_, environment, words) => {
    const found = lines(environment);
    expect(found).toEqual([expect.stringMatching(words)]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['no identity', {}, /^RENTFOLD_AZURE_IDENTITY: is needed for RENTFOLD_KAFKA_SASL_MECHANISM=oauthbearer/],
    ['no scope', { RENTFOLD_AZURE_IDENTITY: 'managed', RENTFOLD_KAFKA_BROKERS: 'kafka.example:9093' }, /^RENTFOLD_KAFKA_OAUTH_SCOPE: is needed .*servicebus\.windows\.net/],
    ['a password as well', { RENTFOLD_AZURE_IDENTITY: 'managed', RENTFOLD_KAFKA_SASL_PASSWORD: SECRET }, /^RENTFOLD_KAFKA_SASL_PASSWORD: has no effect with RENTFOLD_KAFKA_SASL_MECHANISM=oauthbearer/],
    ['a scope without the mechanism', { RENTFOLD_KAFKA_SASL_MECHANISM: 'none', RENTFOLD_KAFKA_OAUTH_SCOPE: 'api://x/.default' }, /^RENTFOLD_KAFKA_OAUTH_SCOPE: has no effect without RENTFOLD_KAFKA_SASL_MECHANISM=oauthbearer/],
    ['a malformed identity', { RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_CLIENT_ID: 'x' }, /^AZURE_CLIENT_ID: `x` is not/],
  ])('for Kafka, %s: one line', (_, environment, words) => {
    expect(lines({ ...KAFKA, ...environment })).toEqual([expect.stringMatching(words)]);
  });

  it('is for Kafka, with a scope that follows from the namespace or is given', () => {
    const sasl = (environment: Record<string, string>): unknown => (load({ ...KAFKA, RENTFOLD_AZURE_IDENTITY: 'managed', ...environment }).source as { kafka: { sasl: unknown } }).kafka.sasl;
    expect(sasl({})).toEqual({ mechanism: 'oauthbearer', identity: { kind: 'managed', clientId: null }, scope: 'https://rental-ns.servicebus.windows.net/.default' });
    expect(sasl({ RENTFOLD_KAFKA_BROKERS: 'rental.servicebus.usgovcloudapi.net:9093' })).toMatchObject({ scope: 'https://rental.servicebus.usgovcloudapi.net/.default' });
    expect(sasl({ RENTFOLD_KAFKA_BROKERS: 'kafka.example:9093', RENTFOLD_KAFKA_OAUTH_SCOPE: 'api://kafka/.default' })).toMatchObject({ scope: 'api://kafka/.default' });
  });

  it('does not look at names that no identity of the kind reads: other tools set them', () => {
    expect(lines({ RENTFOLD_STORE: 'azure', AZURE_STORAGE_CONNECTION_STRING: `AccountName=acct;AccountKey=${KEY}`, AZURE_CLIENT_ID: 'x', AZURE_TENANT_ID: '?', AZURE_AUTHORITY_HOST: 'x' })).toEqual([]);
    expect(lines({ ...ACCOUNT, RENTFOLD_AZURE_IDENTITY: 'managed', AZURE_TENANT_ID: '?', AZURE_AUTHORITY_HOST: 'x' })).toEqual([]);
  });
});
