import { describe } from 'vitest';
import { newAzurePlace, openAzure } from '../support/azure-place.ts';
import { azuriteService } from '../support/services/services.ts';
import { describeCrashes } from './crash-suite.ts';

// Goal and method: those of the suite, on Azurite, where a write is several requests.

const azurite = await azuriteService();

describe.skipIf(azurite === null)('on Azurite', () => {
  describeCrashes('azure', { newStore: () => openAzure(newAzurePlace(azurite!)), occurrences: [1], rounds: 8 });
});
