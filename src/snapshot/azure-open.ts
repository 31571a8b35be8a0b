import type { ContainerClient } from '@azure/storage-blob';
import type { AzureCalls } from './azure-calls.ts';

/**
 * Makes sure that the container is there and that the credential can do all that is needed in it: by doing each once. A container that is there is not
 * asked to be made: a credential without that right is enough then.
 */
export async function openContainer(calls: AzureCalls, container: ContainerClient, workFolder: string): Promise<void> {
  const name = `${workFolder}probe`;
  const blob = container.getBlockBlobClient(name);
  const write = (expected: Record<string, 'missing'>): Promise<'written' | 'missing'> => calls.run({ operation: 'write', name }, async (abortSignal) => {
    await blob.upload('probe\n', 6, { abortSignal });
    return 'written' as const;
  }, expected);
  if (await write({ ContainerNotFound: 'missing' }) === 'missing') {
    await calls.run<unknown, null>({ operation: 'make the container', name: '' }, (abortSignal) => container.create({ abortSignal }), { ContainerAlreadyExists: null });
    await write({});
  }
  // Another start may be removing the same blob.
  await calls.run<unknown, null>({ operation: 'read', name }, (abortSignal) => blob.downloadToBuffer(0, 6, { abortSignal, maxRetryRequestsPerBlock: 0 }), { BlobNotFound: null });
  await calls.run({ operation: 'list', name: '' }, (abortSignal) => container.listBlobsFlat({ prefix: workFolder, abortSignal }).byPage({ maxPageSize: 1 }).next());
  await calls.run<unknown, null>({ operation: 'remove', name }, (abortSignal) => blob.delete({ abortSignal }), { BlobNotFound: null });
}
