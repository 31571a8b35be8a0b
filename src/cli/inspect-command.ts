import type { Store } from '../snapshot/store.ts';

/** Text of `rentfold inspect`. */
export async function inspectText(store: Store, _prefix: string, _parameters: readonly string[]): Promise<string> {
  return await Promise.resolve(store.place);
}
