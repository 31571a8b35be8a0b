import type { BlockBlobClient } from '@azure/storage-blob';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';
import type { AzureCalls, Limits, What } from './azure-calls.ts';
import { describeHolder, newHolder, parseHolder, type Holder } from './lease-holder.ts';
import { isKnownDead, type ProcessIdentity } from './process-identity.ts';
import type { Lease, LeaseHeld, LeaseTerms } from './store.ts';

/**
 * The writer's lease of a container: the service's own lease on one small blob, whose content says who holds it. The service lets nobody else have it before its
 * time is over; the holder counts that time from before it asked, on its own monotonic clock, so it stops sooner than the service does. It guards no other blob: that a
 * former holder cannot publish is the work of create-only manifests.
 */

/** Time after which the service gives it to another: how long a take-over from another host can take. */
export const LEASE_MS = 30_000;
export const RENEW_MS = 5_000;
/** The holder stops this much before the service does. */
const MARGIN_MS = 1_000;

const TAKE: Limits = { triesMax: 3, tryMs: 5_000 };
/**
 * Every question of a stand-by is two requests that Azure bills (the refusal, and who holds it): 34,560 a day at this rate, about half a dollar a month. Asked each
 * second they would be five times as many, for a take-over bound of 36 s instead of 40 s, of which 30 s are the lease's own.
 */
const ASK_EVERY_MS = 5_000;
/** The service gives the lease away at most LEASE_MS after its last renewal; then it is asked for within ASK_EVERY_MS, and answers within the deadline of a try. */
export const AZURE_LEASE_TERMS: LeaseTerms = { askEveryMs: ASK_EVERY_MS, takeOverMs: LEASE_MS + ASK_EVERY_MS + TAKE.tryMs };
const RENEW: Limits = { triesMax: 1, tryMs: 4_000 };

const HELD: Readonly<Record<string, 'held'>> = { LeaseAlreadyPresent: 'held', LeaseIsBreakingAndCannotBeAcquired: 'held', LeaseIsBreakingAndCannotBeChanged: 'held' };
/** Ours no longer: expired and given to another, broken, or its blob is gone. */
const GONE: Readonly<Record<string, 'gone'>> = {
  LeaseIdMismatchWithLeaseOperation: 'gone', LeaseNotPresentWithLeaseOperation: 'gone', LeaseIsBrokenAndCannotBeRenewed: 'gone', LeaseAlreadyBroken: 'gone', BlobNotFound: 'gone',
  LeaseIdMismatchWithBlobOperation: 'gone', LeaseNotPresentWithBlobOperation: 'gone', LeaseLost: 'gone', ConditionNotMet: 'gone',
};

/** Where the lease is kept. */
export interface AzureLeasePlace {
  readonly calls: AzureCalls;
  readonly blob: BlockBlobClient;
  /** Name of the blob in the store. */
  readonly name: string;
  readonly own: ProcessIdentity;
  readonly clock: Clock;
  /** Aborts when the store is closed. */
  readonly closing: AbortSignal;
}

/** One try. Held by another: says by whom; ask again later. The lease of a process known dead on this host is broken at once. */
export async function takeAzureLease(place: AzureLeasePlace, writer: string, lost: (reason: string) => void): Promise<Lease | LeaseHeld> {
  const id = randomUUID();
  const holder = newHolder(place.own, writer);
  for (let mayBreak = true; ; mayBreak = false) {
    const renewedMs = place.clock.monotonicMs();
    if (await acquire(place, id) === 'acquired') {
      // Whoever broke the lease of a dead process may have met ours, taken since: then it is not ours any more.
      const written = await writeHolder(place, holder, id).catch(async (error: unknown) => {
        // Unreleased, it would stand for half a minute under the name of whoever held it before.
        await giveBack(place, id).catch(() => undefined);
        throw error;
      });
      if (written === 'gone') return { held: false, by: 'a process that took it at the same moment' };
      const lease = new AzureLease(place, { holder, id, renewedMs, lost });
      lease.start();
      return lease;
    }
    const there = await readHolder(place);
    const other = parseHolder(there.content);
    if (!mayBreak || other === null || !isKnownDead(other, place.own)) return { held: false, by: describeHolder(there.content) };
    await breakLease(place, there.tag);
  }
}

const taking = (place: AzureLeasePlace): What => ({ operation: 'take the lease', name: place.name });

async function acquire(place: AzureLeasePlace, id: string): Promise<'acquired' | 'held'> {
  const { calls, blob } = place;
  const ask = (): Promise<'acquired' | 'held' | 'missing'> => calls.run(taking(place), async (abortSignal) => {
    await blob.getBlobLeaseClient(id).acquireLease(LEASE_MS / 1_000, { abortSignal });
    return 'acquired' as const;
  }, { ...HELD, BlobNotFound: 'missing' as const }, TAKE);
  const answer = await ask();
  if (answer !== 'missing') return answer;
  const conditions = { ifNoneMatch: '*' };
  await calls.run<unknown, null>(taking(place), (abortSignal) => blob.upload('{}\n', 3, { abortSignal, conditions }), { BlobAlreadyExists: null, ConditionNotMet: null, LeaseIdMissing: null }, TAKE);
  return await ask() === 'acquired' ? 'acquired' : 'held';
}

