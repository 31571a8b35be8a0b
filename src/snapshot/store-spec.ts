import { createLocalStore, type LocalStoreOptions } from './local-store.ts';
import type { Store } from './store.ts';

/** Which store, as plain data: so that the snapshot worker can open the same one. */
export type StoreSpec = { readonly kind: 'local'; readonly options: LocalStoreOptions };

/** The store of a description; not yet open. */
export function createStore(spec: StoreSpec): Store {
  switch (spec.kind) {
    case 'local':
      return createLocalStore(spec.options);
  }
}
