/**
 * The contract of every checkpoint store (local directory, Azure Blob). Names are relative paths with `/`; only names below the
 * store's root exist for it. Every write that returns is durable: it survives the loss of power. Expected outcomes are values;
 * an outage is thrown as `RentfoldError` STORE_UNAVAILABLE.
 */
export interface Store {
  /** Where this is, for messages: a path or a container URL without secrets. */
  readonly place: string;
  /** Makes sure the root exists and can be written; throws STORE_UNAVAILABLE or STORE_NOT_WRITABLE saying what to do. */
  open(): Promise<void>;
  /** Whole content and version tag, or null when there is none. */
  read(name: string): Promise<{ readonly bytes: Uint8Array; readonly tag: string } | null>;
  /** Content in pieces of bounded size, for large segments; null when there is none. */
  readStream(name: string): Promise<AsyncIterable<Uint8Array> | null>;
  /** The last `bytesMax` bytes of the content (all of it when it is shorter), the whole size and the version tag; null when there is none. */
  readEnd(name: string, bytesMax: number): Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly tag: string } | null>;
  /**
   * Creates `name` only if it does not exist, atomically: two callers never both get 'created'. Readers see all of it or nothing. Content in
   * pieces is read to its end, whatever the answer.
   */
  create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'>;
  /**
   * Replaces `name`, atomically, if its version tag is still `tag` when all of the content is there (null: only if it does not exist). Answers the new tag, or
   * null when it was changed meanwhile. Content in pieces is read to its end, whatever the answer; when it throws, nothing is changed.
   */
  replace(name: string, content: Uint8Array | AsyncIterable<Uint8Array>, tag: string | null): Promise<string | null>;
  /** Names below `prefix` (a folder path ending in `/`), with size, in name order. Unfinished writes are not among them. */
  list(prefix: string): AsyncIterable<{ readonly name: string; readonly size: number }>;
  /** Removes `name`; nothing happens when there is none. */
  remove(name: string): Promise<void>;
  /**
   * Takes the writer's lease, or tells who holds it. A lease of a process that no longer lives on this host is taken at once;
   * one of another host after its expiry. `lost` is called once when the lease could not be kept.
   */
  acquireLease(writer: string, lost: (reason: string) => void): Promise<Lease | LeaseHeld>;
  /** How a stand-by is to ask, and how long a take-over takes. */
  readonly leaseTerms: LeaseTerms;
  close(): Promise<void>;
}

/** Times of a store's lease, in milliseconds. */
export interface LeaseTerms {
  /** A stand-by asks this often. */
  readonly askEveryMs: number;
  /**
   * The bound of a take-over: a stand-by that reaches the store has the lease within this time after its holder was killed, hung, or lost the store. When the holder
   * gave it back, or is known dead on the stand-by's own host, within `askEveryMs`.
   */
  readonly takeOverMs: number;
}

export interface Lease {
  readonly held: true;
  /** True while this process may publish: renewed within the expiry by a monotonic clock. Checked right before every manifest. */
  valid(): boolean;
  release(): Promise<void>;
}

export interface LeaseHeld {
  readonly held: false;
  /** Who holds it, in words: writer, host, process. */
  readonly by: string;
}
