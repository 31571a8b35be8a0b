import { RentfoldError } from '../errors.ts';
import { createLocalStore, type LocalStoreOptions } from './local-store.ts';
import type { Store } from './store.ts';

/** Which store, as plain data: so that the snapshot worker can open the same one. */
export type StoreSpec = { readonly kind: 'local'; readonly options: LocalStoreOptions } | { readonly kind: 'azure'; readonly options: AzureStoreOptions };

/** A container of an Azure Storage account. */
export interface AzureStoreOptions {
  readonly container: string;
  readonly credential:
    | { readonly kind: 'connection-string'; readonly connectionString: string }
    | { readonly kind: 'account-key'; readonly account: string; readonly key: string };
  /** Folder in it that is ours, ending in `/`: the lease's blob goes into `.rentfold/` in it. */
  readonly ownFolder: string;
}

/** The store of a description; not yet open. */
export function createStore(spec: StoreSpec): Store {
  switch (spec.kind) {
    case 'local':
      return createLocalStore(spec.options);
    case 'azure':
      throw new RentfoldError('CONFIGURATION_INVALID', 'RENTFOLD_STORE: azure comes with the next change');
  }
}
