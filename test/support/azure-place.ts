import { randomBytes } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import type { AzureContainer } from '../../src/snapshot/azure-account.ts';
import { createAzureStore, type AzureStoreParts } from '../../src/snapshot/azure-store.ts';
import type { Store } from '../../src/snapshot/store.ts';
import type { AzuriteService } from './services/service.ts';

/** A container of a test's own in a blob service, made by the first store that opens. */
export interface AzurePlace extends AzureContainer {
  readonly container: string;
  readonly connectionString: string;
  readonly credential: { readonly kind: 'connection-string'; readonly connectionString: string };
}

export const OWN_FOLDER = 'cdc/financial_performance/';

/** A new place. `endpoint` instead of the service's own: a proxy before it. */
export function newAzurePlace(service: AzuriteService, endpoint: string = service.blobEndpoint): AzurePlace {
  const connectionString = service.connectionString.replace(service.blobEndpoint, endpoint);
  return { container: `test-${randomBytes(8).toString('hex')}`, connectionString, credential: { kind: 'connection-string', connectionString } };
}

/** A store object over the place, not open. */
export function azureStore(place: AzureContainer, parts: AzureStoreParts = {}): Store {
  return createAzureStore({ container: place.container, credential: place.credential, ownFolder: OWN_FOLDER }, parts);
}

/** An open one. */
export async function openAzure(place: AzureContainer, parts: AzureStoreParts = {}): Promise<Store> {
  const store = azureStore(place, parts);
  await store.open();
  return store;
}

/** The library's own client, to look at what lies there and to do what others do. */
export async function clientOf(place: AzurePlace): Promise<ContainerClient> {
  const { ContainerClient } = await import('@azure/storage-blob');
  return new ContainerClient(place.connectionString, place.container);
}

/** What `rentfold` is started with to use the place. */
export function azureSettings(place: AzurePlace): Record<string, string> {
  return { RENTFOLD_STORE: 'azure', AZURE_STORAGE_CONNECTION_STRING: place.connectionString, CDC_CACHE_CONTAINER_NAME: place.container };
}
