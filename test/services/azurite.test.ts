/**
 * Goal: tests get a real blob service.
 * Method: the real client writes and reads; an instance of the test's own is started again.
 */
import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { azuriteService, hasService, startAzurite } from '../support/services/services.ts';

const azurite = await azuriteService();

async function write(connectionString: string): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('services-test');
  await container.createIfNotExists();
  await container.getBlockBlobClient('greeting').upload('hello', 5);
}

async function read(connectionString: string): Promise<string> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('services-test');
  return (await container.getBlockBlobClient('greeting').downloadToBuffer()).toString();
}

describe.skipIf(azurite === null)('the shared blob service', () => {
  it('keeps what is written', async () => {
    await write(azurite!.connectionString);
    expect(await read(azurite!.connectionString)).toBe('hello');
  });
});

describe.skipIf(!await hasService('azurite'))('a blob service of the test\'s own', () => {
  it('keeps its data over a restart', async () => {
    await using own = await startAzurite();
    await write(own.connectionString);
    await own.restart();
    expect(await read(own.connectionString)).toBe('hello');
  });
});
