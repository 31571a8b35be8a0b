import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { RentfoldError } from '../errors.ts';
import { createTokenCredential } from '../runtime/azure-identity.ts';
import { createSystemClock, type Clock } from '../runtime/clock.ts';
import { accountOf, type AzureAccount, type AzureContainer } from './azure-account.ts';
import { AzureCalls } from './azure-calls.ts';
import { readLast, readRanges, readWhole } from './azure-download.ts';
import { AZURE_LEASE_TERMS, takeAzureLease } from './azure-lease.ts';
import { openContainer } from './azure-open.ts';
import { upload, type Condition } from './azure-upload.ts';
import { ownIdentity, type ProcessIdentity } from './process-identity.ts';
import { byName, checkedName } from './store-name.ts';
import type { Lease, LeaseHeld, Store } from './store.ts';

/** A checkpoint store in a container of an Azure Storage account, with a flat or a hierarchical namespace. */
export interface AzureStoreOptions extends AzureContainer {
  /** Folder in it that is ours, ending in `/`: the lease's blob goes into `.rentfold/` in it. */
  readonly ownFolder: string;
}

/** What is known already, and what a test replaces. */
export interface AzureStoreParts {
  /** The same store was opened by another object: what is refused from now on is an outage, not a wrong setting. */
  readonly isKnown?: boolean;
  readonly clock?: Clock;
  readonly identity?: ProcessIdentity;
  /** Most names asked for at a time when listing. */
  readonly pageNames?: number;
}

/** Most names the service gives in one answer. */
const PAGE_NAMES = 5_000;

/**
 * Makes the store; the first request loads the client library. A version tag is the service's ETag. Throws CONFIGURATION_INVALID for a credential that cannot
 * be one.
 */
export function createAzureStore(options: AzureStoreOptions, parts: AzureStoreParts = {}): Store {
  return new AzureStore(options, parts);
}

class AzureStore implements Store {
  readonly place: string;
  readonly leaseTerms = AZURE_LEASE_TERMS;
  readonly #account: AzureAccount;
  readonly #container: string;
  readonly #work: string;
  readonly #clock: Clock;
  readonly #own: ProcessIdentity;
  readonly #closed = new AbortController();
  readonly #calls: AzureCalls;
  readonly #pageNames: number;
  #client: Promise<ContainerClient> | null = null;

  constructor(options: AzureStoreOptions, parts: AzureStoreParts) {
    this.#account = accountOf(options.credential);
    this.#container = options.container;
    this.place = `${this.#account.endpoint}/${options.container}`;
    this.#work = `${options.ownFolder}.rentfold/`;
    this.#clock = parts.clock ?? createSystemClock();
    this.#own = parts.identity ?? ownIdentity();
    this.#pageNames = parts.pageNames ?? PAGE_NAMES;
    this.#calls = new AzureCalls({ clock: this.#clock, account: this.#account, place: this.place, closing: this.#closed.signal, isKnown: parts.isKnown ?? false });
  }

  async open(): Promise<void> {
    const client = await this.#loaded();
    await this.#calls.opening(() => openContainer(this.#calls, client, this.#work));
  }

