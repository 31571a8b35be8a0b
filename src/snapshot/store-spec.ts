import { createAzureStore, type AzureStoreOptions } from './azure-store.ts';
import { createLocalStore, type LocalStoreOptions } from './local-store.ts';
import type { Store } from './store.ts';

/** Which store, as plain data: so that the snapshot worker can open the same one. */
export type StoreSpec = { readonly kind: 'local'; readonly options: LocalStoreOptions } | { readonly kind: 'azure'; readonly options: AzureStoreOptions };

/**
 * The store of a description; not yet open, unless another thread has opened the same one (`isOpen`): then what is refused is an outage. Throws
 * CONFIGURATION_INVALID for a credential that cannot be one.
 */
export function createStore(spec: StoreSpec, { isOpen = false }: { readonly isOpen?: boolean } = {}): Store {
  switch (spec.kind) {
    case 'local':
      return createLocalStore(spec.options);
    case 'azure':
      return createAzureStore(spec.options, { isKnown: isOpen });
  }
}
