import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { describeHolder, newHolder, parseHolder, type Holder } from './lease-holder.ts';
import { ignoreMissing, syncFolder, temporaryName, writeDurably } from './local-files.ts';
import { withGuard, type GuardPlace } from './local-guard.ts';
import { isKnownDead } from './process-identity.ts';
import type { Lease, LeaseHeld, LeaseTerms } from './store.ts';

/**
 * The writer's lease of a local store: a lock file whose content changes with every heartbeat. Time is only ever measured as a length on one's own
 * monotonic clock: a contender takes the lease when it has seen the same heartbeat for the whole expiry, or when the holder is known dead;
 * the holder gives it up when its own last heartbeat is older than the expiry. So a holder that was paused finds out before it writes.
 *
 * A heartbeat goes through the file handle, hence to the holder's own file even when the name already stands for another's.
 */
export const HEARTBEAT_MS = 2_000;
export const EXPIRY_MS = 10_000;
/** Looking at a file costs nothing. */
const ASK_EVERY_MS = 1_000;
/** The last heartbeat is seen within ASK_EVERY_MS, has to look the same for EXPIRY_MS, and that is found out within ASK_EVERY_MS. */
export const LOCAL_LEASE_TERMS: LeaseTerms = { askEveryMs: ASK_EVERY_MS, takeOverMs: EXPIRY_MS + 2 * ASK_EVERY_MS };

const FILE_NAME = 'lease.json';
const BEAT_DIGITS = 12;

/** Where leases are kept, and what one store object remembers between its tries. */
export interface LeasePlace extends GuardPlace {
  /** The holder's file as last seen, and since when it has looked so on our monotonic clock. */
  observed: { content: string; sinceMs: number };
}

/** One try. Held by another: says by whom; ask again later. */
export async function takeLocalLease(place: LeasePlace, writer: string, lost: (reason: string) => void): Promise<Lease | LeaseHeld> {
  return withGuard(place, async () => {
    const path = join(place.folder, FILE_NAME);
    const content = await ignoreMissing(place.files.readFile(path, 'utf8'));
    if (content !== null && !mayTake(place, content)) return { held: false, by: describeHolder(content) };
    const holder = newHolder(place.own, writer);
    const temporary = join(place.folder, temporaryName(place.own));
    const renewedMs = place.clock.monotonicMs();
    await writeDurably(place.files, temporary, Buffer.from(contentOf(holder, 1)));
    await place.files.rename(temporary, path);
    await syncFolder(place.files, place.folder);
    const lease = new LocalLease(place, path, await place.files.open(path, 'r+'), holder, renewedMs, lost);
    lease.start();
    return lease;
  });
}

function mayTake(place: LeasePlace, content: string): boolean {
  const now = place.clock.monotonicMs();
  if (content !== place.observed.content) place.observed = { content, sinceMs: now };
  const holder = parseHolder(content);
  return (holder !== null && isKnownDead(holder, place.own)) || now - place.observed.sinceMs >= EXPIRY_MS;
}

function contentOf(holder: Holder, beat: number): string {
  return `${JSON.stringify({ ...holder, beat: String(beat).padStart(BEAT_DIGITS, '0') })}\n`;
}

class LocalLease implements Lease {
  readonly held = true;
  readonly #place: LeasePlace;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #holder: Holder;
  readonly #lost: (reason: string) => void;
  readonly #stop = new AbortController();
  #renewedMs: number;
  #beats = 1;
  #running: Promise<void> = Promise.resolve();

  constructor(place: LeasePlace, path: string, handle: FileHandle, holder: Holder, renewedMs: number, lost: (reason: string) => void) {
    this.#place = place;
    this.#path = path;
    this.#handle = handle;
    this.#holder = holder;
    this.#renewedMs = renewedMs;
    this.#lost = lost;
  }

  start(): void {
    this.#running = this.#keep();
  }

  valid(): boolean {
    return !this.#stop.signal.aborted && !this.#isLate();
  }

  async release(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    await withGuard(this.#place, async () => {
      if (await this.#isMine()) await ignoreMissing(this.#place.files.unlink(this.#path));
    });
    await this.#handle.close();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await this.#place.clock.sleep(HEARTBEAT_MS, signal);
      if (signal.aborted) return;
      const reason = await this.#beat();
      if (signal.aborted) return;
      if (reason !== null) return this.#lose(reason);
    }
  }

  /** Null when renewed, or when it may be tried again; otherwise why the lease is lost. */
  async #beat(): Promise<string | null> {
    const before = this.#place.clock.monotonicMs();
    const late = `no heartbeat for ${EXPIRY_MS / 1000} s: the process was paused, the machine slept, or the store did not answer`;
    if (this.#isLate()) return late;
    try {
      // A store that went away must not be given a last heartbeat by those who lost it: a stand-by elsewhere would wait for it.
      if (!await this.#isMine()) return await this.#takenBy();
      await this.#handle.write(contentOf(this.#holder, ++this.#beats), 0);
      if (this.#isLate()) return late;
      if (!await this.#isMine()) return await this.#takenBy();
      this.#renewedMs = before;
      return null;
    } catch {
      return this.#isLate() ? late : null;
    }
  }

  async #takenBy(): Promise<string> {
    const there = await ignoreMissing(this.#place.files.readFile(this.#path, 'utf8'));
    return there === null ? 'its file is gone: removed by hand, or the store went away' : `taken by ${describeHolder(there)}`;
  }

  #isLate(): boolean {
    return this.#place.clock.monotonicMs() - this.#renewedMs >= EXPIRY_MS;
  }

  async #isMine(): Promise<boolean> {
    const [there, own] = await Promise.all([ignoreMissing(this.#place.files.stat(this.#path)), this.#handle.stat()]);
    return there !== null && there.ino === own.ino;
  }

  async #lose(reason: string): Promise<void> {
    this.#stop.abort();
    this.#lost(reason);
    await this.#handle.close().catch(() => undefined);
  }
}