function writeHolder(place: AzureLeasePlace, holder: Holder, leaseId: string): Promise<'written' | 'gone'> {
  const content = Buffer.from(`${JSON.stringify(holder)}\n`);
  return place.calls.run(taking(place), async (abortSignal) => {
    await place.blob.upload(content, content.length, { abortSignal, conditions: { leaseId } });
    return 'written' as const;
  }, GONE, TAKE);
}

async function giveBack({ calls, blob, name }: AzureLeasePlace, id: string): Promise<void> {
  await calls.run<unknown, 'gone'>({ operation: 'give back the lease', name }, (abortSignal) => blob.getBlobLeaseClient(id).releaseLease({ abortSignal }), GONE, TAKE);
}

async function readHolder({ calls, blob, name }: AzureLeasePlace): Promise<{ readonly content: string; readonly tag: string }> {
  return await calls.run({ operation: 'read', name }, async (abortSignal) => {
    const answer = await blob.download(0, undefined, { abortSignal, maxRetryRequests: 0 });
    const chunks: Buffer[] = [];
    for await (const chunk of answer.readableStreamBody ?? []) chunks.push(chunk as Buffer);
    return { content: Buffer.concat(chunks).toString(), tag: answer.etag ?? '' };
  }, { BlobNotFound: { content: '', tag: '' } }, TAKE);
}

/** Ends the lease of the holder that was read; does nothing when another has written its name there since. */
async function breakLease(place: AzureLeasePlace, ifMatch: string): Promise<void> {
  const { calls, blob } = place;
  await calls.run<unknown, null>(
    taking(place), (abortSignal) => blob.getBlobLeaseClient().breakLease(0, { abortSignal, conditions: { ifMatch } }),
    { ConditionNotMet: null, LeaseNotPresentWithLeaseOperation: null, LeaseAlreadyBroken: null, BlobNotFound: null }, TAKE,
  );
}

interface Held {
  readonly holder: Holder;
  readonly id: string;
  /** Monotonic time before the lease was asked for. */
  readonly renewedMs: number;
  readonly lost: (reason: string) => void;
}

class AzureLease implements Lease {
  readonly held = true;
  readonly #place: AzureLeasePlace;
  readonly #given: Held;
  readonly #stop = new AbortController();
  readonly #ends: AbortSignal;
  #renewedMs: number;
  #running: Promise<void> = Promise.resolve();

  constructor(place: AzureLeasePlace, given: Held) {
    this.#place = place;
    this.#given = given;
    this.#renewedMs = given.renewedMs;
    this.#ends = AbortSignal.any([this.#stop.signal, place.closing]);
  }

  start(): void {
    this.#running = this.#keep();
  }

  valid(): boolean {
    return !this.#ends.aborted && !this.#isLate();
  }

  async release(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new Error('the lease is given back'));
    await this.#running;
    await giveBack(this.#place, this.#given.id);
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#place.clock.sleep(RENEW_MS, this.#ends);
      if (this.#ends.aborted) return;
      const reason = await this.#renew();
      if (this.#ends.aborted) return;
      if (reason !== null) {
        this.#stop.abort(new Error(reason));
        this.#given.lost(reason);
        return;
      }
    }
  }

  /** Null when renewed, or when it may be tried again; otherwise why the lease is lost. */
  async #renew(): Promise<string | null> {
    const { calls, blob, clock, name } = this.#place;
    const late = `not renewed for ${(LEASE_MS - MARGIN_MS) / 1_000} s: the process was paused, the machine slept, or the store did not answer`;
    if (this.#isLate()) return late;
    const before = clock.monotonicMs();
    try {
      const answer = await calls.run<unknown, 'gone'>(
        { operation: 'renew the lease', name }, (abortSignal) => blob.getBlobLeaseClient(this.#given.id).renewLease({ abortSignal }), GONE, RENEW, this.#stop.signal,
      );
      if (answer === 'gone') return await this.#takenBy();
      this.#renewedMs = before;
    } catch {
      // An outage: tried again until it is late.
    }
    return this.#isLate() ? late : null;
  }

  async #takenBy(): Promise<string> {
    const there = await readHolder(this.#place).catch(() => null);
    const other = there === null ? null : parseHolder(there.content);
    return there === null || other === null || other.token === this.#given.holder.token ? 'broken by somebody' : `taken by ${describeHolder(there.content)}`;
  }

  #isLate(): boolean {
    return this.#place.clock.monotonicMs() - this.#renewedMs >= LEASE_MS - MARGIN_MS;
  }
}