  async read(name: string): Promise<{ readonly bytes: Uint8Array; readonly tag: string } | null> {
    return await readWhole(this.#calls, await this.#blob(name), { operation: 'read', name });
  }

  async readStream(name: string): Promise<AsyncIterable<Uint8Array> | null> {
    return await readRanges(this.#calls, await this.#blob(name), { operation: 'read', name });
  }

  async readEnd(name: string, bytesMax: number): Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly tag: string } | null> {
    return await readLast(this.#calls, await this.#blob(name), { operation: 'read', name }, bytesMax);
  }

  async create(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<'created' | 'exists'> {
    const tag = await upload(this.#calls, await this.#blob(name), { operation: 'create', name }, content, { ifNoneMatch: '*' });
    return tag === null ? 'exists' : 'created';
  }

  async replace(name: string, content: Uint8Array | AsyncIterable<Uint8Array>, tag: string | null): Promise<string | null> {
    const condition: Condition = tag === null ? { ifNoneMatch: '*' } : { ifMatch: quoted(tag) };
    return await upload(this.#calls, await this.#blob(name), { operation: 'replace', name }, content, condition);
  }

  async *list(prefix: string): AsyncIterable<{ readonly name: string; readonly size: number }> {
    if (prefix !== '') checkedName(prefix.replace(/\/$/, ''));
    const files: { readonly name: string; readonly size: number }[] = [];
    for await (const page of this.#pages(prefix)) {
      for (const { name, properties, metadata } of page) {
        // In a hierarchical namespace folders are blobs, too.
        if (metadata?.hdi_isfolder === 'true' || /(^|\/)\./.test(name.slice(prefix.length))) continue;
        files.push({ name, size: properties.contentLength ?? 0 });
      }
    }
    // The service's order is that of names only in a flat namespace.
    yield* files.sort(byName);
  }

  async remove(name: string): Promise<void> {
    const blob = await this.#blob(name);
    await this.#calls.run<unknown, null>({ operation: 'remove', name }, (abortSignal) => blob.delete({ abortSignal }), { BlobNotFound: null });
  }

  async acquireLease(writer: string, lost: (reason: string) => void): Promise<Lease | LeaseHeld> {
    const name = `${this.#work}lease.json`;
    const blob = (await this.#loaded()).getBlockBlobClient(name);
    return await takeAzureLease({ calls: this.#calls, blob, name, own: this.#own, clock: this.#clock, closing: this.#closed.signal }, writer, lost);
  }

  close(): Promise<void> {
    this.#closed.abort(new RentfoldError('STORE_UNAVAILABLE', `the store ${this.place} was closed`));
    return Promise.resolve();
  }

  async *#pages(prefix: string): AsyncGenerator<readonly Listed[]> {
    const client = await this.#loaded();
    let continuationToken: string | undefined;
    do {
      const page = await this.#calls.run({ operation: 'list', name: prefix }, async (abortSignal) => {
        const pages = client.listBlobsFlat({ prefix, includeMetadata: true, abortSignal });
        const settings = { maxPageSize: this.#pageNames, ...(continuationToken === undefined ? {} : { continuationToken }) };
        return (await pages.byPage(settings).next()).value;
      });
      yield page.segment.blobItems;
      continuationToken = page.continuationToken || undefined;
    } while (continuationToken !== undefined);
  }

  async #blob(name: string): Promise<BlockBlobClient> {
    checkedName(name);
    return (await this.#loaded()).getBlockBlobClient(name);
  }

  #loaded(): Promise<ContainerClient> {
    return this.#client ??= loadClient(this.#account, this.#container);
  }
}

interface Listed {
  readonly name: string;
  readonly properties: { readonly contentLength?: number };
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The library takes long to load: only those pay who use it. */
async function loadClient(account: AzureAccount, container: string): Promise<ContainerClient> {
  const { AnonymousCredential, ContainerClient, StorageSharedKeyCredential } = await import('@azure/storage-blob');
  const { endpoint, authorization } = account;
  const url = `${endpoint}/${container}`;
  // Repeating is ours, see `AzureCalls`.
  const settings = { retryOptions: { maxTries: 1 }, userAgentOptions: { userAgentPrefix: 'rentfold' } };
  switch (authorization.kind) {
    case 'key':
      return new ContainerClient(url, new StorageSharedKeyCredential(authorization.account, authorization.key), settings);
    case 'signature':
      return new ContainerClient(`${url}?${authorization.signature}`, new AnonymousCredential(), settings);
    case 'identity':
      return new ContainerClient(url, await createTokenCredential(authorization.identity), settings);
  }
}

/** A tag that is not one of the service's matches no version; as it stands, the service would not understand it. */
function quoted(tag: string): string {
  return /^(W\/)?"[^"]*"$/.test(tag) ? tag : `"${tag.replaceAll('"', '')}"`;
}
