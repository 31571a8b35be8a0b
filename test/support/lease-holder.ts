import { createStore, type StoreSpec } from '../../src/snapshot/store-spec.ts';

/** A process that takes the writer's lease of the store described (a `StoreSpec` as JSON), says `held`, and answers every line with what it knows of its lease. */
const store = createStore(JSON.parse(process.argv[2]) as StoreSpec);
await store.open();
let lost: string | null = null;
const lease = await store.acquireLease('holder', (reason) => { lost = reason; });
process.stdout.write(lease.held ? 'held\n' : `refused ${lease.by}\n`);
process.stdin.on('data', () => {
  const valid = lease.held && lease.valid();
  process.stdout.write(`${lost === null ? (valid ? 'valid' : 'expired') : `lost ${lost}`}\n`);
});
