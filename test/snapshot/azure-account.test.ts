import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { accountOf, readConnectionString } from '../../src/snapshot/azure-account.ts';

// Goal: every form of credential that operators use is understood, every malformed one is refused in one line that names the option and shows no secret. Method: forms as
// the portal and the emulator give them, and each broken in one way; through the configuration where it is the configuration that must refuse.

const KEY = Buffer.alloc(64, 7).toString('base64');
const SIGNATURE = 'sv=2024-11-04&ss=b&srt=sco&sp=rwdlac&se=2030-01-01T00:00:00Z&sig=c2VjcmV0c2VjcmV0%3D';
const SECRETS = [KEY, 'c2VjcmV0c2VjcmV0', KEY.slice(0, 20)];

function azure(environment: Record<string, string>): unknown {
  const { config } = loadConfig({ environment: { RENTFOLD_STORE: 'azure', ...environment }, file: null, host: 'host', resolve: (path) => path });
  return config.store;
}

function refusal(environment: Record<string, string>): string {
  try {
    azure(environment);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID', exit: 2 });
    const { message } = error as Error;
    for (const secret of SECRETS) expect(message).not.toContain(secret);
    return message;
  }
  throw new Error('was taken');
}

describe('connection strings', () => {
  it.each([
    [`DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${KEY};EndpointSuffix=core.windows.net`, 'https://acct.blob.core.windows.net'],
    [`AccountName=acct;AccountKey=${KEY};EndpointSuffix=core.chinacloudapi.cn`, 'https://acct.blob.core.chinacloudapi.cn'],
    [`AccountKey=${KEY};AccountName=acct`, 'https://acct.blob.core.windows.net'],
    [` AccountName = acct ; AccountKey=${KEY} ; `, 'https://acct.blob.core.windows.net'],
    [`DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=${KEY};BlobEndpoint=http://127.0.0.1:10000/acct/;QueueEndpoint=http://127.0.0.1:10001/acct`, 'http://127.0.0.1:10000/acct'],
    ['UseDevelopmentStorage=true', 'http://127.0.0.1:10000/devstoreaccount1'],
  ])('with a key: %s', (text, endpoint) => {
    expect(readConnectionString(text)).toMatchObject({ endpoint, authorization: { kind: 'key' } });
  });

  it('with a signature, the question mark before it does not matter, and it is no part of the address', () => {
    for (const signature of [SIGNATURE, `?${SIGNATURE}`]) {
      expect(readConnectionString(`BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=${signature}`)).toEqual({
        endpoint: 'https://acct.blob.core.windows.net', authorization: { kind: 'signature', account: null, signature: SIGNATURE }, option: 'AZURE_STORAGE_CONNECTION_STRING',
      });
    }
  });

  it.each([
    ['rental', /not a list/], [`https://acct.blob.core.windows.net/?${SIGNATURE}`, /not a list/], [KEY, /neither AccountName nor BlobEndpoint/],
    ['AccountName=acct', /neither AccountKey nor SharedAccessSignature/], [`AccountKey=${KEY}`, /AccountName/], [`AccountName=acct;AccountKey=${KEY.slice(0, -3)}`, /AccountKey is not base64/],
    [`AccountName=acct;AccountKey=${KEY}!`, /AccountKey is not base64/], [`AccountName=My Account;AccountKey=${KEY}`, /AccountName/], [`AccountName=acct;AccountName=acct;AccountKey=${KEY}`, /twice/],
    [`DefaultEndpointsProtocol=ftp;AccountName=acct;AccountKey=${KEY}`, /DefaultEndpointsProtocol/], [`AccountName=acct;AccountKey=${KEY};BlobEndpoint=acct`, /BlobEndpoint/],
    [`BlobEndpoint=https://acct.blob.core.windows.net?${SIGNATURE}`, /SharedAccessSignature/], [`BlobEndpoint=https://user:${KEY}@host;SharedAccessSignature=${SIGNATURE}`, /BlobEndpoint/],
    ['BlobEndpoint=https://acct.blob.core.windows.net;SharedAccessSignature=sv=2024-11-04&sp=r', /lacks `sig=`/], [`SharedAccessSignature=${SIGNATURE}`, /neither AccountName nor BlobEndpoint/],
    ['UseDevelopmentStorage=false', /UseDevelopmentStorage/],
  ])('malformed, number %#: refused by option, without a secret', (text, words) => {
    const message = refusal({ AZURE_STORAGE_CONNECTION_STRING: text });
    expect(message).toMatch(/^AZURE_STORAGE_CONNECTION_STRING: [^\n]+$/);
    expect(message).toMatch(words);
    expect(() => accountOf({ kind: 'connection-string', connectionString: text })).toThrow(words);
  });
});

