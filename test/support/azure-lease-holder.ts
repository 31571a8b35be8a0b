import { createAzureStore } from '../../src/snapshot/azure-store.ts';

/** A process that takes the writer's lease in the place given (container, connection string), says `held`, and answers every line with what it knows of its lease. */
const [container, connectionString] = process.argv.slice(2);
const store = createAzureStore({ container, credential: { kind: 'connection-string', connectionString }, ownFolder: 'cdc/financial_performance/' });
await store.open();
let lost: string | null = null;
const lease = await store.acquireLease('holder', (reason) => { lost = reason; });
process.stdout.write(lease.held ? 'held\n' : `refused ${lease.by}\n`);
process.stdin.on('data', () => {
  const valid = lease.held && lease.valid();
  process.stdout.write(`${lost === null ? (valid ? 'valid' : 'expired') : `lost ${lost}`}\n`);
});
