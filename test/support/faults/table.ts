/**
 * The faults that rentfold is put through, and the test that proves each. A test says with `faultFired` that a fault really happened; a run prints how often
 * each did, and a complete run in which one never happened fails. O: object store. D: damaged or missing checkpoint files. L: two instances on one store. H: Event Hubs. R: registries of schemas, and issuers of tokens.
 */
export const FAULTS = {
  // Object store.
  O1a: { what: 'a conditional write was done, its reply lost: the conflict of the next try is our own', test: 'test/snapshot/azure-faults.test.ts' },
  O1b: { what: 'a conditional write meets what another wrote, also the same bytes: the conflict is the other\'s', test: 'test/snapshot/azure-faults.test.ts' },
  O2a: { what: 'a burst of 429 and 503 with Retry-After: asked again, not sooner than it says', test: 'test/snapshot/azure-faults.test.ts' },
  O2b: { what: 'an outage of 429 and 503: folding and reading go on, the backlog shows, one newer generation follows', test: 'test/system/azure-outage.test.ts' },
  O3: { what: 'a write was done and its answer never came, until the deadline: known as our own', test: 'test/snapshot/azure-faults.test.ts' },
  O4a: { what: 'the connection is cut in the middle of an upload: sent again, whole', test: 'test/snapshot/azure-faults.test.ts' },
  O4b: { what: 'an upload is cut for good: nothing is there, and its blocks never get into a later one', test: 'test/snapshot/azure-faults.test.ts' },
  O4c: { what: 'every connection is cut for a while: folding and reading go on, one newer generation follows', test: 'test/system/azure-outage.test.ts' },
  O5: { what: 'a download drips: waited for until its deadline, then asked for again', test: 'test/snapshot/azure-faults.test.ts' },
  O6: { what: '403 after the key was rotated, and back again: no crash, one newer generation follows', test: 'test/system/azure-outage.test.ts' },
  O7: { what: 'the container is removed while a process publishes, and made again: the state is written whole', test: 'test/system/azure-outage.test.ts' },
  O8a: { what: 'the lease is broken by hand or taken: the holder finds out at the next renewal', test: 'test/snapshot/azure-lease.test.ts' },
  O8b: { what: 'the lease of a process killed on this host: taken at once', test: 'test/snapshot/azure-lease.test.ts' },
  O9: { what: 'a listing of several pages, one of them cut, with strange names: complete and in order', test: 'test/snapshot/azure-faults.test.ts' },
  O10: { what: 'the local disk is full: folding and reading go on, the next checkpoint has everything', test: 'test/cli/serve-command.test.ts' },
  // Checkpoint files. D5 concerns no format of ours.
  D1: { what: 'a file cut at any length: the generation before is used', test: 'test/snapshot/damage.test.ts' },
  D2: { what: 'a bit flipped anywhere: found by hash, the generation before is used', test: 'test/snapshot/damage.test.ts' },
  D3: { what: 'a sound file of another generation in the place of one', test: 'test/snapshot/damage.test.ts' },
  D4a: { what: 'a manifest of a newer format: refused, not fallen back from', test: 'test/snapshot/damage.test.ts' },
  D4b: { what: 'a manifest with fields missing, unknown, or of another kind, and totals that do not add up', test: 'test/snapshot/damage.test.ts' },
  D6: { what: 'an empty file', test: 'test/snapshot/damage.test.ts' },
  D7a: { what: 'a data file removed (a lifecycle rule) before a restore: the generation before is used', test: 'test/snapshot/azure-damage.test.ts' },
  D7b: { what: 'files removed (a lifecycle rule) while a process publishes: its next generation is whole', test: 'test/snapshot/damage.test.ts' },
  D8: { what: 'all generations damaged: the start ends and names every reason', test: 'test/snapshot/damage.test.ts' },
  D9: { what: 'checkpoint files of another lineage: refused', test: 'test/snapshot/damage.test.ts' },
  // Two instances on one store.
  L2a: { what: 'the publisher is killed: the stand-by publishes what it had not', test: 'test/system/roles.test.ts' },
  L2b: { what: 'the publisher is paused, overtaken, and resumed: it publishes nothing', test: 'test/system/roles.test.ts' },
  L2c: { what: 'the store is cut off from the publisher alone: the stand-by publishes, the other goes on answering', test: 'test/system/roles.test.ts' },
  L2d: { what: 'a manifest of a paused publisher reaches the store after the take-over: refused, and known as another\'s', test: 'test/system/late-manifest.test.ts' },
  // Event Hubs over AMQP.
  H1: { what: 'a link is closed (server-busy, detach-forced, internal-error) and refused for a while: read on exactly', test: 'test/source/event-hubs-faults.test.ts' },
  H2: { what: 'every connection is cut, and none can be made for a while: read on exactly', test: 'test/source/event-hubs-faults.test.ts' },
  H3: { what: 'retention passes the position while the link is away: a stop that names the gap', test: 'test/source/event-hubs-faults.test.ts' },
  H4: { what: 'the hub is made again and is shorter: a stop', test: 'test/source/event-hubs-faults.test.ts' },
  H5: { what: 'the hub is made again with other events: a stop', test: 'test/source/event-hubs-faults.test.ts' },
  H6: { what: 'another reader with an owner level takes the link: said, and waited for, not fought', test: 'test/source/event-hubs-faults.test.ts' },
  H7: { what: 'events are sent again: dropped', test: 'test/source/event-hubs-faults.test.ts' },
  H8: { what: 'events are not sent: asked for again', test: 'test/source/event-hubs-faults.test.ts' },
  H9: { what: 'a link stays open and carries nothing: attached anew', test: 'test/source/event-hubs-faults.test.ts' },
  H10: { what: 'the service does not answer questions: a new connection', test: 'test/source/event-hubs-faults.test.ts' },
  H11: { what: 'the claim ends and new ones are refused for a while: read on exactly', test: 'test/source/event-hubs-faults.test.ts' },
  H12: { what: 'questions are throttled: tried again', test: 'test/source/event-hubs-faults.test.ts' },
  H13: { what: 'the hub is deleted: a stop, or waited for when nothing of it was read', test: 'test/source/event-hubs-faults.test.ts' },
  H14: { what: 'nobody takes the events of a long log: no more arrive than there is room for', test: 'test/source/event-hubs-faults.test.ts' },
  H15: { what: 'claims are not answered any more, questions are: a new connection', test: 'test/source/event-hubs-faults.test.ts' },
  // Registries of schemas, and issuers of tokens.
  R1: { what: 'a registry is away when a record needs a new schema: its partition waits, others go on', test: 'test/ingest/schema-gate.test.ts' },
  R2: { what: 'the same with a live database, Debezium and a real registry: no dead letter, then SQL\'s figures', test: 'test/live/following.test.ts' },
  R3: { what: 'the issuer is away until a token ends: the store says what is missing, and works again', test: 'test/snapshot/azure-identity.test.ts' },
  R4: { what: 'the issuer is away as a broker\'s session ends: said once, read on exactly', test: 'test/source/kafka-oauth.test.ts' },
  R5: { what: 'all claims of Event Hubs end at once: read on exactly with new ones', test: 'test/source/event-hubs-identity.test.ts' },
} as const satisfies Readonly<Record<string, FaultRow>>;

/** What happens, and the file of the test that makes it happen, from the repository's root. */
export interface FaultRow {
  readonly what: string;
  readonly test: string;
}

/** Id of a fault. */
export type FaultId = keyof typeof FAULTS;

/** The table with how often each fault happened, from the ids that tests told, in lines; and the ids that nobody told. */
export function faultReport(told: readonly string[]): { readonly lines: readonly string[]; readonly missing: readonly FaultId[] } {
  const rows = (Object.entries(FAULTS) as [FaultId, FaultRow][]).map(([id, row]) => ({ id, row, times: told.filter((one) => one === id).length }));
  const lines = rows.map(({ id, row, times }) => `${id.padEnd(4)} ${String(times).padStart(5)}  ${row.what}  (${row.test})`);
  return { lines, missing: rows.filter(({ times }) => times === 0).map(({ id }) => id) };
}
