import { describe } from 'vitest';
import { newAzurePlace, openAzure } from '../support/azure-place.ts';
import { azuriteService } from '../support/services/services.ts';
import { describeStore } from './store-suite.ts';

// Goal: the Azure store keeps the store contract. Method: the contract suite on Azurite.
const azurite = await azuriteService();

describe.skipIf(azurite === null)('on Azurite', () => {
  describeStore('azure', () => {
    const place = newAzurePlace(azurite!);
    return Promise.resolve({ open: () => openAzure(place) });
  });
});