describe('which credential', () => {
  const connection = `AccountName=acct;AccountKey=${KEY}`;

  it('nothing, or a name without a key: says what is needed', () => {
    expect(refusal({})).toMatch(/^AZURE_STORAGE_CONNECTION_STRING: is needed for RENTFOLD_STORE=azure/);
    expect(refusal({ AZURE_STORAGE_ACCOUNT_NAME: 'acct' })).toMatch(/^AZURE_STORAGE_ACCOUNT_KEY: is needed for AZURE_STORAGE_ACCOUNT_NAME/);
    expect(refusal({ AZURE_STORAGE_ACCOUNT_KEY: KEY })).toMatch(/^AZURE_STORAGE_CONNECTION_STRING: is needed.*AZURE_STORAGE_ACCOUNT_NAME/);
  });

  it('name and key', () => {
    expect(azure({ AZURE_STORAGE_ACCOUNT_NAME: 'acct', AZURE_STORAGE_ACCOUNT_KEY: KEY })).toEqual({ kind: 'azure', azure: { container: 'documents', credential: { kind: 'account-key', account: 'acct', key: KEY } } });
    expect(accountOf({ kind: 'account-key', account: 'acct', key: KEY }).endpoint).toBe('https://acct.blob.core.windows.net');
    expect(refusal({ AZURE_STORAGE_ACCOUNT_NAME: 'acct', AZURE_STORAGE_ACCOUNT_KEY: KEY.slice(0, -3) })).toMatch(/^AZURE_STORAGE_ACCOUNT_KEY: /);
  });

  it('the connection string wins over name and key of the same account, and is refused beside another\'s', () => {
    expect(azure({ AZURE_STORAGE_CONNECTION_STRING: connection, AZURE_STORAGE_ACCOUNT_NAME: 'acct', AZURE_STORAGE_ACCOUNT_KEY: KEY })).toMatchObject({ azure: { credential: { kind: 'connection-string' } } });
    expect(refusal({ AZURE_STORAGE_CONNECTION_STRING: connection, AZURE_STORAGE_ACCOUNT_NAME: 'other' })).toMatch(/^AZURE_STORAGE_ACCOUNT_NAME: `other` differs from the account `acct`/);
  });

  it('the container of the cache wins over the general one', () => {
    const names = { AZURE_STORAGE_CONTAINER_NAME: 'general' };
    expect(azure({ AZURE_STORAGE_CONNECTION_STRING: connection, ...names })).toMatchObject({ azure: { container: 'general' } });
    expect(azure({ AZURE_STORAGE_CONNECTION_STRING: connection, ...names, CDC_CACHE_CONTAINER_NAME: 'cache' })).toMatchObject({ azure: { container: 'cache' } });
    for (const name of ['x', 'Docs', 'a--b', '-ab', 'a'.repeat(64)]) expect(refusal({ AZURE_STORAGE_CONNECTION_STRING: connection, CDC_CACHE_CONTAINER_NAME: name })).toMatch(/^CDC_CACHE_CONTAINER_NAME: /);
  });
});
