/**
 * How long the stand-by takes to take over, on a local store and on Azurite, when the publisher is killed (kill -9, on the same host) and when the store is cut off from it
 * alone: from that moment until the other's first generation lies in the store. A change arrives at that moment. Real processes; each time the other one is the victim. Beside
 * each figure stands the bound that the store's lease promises for a victim that is not known dead; the first checkpoint after it comes on top. Prints one JSON line.
 *
 * `node test/bench/take-over.ts [rounds] [stores] [harms]` (default 10, local,azurite, kill,cut)
 */
import { AZURE_LEASE_TERMS } from '../../src/snapshot/azure-lease.ts';
import { LOCAL_LEASE_TERMS } from '../../src/snapshot/local-lease.ts';
import type { LeaseTerms } from '../../src/snapshot/store.ts';
import type { RentfoldProcess } from '../support/process.ts';
import { startAzurite } from '../support/services/start.ts';
import type { AzuriteService } from '../support/services/service.ts';
import { WayToStore } from '../support/way-to-store.ts';
import { Workplace } from '../support/workplace.ts';

const rounds = Number(process.argv[2] ?? 10);
const stores = (process.argv[3] ?? 'local,azurite').split(',');
const harms = (process.argv[4] ?? 'kill,cut').split(',') as ('kill' | 'cut')[];
const SETTINGS = { RENTFOLD_CHECKPOINT_SECONDS: '1' };
const POLL_MS = 10;
const LIMIT_MS = 120_000;

interface Instance extends AsyncDisposable {
  readonly program: RentfoldProcess;
  readonly way: WayToStore;
}

async function start(place: Workplace): Promise<Instance> {
  const way = await WayToStore.to(place);
  const program = place.start({ ...SETTINGS, ...way.settings });
  await program.url();
  await untilTrue(async () => (await program.get('/health/ready')).status === 200);
  return {
    program, way,
    [Symbol.asyncDispose]: async () => {
      await program[Symbol.asyncDispose]();
      await way[Symbol.asyncDispose]();
    },
  };
}

let offset = 0;

async function appendChange(place: Workplace): Promise<void> {
  const row = { id: `r${offset}`, property_id: 'p', unit_id: null, payment_date: '2026-01-01', amount: '1.00', is_non_irs_revenue: false };
  const envelope = { op: 'c', before: null, after: row, source: { connector: 'postgresql', schema: 'public', table: 'rents', ts_ms: 1_767_225_600_000 + offset, lsn: 1_000 + offset, sequence: `["${1_000 + offset}","${1_000 + offset}"]` } };
  await place.append('rents.jsonl', [JSON.stringify({ topic: 'pg.public.rents', partition: 0, offset, ts: 1_767_225_600_000 + offset, key: JSON.stringify({ id: row.id }), payload: JSON.stringify(envelope) })]);
  offset++;
}

async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  // A machine under load may close a connection that was about to be used again.
  while (!await condition().catch(() => false)) {
    if (performance.now() > end) throw new Error(`nothing happened within ${LIMIT_MS} ms: ${condition.toString()}`);
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
}

const hasRole = (instance: Instance, role: string): Promise<void> => untilTrue(async () => (await instance.program.status()).role === role);
const hasPublished = (instance: Instance): Promise<void> => untilTrue(async () => (await instance.program.status()).unpublished.since === null);

/** Milliseconds of each round until the stand-by had published. */
async function takeOvers(service: AzuriteService | null, harm: 'kill' | 'cut'): Promise<number[]> {
  await using place = await Workplace.create(service);
  offset = 0;
  await appendChange(place);
  let publisher = await start(place);
  await hasPublished(publisher);
  let standby = await start(place);
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      await hasRole(standby, 'standby');
      const before = await place.newestGeneration();
      const begin = performance.now();
      if (harm === 'kill') await publisher.program.kill('SIGKILL');
      else await publisher.way.cut();
      await appendChange(place);
      await untilTrue(async () => await place.newestGeneration() > before);
      times.push(performance.now() - begin);
      const victim = publisher;
      publisher = standby;
      if (harm === 'cut') {
        await hasRole(victim, 'standby');
        await victim.way.restore();
        standby = victim;
      } else {
        await victim[Symbol.asyncDispose]();
        standby = await start(place);
      }
      process.stderr.write(`${service === null ? 'local' : 'azurite'} ${harm} ${Math.round(times.at(-1)!)} ms\n`);
    }
  } catch (error) {
    process.stderr.write(`--- publisher\n${publisher.program.log}\n--- stand-by\n${standby.program.log}\n${JSON.stringify(await standby.program.status().catch(String))}\n`);
    throw error;
  } finally {
    await publisher[Symbol.asyncDispose]();
    await standby[Symbol.asyncDispose]();
  }
  return times;
}

function summary(times: readonly number[]): Record<string, number> {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median_ms: Math.round(median), max_ms: Math.round(sorted.at(-1)!) };
}

async function measured(service: AzuriteService | null, { takeOverMs }: LeaseTerms): Promise<object> {
  const times: Record<string, unknown> = { bound_ms: takeOverMs };
  for (const harm of harms) times[harm] = summary(await takeOvers(service, harm));
  return times;
}

const result: Record<string, unknown> = { bench: 'take-over', rounds };
if (stores.includes('local')) result.local = await measured(null, LOCAL_LEASE_TERMS);
if (stores.includes('azurite')) {
  await using azurite = await startAzurite({ inMemory: true });
  result.azurite = await measured(azurite, AZURE_LEASE_TERMS);
}
console.log(JSON.stringify(result));
