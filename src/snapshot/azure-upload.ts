import type { BlockBlobClient } from '@azure/storage-blob';
import { createHash, randomBytes } from 'node:crypto';
import type { AzureCalls, What } from './azure-calls.ts';

/**
 * Writing a blob as a whole or not at all, on a condition. Content up to one block goes in one request. More is staged in blocks, which nobody sees, and made the
 * blob by one request that carries the condition; what is staged and never used, the service forgets after a week.
 */

/** Bytes of a block. At most `BLOCKS_IN_FLIGHT` are on their way while the next one fills: 24 MiB of memory at most. */
export const BLOCK_BYTES = 4 << 20;
const BLOCKS_IN_FLIGHT = 4;
/** Most blocks the service takes for one blob. */
const BLOCKS_MAX = 50_000;

/** When the blob may be written: only if there is none, or only over this version. */
export type Condition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string };

/** Metadata that says which write made a blob: a write that got no reply finds itself again. */
const WRITE = 'rentfoldwrite';

/** What the service says when the condition does not hold; and what it says when another's write swept away the blocks we staged. */
const CONFLICTS: Readonly<Record<string, 'conflict'>> = {
  BlobAlreadyExists: 'conflict', ConditionNotMet: 'conflict', TargetConditionNotMet: 'conflict', BlobNotFound: 'conflict', InvalidBlockList: 'conflict',
};

/** The new version tag, or null when the condition did not hold. Content in pieces is read to its end; an error in it is thrown, and nothing is written. */
export async function upload(
  calls: AzureCalls, blob: BlockBlobClient, what: What, content: Uint8Array | AsyncIterable<Uint8Array>, conditions: Condition,
): Promise<string | null> {
  const write = randomBytes(12).toString('hex');
  const blocks = blocksOf(content);
  try {
    const first = await blocks.next();
    const second = first.done === true ? first : await blocks.next();
    const answer = second.done === true
      ? await putWhole(calls, blob, what, first.done === true ? Buffer.alloc(0) : first.value, { conditions, write })
      : await putBlocks(calls, blob, what, following([first.value as Buffer, second.value], blocks), { conditions, write });
    return answer === 'conflict' ? await tagOfOwn(calls, blob, what, write) : answer;
  } finally {
    await blocks.return(undefined);
  }
}

interface Put {
  readonly conditions: Condition;
  readonly write: string;
}

function putWhole(calls: AzureCalls, blob: BlockBlobClient, what: What, bytes: Buffer, { conditions, write }: Put): Promise<string | 'conflict'> {
  const md5 = createHash('md5').update(bytes).digest();
  return calls.run(what, async (abortSignal) => {
    const { etag } = await blob.upload(bytes, bytes.length, { abortSignal, conditions, metadata: { [WRITE]: write }, transactionalContentMD5: md5 });
    return etag ?? '';
  }, CONFLICTS);
}

async function putBlocks(calls: AzureCalls, blob: BlockBlobClient, what: What, blocks: AsyncIterable<Buffer>, { conditions, write }: Put): Promise<string | 'conflict'> {
  const ids: string[] = [];
  const whole = createHash('md5');
  const staging = new Set<Promise<unknown>>();
  const giveUp = new AbortController();
  try {
    for await (const block of blocks) {
      if (ids.length === BLOCKS_MAX) throw new RangeError(`${what.name} is larger than a blob of ${BLOCKS_MAX} blocks can be`);
      // Names of one length, of this write alone: what another write has staged under the same name never gets into it.
      const id = Buffer.from(`${write}-${String(ids.length).padStart(5, '0')}`).toString('base64');
      ids.push(id);
      whole.update(block);
      const md5 = createHash('md5').update(block).digest();
      const staged = calls.run(what, (abortSignal) => blob.stageBlock(id, block, block.length, { abortSignal, transactionalContentMD5: md5 }), {}, undefined, giveUp.signal);
      staging.add(staged);
      void staged.then(() => staging.delete(staged), () => undefined);
      if (staging.size >= BLOCKS_IN_FLIGHT) await Promise.race(staging);
    }
    await Promise.all(staging);
  } catch (error) {
    giveUp.abort(error);
    await Promise.allSettled(staging);
    throw error;
  }
  const headers = { blobContentMD5: whole.digest() };
  return await calls.run(what, async (abortSignal) => {
    const { etag } = await blob.commitBlockList(ids, { abortSignal, conditions, metadata: { [WRITE]: write }, blobHTTPHeaders: headers });
    return etag ?? '';
  }, CONFLICTS);
}

/** The version tag of the blob there if this very write made it (its reply was lost), else null: another's. */
async function tagOfOwn(calls: AzureCalls, blob: BlockBlobClient, what: What, write: string): Promise<string | null> {
  const there = await calls.run(what, (abortSignal) => blob.getProperties({ abortSignal }), { BlobNotFound: null });
  return there?.metadata?.[WRITE] === write ? there.etag ?? null : null;
}

/** The content in blocks of the full size, the last one shorter; nothing for empty content. */
async function* blocksOf(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  if (content instanceof Uint8Array) {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) yield bytes.subarray(at, at + BLOCK_BYTES);
    return;
  }
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  for await (const piece of content) {
    for (let at = 0; at < piece.length;) {
      const take = Math.min(piece.length - at, BLOCK_BYTES - filled);
      block.set(piece.subarray(at, at + take), filled);
      at += take;
      filled += take;
      if (filled < BLOCK_BYTES) continue;
      yield block;
      block = Buffer.allocUnsafe(BLOCK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

async function* following(first: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  yield* rest;
}
