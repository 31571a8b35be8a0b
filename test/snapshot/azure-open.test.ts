import { AccountSASPermissions, AccountSASResourceTypes, AccountSASServices, generateAccountSASQueryParameters, StorageSharedKeyCredential } from '@azure/storage-blob';
import { createServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { USUAL } from '../../src/snapshot/azure-calls.ts';
import { azureStore, clientOf, newAzurePlace, openAzure, type AzurePlace } from '../support/azure-place.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { azuriteService } from '../support/services/services.ts';
import { WaitingClock } from '../support/waiting-clock.ts';

// Goal: opening finds out whether everything needed is permitted, and says what a person has to do, by code and in words, without a secret. Method: Azurite with right and
// wrong keys and signatures; addresses where nothing or nobody answers; answers that only the real service gives, made up by a proxy.

const azurite = await azuriteService();
const HOUR_MS = 3_600_000;

describe.skipIf(azurite === null)('opening an Azure store', () => {
  /** A signature with these rights, valid for these hours from now. */
  function signature(rights: string, hours: readonly [number, number] = [-1, 1], types = 'sco'): string {
    const { account, key } = azurite!;
    return generateAccountSASQueryParameters({
      startsOn: new Date(Date.now() + hours[0] * HOUR_MS), expiresOn: new Date(Date.now() + hours[1] * HOUR_MS), permissions: AccountSASPermissions.parse(rights),
      services: AccountSASServices.parse('b').toString(), resourceTypes: AccountSASResourceTypes.parse(types).toString(),
    }, new StorageSharedKeyCredential(account, key)).toString();
  }

  function withConnection(connectionString: string): AzurePlace {
    return { ...newAzurePlace(azurite!), connectionString, credential: { kind: 'connection-string', connectionString } };
  }

  const signed = (text: string): AzurePlace => withConnection(`BlobEndpoint=${azurite!.blobEndpoint};SharedAccessSignature=${text}`);

  async function refused(place: AzurePlace): Promise<{ code: string; message: string }> {
    const store = azureStore(place, { clock: new WaitingClock(USUAL.tryMs) });
    const error: unknown = await store.open().then(() => 'opened', (thrown: unknown) => thrown);
    const { connectionString } = place;
    const secrets = [azurite!.key, /AccountKey=([^;]+)/.exec(connectionString)?.[1], /sig=([^&;]+)/.exec(connectionString)?.[1]].filter((secret) => secret !== undefined);
    for (const secret of secrets) {
      for (const shown of [inspect(error, { depth: 9, showHidden: true }), store.place, JSON.stringify(error)]) {
        expect(shown).not.toContain(secret);
        expect(shown).not.toContain(decodeURIComponent(secret));
      }
    }
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }

  it('makes the container when it is missing, leaves nothing in it, and opens again', async () => {
    const place = newAzurePlace(azurite!);
    const client = await clientOf(place);
    expect(await client.exists()).toBe(false);
    await Promise.all([openAzure(place), openAzure(place), openAzure(place)]);
    expect(await client.exists()).toBe(true);
    for await (const { name } of client.listBlobsFlat()) expect(name).toBe('nothing is left');
    await openAzure(place);
  });

  it('needs no right to make containers where it is there; without one says so', async () => {
    const place = signed(signature('rwdl', [-1, 1], 'co'));
    const objectsOnly = { ...signed(signature('rwdlac', [-1, 1], 'o')), container: place.container };
    expect(await refused(objectsOnly)).toMatchObject({ code: 'STORE_NOT_WRITABLE', message: expect.stringMatching(/could not make the container .*lacks the right/) as unknown });
    await (await clientOf({ ...newAzurePlace(azurite!), container: place.container })).create();
    await openAzure(place);
  });

  it.each(['rl', 'wdlac', 'rwdac', 'rwlac'])('a signature with only the rights %s is STORE_NOT_WRITABLE at start', async (rights) => {
    const place = signed(signature(rights));
    await (await clientOf({ ...newAzurePlace(azurite!), container: place.container })).create();
    expect(await refused(place)).toMatchObject({ code: 'STORE_NOT_WRITABLE', message: expect.stringMatching(/lacks the right to do this.*needed are read, add, create, write, delete and list/) as unknown });
  });

  it('a wrong key, an expired, an altered signature, an unknown account are CONFIGURATION_INVALID, with the option', async () => {
    const { account, key } = azurite!;
    const wrongKey = withConnection(azurite!.connectionString.replace(key, Buffer.alloc(64, 3).toString('base64')));
    const unknown = withConnection(azurite!.connectionString.replaceAll(account, 'otheraccount'));
    for (const [place, words] of [
      [wrongKey, /the account key was refused/], [signed(signature('rwdlac', [-2, -1])), /signature has expired/],
      [signed(signature('rwdlac').replace(/sig=.../, 'sig=AAA')), /signature was refused/], [unknown, /no such account/],
    ] as const) {
      const { code, message } = await refused(place);
      expect(message).toMatch(/^AZURE_STORAGE_CONNECTION_STRING: could not /);
      expect(message).toMatch(words);
      expect(code).toBe('CONFIGURATION_INVALID');
    }
  });

  it('an address where nobody is, nothing listens or nothing answers is STORE_UNAVAILABLE', async () => {
    const { account, blobEndpoint } = azurite!;
    const silent = createServer();
    await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
    const { port } = silent.address() as AddressInfo;
    const at = (address: string): AzurePlace => withConnection(azurite!.connectionString.replace(blobEndpoint, address));
    const clock = new WaitingClock(USUAL.tryMs);
    const waiting = azureStore(at(`http://127.0.0.1:${port}/${account}`), { clock }).open().catch((error: unknown) => error);
    silent.on('connection', (socket) => {
      socket.resume().on('error', () => undefined);
      setImmediate(() => clock.passDeadlines());
    });
    expect(await waiting).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('no complete answer within 30 s (TIMEOUT, 4 tries)') as unknown });
    await new Promise((resolve) => { silent.close(resolve); });
    expect(await refused(at(`http://127.0.0.1:${port}/${account}`))).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/nothing listens at 127\.0\.0\.1:\d+ \(ECONNREFUSED/) as unknown });
    expect(await refused(at(`http://${account}.blob.invalid`))).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/name devstoreaccount1\.blob\.invalid is not known: check the account's name/) as unknown });
  });

  it.each([
    [403, 'AuthenticationFailed', 'Request date header too old: Fri, 27 Nov 2026 10:00:00 GMT', 'STORE_UNAVAILABLE', /clock of this machine is wrong/],
    [403, 'AuthenticationFailed', 'The MAC signature found in the HTTP request \'x\' is not the same as any computed signature.', 'CONFIGURATION_INVALID', /account key was refused/],
    [403, 'KeyBasedAuthenticationNotPermitted', '', 'CONFIGURATION_INVALID', /does not admit account keys/],
    [403, 'AuthorizationFailure', '', 'STORE_NOT_WRITABLE', /firewall/], [403, 'AccountIsDisabled', '', 'STORE_NOT_WRITABLE', /disabled/],
    [409, 'ContainerBeingDeleted', '', 'STORE_UNAVAILABLE', /being deleted: wait/], [400, 'InvalidResourceName', '', 'CONFIGURATION_INVALID', /^CDC_CACHE_CONTAINER_NAME: /],
    [503, 'ServerBusy', '', 'STORE_UNAVAILABLE', /busy/],
  ])('what the service answers with %i %s: %s', async (status, code, detail, expected, words) => {
    await using proxy = await FaultProxy.start(azurite!.blobEndpoint);
    const fault = proxy.add(() => true, { kind: 'answer', status, code, detail }, 99);
    const { code: said, message } = await refused(newAzurePlace(azurite!, proxy.endpoint));
    expect([said, fault.struck]).toEqual([expected, status === 503 ? USUAL.triesMax : 1]);
    expect(message).toMatch(words);
  });
});
